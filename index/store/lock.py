"""One writer: a lock that the system lets go of when its process ends, however it ends.

Why not SQLite's own locks: they are held for a transaction, but what a writing process keeps in memory must
stay the only truth for as long as it lives. The lock stands in a file of its own: opening and closing
the database file itself would drop SQLite's locks on it (POSIX: closing any descriptor of a file drops all
of the process's record locks).
"""

from __future__ import annotations

import os
from pathlib import Path

from rag.errors import UnavailableError

LOCK_NAME = "library.lock"
_NOTE_CHARS = 200


class WriterLock:
    """The right to write a folder's library, from construction to `release`.

    Args:
        folder: Which; it exists.

    Raises:
        UnavailableError: With code `library_busy` while another holds it, naming its process number and note.
        OSError: If the file cannot be made.
    """

    def __init__(self, folder: Path) -> None:
        self._handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            self._take(folder)
            self.set_note("")
        except BaseException:
            os.close(self._handle)
            raise

    def set_note(self, note: str) -> None:
        """Say what the holder is, e.g. the address of its service; whoever is refused reads it."""
        line = " ".join(note.split())[:_NOTE_CHARS]
        data = f"{os.getpid()}\n{line}\n".encode()
        os.pwrite(self._handle, data, 0)
        os.ftruncate(self._handle, len(data))

    def release(self) -> None:
        """Let others write. The file stays: removing it could take another's lock away."""
        os.close(self._handle)

    def _take(self, folder: Path) -> None:
        try:
            import fcntl
        except ImportError:  # No advisory locks on this platform: one writer is then up to its user.
            return
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            pid, _, note = os.pread(self._handle, 4096, 0).decode("utf-8", "replace").partition("\n")
            holder = f"进程号 {pid or '未知'}" + (f"，{note.strip()}" if note.strip() else "")
            raise UnavailableError(
                f"另一个进程（{holder}）正在写文库 {str(folder)!r}，同时只能有一个。"
                "请通过它来添加和删除，或等它结束后再试。",
                code="library_busy",
            ) from error
