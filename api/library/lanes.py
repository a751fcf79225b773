"""Which job begins next: each lane in the order of its coming, and one lane whose jobs run alone.

A job that was running when the process ended may be what ended it. It runs when nothing else does, and
nothing else begins meanwhile: if the process ends again, it is known why.
"""

from __future__ import annotations

from collections import deque

from api.library.tasks import Task

QUICK, SLOW, ALONE = "quick", "slow", "alone"
_PATIENCE = 20
"""So many others begin while something waits to run alone; then they wait for it."""


class Lanes:
    """Tasks that wait, and lanes that are at work. Whoever calls holds the lock of the board."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Task]] = {}
        self._busy: set[str] = set()
        self._overtook = 0

    def put(self, task: Task) -> None:
        """Put a task at the end of its lane."""
        self._waiting.setdefault(task.lane, deque()).append(task)

    def take_out(self, task: Task) -> None:
        """Let a task that may be waiting never begin."""
        if task in self._waiting.get(task.lane, ()):
            self._waiting[task.lane].remove(task)

    def begin(self, lane: str) -> Task | None:
        """The next task of a lane, which is at work from now on; None if none may begin yet."""
        waiting = self._waiting.get(lane)
        if not waiting or not self._may_begin(lane):
            return None
        self._busy.add(lane)
        self._overtook = self._overtook + 1 if lane != ALONE and self._waiting.get(ALONE) else 0
        return waiting.popleft()

    def end(self, lane: str) -> None:
        """A lane has done its task."""
        self._busy.discard(lane)

    def count(self) -> int:
        """How many tasks wait."""
        return sum(map(len, self._waiting.values()))

    def _may_begin(self, lane: str) -> bool:
        impatient = bool(self._waiting.get(ALONE)) and self._overtook >= _PATIENCE
        if lane != ALONE:
            return ALONE not in self._busy and not impatient
        others = any(self._waiting[other] for other in self._waiting if other != ALONE)
        return not self._busy and (impatient or not others)
