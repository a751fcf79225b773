"""Numbers, dates and names of quantities in folded Chinese text."""

from __future__ import annotations

import re

_DIGITS = {char: value for value, char in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_NUMERAL = r"[零〇一二两三四五六七八九十百千万亿]"
_CLASSIFIER = (
    "个|名|位|项|次|年|月|日|天|人|家|座|条|种|类|万|亿|元|吨|公里|千米|米|岁|倍|成|件|篇|所|届|层|级|分钟|小时|平方|户|辆|台|本|部|处|"
    "段|场|批|大|点|方面|世纪|度|周|支|只|艘|架|票|分|道|棵|株|桶|箱|袋|瓶|杯|盏|幅|双|对|趟|遍|句|字|行|页|章|节|卷|册|轮|步|斤|两|里|"
    "亩|寸|尺|丈|秒|刻|时辰|夜|晚|期|号|间|栋|幢|口|头|匹|朵|枝|块|颗|粒|张|套|星期|季度|百分点"
)
# "一个" and "第二次" say no quantity; "一万" and "十一个" do.
_QUANTITY = re.compile(
    rf"\d|百分之|(?<!第)(?<!{_NUMERAL})(?!一[^十百千万亿零〇]){_NUMERAL}+(?:多|余|几)?(?:{_CLASSIFIER})"
    rf"|半数|过半|半(?:个|天|年|日|小时|里)|{_NUMERAL}分之{_NUMERAL}"
)
_DATE = re.compile(
    rf"\d{{2,4}}\s*年|\d{{1,2}}\s*月|{_NUMERAL}{{2,4}}年|{_NUMERAL}{{1,2}}月|(?:周|星期|礼拜)[一二三四五六日天末]|世纪|年代|公元|[春夏秋冬]季|今年|去年|明年|近年|日前|当日|近日"
)
_NUMBER_TOKEN = re.compile(rf"\d+(?:[.,]\d+)*%?|{_NUMERAL}+")


def chinese_count(numeral: str) -> int | None:
    """The value, 0-9999, of a small Arabic or Chinese numeral ("二〇三一" too); None if it is neither."""
    if numeral.isdecimal():
        return int(numeral)
    if len(numeral) > 2 and all(char in _DIGITS for char in numeral):
        return int("".join(str(_DIGITS[char]) for char in numeral))
    total, current = 0, 0
    for char in numeral:
        if char in _DIGITS:
            current = _DIGITS[char]
        elif char in _UNITS:
            total += (current or 1) * _UNITS[char]
            current = 0
        else:
            return None
    return total + current if numeral else None


def has_quantity(folded: str) -> bool:
    """Whether the text states any number with a meaning of its own (not "一" in "一体")."""
    return bool(_QUANTITY.search(folded))


def has_date(folded: str) -> bool:
    """Whether the text names a point or stretch of calendar time."""
    return bool(_DATE.search(folded))


def number_tokens(folded: str) -> list[str]:
    """Every run of digits or Chinese numerals, as written (thousands separators removed)."""
    return [token.replace(",", "") for token in _NUMBER_TOKEN.findall(folded)]
