from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.wire.strict_json import MAX_DEPTH, MAX_NUMBER_CHARS, parse_json
from rag.errors import InputError

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=20,
)


@given(value=VALUES, escaped=st.booleans())
def test_reads_what_the_standard_library_writes(value: object, escaped: bool) -> None:
    assert parse_json(json.dumps(value, ensure_ascii=escaped).encode()) == value


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def test_depth() -> None:
    parse_json(nested(MAX_DEPTH))
    with pytest.raises(InputError, match=f"第 {MAX_DEPTH + 1} 个字符处嵌套超过 {MAX_DEPTH} 层"):
        parse_json(nested(MAX_DEPTH + 1))
    with pytest.raises(InputError, match="嵌套"):
        parse_json(nested(100_000))


@pytest.mark.parametrize("text", ["[" * 100, '"' + "[" * 100, '\\"' + "[" * 100])
def test_brackets_in_strings_are_no_depth(text: str) -> None:
    assert parse_json(json.dumps([text, text]).encode()) == [text, text]


def test_siblings_are_no_depth() -> None:
    assert len(parse_json(b"[" + b",".join([nested(10)] * 100) + b"]")) == 100


def test_numbers() -> None:
    assert parse_json(b"9" * MAX_NUMBER_CHARS) == int("9" * MAX_NUMBER_CHARS)
    with pytest.raises(InputError, match="401 个字符长的数字") as caught:
        parse_json(b"9" * (MAX_NUMBER_CHARS + 1))
    assert caught.value.code == "malformed_json"
    assert math.isclose(parse_json(b"1.7976931348623157e308"), 1.7976931348623157e308)
    with pytest.raises(InputError, match=r"1\.8e308"):
        parse_json(b"1.8e308")


def test_an_astral_character_as_escaped_pair_is_one_character() -> None:
    assert parse_json(b'"\\ud842\\udfb7"') == "𠮷"


def test_messages_count_in_the_caller_s_units() -> None:
    with pytest.raises(InputError, match="第 2 行第 3 个字符"):
        parse_json("{\n  灯塔: 1}".encode())
    with pytest.raises(InputError, match="第 5 个字节"):
        parse_json('"灯'.encode() + b"\xff")


def test_a_long_key_is_cut_short_in_the_message() -> None:
    key = "k" * 1000
    with pytest.raises(InputError, match=r"“k{39}…”") as caught:
        parse_json(f'{{"{key}":1,"{key}":2}}'.encode())
    assert len(caught.value.message) < 100


def test_hostile_quotes_cost_one_pass() -> None:
    """A pattern that starts over at every quote would need minutes for this body; one pass is a moment."""
    started = time.process_time()
    with pytest.raises(InputError, match="没有结束的引号"):
        parse_json(b'"' + b'\\"' * 100_000)
    assert time.process_time() - started < 5
