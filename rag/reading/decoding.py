"""From a file's bytes to a `Source`: the one place that guesses an encoding.

UTF-8 is tried first and wins when it decodes; a byte-order mark decides outright; what is left is
GB18030, the encoding every Chinese authority's older exports use. GB18030 decodes almost any bytes, so its
result must also read like Chinese: a damaged UTF-8 file and Big5 give rare characters instead. Nothing is
replaced or dropped: bytes that fit none of them are refused. Line ends are kept as they came.
"""

from __future__ import annotations

import codecs
import hashlib
from collections import Counter

from rag.errors import ConfigError
from rag.records import Source

_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_TELLING_CHARS = 50
_COMMON_SHARE = 0.5
_SLICE_CHARS = 65_536


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


def notes_on_lines(text: str) -> tuple[str, ...]:
    r"""What whoever adds a text should know of its lines, in Chinese: that "\r" alone ends none."""
    if "\n" in text or "\r" not in text.strip():
        return ()
    told = (
        "这份文字只用回车（\\r）分行，没有换行符（\\n）。行号按换行符数，所以全文算第 1 行；"
        "要让引文指到各行，请把回车改成换行符再添加。"
    )
    return (told,)


def _decode(name: str, data: bytes) -> tuple[str, str]:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return _strict(name, data[len(mark) :], encoding), encoding
    try:
        return data.decode("utf-8"), "utf-8"
    except UnicodeDecodeError as error:
        if _is_damaged_utf8(data):
            raise ConfigError(
                f"文件 {name!r} 像是 UTF-8，但第 {error.start} 字节起有损坏或被截断。请重新导出。"
            ) from error
    text = _strict(name, data, "gb18030")
    if not _reads_like_chinese(text):
        raise ConfigError(
            f"文件 {name!r} 既不是 UTF-8 也不像 GB18030（可能是 Big5 等其他编码）。请转成 UTF-8。"
        )
    return text, "gb18030"


def _is_damaged_utf8(data: bytes) -> bool:
    """Whether most of what is not ASCII is UTF-8 after all."""
    text = data.decode("utf-8", errors="replace")
    wrong = text.count("\ufffd")
    sound = sum(char > "\x7f" for char in text) - wrong
    return sound > 2 * wrong


def _reads_like_chinese(text: str) -> bool:
    """Whether enough of the characters beyond ASCII are among the 3,755 commonest or are Chinese marks.

    GB 2312 level 1 (lead bytes B0-D7) and its symbols (A1-A3) make up 0.87 or more of simplified prose and
    0.56 or more of traditional prose, but at most 0.52 of Big5 and 0.27 of UTF-8 bytes read as GB18030.
    """
    # Each character is looked at once, however often it occurs: a file may have millions. Counted in slices,
    # because other threads wait while one is counted.
    tally: Counter[str] = Counter()
    for start in range(0, len(text), _SLICE_CHARS):
        tally.update(text[start : start + _SLICE_CHARS])
    counts = {char: count for char, count in tally.items() if char > "\u2000"}
    wide = sum(counts.values())
    common = sum(count for char, count in counts.items() if _is_common(char.encode("gb18030")))
    return wide < _TELLING_CHARS or common >= _COMMON_SHARE * wide


def _is_common(code: bytes) -> bool:
    return len(code) == 2 and code[1] >= 0xA1 and (0xA1 <= code[0] <= 0xA3 or 0xB0 <= code[0] <= 0xD7)


def _strict(name: str, data: bytes, encoding: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise ConfigError(
            f"文件 {name!r} 不是合法的 {encoding.upper()}（第 {error.start} 字节起无法解码）。请转成 UTF-8。"
        ) from error
