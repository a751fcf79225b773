"""Enumerations: marked by ordinal words, one inside the other, or built alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.enumeration import (
    Series,
    bulleted_series,
    common_subsequence,
    item_mark,
    marked_series,
    parallel_series,
)

FAMILIES = {
    "n-is": ["一是采茶。", "二是制茶。", "三是卖茶。"],
    "n-must": ["一要采茶。", "二要制茶。", "三要卖茶。"],
    "n-th": ["第一，采茶。", "第二，制茶。", "第三，卖茶。"],
    "of-n": ["其一，采茶。", "其二，制茶。", "其三，卖茶。"],
    "bracketed": ["（一）采茶。", "（二）制茶。", "（三）卖茶。"],
    "bracketed digits": ["(1)采茶。", "(2)制茶。", "(3)卖茶。"],
    "dotted": ["一、采茶。", "二、制茶。", "三、卖茶。"],
    "dotted digits": ["1.采茶。", "2.制茶。", "3.卖茶。"],
    "circled": ["①采茶。", "②制茶。", "③卖茶。"],
    "first-last": ["首先，采茶。", "其次，制茶。", "最后，卖茶。"],
    "first-third": ["首先，采茶。", "其次，制茶。", "第三，卖茶。"],
    "one-side": ["一方面，采茶。", "另一方面，制茶。", "再一方面，卖茶。"],
    "quoted": ["“一是采茶。", "“二是制茶。", "“三是卖茶。”"],
}


@pytest.mark.parametrize("items", FAMILIES.values(), ids=FAMILIES)
def test_marked_series(items: list[str]) -> None:
    three = ((0, 1), (1, 2), (2, 3))
    assert marked_series(items) == [Series(None, three)]
    shifted = tuple((a + 1, b + 1) for a, b in three)
    assert marked_series(["茶事有三道。", *items]) == [Series(0, shifted)]


def test_an_item_runs_to_the_next_item() -> None:
    text = ["茶事有二。", "一是采茶。", "要趁早。", "还要手轻。", "二是制茶。", "火要旺。"]
    assert marked_series(text) == [Series(0, ((1, 4), (4, 6)))]


def test_a_series_inside_an_item_belongs_to_it() -> None:
    text = ["一是采茶。", "首先看天。", "其次看叶。", "二是制茶。", "首先看火。", "其次看色。"]
    outer, first, second = marked_series(text)
    assert outer.items == ((0, 3), (3, 6))
    assert (first.lead, first.items) == (0, ((1, 2), (2, 3)))
    assert (second.lead, second.items) == (3, ((4, 5), (5, 6)))


def test_the_last_item_ends_where_an_outer_series_goes_on() -> None:
    text = ["第一，采茶。", "一是看天。", "二是看叶。", "第二，制茶。"]
    assert [series.items for series in marked_series(text)] == [((0, 3), (3, 4)), ((1, 2), (2, 3))]


def test_two_series_one_after_the_other() -> None:
    text = ["第一，采茶。", "第二，制茶。", "船也有二。", "第一，龙骨。", "第二，桅杆。"]
    assert [(s.lead, s.items) for s in marked_series(text)] == [
        (None, ((0, 1), (1, 3))),
        (2, ((3, 4), (4, 5))),
    ]


@pytest.mark.parametrize(
    "text",
    [
        [],
        ["一是采茶。"],
        ["二是制茶。", "三是卖茶。"],
        ["一是采茶。", "第二，制茶。"],
        ["一体的茶园。", "二手的船。"],
        ["1.5万亩茶园。", "2.5万株茶树。"],
        ["最后卖茶。", "首先采茶。"],
    ],
)
def test_what_is_no_series(text: list[str]) -> None:
    assert marked_series(text) == []


@pytest.mark.parametrize(
    ("sentence", "mark"),
    [
        ("⑩茶", ("circled", 10)),
        ("第12，茶", ("n-th", 12)),
        ("　（十）茶", ("bracketed", 10)),
        ("茶一是", None),
    ],
)
def test_marks(sentence: str, mark: tuple[str, int] | None) -> None:
    assert item_mark(sentence) == mark


@given(
    st.lists(st.sampled_from(["茶。", *(item for items in FAMILIES.values() for item in items)]), max_size=12)
)
def test_items_are_ascending_and_inside_the_text(text: list[str]) -> None:
    for series in marked_series(text):
        assert len(series.items) >= 2
        assert series.lead in (None, series.items[0][0] - 1)
        assert all(start < end for start, end in series.items)
        assert all(left[1] == right[0] for left, right in zip(series.items, series.items[1:], strict=False))
        assert series.items[-1][1] <= len(text)


@pytest.mark.parametrize("bullet", ["- ", "* ", "+ ", "• ", "•", "· ", "·"])
def test_the_same_bullet_twice_is_a_list(bullet: str) -> None:
    assert bulleted_series(["茶事：", f"{bullet}采茶", f"{bullet}卖茶", "船来了。"]) == [(1, 3)]


@pytest.mark.parametrize(
    "openings",
    [
        ["- 采茶"],
        ["- 采茶", "* 卖茶"],
        ["- 采茶", "船来了。", "- 卖茶"],
        ["-3度", "-5度"],
        ["* * *", "* * *"],
        [],
    ],
)
def test_what_is_no_bulleted_list(openings: list[str]) -> None:
    assert bulleted_series(openings) == []


def test_parallel_openings() -> None:
    alike = ["从茶到船，讲究的是火候。", "从船到星，讲究的是方向。", "从星到水，讲究的是耐心。"]
    assert parallel_series(["茶事要说三句。", *alike, "灯塔在海边。"]) == [(1, 4)]
    assert parallel_series(alike[:2]) == []
    assert parallel_series([]) == []
    assert parallel_series(["从" + "茶" * 60, "从" + "茶" * 60, "从" + "茶" * 60]) == []


@given(st.text("茶船星水", max_size=12), st.text("茶船星水", max_size=12))
def test_common_subsequence_against_the_plain_recursion(left: str, right: str) -> None:
    def longest(i: int, j: int, seen: dict[tuple[int, int], int]) -> int:
        if i == len(left) or j == len(right):
            return 0
        if (i, j) not in seen:
            seen[i, j] = (
                1 + longest(i + 1, j + 1, seen)
                if left[i] == right[j]
                else max(longest(i + 1, j, seen), longest(i, j + 1, seen))
            )
        return seen[i, j]

    assert common_subsequence(left, right) == longest(0, 0, {})
