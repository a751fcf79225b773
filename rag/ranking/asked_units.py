"""Does a sentence state an amount of the dimension that is asked for: a weight for 多重, money for 多少钱?

General words of the language. A question that names no dimension is content with any number.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from rag.context import is_table_row
from rag.text.numbers import has_quantity

_NUMERAL = r"(?:[\d%]|[零〇一二两三四五六七八九十百千万亿半几数])(?:多|余|来|几)?\s?(?:个|整)?(?:半)?"
_NO_MONEY = r"|免费|不收[钱费]|[¥$]\s?\d"
_DIMENSIONS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile("多重|重量|净重|毛重|几斤|几公斤|多少(?:公?斤|千?克|吨)"),
        "公?斤|[千毫微]?克|吨|两|磅|盎司|kg|mg|g|t|lbs?",
    ),
    (
        re.compile(
            "多少[钱元块]|几[块元](?!地)|几毛|价格|价钱|[票售单房]价"
            r"|(?:[租押定佣薪]金|房租|工资|费用?)(?:是|为|要)?多少|\bcosts?\b|\bprice\b"
        ),
        "[美欧日港台]?元|块|角|毛|分钱|英?镑|卢布|法郎|大洋|文|钱|圆|[万亿](?!人|个|户|册|件|年|次)",
    ),
    (
        re.compile(
            "多久|多长时间|几天|几年(?!级)|几个?月(?!份)|几个?小时|几分钟|几周|几个?星期|多少[天年]"
            r"|\bhow long\b"
        ),
        (
            "周?年|个?月|天|(?:工作)?日|小时|钟头|分钟?|秒|周|星期|礼拜|季|学期|时辰|刻|世纪|夜|晚"
            "|years?|months?|days?|hours?|h|min|s"
        ),
    ),
    (
        # Not 多高, 多大: so is asked for rates, wages and marks, too.
        re.compile("多[宽厚深远]|多少(?:公里|千?米|公尺)"),
        "公?里|[千厘毫分微]?米|公[尺分]|英?[尺寸]|丈|层|海里|[kcmμ]?m",
    ),
    (re.compile(r"多少度|几度|温度|\btemperature\b"), "度|℃|°"),
)
"""How a dimension is asked for, and the units in which it is stated; over folded text."""


def names_dimension(folded: str) -> bool:
    """Whether a question, folded, says of what dimension the amount is."""
    return any(asked.search(folded) for asked, _ in _DIMENSIONS)


def amount_test(folded: str) -> Callable[[str], bool]:
    """The test for a sentence, folded, that holds what a question for an amount asks for.

    Args:
        folded: The question, folded.
    """
    units = next((units for asked, units in _DIMENSIONS if asked.search(folded)), None)
    if units is None:
        return has_quantity
    stated = re.compile(rf"{_NUMERAL}(?:{units})(?![a-z])" + (_NO_MONEY if "钱" in units else ""))

    def states(text: str) -> bool:
        # A table may say the unit once, at its head.
        return stated.search(text) is not None or (is_table_row(text) and has_quantity(text))

    return states
