"""How the file is made, opened and read: one connection that writes, and a few that read.

WAL mode: a commit is synced to `library.sqlite3-wal` (synchronous=FULL) before it counts, and copied into
the file itself later ("checkpoint"). Readers see the last commit and never wait for the writer. When a writer
was killed, whoever opens the file next, reader or writer, finds in the log what was committed. For that a
reader too must be able to write `library.sqlite3-shm`, where SQLite keeps track of the log; so it runs as the
same user, or finds the one that a writer made.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from index.files import Files
from index.store.bodies import PAGE_BYTES

FILE_NAME = "library.sqlite3"

_BUSY_MS = 2000  # only programs of others, or a log being recovered, can make us wait
_LOG_BYTES = 16 << 20  # what is left of the log after a large transaction is cut back to this


def make_folder(folder: Path, files: Files) -> None:
    """Make a folder that only this user can enter; one that is there already stays as it is."""
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    if missing:
        files.make_folder(folder)
        folder.chmod(0o700)
    for one in missing:  # a folder is only there after a power cut if the one above it was synced
        files.sync_folder(one.parent)


def make_file(path: Path, files: Files, fill: Callable[[sqlite3.Connection], None]) -> None:
    """Make a file that only this user can read, complete before it gets its name.

    So a file of that name that holds nothing is damaged, and never taken for a new one.

    Args:
        path: The file; the caller holds the lock of its folder.
        files: The file system.
        fill: Writes its first content, in one transaction.

    Raises:
        sqlite3.Error: If it cannot be written; no file is left.
        OSError: The same.
    """
    beside = path.with_name(path.name + ".new")
    try:
        remove_with_logs(beside)
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        with closing(connect(beside, writable=True)) as connection:
            with transaction(connection):
                fill(connection)
            # Closing does the same, and says nothing if it fails; the log does not come along.
            if not checkpoint(connection):
                raise OSError(f"{beside.name}: its log is held by another program")
        sync_file(beside)
        files.rename(beside, path)
        files.sync_folder(path.parent)
    finally:
        remove_with_logs(beside)


def remove_logs(path: Path) -> None:
    """Remove what SQLite keeps beside a file. Nothing may be using it."""
    for suffix in ("-wal", "-shm", "-journal"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)


def remove_with_logs(path: Path) -> None:
    """Remove a file and what SQLite keeps beside it."""
    path.unlink(missing_ok=True)
    remove_logs(path)


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk. Not for a file that this process has open in SQLite."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Inside, changes belong together: committed at the end, undone if anything is raised."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:  # SQLite may have undone it itself, e.g. when the disk is full
            connection.execute("ROLLBACK")


def connect(path: Path, *, writable: bool) -> sqlite3.Connection:
    """Open an existing file; transactions are begun and ended by hand.

    Raises:
        sqlite3.Error: If it cannot be opened or is no database.
    """
    mode = "rw" if writable else "ro"
    connection = sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={mode}",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_MS / 1000,
    )
    try:
        for pragma in (
            "trusted_schema = OFF",
            "cell_size_check = ON",
            "foreign_keys = ON",
            "temp_store = MEMORY",  # no text in files outside the folder
        ):
            connection.execute(f"PRAGMA {pragma}")
        if writable:
            _prepare_writing(connection)
        else:
            connection.execute("PRAGMA query_only = ON")
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_writing(connection: sqlite3.Connection) -> None:
    for pragma in (
        f"page_size = {PAGE_BYTES}",  # of a file that is still empty; texts and vectors are long
        "journal_mode = WAL",
        "synchronous = FULL",
        "secure_delete = ON",  # freed pages are overwritten with zeros
        f"journal_size_limit = {_LOG_BYTES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


def checkpoint(connection: sqlite3.Connection) -> bool:
    """Copy the log into the file and empty it; whether that was possible (a reader may need the log still).

    It does not wait. Once it succeeds, deleted text is in neither of the two.
    """
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        (blocked, _, _) = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError as error:
        if not str(getattr(error, "sqlite_errorname", "")).startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise
        return False
    finally:
        connection.execute(f"PRAGMA busy_timeout = {_BUSY_MS}")
    return not blocked


@contextlib.contextmanager
def snapshot(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Inside, every read sees the same committed state."""
    connection.execute("BEGIN")
    try:
        connection.execute(
            "SELECT count(*) FROM sqlite_schema"
        ).fetchone()  # the state is that of the first read
        yield connection
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
