"""Copies of the whole store: taken while it is in use, and put back.

A backup is one file that needs nothing beside it. A restore never leaves half of it: the file in use is
replaced by one rename, after the backup was checked, and what was there before is kept beside.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from index.files import Files
from index.store.checking import check
from index.store.connections import (
    FILE_NAME,
    checkpoint,
    connect,
    make_folder,
    remove_logs,
    remove_with_logs,
    snapshot,
    sync_file,
    transaction,
)
from index.store.faults import DamageError, damaged, of_a_backup, translated
from index.store.lock import InUse, WriterLock
from index.store.reading import counter
from index.store.schema import update, verify
from rag.errors import IndexFileError

_INCOMING = f"{FILE_NAME}.restoring"
_VERSIONS_AT = 18  # in SQLite's file header: the format's versions for writing and reading, 1 for no log


def clear_unfinished(folder: Path) -> None:
    """Remove what a restore that was killed left behind: a copy of all texts of a backup.

    The caller holds the lock of the folder.
    """
    remove_with_logs(folder / _INCOMING)


def back_up(connection: sqlite3.Connection, target: Path, files: Files) -> None:
    """Copy the state that a reading connection sees into a new file.

    Args:
        connection: In a snapshot; others may write meanwhile.
        target: The new file; its folder exists.
        files: The file system.

    Raises:
        IndexFileError: With code `library_unwritable` if the target exists or cannot be written, with
            `library_damaged` if what was copied is not sound. No file is left then.
    """
    if target.exists() or target.is_symlink():
        raise _taken(target)
    beside = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")  # nobody else's
    with translated(target, writing=True):
        os.close(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        try:
            _copy(connection, beside)
            sync_file(beside)
            _must_be_sound(beside)
            _publish(beside, target)
        finally:
            remove_with_logs(beside)
        files.sync_folder(target.parent)


def restore(backup: Path, folder: Path, *, files: Files | None = None) -> Path | None:
    """Put a backup in the place of a folder's library.

    Args:
        backup: A file that `Store.backup` wrote, or a library's own file (with its `-wal`, if there is one).
        folder: Of the library; made if need be.
        files: The file system; another one in tests.

    Returns:
        Where the library that was there is now, `library.sqlite3.before-restore` or, so that an earlier one
        is not lost, with a number; None if there was none. It still holds its texts: remove it when all is
        well.

    Raises:
        IndexFileError: With code `library_damaged` if the backup is not sound, `library_newer` if a newer
            version wrote it, `library_unwritable` if the disk refuses. The library is as it was; or, if only
            the very last synchronisation failed, the backup is in its place, and the message says so.
        UnavailableError: With code `library_busy` while a process writes it or has it open to read it.
    """
    files = files or Files()
    path = folder / FILE_NAME
    incoming = folder / _INCOMING
    with translated(path, writing=True):
        if not backup.is_file():
            raise IndexFileError(f"没有备份文件 {str(backup)!r}。请检查路径。", code="library_missing")
        fresh = not path.exists()
        make_folder(folder, files)
        with _alone(folder) as acknowledged:
            remove_with_logs(incoming)
            try:
                _receive(backup, incoming, path, acknowledged)
                kept = None if fresh else _set_aside(path, files)
                remove_logs(path)  # a log that outlives its file would be read into the new one
                files.sync_folder(folder)
                files.rename(incoming, path)
            finally:
                remove_with_logs(incoming)
            _confirm(path, files)
    return kept


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[int]:
    """Inside, nobody else writes or reads a folder's library; gives how many changes were acknowledged."""
    lock = WriterLock(folder)
    try:
        lock.set_note("正在恢复备份")
        in_use = InUse(folder, alone=True)
        try:
            yield lock.changes
        finally:
            in_use.release()
    finally:
        lock.release()


def _confirm(path: Path, files: Files) -> None:
    """Wait until the new file's name is on the disk; what was there before cannot come back by itself."""
    try:
        files.sync_folder(path.parent)
    except OSError as error:
        raise IndexFileError(
            f"备份已经放在 {str(path)!r}，但磁盘没有确认写完：{error}。断电后可能仍是原来的文库。"
            "请检查磁盘，再恢复一次。",
            code="library_unwritable",
        ) from error


def _copy(connection: sqlite3.Connection, target: Path) -> None:
    with closing(sqlite3.connect(target, isolation_level=None)) as copy:
        copy.execute("PRAGMA synchronous = OFF")  # synced as a whole afterwards
        connection.backup(copy)
    # What `PRAGMA journal_mode = DELETE` would write, so that the copy needs no other file to be read. But
    # that refuses where these two bytes are damaged, which is no reason not to save the rest.
    with target.open("r+b") as file:
        file.seek(_VERSIONS_AT)
        file.write(b"\1\1")


def _must_be_sound(path: Path) -> None:
    with translated(path), closing(connect(path, writable=False)) as copy, snapshot(copy):
        finding = next(check(copy, path.name), None)
    if finding is not None:
        raise damaged(path, f"{finding.place}：{finding.problem}")


def _publish(beside: Path, target: Path) -> None:
    """Give the file its name, unless the name was taken meanwhile."""
    try:
        os.link(beside, target)
    except FileExistsError as error:
        raise _taken(target) from error
    except OSError:  # a file system without hard links
        if target.exists():
            raise _taken(target) from None
        beside.rename(target)


def _taken(target: Path) -> IndexFileError:
    problem = f"已经有 {str(target)!r} 了，备份不覆盖任何文件。请换一个文件名。"
    return IndexFileError(problem, code="library_unwritable")


def _receive(backup: Path, incoming: Path, path: Path, acknowledged: int) -> None:
    """Copy a backup into the folder, bring it to rest, and check it."""
    for suffix in ("", "-wal"):
        origin = backup.with_name(backup.name + suffix)
        if origin.exists():
            copy = incoming.with_name(incoming.name + suffix)
            shutil.copyfile(origin, copy)
            copy.chmod(0o600)
    with of_a_backup(backup), closing(connect(incoming, writable=True)) as connection:
        problem = verify(connection)
        if problem:
            raise DamageError("", problem)
        with snapshot(connection):
            finding = next(check(connection, backup.name), None)
        if finding is not None:
            raise DamageError(finding.place, finding.problem)
        # Nobody who compares `Store.version` may take the restored state for one he has seen.
        changes = max(counter(connection, "changes"), _changes_of(path), acknowledged) + 1
        with transaction(connection):
            update(connection, "meta", ("changes", changes))
        if not checkpoint(connection):
            raise DamageError("", "它的日志正被别的程序占用")
    remove_logs(incoming)
    sync_file(incoming)


def _changes_of(path: Path) -> int:
    """The version of what is there now, as far as it can be read."""
    try:
        with closing(connect(path, writable=False)) as connection:
            return counter(connection, "changes")
    except (sqlite3.Error, DamageError, OSError):
        return 0


def _set_aside(path: Path, files: Files) -> Path:
    """Keep what is there under another name too, its log included; it stays where it is until the rename."""
    number, kept = 1, path.with_name(f"{path.name}.before-restore")
    while kept.exists() or kept.is_symlink():
        number += 1
        kept = path.with_name(f"{path.name}.before-restore-{number}")
    at_rest = False
    # A damaged file may not open; then its log is kept as it is.
    with contextlib.suppress(sqlite3.Error), closing(connect(path, writable=True)) as connection:
        at_rest = checkpoint(connection)
    log = path.with_name(path.name + "-wal")
    if not at_rest and log.exists():
        shutil.copyfile(log, kept.with_name(kept.name + "-wal"))
        sync_file(kept.with_name(kept.name + "-wal"))
    try:
        os.link(path, kept)
    except OSError:  # a file system without hard links
        shutil.copyfile(path, kept)
        kept.chmod(0o600)
        sync_file(kept)
    files.sync_folder(path.parent)
    return kept
