"""What text a caller may send: one check shared by the REST service, the engine and the command line.

It refuses what cannot be a question (broken Unicode, control characters, nothing to read, far too much).
It deliberately does not change a character: folding and trimming belong to matching, and what was asked
is shown back as it was asked.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

from rag.errors import InputError

MAX_QUESTION_CHARS = 2_000
MAX_QUERY_CHARS = 2_000
MAX_TURN_CHARS = 8_000
MAX_HISTORY_TURNS = 20
MAX_ECHO_CHARS = 40

TextName = Literal["question", "query", "content"]

_LABELS: dict[TextName, str] = {"question": "问题", "query": "检索词", "content": "历史消息"}
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""What no text may hold: control characters other than tab and line ends."""
# Unassigned and private-use characters are left out: a font newer than Python's tables may print them.
_BLANK_CATEGORIES = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf"})
# Characters that are letters or symbols by category and yet print nothing: Hangul fillers, blank Braille.
_BLANK_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Marks that never show alone: the grapheme joiner and the variation selectors.
_BLANK_MARKS = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")


def check_text(text: str, *, name: TextName, max_chars: int) -> str:
    """Give `text` back unchanged, or say what is wrong with it.

    Args:
        text: What the caller sent.
        name: Which field it was sent as; part of the error codes.
        max_chars: Most Unicode code points allowed.

    Raises:
        InputError: With code `invalid_text` (a lone surrogate, or a control character other than tab and
            line ends), `{name}_too_long` or `empty_{name}`.
    """
    label = _LABELS[name]
    if found := _LONE_SURROGATE.search(text):
        raise InputError(
            f"{label}的第 {found.start() + 1} 个字符是不成对的代理码位 U+{ord(found[0]):04X}，不是文字。"
            "只接受合法的 Unicode 文字，请检查截断或转码的地方，用 UTF-8 重新发送。",
            code="invalid_text",
        )
    if found := CONTROL.search(text):
        raise InputError(
            f"{label}的第 {found.start() + 1} 个字符是控制字符 U+{ord(found[0]):04X}。"
            "除换行和制表符外不接受控制字符，请删去后再试。",
            code="invalid_text",
        )
    if len(text) > max_chars:
        raise InputError(
            f"{label}有 {len(text)} 个字符，最多 {max_chars} 个。请缩短后再试。", code=f"{name}_too_long"
        )
    if is_blank(text):
        raise InputError(
            f"{label}里没有可读的文字（收到 {len(text)} 个空白或不可见字符）。请写出要问的内容。",
            code=f"empty_{name}",
        )
    return text


def check_question(text: str) -> str:
    """Check a question with the limits every surface shares; see `check_text`."""
    return check_text(text, name="question", max_chars=MAX_QUESTION_CHARS)


def is_blank(text: str) -> bool:
    """Whether `text` would leave paper blank: spaces of any width, zero-width and filler characters."""
    return all(
        char in _BLANK_LETTERS or unicodedata.category(char) in _BLANK_CATEGORIES or _BLANK_MARKS.match(char)
        for char in text
    )


def excerpt(text: str) -> str:
    """`text` quoted for a message: at most `MAX_ECHO_CHARS` characters, every odd one as an escape."""
    shown = text if len(text) <= MAX_ECHO_CHARS else f"{text[: MAX_ECHO_CHARS - 1]}…"
    safe = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in shown)
    return f"“{safe}”"
