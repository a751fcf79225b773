"""Numbers and dates in folded text."""

from __future__ import annotations

import pytest

from rag.text.folding import fold
from rag.text.numbers import chinese_count, has_date, has_quantity, number_tokens


@pytest.mark.parametrize(
    ("numeral", "value"),
    [
        ("3", 3),
        ("12", 12),
        ("〇", 0),
        ("两", 2),
        ("十", 10),
        ("十五", 15),
        ("二十", 20),
        ("一百零五", 105),
        ("三千零八", 3008),
        ("九千九百九十九", 9999),
        ("二〇三一", 2031),
        ("", None),
        ("万", None),
        ("茶", None),
        ("²", None),
        ("①", None),
    ],
)
def test_counts(numeral: str, value: int | None) -> None:
    assert chinese_count(numeral) == value


@pytest.mark.parametrize(
    "text", ["茶园3000亩", "三百亩", "半数茶农", "百分之五", "三分之一", "十多个船坞", "两座灯塔"]
)
def test_quantities(text: str) -> None:
    assert has_quantity(fold(text))


@pytest.mark.parametrize("text", ["茶园", "一体", "统一", "一方面", "第二次", "一个茶园", "几个茶园"])
def test_what_is_no_quantity(text: str) -> None:
    assert not has_quantity(fold(text))


@pytest.mark.parametrize("text", ["２０３１年", "5 月", "三月", "二〇三一年", "近年来", "春季", "上世纪"])
def test_dates(text: str) -> None:
    assert has_date(fold(text))


@pytest.mark.parametrize("text", ["茶园", "一年之计", "三亩"])
def test_what_is_no_date(text: str) -> None:
    assert not has_date(fold(text))


def test_number_tokens() -> None:
    assert number_tokens(fold("３,０００亩增15%，三百人，1.5倍")) == ["3000", "15%", "三百", "1.5"]
    assert number_tokens("茶园") == []
