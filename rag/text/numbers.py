"""Numbers, dates and names of quantities in folded Chinese text."""

from __future__ import annotations

import re

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = r"[零〇一二两三四五六七八九十百千万亿]"
_CLASSIFIER = (
    r"个|名|位|项|次|年|月|日|天|人|家|座|条|种|类|万|亿|元|吨|公里|千米|米|岁|倍|成|件|篇|所|届|层|级|分钟|小时|平方|户|辆|台|本|部|处|"
    r"段|场|批|大|点|方面|世纪|度|周|支|只|艘|架|票|分"
)
_QUANTITY = re.compile(
    rf"\d|百分之|{_NUMERAL}+(?:多|余|几)?(?:{_CLASSIFIER})|半数|过半|{_NUMERAL}分之{_NUMERAL}"
)
_DATE = re.compile(
    rf"\d{{2,4}}\s*年|\d{{1,2}}\s*月|{_NUMERAL}{{2,4}}年|{_NUMERAL}{{1,2}}月|世纪|年代|公元|[春夏秋冬]季|今年|去年|明年|近年|日前|当日|近日"
)
_NUMBER_TOKEN = re.compile(rf"\d+(?:[.,]\d+)*%?|{_NUMERAL}+")


def chinese_count(numeral: str) -> int | None:
    """The value, 0-9999, of a small Arabic or Chinese numeral; None if it is neither."""
    if numeral.isdigit():
        return int(numeral)
    total, current = 0, 0
    for char in numeral:
        if char in _DIGITS:
            current = _DIGITS[char]
        elif char in _UNITS:
            total += (current or 1) * _UNITS[char]
            current = 0
        else:
            return None
    return total + current


def has_quantity(folded: str) -> bool:
    """Whether the text states any number with a meaning of its own (not "一" in "一体")."""
    return bool(_QUANTITY.search(folded))


def has_date(folded: str) -> bool:
    """Whether the text names a point or stretch of calendar time."""
    return bool(_DATE.search(folded))


def number_tokens(folded: str) -> list[str]:
    """Every run of digits or Chinese numerals, as written (thousands separators removed)."""
    return [token.replace(",", "") for token in _NUMBER_TOKEN.findall(folded)]
