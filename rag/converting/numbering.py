"""The numbers that Word prints before paragraphs and does not store: counted as Word counts them.

Chinese documents number nearly everything this way (一、 （一） 1.), and questions ask for a "second point".
Restarts and starting values are followed; overrides of single levels in a list are not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rag.converting.markup import child_of, children_of, value_of

_DIGITS = "〇一二三四五六七八九"
_PLACE = re.compile(r"%([1-9])")
_MOST = 9_999
BULLET = "- "


@dataclass(frozen=True, slots=True)
class Level:
    """One level of a list: how its numbers are written, what stands around them, where they start."""

    form: str
    template: str
    start: int


class Numbering:
    """All lists of a document, and how far each is counted.

    Args:
        root: The root of `numbering.xml`, or None where there is none.
    """

    def __init__(self, root: Any | None) -> None:
        self._lists: dict[str, Mapping[int, Level]] = {}
        self._abstract: dict[str, str] = {}
        self._counts: dict[str, list[int]] = {}
        if root is None:
            return
        for element in children_of(root, "abstractNum"):
            self._lists[value_of(element, "abstractNumId")] = dict(map(_level, children_of(element, "lvl")))
        for element in children_of(root, "num"):
            self._abstract[value_of(element, "numId")] = value_of(child_of(element, "abstractNumId"))

    def label(self, list_id: str, depth: int) -> str:
        """What stands before the next paragraph of this list and level, with the space after it."""
        # Lists of one abstract definition go on counting together, as they do in Word.
        abstract = self._abstract.get(list_id, "")
        levels = self._lists.get(abstract, {})
        level = levels.get(depth)
        if level is None or not 0 <= depth <= 8:
            return ""
        counts = self._counts.setdefault(abstract, [])
        while len(counts) <= depth:
            counts.append(levels[len(counts)].start - 1 if len(counts) in levels else 0)
        del counts[depth + 1 :]
        counts[depth] += 1
        if level.form == "bullet":
            return BULLET
        if level.form == "none":
            return ""

        def written(match: re.Match[str]) -> str:
            place = int(match[1]) - 1
            if place >= len(counts):
                return ""
            form = levels[place].form if place in levels else "decimal"
            return _write(max(counts[place], 0), form)

        label = _PLACE.sub(written, level.template)
        # A full-width mark brings its own room.
        return label if not label or label[-1] > "\u2e7f" else f"{label} "


def _level(element: Any) -> tuple[int, Level]:
    form = value_of(child_of(element, "numFmt")) or "decimal"
    start = _number(value_of(child_of(element, "start")), 1)
    level = Level(form, value_of(child_of(element, "lvlText"))[:40], start)
    return _number(value_of(element, "ilvl"), 0), level


def _number(text: str, otherwise: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else otherwise


def _write(number: int, form: str) -> str:
    return _FORMS.get(form, str)(min(number, _MOST))


def chinese(number: int) -> str:
    """A number below ten thousand in Chinese, as headings have it: 十、十一、二十、一百零一."""
    if number == 0:
        return _DIGITS[0]
    written, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            written += ("零" if gap and written else "") + _DIGITS[digit] + name
        gap = not digit
    return written.removeprefix("一") if written.startswith("一十") else written


def _digits(number: int) -> str:
    return "".join(_DIGITS[int(digit)] for digit in str(number))


def _letter(number: int) -> str:
    return chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 % 5 + 1) if number else ""


def _roman(number: int) -> str:
    written = ""
    for value, name in zip(
        (1000, 900, 500, 400, 100, 90, 50, 40, 10, 9, 5, 4, 1),
        ("m", "cm", "d", "cd", "c", "xc", "l", "xl", "x", "ix", "v", "iv", "i"),
        strict=True,
    ):
        written += name * (number // value)
        number %= value
    return written


def _circled(number: int) -> str:
    return chr(ord("①") + number - 1) if 1 <= number <= 20 else str(number)


_FORMS: dict[str, Callable[[int], str]] = {
    **dict.fromkeys(
        (
            "chineseCounting",
            "chineseCountingThousand",
            "japaneseCounting",
            "taiwaneseCounting",
            "taiwaneseCountingThousand",
        ),
        chinese,
    ),
    **dict.fromkeys(("ideographDigital", "japaneseDigitalTenThousand", "taiwaneseDigital"), _digits),
    **dict.fromkeys(("decimalEnclosedCircle", "decimalEnclosedCircleChinese"), _circled),
    "lowerLetter": _letter,
    "upperLetter": lambda number: _letter(number).upper(),
    "lowerRoman": _roman,
    "upperRoman": lambda number: _roman(number).upper(),
    "decimalZero": lambda number: f"{number:02d}",
}
