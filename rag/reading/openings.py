"""What a line may open with to begin something new: numbers of articles and items, bullets, labels, Markdown.

Only forms, no words: how chapters, articles, items, questions and speakers are numbered and marked in print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text.numbers import chinese_count

_NUMERAL = r"(?:[〇零一二三四五六七八九十百千两]{1,7}|\d{1,4})"
_ORDINALS = {
    "part": re.compile(rf"第\s*({_NUMERAL})\s*[编編篇部卷章节節回讲講课課]"),
    "article": re.compile(rf"第\s*({_NUMERAL})\s*[条條款项項]"),
    "comma": re.compile(r"([〇一二三四五六七八九十百]{1,4}|\d{1,3})[、．]"),
    "point": re.compile(r"([一二三四五六七八九十百]{1,4}|\d{1,3})\.(?!\d)"),
    "section": re.compile(r"\d{1,2}(?:\.\d{1,2}){0,3}\.(\d{1,2})(?=\s+[^\W\d_])"),
    "bracketed": re.compile(rf"[（(]({_NUMERAL})[）)]"),
    "closed": re.compile(r"(\d{1,3})[)）]"),
}
_MAY_COUNT = re.compile(r"[第（(\d〇零一二三四五六七八九十百千两]")
_MARK = re.compile(r"[①-⑳⑴-⒇❶-❿•·●○■□◆◇▪▶►]|[-*+]\s|#{1,6}\s|>|\||[问問答QA][:：]")
_LABEL = re.compile(r"[^\W\d_]{1,8}[：:](?=.)")
_LETTER = re.compile(r"(?:[甲乙丙丁戊己庚辛壬癸壹贰叁肆伍陆柒捌玖拾貳參陸]|[A-Za-z])[、．.)）](?=\D)")


@dataclass(frozen=True, slots=True)
class Ordinal:
    """The number that a line opens with.

    Attributes:
        form: How it is written: "part" (第二章), "article" (第二条), "comma" (二、), "point" (2.), "section"
            (1.2), "bracketed" (（二）) or "closed" (2）).
        number: Its value; of a section the last part of it.
    """

    form: str
    number: int


def ordinal_of(content: str) -> Ordinal | None:
    """The number that a line opens with, or None."""
    if not _MAY_COUNT.match(content):
        return None
    for form, pattern in _ORDINALS.items():
        found = pattern.match(content)
        if found:
            written = found[1]
            number = int(written) if written.isdecimal() else chinese_count(written)
            return None if number is None else Ordinal(form, number)
    return None


def has_own_mark(content: str) -> bool:
    """Whether a line opens with a mark that never goes on a sentence: a bullet, Markdown, 问：."""
    return bool(_MARK.match(content))


def is_opening(content: str) -> bool:
    """Whether a line that follows a sentence's end opens something new: by number, letter, mark or label."""
    return (
        ordinal_of(content) is not None
        or has_own_mark(content)
        or bool(_LETTER.match(content) or _LABEL.match(content))
    )
