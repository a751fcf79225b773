"""Something that could not be done because somebody was in the way, tried again until it is done."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_FIRST_SECONDS = 0.02
_MOST_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Retrying:
    """Tries in a thread of its own, at first often, then every few seconds. Safe to call from threads.

    Args:
        attempt: Whether it is done now, or need not be any more. Never raises; may be called at any time.
        name: Of the thread.
    """

    def __init__(self, attempt: Callable[[], bool], name: str) -> None:
        self._attempt = attempt
        self._name = name
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread: threading.Thread | None = None
        self._wanted = False

    def begin(self) -> None:
        """Try until it is done; nothing happens if that is under way."""
        with self._lock:
            self._wanted = True
            if self._thread is not None or self._ends.is_set():
                return
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            try:
                thread.start()
            except (RuntimeError, MemoryError) as error:  # the next one to begin finds more room, perhaps
                _log.warning("no thread can be started for %s: %s", self._name, error)
            else:
                self._thread = thread

    def close(self) -> None:
        """Try no more."""
        self._ends.set()

    def _run(self) -> None:
        seconds = _FIRST_SECONDS
        while not self._ends.wait(seconds):
            seconds = min(2 * seconds, _MOST_SECONDS)
            with self._lock:
                self._wanted = False
            done = self._attempt()  # not under the lock: it may have to wait for somebody who begins
            with self._lock:
                if done and not self._wanted:
                    self._thread = None
                    return
