"""Numbers, dates and names of quantities in folded Chinese text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

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
    rf"\d{{2,4}}\s*年|\d{{1,2}}\s*月|{_NUMERAL}{{2,4}}年|{_NUMERAL}{{1,2}}月|(?:周|星期|礼拜)[一二三四五六日天末]|世纪|年代|公元|(?:每月|当月|次月|本月|上月|下月)\s*(?:\d{{1,2}}|{_NUMERAL}{{1,3}})[日号]|[春夏秋冬]季|今年|去年|明年|近年|日前|当日|近日"
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


_MORE_UNITS = """
个月 个百分点 公斤 千克 克 平方公里 平方千米 平方米 立方米 公顷 美元 人次 摄氏度 块 时 点钟 周年 年代 回 根
厘米 毫米 升 毫升 英里 海里 代 群 股 堆 班 阶段 站 首 筐 担 捆 垄 门 面 昼夜
"""
_UNIT_WORDS = sorted(
    {*_CLASSIFIER.split("|"), *_MORE_UNITS.split()} - {"成"}, key=lambda word: (-len(word), word)
)
_UNIT = "|".join(_UNIT_WORDS) + r"|成(?![立为了员本功果就长品人年])"
_ARABIC = r"\d+(?:\.\d+)?(?:(?:[十百万亿]|千(?![米克瓦]))+(?:\d+(?:\.\d+)?[十百千万]+)*)*"
_ANY = rf"(?:{_ARABIC}|{_NUMERAL}+(?:点[零一二三四五六七八九]+(?![钟分刻多]))?)"
_STATED = re.compile(
    rf"(?<![a-z\d.])(?:(?P<of>[百千万]|{_ARABIC}|{_NUMERAL}+)分之(?P<part>{_ANY})"
    rf"|(?P<nth>第)?(?P<number>{_ANY})(?P<percent>%)?"
    rf"(?P<vague>多|余|几|来(?=[个名位人]))?(?P<unit>{_UNIT})?"
    rf"|(?<![一大多过])(?P<half>半)个?(?P<of_what>{_UNIT}))"
)
_TO = re.compile(r"[至到、或~-]|——?")
_OPENS_RANGE = re.compile(rf"[至到~-](?:\d|{_NUMERAL})")
_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10**4, "亿": 10**8}
_NUMERAL_MOST_CHARS = 400
_NUMERAL_TOKENS = re.compile(r"\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百千万亿]")
_SAME_UNIT = {
    "公里": "千米", "平方公里": "平方千米", "公斤": "千克", "日": "天", "块": "元", "名": "人", "位": "人",
    "口": "人", "棵": "株", "遍": "次", "趟": "次", "回": "次", "星期": "周", "点钟": "点", "周年": "年",
    "所": "座",
}  # fmt: skip
_MEASURES_TEXT = """
元 美元 吨 千米 米 厘米 毫米 千克 克 斤 两 升 毫升 亩 公顷 平方千米 平方米 立方米 平方 天 年 月 个月 周 小时
分钟 秒 岁 倍 度 摄氏度 世纪 年代 时辰 季度 寸 尺 丈 里 英里 海里 个百分点 百分点 点 刻 夜 晚 昼夜 人次 届
"""
_MEASURES = frozenset(_MEASURES_TEXT.split())


Kind = Literal["count", "one", "ratio", "ordinal", "year", "month", "day"]


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that a text states.

    Attributes:
        value: What it comes to; a percentage as a share (5% is 1/20).
        kind: "year", "month" and "day" of a date, "ratio", "ordinal" ("第三"), "one" ("一" with a unit, often
            only an article), else "count".
        unit: Measure word, equal ones under one name ("人" for 名, 位, 口); "" if none follows.
        vague: Whether it says "more than" behind the number ("三十多").
        start, end: Offsets in the text, the unit among them.
    """

    value: Fraction
    kind: Kind
    unit: str
    vague: bool
    start: int
    end: int

    @property
    def is_measured(self) -> bool:
        """Whether the unit is a measure (metres, yuan, years) rather than a word that goes with a noun."""
        return self.unit in _MEASURES


def numeral_value(numeral: str) -> Fraction | None:
    """The value of an Arabic, Chinese or mixed numeral; None if it is none.

    1031, 一千零三十一, 3000万, 6.5万, 二〇二三, 三点五, 两万五 (25000). More than 400 characters are none.
    """
    if len(numeral) > _NUMERAL_MOST_CHARS:
        return None
    whole, point, decimals = numeral.partition("点")
    if point:
        head, tail = numeral_value(whole), re.match(r"[零一二三四五六七八九]+", decimals)
        if head is None or tail is None:
            return None
        digits = "".join(str(_DIGITS[char]) for char in tail.group())
        scale = numeral_value("1" + decimals[tail.end() :]) if decimals[tail.end() :] else Fraction(1)
        return None if scale is None else (head + Fraction(int(digits), 10 ** len(digits))) * scale
    tokens = _NUMERAL_TOKENS.findall(numeral)
    if not tokens or "".join(tokens) != numeral:
        return None
    return _sum_up(tokens)


def is_numeral(text: str) -> bool:
    """Whether a text is made of digits and Chinese numerals only."""
    return bool(_NUMERAL_TOKENS.sub("", text) == "" and text)


def _sum_up(tokens: Sequence[str]) -> Fraction:
    total, section = Fraction(0), Fraction(0)
    current: Fraction | None = None
    last_scale = 0
    for place, piece in enumerate(tokens):
        if piece not in _SCALES:
            digit = Fraction(_DIGITS[piece]) if piece in _DIGITS else Fraction(piece)
            run = place > 0 and tokens[place - 1] in _DIGITS and current is not None and piece in _DIGITS
            current = (current or Fraction(0)) * 10 + digit if run else digit
            last_scale = 0 if piece in "零〇" else last_scale
            continue
        scale = _SCALES[piece]
        if scale < 10**4:
            section += (Fraction(1) if current is None else current) * scale
        else:
            section += current or 0
            total = (total + section) * scale if scale == 10**8 else total + (section or 1) * scale
            if total == 0:
                total = Fraction(scale)
            section = Fraction(0)
        current, last_scale = None, scale
    if current is not None and tokens[-1] in _DIGITS and last_scale >= 100 and tokens[-2] in _SCALES:
        current *= last_scale // 10  # "两万五"
    return total + section + (current or 0)


def quantities(folded: str) -> list[Quantity]:
    """Every number that a folded text states, in order.

    Left out are numerals that state none: a Chinese digit without a measure word ("统一"), hundreds without a
    digit ("百家"), 十分; and digits that are part of a Latin name ("pm2.5").
    """
    found: list[Quantity] = []
    for match in _STATED.finditer(folded):
        made = _ratio(match) if match["of"] else _half(match) if match["half"] else _number(match)
        if made is not None:
            if made.kind == "count" and made.unit == "天" and found and _is_day(folded, found[-1], made):
                made = replace(made, kind="day", unit="")
            found.append(made)
    for place in range(len(found) - 1, 0, -1):
        left, right = found[place - 1], found[place]
        if not left.unit and left.kind == "count" and _TO.fullmatch(folded, left.end, right.start):
            found[place - 1] = replace(left, unit=right.unit, kind=right.kind)
    return found


def _is_day(folded: str, before: Quantity, day: Quantity) -> bool:
    return before.kind == "month" and before.end == day.start and folded[day.end - 1] in "日号"


def _ratio(match: re.Match[str]) -> Quantity | None:
    whole = numeral_value(match["of"])
    part = numeral_value(match["part"])
    if not whole or part is None:
        return None
    return Quantity(part / whole, "ratio", "", False, *match.span())


def _half(match: re.Match[str]) -> Quantity:
    unit = match["of_what"]
    return Quantity(Fraction(1, 2), "count", _SAME_UNIT.get(unit, unit), False, *match.span())


def _number(match: re.Match[str]) -> Quantity | None:
    numeral, unit = match["number"], match["unit"] or ""
    value = numeral_value(numeral)
    if value is None or not _is_stated(numeral, unit, match):
        return None
    vague = match["vague"] is not None
    same = _SAME_UNIT.get(unit, unit)
    kind: Kind = "one" if numeral == "一" else "count"
    if match["nth"]:
        kind = "ordinal"
    elif match["percent"] or unit == "成":
        kind, same, value = "ratio", "", value / (100 if match["percent"] else 10)
    elif unit == "年" and 1000 <= value < 3000 and not vague:
        kind, same = "year", ""
    elif unit == "月" and value <= 12 and not vague:
        kind, same = "month", ""
    elif unit == "号":
        same = "天"
    return Quantity(value, kind, same, vague, *match.span())


def _is_stated(numeral: str, unit: str, match: re.Match[str]) -> bool:
    if numeral[0].isascii() or match["nth"] or match["percent"]:
        return True
    if not unit and _OPENS_RANGE.match(match.string, match.end()):
        return True
    digits = [char for char in numeral if char in _DIGITS or char == "十"]
    if not digits or (numeral == "十" and unit == "分"):
        return False
    if all(char in _DIGITS for char in numeral):
        return bool(unit) if len(numeral) == 1 else len(numeral) > 2
    return bool(unit) if numeral == "十" else True
