"""Numbers in one form, by hand and against the values that both forms have."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.text.digits import in_digits
from rag.text.numbers import numeral_value


@pytest.mark.parametrize(
    ("text", "digits"),
    [
        ("一九三八年秋", "1938年秋"),
        ("二〇〇七年", "2007年"),
        ("三千二百人", "3200人"),
        ("0.32万人", "3200人"),
        ("两万五", "25000"),
        ("1.5亿元", "150000000元"),
        ("百分之七十点五", "70.5%"),
        ("百分之70", "70%"),
        ("二十点五", "20.5"),
        ("三点五吨", "3.5吨"),
        ("第二十条", "第20条"),
        ("一千万", "10000000"),
    ],
)
def test_numbers_by_hand(text: str, digits: str) -> None:
    assert in_digits(text) == digits


@pytest.mark.parametrize(
    "text",
    [
        "三四天",  # three or four
        "七八十人",
        "五一节",
        "千万不要",
        "百万富翁",
        "万一",
        "一体两翼",
        "十分",
        "十点半",
        "九点一刻",
        "第三点五",
        "12万3千",
        "pm2.5万",
        "十里八乡",
        "3200人",
        "",
    ],
)
def test_what_stays_as_it_is(text: str) -> None:
    assert in_digits(text) == text


def chinese(value: int) -> str:
    """The numeral as people write it, made the long way round: four digits at a time."""
    myriads, rest = divmod(value, 10_000)
    text = f"{_below_ten_thousand(myriads)}万" if myriads else ""
    if myriads and 0 < rest < 1000:
        text += "零"
    return text + (_below_ten_thousand(rest) if rest else "")


def _below_ten_thousand(value: int) -> str:
    text = ""
    for size, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, value = divmod(value, size)
        if digit:
            text += "零一二三四五六七八九"[digit] + unit
        elif text and value and not text.endswith("零"):
            text += "零"
    return text


NUMERALS = "零〇一二两三四五六七八九十百千万亿"


def test_numerals_that_nobody_writes_stay() -> None:
    for text in ("一" + "亿" * 40 + "点五", "9" * 5000 + "万", "九" + "亿" * 300_000, "百分之" + "9" * 5000):
        assert in_digits(text) == text


@given(st.text(alphabet=NUMERALS + "点第年百分之%0123456789.人 a", max_size=14))
@example("百分之百分之三十")
@example("1三十")
@example("二十3")
def test_doing_it_again_changes_nothing(text: str) -> None:
    assert in_digits(in_digits(text)) == in_digits(text)


@given(st.integers(10, 99_999_999).map(chinese))
def test_the_digits_are_those_of_the_value(numeral: str) -> None:
    value = numeral_value(numeral)
    assert value is not None
    assert in_digits(f"有{numeral}株") == f"有{value}株"
