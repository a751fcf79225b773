"""One writer, and nobody's files replaced: locks that the system lets go of when a process ends, however.

Why not SQLite's own locks: they are held for a transaction, but what a writing process keeps in memory must
stay the only truth for as long as it lives, and a reader between two transactions must not find another file
in the place of its own. The locks stand in files of their own: opening and closing the database file itself
would drop SQLite's locks on it (POSIX: closing any descriptor of a file drops all of the process's record
locks).
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from rag.errors import UnavailableError

LOCK_NAME = "library.lock"
USERS_NAME = "library.users"
_NOTE_CHARS = 200
_PROCESSES = Path("/proc")


class WriterLock:
    """The right to write a folder's library, from construction to `release`.

    Its file also tells how many changes were acknowledged, for the case that the holder is killed: SQLite
    takes a log that is damaged after that to end where the damage begins, and says nothing of what is lost.
    The number is written once the change is durable and is never synced, so it is never ahead of the library.

    Args:
        folder: Which; it exists.

    Attributes:
        changes: How many a holder before had acknowledged when it was killed; 0 if it ended in order.

    Raises:
        UnavailableError: With code `library_busy` while another holds it, naming its process number and note.
        OSError: If the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self.changes = self._take(folder)
            self.set_note("")
        except BaseException:
            os.close(self._handle)
            raise

    def set_note(self, note: str) -> None:
        """Say what the holder is, e.g. the address of its service; whoever is refused reads it."""
        self._note = " ".join(note.split())[:_NOTE_CHARS]
        self.note_changes(self.changes)

    def note_changes(self, changes: int) -> None:
        """Say how many changes are acknowledged; 0 when all of them are in the library's file itself."""
        self.changes = changes
        data = f"{os.getpid()}\n{self._note}\n{_stamped(changes)}\n".encode()
        os.pwrite(self._handle, data, 0)
        os.ftruncate(self._handle, len(data))

    def release(self) -> None:
        """Let others write. The file stays: removing it could take another's lock away."""
        os.close(self._handle)

    def _take(self, folder: Path) -> int:
        said = os.pread(self._handle, 4096, 0)
        if not _locked(self._handle, alone=True):
            pid, note, *_ = [*said.decode("utf-8", "replace").split("\n"), ""]
            holder = f"进程号 {pid or '未知'}" + (f"，{note.strip()}" if note.strip() else "")
            raise UnavailableError(
                f"另一个进程（{holder}）正在写文库 {str(folder)!r}，同时只能有一个。"
                "请通过它来添加和删除，或等它结束后再试。",
                code="library_busy",
            )
        return _changes_in(os.pread(self._handle, 4096, 0))


def acknowledged_changes(folder: Path) -> int:
    """How many changes of a folder's library were acknowledged; 0 if that is not known."""
    try:
        return _changes_in((folder / LOCK_NAME).read_bytes())
    except OSError:
        return 0


def _stamped(changes: int) -> str:
    return f"{changes} {zlib.crc32(b'%d' % changes):08x}"  # a line that was half written is none


def _changes_in(said: bytes) -> int:
    line = [*said.decode("utf-8", "replace").split("\n"), "", "", ""][2]
    number = line.partition(" ")[0]
    return int(number) if number.isdecimal() and len(number) < 19 and line == _stamped(int(number)) else 0


class InUse:
    """That a folder's library is open here, from construction to `release`; any number of times at once.

    Whoever replaces its files has it `alone`: nobody else has the library open then, nor can open it.

    Args:
        folder: Which; it exists.
        alone: Whether nobody else may have it open.

    Raises:
        UnavailableError: With code `library_busy` if it cannot be had alone, naming the processes that have
            it open where that can be found out; or while another has it alone.
        OSError: If it is to be had alone and the file cannot be made.
    """

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        path = folder / USERS_NAME
        self._handle: int | None = None
        try:
            self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError:
            if alone:
                raise
            # Somebody who may only read here: is known if he may read this file at least.
            with contextlib.suppress(OSError):
                self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        if self._handle is None or _locked(self._handle, alone=alone):
            return
        try:
            raise _open_elsewhere(folder, path) if alone else _being_replaced(folder)
        finally:
            self.release()

    def release(self) -> None:
        """It is no longer open here. The file stays, as that of the writer's lock. May be called again."""
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def _locked(handle: int, *, alone: bool) -> bool:
    """Whether an open file could be locked, by itself or shared with others."""
    try:
        import fcntl
    except ImportError:  # No advisory locks on this platform: who does what is then up to its user.
        return True
    try:
        fcntl.flock(handle, (fcntl.LOCK_EX if alone else fcntl.LOCK_SH) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _open_elsewhere(folder: Path, path: Path) -> UnavailableError:
    found = "、".join(map(str, sorted(set(_having_open(path)))))
    who = f"进程号 {found}" if found else f"进程号未知，可用 lsof {str(path)!r} 查看"
    return UnavailableError(
        f"还有进程（{who}）打开着文库 {str(folder)!r}，现在换掉文件，它会读到旧的。请先停止它，再试一次。",
        code="library_busy",
    )


def _being_replaced(folder: Path) -> UnavailableError:
    return UnavailableError(
        f"另一个进程正在用备份恢复文库 {str(folder)!r}。请等它结束后再试。", code="library_busy"
    )


def _having_open(path: Path) -> Iterator[int]:
    """Numbers of the processes that have a file open, this one without the descriptor that asks.

    Where the system shows no processes (not Linux), or only some (other users', other containers'), the rest
    is missing.
    """
    wanted = path.stat()
    ours = -1  # the one that asks
    for process in _PROCESSES.glob("[0-9]*"):
        pid = int(process.name)
        with contextlib.suppress(OSError):  # it has ended, or is not ours to look at
            for descriptor in (process / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if os.path.samestat(descriptor.stat(), wanted):
                        ours += pid == os.getpid()
                        if pid != os.getpid() or ours:
                            yield pid


def take_locks(folder: Path, *, writable: bool) -> tuple[WriterLock | None, InUse]:
    """What whoever opens a folder's library has to hold: if it is to be written, both.

    Raises:
        UnavailableError: With code `library_busy`, as each of them.
        OSError: If a file cannot be made.
    """
    lock = WriterLock(folder) if writable else None
    try:
        return lock, InUse(folder)
    except BaseException:
        if lock is not None:
            lock.release()
        raise
