"""A store's file, open: who may write, how a change becomes durable, how deleted text is really gone.

What stands in the tables is `store`'s business; this is what holds for every read and every change.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from index.files import Files
from index.store.backup import back_up, clear_unfinished
from index.store.backup import restore as restore_backup
from index.store.checking import check
from index.store.connections import (
    FILE_NAME,
    checkpoint,
    connect,
    make_file,
    make_folder,
    transaction,
)
from index.store.faults import DamageError, closed, translated
from index.store.lock import InUse, WriterLock, acknowledged_changes, take_locks
from index.store.pages import first_problem, prove_pages
from index.store.readers import ReaderPool
from index.store.reading import counter
from index.store.records import Finding
from index.store.retrying import Retrying
from index.store.schema import create, update
from index.store.writing import create_collection
from rag.errors import IndexFileError, UnavailableError
from rag.records import DEFAULT_COLLECTION


def utc_now() -> datetime:
    """The time, for people."""
    return datetime.now(UTC)


class OpenFile:
    """An open file; made by `open`. Every method may raise what is listed there.

    Attributes:
        path: The file.
        writable: Whether it may be changed through this object.
    """

    def __init__(
        self, path: Path, files: Files, clock: Callable[[], datetime], lock: WriterLock | None, in_use: InUse
    ) -> None:
        self.path = path
        self.writable = lock is not None
        self._files = files
        self._clock = clock
        self._lock = lock
        self._readers = ReaderPool(path, in_use.release)
        self._writer: sqlite3.Connection | None = None
        self._turn = threading.Lock()
        self._erasing = False
        self._eraser = Retrying(self._erased, "store-erasing")
        self._proved = False

    @classmethod
    def open(
        cls,
        folder: Path,
        *,
        writable: bool = True,
        files: Files | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Open the store of a folder.

        Args:
            folder: Where; made (only for this user) if it is to be written and not there.
            writable: Whether it will be changed. There is one writer at a time, in all processes; readers
                need no lock and see what was committed.
            files: The file system; another one in tests.
            clock: Gives the time that is noted for people.

        Raises:
            UnavailableError: With code `library_busy` while another process writes, naming it, or restores a
                backup; with `library_read_only` when a store that was opened to be read is to be changed.
            IndexFileError: With code `library_missing` if there is none to read, `library_damaged` if its
                content cannot be trusted, `library_newer` if a newer version wrote it,
                `library_unwritable` if the disk refuses.
        """
        path, files = folder / FILE_NAME, files or Files()
        with translated(path, writing=writable):
            if writable:
                make_folder(folder, files)
            elif not path.exists():
                raise IndexFileError(
                    f"文件夹 {str(folder)!r} 里还没有文库。请先启动服务或添加文档。", code="library_missing"
                )
            lock, in_use = take_locks(folder, writable=writable)
        store = cls(path, files, clock, lock, in_use)
        try:
            store._begin()
        except BaseException:
            store.close()
            raise
        return store

    def close(self) -> None:
        """Empty the log into the file, let others write. Generators that are still open end on their own."""
        self._eraser.close()
        self._readers.close()
        self.let_others_write()

    def let_others_write(self) -> None:
        """Empty the log into the file and only read from now on."""
        self.writable = False
        with self._turn:
            writer, self._writer = self._writer, None
            if writer is not None:
                # Committed is committed: what cannot be copied now stays in the log for the next one.
                with contextlib.suppress(sqlite3.Error):
                    if checkpoint(writer):
                        self._acknowledge(0)
                writer.close()
            if self._lock is not None:
                self._lock.release()
                self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def set_note(self, note: str) -> None:
        """What a second writer is told about this one, e.g. the address of its service."""
        # In turn with changes, because the note also says how many there are.
        with self._turn, translated(self.path, writing=True):
            if self._lock is not None:
                self._lock.set_note(note)

    def version(self) -> int:
        """A number that is another one after every committed change of anything, for readers too."""
        with self.reading() as connection:
            return counter(connection, "changes")

    def checkpoint(self) -> bool:
        """Empty the log into the file now; False while a reader needs it. Happens on its own, mostly.

        After True, texts that were removed are in no file, not even as free space. A removal sees to it.
        """
        with self._turn, translated(self.path, writing=True):
            self._erasing = not checkpoint(self._connection())
            return not self._erasing

    def check(self) -> Iterator[Finding]:
        """All that is not as it was written, of one state; reads everything, in little memory."""
        acknowledged = acknowledged_changes(self.path.parent)  # first: more may come meanwhile
        with self.reading() as connection:
            yield from check(connection, self.path.name, acknowledged)

    def backup(self, target: Path) -> None:
        """Copy the present state into a new file, verified; others may write meanwhile.

        Raises:
            IndexFileError: With code `library_unwritable` if the target exists or cannot be written, with
                `library_damaged` if the store is not sound. No file is left then.
        """
        with self.reading() as connection:
            back_up(connection, target, self._files)

    @staticmethod
    def restore(backup: Path, folder: Path) -> Path | None:
        """Put a backup in the place of a folder's store; see `index.store.backup.restore`."""
        return restore_backup(backup, folder)

    def now(self) -> str:
        """The time as it is noted: UTC, ISO 8601, to the second."""
        return self._clock().astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """A connection in a snapshot, for the calling thread."""
        with translated(self.path), self._readers.taken() as connection:
            yield connection

    @contextlib.contextmanager
    def changing(self, *, erases: bool = False) -> Iterator[sqlite3.Connection]:
        """The writing connection in a transaction, which is durable when the block has ended.

        Args:
            erases: Whether text is deleted that must then leave the log as well.
        """
        with self._turn, translated(self.path, writing=True):
            writer = self._connection()
            if not self._proved:
                prove_pages(writer)
                self._proved = True
            with transaction(writer):
                yield writer
                changes = counter(writer, "changes") + 1
                update(writer, "meta", ("changes", changes))
            self._acknowledge(changes)
            self._erasing |= erases
            if not self._emptied(writer):
                self._eraser.begin()

    def _emptied(self, writer: sqlite3.Connection) -> bool:
        with contextlib.suppress(sqlite3.Error):  # the change itself is durable already
            self._erasing = self._erasing and not checkpoint(writer)
        return not self._erasing

    def _erased(self) -> bool:
        with self._turn:
            return self._writer is None or self._emptied(self._writer)

    def _connection(self) -> sqlite3.Connection:
        if self._readers.closed:
            raise closed(self.path)
        if not self.writable:
            raise UnavailableError(
                f"文库 {str(self.path.parent)!r} 是只读打开的，不能添加或删除。"
                "请通过正在写它的那个服务来做，或等它结束后重新打开。",
                code="library_read_only",
            )
        if self._writer is None:
            raise sqlite3.ProgrammingError(f"the store {str(self.path)!r} is closed")
        return self._writer

    def _acknowledge(self, changes: int) -> None:
        if self._lock is not None:
            with contextlib.suppress(OSError):  # the change is durable without it
                self._lock.note_changes(changes)

    def _begin(self) -> None:
        with translated(self.path, writing=self.writable):
            if self.writable:
                clear_unfinished(self.path.parent)
            if self.writable and not self.path.exists():
                make_file(self.path, self._files, self._fill)
                self._acknowledge(0)  # whatever there was before
            if self.path.stat().st_size == 0:
                raise DamageError("", "文件是空的")
            # By a reader first: a file of another program or a newer version stays exactly as it is.
            with self._readers.taken() as connection:
                problem = first_problem(connection, self._lock.changes if self._lock else 0)
            if problem:
                raise DamageError("", problem)
            if self.writable:
                self._writer = connect(self.path, writable=True)

    def _fill(self, connection: sqlite3.Connection) -> None:
        create(connection)
        create_collection(connection, DEFAULT_COLLECTION, self.now())
