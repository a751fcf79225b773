"""Numbers to one form for matching: "三千二百", "3200" and "0.32万" are the same word. Never for showing.

What is one number to a reader may be written with Chinese numerals, with digits or with both, and question
and text often differ in that. Only what can be nothing else is changed: a single numeral ("三个", "一体"),
two digits side by side ("三四天", "五一") and units without a digit ("千万", "百万") stay as they are.
"""

from __future__ import annotations

import re

from rag.text.numbers import numeral_value

_DIGIT, _UNIT = "零〇一二两三四五六七八九", "十百千万亿"
_WORTH_A_LOOK = re.compile(rf"[{_DIGIT}{_UNIT}]{{2}}|\d[{_UNIT}]|百分之|[{_DIGIT}]点[{_DIGIT}]")
_SHARE = rf"百分之(?P<share>\d+(?:\.\d+)?|[{_DIGIT}{_UNIT}]+(?:点[{_DIGIT}]+)?)"
_MIXED = rf"(?<![a-z\d.,])(?P<mixed>\d+(?:\.\d+)?[万亿]+)(?![\d{_DIGIT}{_UNIT}])"
# "十点半" is a time of day, "第三点" a place in a list.
_POINT = rf"点[{_DIGIT}]+(?![钟分刻多])"
_CHINESE = (
    rf"(?<![{_DIGIT}{_UNIT}点\d])"
    rf"(?P<chinese>[{_DIGIT}十][{_DIGIT}{_UNIT}]+(?:{_POINT})?|(?<!第)[{_DIGIT}]{_POINT})"
)
_THOUSANDS = re.compile(r"(?<![\d.,])\d{1,3}(?:,\d{3})+(?![\d,])")
_NUMBER = re.compile(f"{_SHARE}|{_MIXED}|{_CHINESE}")
_DECIMALS = 10**6
_MOST_CHARS = 24
"""A longer run of numerals is no number that anybody writes; what it comes to could be of any size."""
_TWO_DIGITS = re.compile(rf"[{_DIGIT}]{{2}}")
_IS_YEAR_LIKE = re.compile(rf"[{_DIGIT}]{{3,}}")


def without_separators(text: str) -> str:
    """A text with "3,000" as "3000".

    To be done before folding, which makes the full-width comma of an enumeration ("3，100") a comma too.
    """
    return _THOUSANDS.sub(lambda number: number.group().replace(",", ""), text)


def in_digits(folded: str) -> str:
    """A folded text with its numbers in Arabic digits: "一九三八年" is "1938年", "百分之七十" is "70%".

    Doing so again changes nothing.
    """
    if not _WORTH_A_LOOK.search(folded):
        return folded
    return _NUMBER.sub(_digits_of, folded)


def _digits_of(match: re.Match[str]) -> str:
    written = match["share"] or match["mixed"] or match["chinese"]
    if len(written) > _MOST_CHARS:
        return match.group()
    value = _value(written) if match["chinese"] or not written.isascii() else written
    if value is None:
        return match.group()
    return f"{value}%" if match["share"] else value


def _value(numeral: str) -> str | None:
    """Its digits; None if it is no one number, or has more decimals than anybody writes."""
    whole = numeral.partition("点")[0]
    if not _IS_YEAR_LIKE.fullmatch(whole) and _TWO_DIGITS.search(whole.replace("零", "").replace("〇", "")):
        return None
    if _IS_YEAR_LIKE.fullmatch(whole) and whole == numeral:
        return "".join(str(int(numeral_value(char) or 0)) for char in numeral)
    value = numeral_value(numeral)
    if value is None:
        return None
    if value.denominator == 1:
        return str(value.numerator)
    whole_part, decimals = divmod(value * _DECIMALS, _DECIMALS)
    if decimals.denominator != 1:
        return None
    return f"{whole_part}.{decimals.numerator:06d}".rstrip("0")
