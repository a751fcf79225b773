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
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from rag.errors import UnavailableError

_LOCK_NAME = ".lock"
_BLOCK_BYTES = 1 << 20  # small enough to be hashed while it is still in the processor's cache


class Digest(NamedTuple):
    """What tells one content from another: its length and its hex SHA-256."""

    length_bytes: int
    sha256: str

    @classmethod
    def of(cls, data: bytes) -> Digest:
        """The digest of these bytes."""
        return cls(len(data), sha256(data))


def sha256(data: bytes) -> str:
    """Hex SHA-256 of these bytes, 64 lower-case digits."""
    return hashlib.sha256(data).hexdigest()


class Files:
    """The real file system. Every method raises `OSError` when the system refuses."""

    def read(self, path: Path) -> bytes:
        """The whole content of a file."""
        return path.read_bytes()

    def read_into(self, path: Path, buffer: memoryview) -> Digest:
        """Fill a buffer with a file's content, in place.

        Args:
            path: The file.
            buffer: Of bytes, as long as the file should be.

        Returns:
            The digest of exactly the bytes that now stand in the buffer; its length is the file's, if
            that is longer, and what was read, if that is less than the buffer.
        """
        hasher, filled = hashlib.sha256(), 0
        with path.open("rb", buffering=0) as handle:
            while filled < len(buffer):
                count = handle.readinto(buffer[filled : filled + _BLOCK_BYTES])
                if not count:
                    break
                hasher.update(buffer[filled : filled + count])
                filled += count
            length = handle.seek(0, os.SEEK_END) if filled == len(buffer) else filled
        return Digest(length, hasher.hexdigest())

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
        self.write_blocks(path, (data,))

    def write_blocks(self, path: Path, blocks: Iterable[bytes | memoryview]) -> Digest:
        """Write a file block by block, hashing each on its way, and wait as `write` does.

        Args:
            path: The file.
            blocks: Bytes, in order; each is asked for when the one before is written.

        Returns:
            The digest of all that was written.
        """
        hasher, length = hashlib.sha256(), 0
        with path.open("wb") as handle:
            for block in blocks:
                hasher.update(block)
                handle.write(block)
                length += len(block)
            handle.flush()
            os.fsync(handle.fileno())
        return Digest(length, hasher.hexdigest())

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
