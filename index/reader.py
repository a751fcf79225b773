"""Hand out the content of the current generation, each file only after its checksum is proven.

CURRENT gives the manifest's SHA-256, the manifest every other file's length and SHA-256; files that it does
not name are never opened. The bytes that were verified are the bytes handed out, whatever
becomes of the file: nothing is read twice, nothing is mapped. What the bytes mean is `index.built`'s
business.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from index.files import Digest, Files, sha256
from index.layout import CURRENT_NAME, FILE_NAMES, MANIFEST_NAME, Current
from index.manifest import NEXT_STEP, Manifest
from rag.errors import IndexFileError

_T = TypeVar("_T")


class Reader:
    """The current generation of a folder as it stood when this object was made.

    Args:
        folder: Where `write_generation` wrote.
        files: The file system.

    Raises:
        IndexMismatchError: If it is of another format version.
        IndexFileError: With code `index_missing` if there is no index, else `index_damaged`.

    Attributes:
        manifest: Verified.
    """

    def __init__(self, folder: Path, files: Files) -> None:
        self._files = files
        current = self._current(folder)
        self.generation = current.generation
        self._place = folder / current.generation
        data = self._tried(MANIFEST_NAME, files.read)
        found, wanted = sha256(data), current.manifest_sha256
        if found != wanted:
            raise damaged(MANIFEST_NAME, f"SHA-256 是 {found[:12]}…，{CURRENT_NAME} 记的是 {wanted[:12]}…")
        self.manifest = Manifest.from_json(data)
        self._stamps = {stamp.name: stamp for stamp in self.manifest.files}
        names = sorted(stamp.name for stamp in self.manifest.files)
        if names != sorted(FILE_NAMES):
            raise damaged(MANIFEST_NAME, f"列出的文件是 {names!r}，应为 {sorted(FILE_NAMES)!r}")
        problem = self.manifest.recipe.fault()
        if problem:
            raise damaged(MANIFEST_NAME, problem)

    def verified(self, name: str) -> bytes:
        """A file's content, proven to be what was written.

        Args:
            name: One of `FILE_NAMES`.

        Raises:
            IndexFileError: With code `index_damaged` if it is missing, unreadable or different.
        """
        data = self._tried(name, self._files.read)
        self._prove(name, Digest.of(data))
        return data

    def verified_into(self, name: str, rows: NDArray[np.float32]) -> None:
        """Fill an array with a file's content, in place; it is proven to be what was written.

        Args:
            name: One of `FILE_NAMES`.
            rows: Contiguous, as long as the file should be.

        Raises:
            IndexFileError: As `verified`; what the array then holds is undefined.
        """
        buffer = rows.reshape(-1).view(np.uint8).data
        self._prove(name, self._tried(name, lambda path: self._files.read_into(path, buffer)))

    def expect(self, name: str, length_bytes: int) -> None:
        """Prove that a file should be so long, before there is memory set apart for it.

        Raises:
            IndexFileError: With code `index_damaged` if the manifest contradicts itself.
        """
        stated = self._stamps[name].length_bytes
        if stated != length_bytes:
            raise damaged(MANIFEST_NAME, f"{name} 记的是 {stated} 字节，按行数应为 {length_bytes} 字节")

    def _prove(self, name: str, found: Digest) -> None:
        problem = self._stamps[name].fault(found)
        if problem:
            raise damaged(name, problem)

    def _current(self, folder: Path) -> Current:
        try:
            line = self._files.read(folder / CURRENT_NAME)
        except FileNotFoundError as error:
            raise IndexFileError(
                f"文件夹 {str(folder)!r} 里没有索引（没有 {CURRENT_NAME} 文件）。请运行 `cewen index`。",
                code="index_missing",
            ) from error
        except OSError as error:
            raise damaged(CURRENT_NAME, f"读不出来：{error}") from error
        current = Current.from_line(line)
        if current is None:
            raise damaged(CURRENT_NAME, f"内容是 {line[:100]!r}，应为一行“代号 SHA-256”")
        return current

    def _tried(self, name: str, read: Callable[[Path], _T]) -> _T:
        try:
            return read(self._place / name)
        except FileNotFoundError as error:
            raise damaged(name, f"文件夹 {self.generation} 里没有它") from error
        except OSError as error:
            raise damaged(name, f"读不出来：{error}") from error


def damaged(name: str, problem: str) -> IndexFileError:
    """The error for a part of the index that is not what was written."""
    return IndexFileError(f"索引文件 {name} 已损坏：{problem}。{NEXT_STEP}")
