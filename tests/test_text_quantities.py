"""Numbers by value, whatever they are written in, with what follows them."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.folding import fold
from rag.text.numbers import chinese_count, is_numeral, numeral_value, quantities


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("1031", 1031),
        ("一千零三十一", 1031),
        ("3000万", 30_000_000),
        ("三千万", 30_000_000),
        ("6.5万", 65_000),
        ("二〇二三", 2023),
        ("两万五", 25_000),
        ("一百二", 120),
        ("一百零五", 105),
        ("十二", 12),
        ("1亿2千万", 120_000_000),
        ("三亿五千万", 350_000_000),
        ("一万亿", 10**12),
        ("三点五万", 35_000),
        ("九十", 90),
        ("零", 0),
    ],
)
def test_values(numeral: str, value: int) -> None:
    assert numeral_value(numeral) == value


def test_decimals() -> None:
    assert numeral_value("3.5") == numeral_value("三点五") == Fraction(7, 2)


@pytest.mark.parametrize("text", ["", "茶", "三茶", "点五", "三点", "3."])
def test_what_is_no_numeral(text: str) -> None:
    assert numeral_value(text) is None
    assert not is_numeral(text)


@given(st.integers(1, 9999))
def test_every_count_in_chinese(number: int) -> None:
    digits = "零一二三四五六七八九"
    text = ""
    for place, unit in enumerate(("千", "百", "十", "")):
        digit = number // 10 ** (3 - place) % 10
        text += digits[digit] + unit if digit else ("零" if text and not text.endswith("零") else "")
    text = text.rstrip("零")
    assert numeral_value(text) == number == chinese_count(text)


def found(text: str) -> list[tuple[str, str, str, bool]]:
    return [(str(q.value), q.kind, q.unit, q.vague) for q in quantities(fold(text))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("茶树1200株，工人36名", [("1200", "count", "株", False), ("36", "count", "人", False)]),
        (
            "２０２３年3月5日",
            [("2023", "year", "", False), ("3", "month", "", False), ("5", "day", "", False)],
        ),
        ("二〇二三年", [("2023", "year", "", False)]),
        ("二十三年来", [("23", "count", "年", False)]),
        ("百分之五，5%", [("1/20", "ratio", "", False), ("1/20", "ratio", "", False)]),
        ("三成，三分之一", [("3/10", "ratio", "", False), ("1/3", "ratio", "", False)]),
        ("三至五天", [("3", "count", "天", False), ("5", "count", "天", False)]),
        ("2019—2023年", [("2019", "year", "", False), ("2023", "year", "", False)]),
        ("第三次", [("3", "ordinal", "次", False)]),
        ("三十多名", [("30", "count", "人", True)]),
        ("半个时辰", [("1/2", "count", "时辰", False)]),
        ("一座灯塔", [("1", "one", "座", False)]),
        ("两座灯塔", [("2", "count", "座", False)]),
        ("5千米，5公里", [("5", "count", "千米", False), ("5", "count", "千米", False)]),
        ("统一，百家，十分，成立，PM2.5", []),
    ],
)
def test_what_a_text_states(text: str, expected: list[tuple[str, str, str, bool]]) -> None:
    assert found(text) == expected


@given(st.text("零一二三十百千万亿0123456789.第百分之%年月日个点半多至 茶", max_size=20))
def test_any_text_can_be_read(text: str) -> None:
    for quantity in quantities(fold(text)):
        assert 0 <= quantity.start < quantity.end <= len(fold(text))
        assert quantity.value >= 0
