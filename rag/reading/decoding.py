"""From a file's bytes to a `Source`: the one place that guesses an encoding.

UTF-8 is tried first and wins when it decodes; a byte-order mark decides outright; what is left is
GB18030, the encoding every Chinese authority's older exports use. Nothing is replaced or dropped:
bytes that fit none of them are refused. Line ends are kept as they came.
"""

from __future__ import annotations

import codecs
import hashlib

from rag.errors import ConfigError
from rag.records import Source

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def read_source(name: str, data: bytes) -> Source:
    """Decode one file.

    Args:
        name: The file's name, kept as a label.
        data: Its bytes.

    Raises:
        ConfigError: If the bytes are binary or in none of the known encodings.
    """
    text, encoding = _decode(name, data)
    if "\0" in text:
        raise ConfigError(f"文件 {name!r} 含有 NUL 字符，不像是文本。请提供 UTF-8 或 GB18030 文本。")
    return source_from_text(name, text, encoding)


def source_from_text(name: str, text: str, encoding: str = "utf-8") -> Source:
    """A source from text that is already decoded."""
    return Source(name, text, hashlib.sha256(text.encode("utf-8")).hexdigest(), encoding)


def _decode(name: str, data: bytes) -> tuple[str, str]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _strict(name, data[len(mark) :], encoding), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        return _strict(name, data, "gb18030"), "gb18030"


def _strict(name: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"文件 {name!r} 既不是 UTF-8 也不是 GB18030（第 {error.start} 字节起无法解码）。请转成 UTF-8。"
        ) from error
