"""Source files as they lie on disk, read here and nowhere near the product's own reader.

Citations are judged against these texts, so that a fault of the reader cannot hide itself. The offsets
of the contract count code points of the decoded text without its byte-order mark; of a file in another
format, those of the text that it was converted to, which is what the service stores.
"""

from __future__ import annotations

import codecs
import hashlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rag.converting.convert import convert
from rag.converting.kinds import KIND_OF_SUFFIX
from rag.errors import ConfigError, InputError

_TEXT = (".txt", ".md")


@dataclass(frozen=True)
class SourceText:
    """One source file.

    Attributes:
        name: Its name, for people.
        text: Its decoded text, untouched.
        sha256: Hex SHA-256 of `text` in UTF-8.
    """

    name: str
    text: str
    sha256: str

    @classmethod
    def of(cls, name: str, text: str) -> SourceText:
        """A source whose checksum is computed here."""
        return cls(name, text, hashlib.sha256(text.encode("utf-8")).hexdigest())

    @cached_property
    def _line_starts(self) -> list[int]:
        return [0, *(at + 1 for at, char in enumerate(self.text) if char == "\n")]

    @cached_property
    def solid(self) -> tuple[int, ...]:
        """Offsets of the characters that are not white space, ascending."""
        return tuple(at for at, char in enumerate(self.text) if not char.isspace())

    @cached_property
    def squeezed(self) -> str:
        """The text without white space; character i of it stands at offset `solid[i]`."""
        return "".join(self.text[at] for at in self.solid)

    def line_of(self, offset: int) -> int:
        """The printed line, from 1, of the character at `offset`."""
        return bisect_right(self._line_starts, offset)


def read_untouched(folder: Path) -> tuple[SourceText, ...]:
    """Every document of a folder, sorted by path; files named README are not part of a corpus.

    Raises:
        ConfigError: If the folder holds none, or one cannot be decoded.
    """
    paths = sorted(
        path
        for path in folder.rglob("*")
        if path.is_file() and path.suffix.lower() in KIND_OF_SUFFIX and path.stem.lower() != "readme"
    )
    if not paths:
        raise ConfigError(
            f"语料文件夹 {str(folder)!r} 里没有 {'、'.join(KIND_OF_SUFFIX)} 文件。请用 --seeds 指定文件夹。"
        )
    return tuple(SourceText.of(path.relative_to(folder).as_posix(), _decoded(path)) for path in paths)


def _decoded(path: Path) -> str:
    data = path.read_bytes()
    if path.suffix.lower() not in _TEXT:
        try:
            return convert(data, path.name).text
        except InputError as error:
            raise ConfigError(f"语料{error.message}") from error
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    for encoding in ("utf-16",) if wide else ("utf-8-sig", "gb18030"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError(f"文件 {path.name!r} 无法解码为 UTF-8、UTF-16 或 GB18030。请转成 UTF-8。")


def corpus_sha256(sources: Iterable[SourceText]) -> str:
    """One checksum for a set of sources, whatever their names and order."""
    return hashlib.sha256("\n".join(sorted({source.sha256 for source in sources})).encode()).hexdigest()


def squeeze(text: str) -> str:
    """`text` with all white space removed: the form in which a quotation must equal its source."""
    return "".join(text.split())
