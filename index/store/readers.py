"""Connections that read, kept open between one use and the next.

A connection is used by one thread at a time: `ReaderPool.taken` gives it out and takes it back.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from index.store.connections import connect, snapshot
from index.store.faults import closed

_IDLE_READERS = 4

Identity = tuple[int, int]


class ReaderPool:
    """Connections that read one file, each lent to one thread at a time.

    Args:
        path: The file.
        at_end: Called once this is closed and no connection is lent any more.
    """

    def __init__(self, path: Path, at_end: Callable[[], None]) -> None:
        self._path = path
        self._at_end = at_end
        self._lock = threading.Lock()
        self._idle: list[tuple[Identity, sqlite3.Connection]] = []
        self._lent = 0
        self._closed = False
        self._ended = False

    @property
    def closed(self) -> bool:
        """Whether nothing is read any more."""
        return self._closed

    @contextlib.contextmanager
    def taken(self) -> Iterator[sqlite3.Connection]:
        """A connection with a snapshot of its own.

        Raises:
            sqlite3.Error: If the file cannot be read.
            OSError: If it is not there.
            UnavailableError: With code `shutting_down` if this was closed.
        """
        identity, connection = self._take()
        sound = False
        try:
            with snapshot(connection):
                yield connection
            sound = True
        finally:
            self._give_back(identity, connection, keep=sound)

    def close(self) -> None:
        """Close what is idle now, and what is lent when it comes back."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for _, connection in idle:
            connection.close()
        self._end_if_unused()

    def _take(self) -> tuple[Identity, sqlite3.Connection]:
        identity = _identity_of(self._path)
        with self._lock:
            if self._closed:
                raise closed(self._path)
            fitting = self._idle.pop() if self._idle else None
            self._lent += 1
        try:
            if fitting is not None:
                if fitting[0] == identity:
                    return fitting
                fitting[1].close()  # another file was put in its place by hand meanwhile
            return identity, connect(self._path, writable=False)
        except BaseException:
            self._returned()
            raise

    def _give_back(self, identity: Identity, connection: sqlite3.Connection, *, keep: bool) -> None:
        with self._lock:
            kept = keep and not self._closed and len(self._idle) < _IDLE_READERS
            if kept:
                self._idle.append((identity, connection))
        if not kept:
            connection.close()
        self._returned()

    def _returned(self) -> None:
        with self._lock:
            self._lent -= 1
        self._end_if_unused()

    def _end_if_unused(self) -> None:
        with self._lock:
            ends = self._closed and not self._lent and not self._ended
            self._ended |= ends
        if ends:
            self._at_end()


def _identity_of(path: Path) -> Identity:
    """Which file this is now; another one if somebody has put it there by hand."""
    status = path.stat()
    return status.st_dev, status.st_ino
