"""What was running when the process ended: what kills a process must not kill the next one too.

A small file beside the store. It decides nothing but when a text that was accepted is tried once more, so it
is neither synced nor verified; one that cannot be read says nothing.

A job that ran when the process ended is suspected, and runs alone from then on until it has ended in order.
An end counts against a job only if nothing else was running.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

FILE_NAME = "library.attempts"

_Known = tuple[list[str], dict[str, int]]

_log = logging.getLogger(__name__)


class Attempts:
    """The jobs that have begun and not ended. Safe to call from threads.

    Args:
        folder: Where the store lies.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._lock = threading.Lock()

    def settle(self) -> dict[str, int]:
        """Look back at the last process, once, before anything begins.

        Returns:
            For each job that was running when a process ended, and has not ended in order since, how often
            it was the only one.
        """
        with self._lock:
            running, times = self._read()
            if running:
                times = dict.fromkeys(running, 0) | times
                if len(running) == 1:
                    times[running[0]] += 1
                self._write([], times)
            return times

    def begun(self, job_id: str) -> None:
        """A job runs from now on."""
        with self._lock:
            running, times = self._read()
            self._write([*running, job_id], times)

    @contextmanager
    def watched(self, job_id: str) -> Iterator[None]:
        """A job runs inside."""
        self.begun(job_id)
        try:
            yield
        finally:
            self.ended(job_id)

    def ended(self, job_id: str) -> None:
        """A job has ended in order, or there is none any more: nothing is held against it."""
        with self._lock:
            running, times = self._read()
            if job_id in running or job_id in times:
                self._write([one for one in running if one != job_id], _without(times, job_id))

    def suspect(self, job_id: str, times: int) -> None:
        """Hold so many ends against a job."""
        with self._lock:
            running, known = self._read()
            self._write(running, known | {job_id: times})

    def keep_only(self, job_ids: Collection[str]) -> None:
        """Forget all other jobs."""
        with self._lock:
            running, times = self._read()
            if gone := times.keys() - set(job_ids):
                self._write(running, _without(times, *gone))

    def _read(self) -> _Known:
        try:
            found = json.loads(self._path.read_text("utf-8"))
            running, times = found["running"], found["times"]
            return (
                [job_id for job_id in running if type(job_id) is str],
                {str(job_id): count for job_id, count in times.items() if type(count) is int},
            )
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return [], {}

    def _write(self, running: list[str], times: dict[str, int]) -> None:
        try:
            beside = self._path.with_name(f"{FILE_NAME}.new")
            beside.write_text(json.dumps({"running": running, "times": times}), "utf-8")
            beside.replace(self._path)
        except OSError as error:
            _log.warning("%s could not be written: %s", FILE_NAME, error)


def _without(times: dict[str, int], *gone: str) -> dict[str, int]:
    return {job_id: count for job_id, count in times.items() if job_id not in gone}
