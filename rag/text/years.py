"""Calendar years: which ones a question names, and whether a text speaks of one without writing it.

For comparing, over folded text. A text speaks of a year too if it writes a range around it, its decade, its
last two digits or its year of the Republic, or since or until when something holds. Durations ("1500年历史",
"一千年前") name no year.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.text.digits import in_digits

_DURATION = "前|来|间|多|内|里|之久|左右|以上|[的之]?历史|[的之]?时间"
# Digits are those of ASCII, which folding makes of those that anybody writes here.
# A decade is another question than a year, and "2000年后" may be a number of years.
_ASKED = re.compile(rf"(?a)(?<![\d.近逾达今第])(?!\d000年后)(1\d{{3}}|20\d{{2}})年(?!代|{_DURATION})")
_NUMERALS = "零〇一二三四五六七八九"

_TO = r"年?(?:\d{1,2}月)?(?:\d{1,2}日)?(?:-|~|至|到)"
_RANGE = re.compile(rf"(?a)(?<!\d)(\d{{4}}){_TO}(\d{{4}}|\d{{2}}(?=年))(?!\d)")
_SEASON = r"(?:度|初|春|夏|秋|冬|底|末|\d{1,2}月(?:\d{1,2}日)?)?"
_OPEN = re.compile(rf"(?a)(?<!\d)(\d{{4}})年{_SEASON}(?:(?P<since>起|以来|以?后|之后|至今)|以前|之?前)")
_DECADE = re.compile(
    r"(?a)(?:(?P<century>上|本|\d{1,2})世纪|(?<!\d)(?P<hundreds>\d\d)(?=\d))?"
    rf"(?:(?P<first>\d0)(?:年代)?(?:-|~|、|至|到|和))?(?P<decade>\d0|[{_NUMERALS}]{{2}}十)年代"
)
_EDGE = re.compile(r"(?a)(?P<century>上|本|\d{1,2})世纪(?P<edge>初|末)")
# "21年" and "二十一年" may be a number of years.
_SHORT = re.compile(
    rf"(?a)(?<!\d)(?:[6-9]\d(?=年(?!代))|\d\d(?=年(?:\d{{1,2}}月|初|底|春|夏|秋|冬)))"
    rf"|(?<![{_NUMERALS}\d])[{_NUMERALS}]{{2}}(?=年(?!代))"
)
_REPUBLIC = re.compile(r"(?a)民国(元|\d{1,2})年")
_REPUBLIC_BEGAN = 1911
_PRINTED = tuple(
    str.maketrans("0123456789", digits)
    for digits in (
        "０１２３４５６７８９",
        "〇一二三四五六七八九",
        "零一二三四五六七八九",
        "○一二三四五六七八九",
    )
)
_EVER = 9999


def years_asked(folded: str) -> tuple[str, ...]:
    """The years from 1000 to 2099 that a folded question names before 年, four digits each, each once."""
    return tuple(dict.fromkeys(_ASKED.findall(in_digits(folded))))


def speaks_of_year(folded: str, year: str, *, open_too: bool) -> bool:
    """Whether a folded text writes a year of four digits, or a span or an abbreviation that has it.

    Args:
        folded: The text.
        year: Four digits.
        open_too: Whether a span without an end counts ("2019年起", "1998年以前"): it has very many years.
    """
    text, wanted = in_digits(folded), int(year)
    if year in text:
        return True
    hundreds = wanted // 100 * 100
    spans = [*_closed(text, hundreds), *_short(folded, hundreds), *(_open(text) if open_too else ())]
    return any(first <= wanted <= last for first, last in spans)


def prints_year(text: str, year: str) -> bool:
    """Whether a text as it is printed, not folded, writes a year of four digits."""
    spellings = (year, *(year.translate(digits) for digits in _PRINTED))
    return re.search(rf"(?a)(?<!\d)(?:{'|'.join(spellings)})(?!\d)", text) is not None


def _closed(text: str, usual: int) -> Iterator[tuple[int, int]]:
    """First and last years; a decade of no century is one of the `usual` hundred years."""
    for found in _RANGE.finditer(text):
        first, last = found.groups()
        yield int(first), int(first[: 4 - len(last)] + last)
    for found in _DECADE.finditer(text):
        hundreds = int(found["hundreds"]) * 100 if found["hundreds"] else _hundreds(found["century"], usual)
        decades = [_tens(char) for char in found["decade"][:-1]]
        yield hundreds + int(found["first"] or decades[0]), hundreds + decades[-1] + 9
    for found in _EDGE.finditer(text):
        hundreds = _hundreds(found["century"], usual)
        yield (hundreds, hundreds + 10) if found["edge"] == "初" else (hundreds + 90, hundreds + 99)
    for found in _REPUBLIC.finditer(text):
        year = _REPUBLIC_BEGAN + (1 if found[1] == "元" else int(found[1]))
        yield year, year


def _open(text: str) -> Iterator[tuple[int, int]]:
    for found in _OPEN.finditer(text):
        yield (int(found[1]), _EVER) if found["since"] else (0, int(found[1]) - 1)


def _short(folded: str, usual: int) -> Iterator[tuple[int, int]]:
    for found in _SHORT.finditer(folded):
        year = usual + 10 * _digit(found[0][0]) + _digit(found[0][1])
        yield year, year


def _hundreds(century: str | None, usual: int) -> int:
    """The first year of a century as it is written before 世纪; `usual` where none is."""
    return {None: usual, "上": 1900, "本": 2000}.get(century) or 100 * (int(century or 0) - 1)


def _tens(numeral: str) -> int:
    return 10 * _digit(numeral)


def _digit(numeral: str) -> int:
    return int(numeral) if numeral.isascii() else max(0, _NUMERALS.index(numeral) - 1)
