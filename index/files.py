"""The only module of `index` that touches the file system.

Small on purpose: a test hands in a `Files` whose n-th operation fails, or that forgets what was not
synchronised, and so walks through every moment at which a disk can let us down. It knows nothing
of vectors or manifests, opens no network path and follows no name it was not given.

What "synchronised" buys: `fsync` of a file makes its content survive a power cut, `fsync` of the
folder makes its *name* survive; a rename is atomic, but durable only after the latter
(POSIX.1-2024, fsync and rename).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from rag.errors import UnavailableError

_LOCK_NAME = ".lock"


def sha256(data: bytes) -> str:
    """Hex SHA-256 of these bytes, 64 lower-case digits."""
    return hashlib.sha256(data).hexdigest()


class Files:
    """The real file system. Every method raises `OSError` when the system refuses."""

    def read(self, path: Path) -> bytes:
        """The whole content of a file."""
        return path.read_bytes()

    def names(self, folder: Path) -> tuple[str, ...]:
        """Names in a folder in code-point order; empty where there is no such folder."""
        if not folder.is_dir():
            return ()
        return tuple(sorted(entry.name for entry in folder.iterdir()))

    def make_folder(self, folder: Path) -> None:
        """Make a folder and its parents; one that exists already is fine."""
        folder.mkdir(parents=True, exist_ok=True)

    def write(self, path: Path, data: bytes) -> None:
        """Write a file and wait until its content is on the disk; its name may not be yet."""
        with path.open("wb") as handle:
            handle.write(data)
            handle.flush()
            os.fsync(handle.fileno())

    def rename(self, source: Path, target: Path) -> None:
        """Rename within one folder, atomically; an existing target file is replaced."""
        source.replace(target)

    def sync_folder(self, folder: Path) -> None:
        """Wait until the names in a folder are on the disk."""
        if os.name == "nt":  # Windows cannot open a folder; its renames are journalled.
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def remove_folder(self, folder: Path) -> None:
        """Remove a folder and all it holds."""
        shutil.rmtree(folder)

    def write_atomically(self, path: Path, data: bytes) -> None:
        """Replace a file so that a reader, or a crash, meets the old or the new content only."""
        beside = path.with_name(path.name + ".tmp")
        self.write(beside, data)
        self.rename(beside, path)
        self.sync_folder(path.parent)

    @contextlib.contextmanager
    def lock(self, folder: Path) -> Iterator[None]:
        """Be the only writer of a folder; the system lets go of it when the process ends.

        Raises:
            UnavailableError: With code `index_busy` while another process writes here.
        """
        try:
            import fcntl
        except ImportError:  # No advisory locks on this platform: one writer is then up to its user.
            yield
            return
        with (folder / _LOCK_NAME).open("a+", encoding="ascii") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                handle.seek(0)
                holder = handle.read().strip() or "未知"
                raise UnavailableError(
                    f"另一个进程（进程号 {holder}）正在写索引文件夹 {folder.name!r}。请等它结束后再试。",
                    code="index_busy",
                ) from error
            handle.truncate(0)
            handle.write(str(os.getpid()))
            handle.flush()
            yield
