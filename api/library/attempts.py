"""How often a job was running when the process ended: what kills a process must not kill the next one too.

A small file beside the store. It decides nothing but whether a text that was accepted is tried once more,
so it is neither synced nor verified; one that cannot be read says nothing.
"""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path

FILE_NAME = "library.attempts"

_log = logging.getLogger(__name__)


class Attempts:
    """The jobs that have begun and not ended. Safe to call from threads.

    Args:
        folder: Where the store lies.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE_NAME
        self._lock = threading.Lock()

    def read(self) -> dict[str, int]:
        """How often each job has begun without ending."""
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return {}
        if not isinstance(found, dict):
            return {}
        return {str(job): times for job, times in found.items() if type(times) is int}

    def begun(self, job_id: str) -> None:
        """A job begins."""
        with self._lock:
            known = self.read()
            self._write(known | {job_id: known.get(job_id, 0) + 1})

    def ended(self, job_id: str) -> None:
        """A job has ended, however."""
        with self._lock:
            known = self.read()
            if known.pop(job_id, None) is not None:
                self._write(known)

    def _write(self, known: dict[str, int]) -> None:
        try:
            beside = self._path.with_name(f"{FILE_NAME}.new")
            beside.write_text(json.dumps(known), "utf-8")
            beside.replace(self._path)
        except OSError as error:
            _log.warning("%s could not be written: %s", FILE_NAME, error)
