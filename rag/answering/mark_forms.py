"""What a citation mark looks like: every bracket that people and models write around passage numbers.

A mark is a bracket that holds nothing but numbers of one to three digits (or absurd ones of five and more:
they are out of range, not text), with or without a label: [1] ［1］ 【1】 〔1〕 [1,2] [1-3] [^1] [来源1]
【1†source】 [citation:1]; or superscript digits after a Chinese character or punctuation, each a mark of its
own. A bracket of four digits is text, for it may be a year; so is 〔1〕 before a digit or 号, as in the
number of an official paper. Only ASCII and full-width digits count.
"""

from __future__ import annotations

import re

_RANGE_MAX = 30
"""A range of more numbers than this is only its two ends."""
_SUPERSCRIPTS = {char: value for value, char in enumerate("⁰¹²³⁴⁵⁶⁷⁸⁹")}
_D = "[0-9０-９]"
_NUMBER = rf"(?:{_D}{{5,18}}|{_D}{{1,3}}(?!{_D}))"
_LABEL = r"(?:来源|文献|段落|资料|参考|引用|出处|citation|source|passage|ref|doc)"
_LIST = rf"{_NUMBER}(?:\s?[,，、;；~～–—\-]\s?\^?{_NUMBER}){{0,15}}"
_INNER = rf"\s?(?:\^|{_LABEL}\s?[:：]?\s?)?(?P<list>{_LIST})(?::{_D}{{1,3}})?\s?(?:\^|†[^\]】]{{0,16}})?\s?"
_LABELLED = rf"\s?{_LABEL}\s?[:：]?\s?(?P<year>{_D}{{4}})\s?"
_MARK = re.compile(
    rf"[\[［]{{1,2}}(?:{_INNER}|{_LABELLED})[\]］]{{1,2}}"
    rf"|【{_INNER.replace('list', 'list2')}】"
    rf"|〔{_INNER.replace('list', 'list3')}〕(?!{_D}|号)"
    r"|(?<=[\u3400-\u9fff，。！？；：、…”’）」』\]］】〕⁰¹²³⁴-⁹.!?)])[⁰¹²³⁴-⁹]",
    re.IGNORECASE,
)
_RANGE = re.compile(rf"({_D}+)(?:\s*[~～–—\-]\s*\^?({_D}+))?")


def find_marks(text: str, start: int = 0) -> list[tuple[int, int, tuple[int, ...]]]:
    """Everything in `text` from `start` on that reads as a mark: half-open range and numbers, in order."""
    return [(*found.span(), _numbers_of(found)) for found in _MARK.finditer(text, start)]


def _numbers_of(mark: re.Match[str]) -> tuple[int, ...]:
    if mark[0] in _SUPERSCRIPTS:
        return (_SUPERSCRIPTS[mark[0]],)
    inner = mark["list"] or mark["list2"] or mark["list3"] or mark["year"]
    numbers: list[int] = []
    for first, last in _RANGE.findall(inner):
        low, high = int(first), int(last or first)
        numbers.extend(range(low, high + 1) if low <= high <= low + _RANGE_MAX else (low, high))
    return tuple(dict.fromkeys(numbers))
