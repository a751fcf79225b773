"""Metadata conditions: a table a person can check, and a second implementation that knows no shortcuts."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.dify import comparing
from api.dify.conditions import ALIASES, OPERATORS, read_filter
from rag.errors import InputError
from rag.text.folding import fold

RECORD: dict[str, Any] = {
    "title": "“灯塔”与Ｔｅａ：守夜人的2024",
    "authors": ["周望潮", "林听雨"],
    "nobody": [],
    "affiliation": None,
    "blank": "　",
    "paragraph": 3,
    "score": 0.75,
    "year": "2024",
    "serial": "007",
    "printed": "2024-05-01",
    "printed_at": "2024-05-01T08:30:00+08:00",
    "printed_zh": "2024年5月1日",
    "uploaded": 1_714_521_600,  # 2024-05-01T00:00:00Z
}


def holds(name: str | list[str], operator: str, value: Any = None) -> bool:
    condition = {"name": name, "comparison_operator": operator, "value": value}
    wanted = read_filter({"logical_operator": "and", "conditions": [condition]})
    assert wanted is not None
    return wanted.accepts(RECORD.get)


TABLE: list[tuple[str | list[str], str, Any, bool]] = [
    ("title", "contains", "灯塔", True),
    ("title", "contains", "燈塔", True),
    ("title", "contains", "tea", True),
    ("title", "contains", "「灯塔」", True),
    ("title", "contains", "灯 塔", True),
    ("title", "contains", "茶山", False),
    ("title", "contains", "", True),
    ("title", "contains", 2024, True),
    ("title", "not contains", "茶山", True),
    ("title", "not contains", "守夜", False),
    ("title", "start with", "“灯塔”", True),
    ("title", "start with", "灯塔", False),
    ("title", "end with", "2024", True),
    ("title", "end with", "守夜人", False),
    ("title", "is", '"灯塔"与tea:守夜人的2024', True),
    ("title", "is", "灯塔", False),
    ("title", "is not", "灯塔", True),
    ("title", "in", ["灯塔", "“燈塔”与TEA：守夜人的2024"], True),
    ("title", "not in", ["灯塔"], True),
    ("title", ">", "2023", False),
    ("title", "empty", None, False),
    ("title", "not empty", None, True),
    # A list: any for the positive, all for the negative.
    ("authors", "is", "林聽雨", True),
    ("authors", "is", "周望潮、林听雨", False),
    ("authors", "is not", "林听雨", False),
    ("authors", "is not", "何采薇", True),
    ("authors", "contains", "望", True),
    ("authors", "not contains", "望", False),
    ("authors", "start with", "林", True),
    ("authors", "end with", "潮", True),
    ("authors", "in", "何采薇, 林听雨", True),
    ("authors", "in", ["何采薇"], False),
    ("authors", "not in", ["何采薇", "林听雨"], False),
    ("authors", "not in", "何采薇", True),
    ("authors", "not empty", None, True),
    # Several names offer all their values.
    (["authors", "title"], "contains", "守夜", True),
    (["authors", "title"], "contains", "茶山", False),
    (["authors", "title"], "not contains", "守夜", False),
    (["nothing", "title"], "not empty", None, True),
    (["nothing", "nobody"], "empty", None, True),
    # What is missing: as SQL's NULL.
    *((name, "empty", None, True) for name in ("nothing", "nobody", "affiliation", "blank")),
    *((name, "not empty", None, False) for name in ("nothing", "nobody", "affiliation", "blank")),
    *(
        ("affiliation", operator, "1", False)
        for operator in OPERATORS
        if operator not in {"empty", "not empty"}
    ),
    # Numbers, also as texts.
    ("paragraph", "=", 3, True),
    ("paragraph", "=", 3.0, True),
    ("paragraph", "=", "3", True),
    ("paragraph", "=", "３", True),
    ("paragraph", "=", "03", True),
    ("paragraph", "=", "三", False),
    ("paragraph", "is", "3", True),
    ("paragraph", "≠", 3, False),
    ("paragraph", "≠", "4", True),
    ("paragraph", "is not", "三", True),
    ("paragraph", ">", 2, True),
    ("paragraph", ">", "10", False),
    ("paragraph", "<", "10", True),
    ("paragraph", "<", 3, False),
    ("paragraph", "≥", 3, True),
    ("paragraph", "≤", 3, True),
    ("paragraph", "≤", "2.5", False),
    ("paragraph", "in", "1,2,3", True),
    ("paragraph", "in", [1, "3"], True),
    ("paragraph", "in", 3, True),
    ("paragraph", "not in", [1, 2], True),
    ("paragraph", "in", [], False),
    ("paragraph", "in", ",", False),
    ("paragraph", "not in", [], True),
    ("nothing", "in", [], False),
    ("nothing", "not in", [], True),
    ("paragraph", "contains", "3", True),
    ("score", "≥", 0.75, True),
    ("score", ">", "0.75", False),
    ("score", "contains", ".75", True),
    ("serial", "is", "7", False),
    ("serial", "is", "007", True),
    ("serial", "is", 7, True),
    ("serial", ">", "6", True),
    ("paragraph", "<", 10**400, True),
    ("printed", "before", 10**400, True),
    # Dates.
    ("printed", "before", "2024-05-02", True),
    ("printed", "before", "2024-05-01", False),
    ("printed", "after", "2024-05-01", False),
    ("printed", "after", "2024-04-30T23:59:59", True),
    ("printed", "after", "2024年4月", True),
    ("printed", "before", "2025", True),
    ("printed", "after", "20240430", True),
    ("printed", "before", 1_714_521_601, True),
    ("printed", "before", "1714521600", False),
    ("printed", "≤", "2024/5/1", True),
    ("printed_at", "after", "2024-05-01", True),
    ("printed_at", "before", "2024-05-01T00:31Z", True),
    ("printed_zh", "≥", "2024.05.01", True),
    ("uploaded", "after", "2024-04-30", True),
    ("uploaded", "before", "2024-05-01", False),
    ("uploaded", "before", 1_714_521_601, True),
    ("year", "after", 2023, True),
    ("year", "before", "2024-01-02", True),
    ("title", "before", "2024-05-01", False),
    # Spellings of Dify's code and of its older documents.
    ("paragraph", "<=", 3, True),
    ("paragraph", ">=", 4, False),
    ("paragraph", "!=", 4, True),
    ("affiliation", "null", None, True),
    ("title", "not null", None, True),
    # One value in a list is one value; nulls in a list are nothing.
    ("title", "contains", ["灯塔"], True),
    ("authors", "in", [None, "林听雨"], True),
    (" authors ", "is", "林听雨", True),
]


@pytest.mark.parametrize(("name", "operator", "value", "expected"), TABLE)
def test_the_table(name: str | list[str], operator: str, value: Any, expected: bool) -> None:
    assert holds(name, operator, value) is expected


def test_the_table_has_every_operator_both_ways() -> None:
    for operator in OPERATORS:
        outcomes = {row[3] for row in TABLE if row[1] == operator}
        assert outcomes == {True, False}, operator
    assert set(ALIASES) <= {row[1] for row in TABLE}


@pytest.mark.parametrize(
    ("logical", "first", "second", "expected"),
    [
        ("and", "灯塔", "守夜", True),
        ("and", "灯塔", "茶山", False),
        (None, "灯塔", "茶山", False),
        ("or", "灯塔", "茶山", True),
        ("or", "茶山", "盐场", False),
    ],
)
def test_and_or(logical: str | None, first: str, second: str, expected: bool) -> None:
    conditions = [
        {"name": "title", "comparison_operator": "contains", "value": value} for value in (first, second)
    ]
    wanted = read_filter({"logical_operator": logical, "conditions": conditions})
    assert wanted is not None
    assert wanted.accepts(RECORD.get) is expected
    assert wanted.names == {"title"}


@pytest.mark.parametrize(
    "sent",
    [
        None,
        {},
        {"conditions": None},
        {"conditions": []},
        {"logical_operator": None, "conditions": []},
        {"conditions": [{"name": "title", "comparison_operator": "is", "value": None}]},
        {"conditions": [{"name": "title", "comparison_operator": "<"}]},
    ],
)
def test_what_asks_for_nothing(sent: Any) -> None:
    assert read_filter(sent) is None


def test_a_condition_without_a_value_does_not_take_part(caplog: pytest.LogCaptureFixture) -> None:
    sent = [
        {"name": "title", "comparison_operator": "contains", "value": None},
        {"name": "title", "comparison_operator": "contains", "value": "茶山"},
    ]
    with caplog.at_level(logging.WARNING):
        wanted = read_filter({"logical_operator": "or", "conditions": sent})
    assert wanted is not None
    assert len(wanted.conditions) == 1
    assert "1 metadata conditions without a value" in caplog.text


def one(**changes: Any) -> dict[str, Any]:
    return {"conditions": [{"name": "title", "comparison_operator": "is", "value": "密语"} | changes]}


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ([], "JSON 对象"),
        ("title is 密语", "JSON 对象"),
        ({"logical_operator": "xor", "conditions": []}, "and 或 or"),
        ({"logical_operator": ["and"], "conditions": []}, "and 或 or"),
        ({"conditions": {}}, "数组"),
        ({"conditions": ["密语"]}, "第 1 个条件应为 JSON 对象"),
        (one(comparison_operator="like"), "“like”，可用的有：contains、"),
        (one(comparison_operator=None), "不是字符串"),
        (one(comparison_operator="IS"), "可用的有"),
        (one(name=None), "name 应为字符串"),
        (one(name=["title", 3]), "name 应为字符串"),
        (one(name=[]), "应为 1 到 20 个"),
        (one(name=["密语"] * 21), "有 21 个"),
        (one(value=True), "应为字符串、数字"),
        (one(value={"密语": 1}), "应为字符串、数字"),
        (one(value=["密语", ["密语"]]), "应为字符串、数字"),
        (one(value=["密语", "密语"]), "有 2 项，只能是一项"),
        (one(value=[]), "有 0 项"),
        (one(value=[None]), "有 0 项"),
        (one(comparison_operator="in", value=[True]), "应为字符串、数字"),
        (one(comparison_operator="in", value={"密语": 1}), "应为字符串、数字"),
        (one(comparison_operator=">"), "数字或日期"),
        (one(comparison_operator="before", value="2024-13-01"), "数字或日期"),
        (one(comparison_operator="before", value="昨天"), "数字或日期"),
        (one(comparison_operator="≤", value=""), "数字或日期"),
        ({"conditions": one()["conditions"] * 51}, "有 51 个，最多 50 个"),
        (one(value="密" * 1001), "有一项长 1001 个字符，最长 1000 个字符"),
        (one(value=["密" * 1001]), "有一项长 1001 个字符"),
        (one(comparison_operator="in", value=["密语", "密" * 1001]), "有一项长 1001 个字符"),
        (one(comparison_operator="not in", value="密语," + "密" * 1001), "有一项长 1001 个字符"),
        (one(comparison_operator="before", value="1" * 1001), "有一项长 1001 个字符"),
        (one(comparison_operator="in", value=["密语"] * 201), "有 201 项，最多 200 项"),
        (one(comparison_operator="in", value="密语," * 201), "有 201 项，最多 200 项"),
        (one(value=["密语"] * 201), "有 201 项，最多 200 项"),
    ],
)
def test_what_cannot_be_understood(sent: Any, said: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(InputError) as refused:
        read_filter(sent)
    assert refused.value.code == "invalid_condition"
    assert said in refused.value.message
    assert "metadata_condition refused" in caplog.text
    assert "密语" not in caplog.text + refused.value.message


@pytest.mark.parametrize("operator", ["in", "not in"])
def test_the_longest_that_may_be_sent(operator: str) -> None:
    values = [f"{number:0>1000}" for number in range(199)]
    for value in ([*values, "林听雨"], ",".join([*values, "林听雨"]), [*values, "周望潮", None]):
        assert holds("authors", operator, value) is (operator == "in")
    assert holds("title", "not contains", "灯" * 1000)
    assert holds("title", "not empty", "灯" * 1001)


@pytest.mark.parametrize("logical", ["and", "or"])
def test_a_record_is_read_and_folded_once(logical: str, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    def telling(text: str) -> str:
        told.append(text)
        return fold(text)

    monkeypatch.setattr(comparing, "_remembered_fold", telling)
    monkeypatch.setattr(comparing, "fold", telling)
    operator, value = ("not contains", "茶山") if logical == "and" else ("is", "燈塔")
    names = ["title"] * 10 + ["authors"] * 10
    condition = {"name": names, "comparison_operator": operator, "value": value}
    wanted = read_filter({"logical_operator": logical, "conditions": [condition] * 50})
    assert wanted is not None
    if operator == "is":  # folded when it was read
        assert told == [value] * 50
    del told[:]
    read: list[str] = []

    def reading(name: str) -> Any:
        read.append(name)
        return RECORD[name]

    assert wanted.accepts(reading) is (logical == "and")
    assert read == ["title", "authors"]
    ours = [text for text in told if text != value]
    assert sorted(ours) == sorted(["“灯塔”与Ｔｅａ：守夜人的2024", "周望潮", "林听雨"])
    del told[:]
    wanted.accepts(reading)
    assert value not in told


def test_what_callers_send_is_not_kept() -> None:
    comparing._remembered_fold.cache_clear()
    for number in range(20):
        assert not holds("long", "contains", f"密语{number}")
        assert not holds("title", "is", f"密语{number}")
    assert comparing._remembered_fold.cache_info().currsize == 1
    wanted = read_filter(one())
    assert wanted is not None
    assert not wanted.accepts({"title": "灯" * 201}.get)
    assert comparing._remembered_fold.cache_info().currsize == 1


@pytest.mark.parametrize(
    ("name", "operator", "value", "possible"),
    [
        ("nothing", "is", "1", False),
        ("nothing", "is not", "1", False),
        ("nothing", "not empty", None, False),
        ("nothing", "in", [], False),
        ("nothing", "in", ["1"], False),
        ("nothing", "not in", ["1"], False),
        ("nothing", "not in", [], True),
        ("nothing", "empty", None, True),
        (["nothing", "title"], "is", "1", True),
        ("title", "is", "1", True),
    ],
)
def test_what_no_record_can_meet(name: Any, operator: str, value: Any, possible: bool) -> None:
    condition = {"name": name, "comparison_operator": operator, "value": value}
    other = {"name": "title", "comparison_operator": "contains", "value": "灯塔"}
    for logical, conditions, expected in (
        ("and", [condition], possible),
        ("and", [other, condition], possible),
        ("or", [condition, condition], possible),
        ("or", [condition, other], True),
    ):
        wanted = read_filter({"logical_operator": logical, "conditions": conditions})
        assert wanted is not None
        assert wanted.can_accept(frozenset(RECORD)) is expected
        assert wanted.can_accept(frozenset(RECORD)) or not wanted.accepts(RECORD.get)


# A second implementation, for texts that fold to themselves and for plain numbers.

WORDS = st.text(st.sampled_from("ab灯塔12"), min_size=1, max_size=3)
NUMBERS = st.integers(-20, 20) | st.sampled_from([0.5, -1.5, 12.0])
SCALARS = WORDS | NUMBERS
HELD = st.none() | SCALARS | st.lists(WORDS, max_size=3)


def as_number(value: Any) -> float | None:
    try:
        return float(value)
    except ValueError:
        return None


def as_text(value: Any) -> str:
    return str(int(value)) if not isinstance(value, str) and value == int(value) else str(value)


def equal(have: Any, want: Any) -> bool:
    if isinstance(have, str) and isinstance(want, str):
        return have == want
    return as_number(have) is not None and as_number(have) == as_number(want)


def expected_of(held: Any, operator: str, value: Any) -> bool:
    have = [] if held is None else held if isinstance(held, list) else [held]
    if operator in {"empty", "not empty"}:
        return (operator == "empty") == (not have)
    listed = value if isinstance(value, list) else [value]
    if operator == "in":
        return any(equal(item, want) for item in have for want in listed)
    if operator == "not in":
        return not listed or (have != [] and not any(equal(item, want) for item in have for want in listed))
    positive = {"not contains": "contains", "is not": "is", "≠": "is", "=": "is"}.get(operator, operator)
    fits = []
    for item in have:
        if positive == "is":
            fits.append(equal(item, value))
        elif positive == "contains":
            fits.append(as_text(value) in as_text(item))
        elif positive == "start with":
            fits.append(as_text(item)[: len(as_text(value))] == as_text(value))
        elif positive == "end with":
            fits.append(as_text(item)[::-1].find(as_text(value)[::-1]) == 0)
        else:
            one, two = as_number(item), as_number(value)
            if one is not None and two is not None:
                signs = {"<": "<", "before": "<", ">": ">", "after": ">", "≤": "<=", "≥": ">="}
                fits.append(
                    {"<": one < two, ">": one > two, "<=": one <= two, ">=": one >= two}[signs[positive]]
                )
    if operator in {"not contains", "is not", "≠"}:
        return have != [] and True not in fits
    return True in fits


@given(held=HELD, operator=st.sampled_from(OPERATORS), data=st.data())
def test_operators_against_a_second_implementation(held: Any, operator: str, data: st.DataObject) -> None:
    if operator in {"in", "not in"}:
        value: Any = data.draw(st.lists(SCALARS, max_size=3))
    elif operator in {">", "<", "≥", "≤", "before", "after"}:
        value = data.draw(NUMBERS | NUMBERS.map(as_text))
    else:
        value = data.draw(SCALARS)
    condition = {"name": "it", "comparison_operator": operator, "value": value}
    wanted = read_filter({"conditions": [condition]})
    assert wanted is not None
    assert wanted.accepts({"it": held}.get) is expected_of(held, operator, value)


@given(
    held=st.lists(HELD, min_size=1, max_size=3),
    values=st.lists(WORDS, min_size=1, max_size=3),
    every=st.booleans(),
)
def test_and_or_against_a_second_implementation(held: list[Any], values: list[str], every: bool) -> None:
    record = {str(place): value for place, value in enumerate(held)}
    pairs = [(name, value) for name in record for value in values]
    sent = [{"name": name, "comparison_operator": "contains", "value": value} for name, value in pairs]
    wanted = read_filter({"logical_operator": "and" if every else "or", "conditions": sent})
    assert wanted is not None
    outcomes = [expected_of(record[name], "contains", value) for name, value in pairs]
    assert wanted.accepts(record.get) is (False not in outcomes if every else True in outcomes)
