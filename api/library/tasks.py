"""A job while it has not ended: what it does, how far it is, and until when it can be called off.

A job is called off or it goes to its end, never both: whoever holds the lock of its task decides. A worker
asks once, directly before it commits (`Report.decide`); until then it is stopped at the next report.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Any


class Stopping(Exception):  # noqa: N818 -- no error: the library closes
    """The library closes; what was begun is taken up again at the next start."""


class CalledOff(Exception):  # noqa: N818 -- no error: somebody wanted it
    """Nobody wants the work any more, and nothing of it is to stay."""


class Report:
    """What a worker tells of its work, and is told.

    Args:
        told: Called with (texts encoded, texts in all).
        stopping: Whether the library closes.
    """

    def __init__(self, told: Callable[[int, int], None], stopping: Callable[[], bool]) -> None:
        self._told = told
        self._stopping = stopping
        self._lock = threading.Lock()
        self._decided = False
        self._called_off = False

    def __call__(self, done: int, total: int) -> None:
        """Tell how far the work is.

        Raises:
            Stopping: If the library closes.
            CalledOff: If nobody wants the work any more.
        """
        if self._stopping():
            raise Stopping
        if self._called_off:
            raise CalledOff
        self._told(done, total)

    def decide(self) -> None:
        """Go to the end from here on, whatever comes; to be called directly before the commit.

        Raises:
            CalledOff: If that came first.
        """
        if not self.decided():
            raise CalledOff

    def decided(self) -> bool:
        """As `decide`; False if it was called off before."""
        with self._lock:
            self._decided = not self._called_off
            return self._decided

    def call_off(self, withdraw: Callable[[], None]) -> bool:
        """Let the work stop at its next report; False if it goes to its end, or has come there.

        Args:
            withdraw: Makes that durable. What it raises is raised, and the work goes on.
        """
        with self._lock:
            if self._decided:
                return False
            if not self._called_off:
                withdraw()
                self._called_off = True
            return True


Work = Callable[[Report], dict[str, Any]]
"""Does the work; returns what is known of the job at its end, by the names of `Job`."""


@dataclass(frozen=True, eq=False, slots=True)
class Task:
    """A job that waits or runs.

    Attributes:
        job_id: Of which job.
        work: What to do.
        report: How it goes.
        failed: Called with the error's code if it fails; whether what was accepted is kept for another try.
        lane: Where it waits.
        context: That of whoever asked for it.
    """

    job_id: str
    work: Work
    report: Report
    failed: Callable[[str], bool]
    lane: str
    context: Context = field(repr=False)
