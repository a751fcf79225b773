from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import GeneratorError
from rag.llm.replies import Delta, ReplyReader
from tests.llm_server import DONE, event
from tests.test_llm_sse import cut


def read(*chunks: bytes | str, max_bytes: int = 10_000) -> list[Delta]:
    reader = ReplyReader(max_bytes=max_bytes, max_line_bytes=max_bytes)
    found: list[Delta] = []
    for chunk in chunks:
        found.extend(reader.feed(chunk.encode() if isinstance(chunk, str) else chunk))
    return found + list(reader.finish())


def code_of(*chunks: bytes | str) -> str:
    with pytest.raises(GeneratorError, match="。") as caught:
        read(*chunks)
    return caught.value.code


def data(value: Any) -> str:
    return f"data: {json.dumps(value)}\n\n"


def test_a_stream() -> None:
    stream = event(role="assistant") + event("茶") + event("树", finish="stop") + DONE
    assert read(stream) == [
        Delta(),
        Delta("茶", alive=True),
        Delta("树", alive=True, ended=True),
        Delta(ended=True),
    ]


@pytest.mark.parametrize("head", ["", "\n\n", "\ufeff"])
def test_one_json_body(head: str) -> None:
    body = {"choices": [{"message": {"content": "茶"}, "finish_reason": "stop"}], "usage": {"x": 1}}
    assert read(*(head + json.dumps(body))) == [Delta("茶", alive=True, ended=True)]


@pytest.mark.parametrize(
    ("value", "delta"),
    [
        ({}, Delta()),
        ({"choices": [], "usage": {"total_tokens": 3}}, Delta()),
        ({"choices": None, "error": None}, Delta()),
        ({"choices": [{}]}, Delta()),
        ({"choices": [{"delta": None, "finish_reason": None}]}, Delta()),
        ({"choices": [{"delta": {"content": None, "neu": [1]}, "logprobs": {}}]}, Delta()),
        ({"choices": [{"delta": {"reasoning_content": "想"}}]}, Delta(alive=True)),
        ({"choices": [{"delta": {"reasoning": "想", "content": ""}}]}, Delta(alive=True)),
        ({"choices": [{"delta": {}, "message": {"content": "全文"}}]}, Delta()),
        (
            {"choices": [{"message": {"content": [{"type": "text", "text": "茶"}, {"type": "x"}, 7]}}]},
            Delta("茶", alive=True),
        ),
        ({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}, Delta(ended=True)),
        (
            {"choices": [{"delta": {}, "finish_reason": "length"}]},
            Delta(ended=True, cut_off="到了长度上限"),
        ),
        (
            {"choices": [{"delta": {}, "finish_reason": "content_filter"}]},
            Delta(ended=True, cut_off="被内容过滤截断"),
        ),
    ],
)
def test_what_servers_send(value: Any, delta: Delta) -> None:
    assert read(data(value)) == [delta]


def test_half_a_character_does_not_go_further() -> None:
    assert read('data: {"choices": [{"delta": {"content": "茶\\ud83d"}}]}\n\n')[0].text == "茶\ufffd"
    assert read('data: {"choices": [{"delta": {"content": "\\ud83c\\udf75"}}]}\n\n')[0].text == "🍵"


@pytest.mark.parametrize(
    "value",
    [
        [],
        "x",
        1,
        None,
        {"choices": "x"},
        {"choices": {"a": 1}},
        {"choices": ["x"]},
        {"choices": [{"delta": "x"}]},
        {"choices": [{"delta": {"content": 7}}]},
        {"choices": [{"delta": {"content": [{"text": 7}]}}]},
        {"choices": [{"delta": {}, "finish_reason": 7}]},
    ],
)
def test_what_is_something_else_is_refused(value: Any) -> None:
    assert code_of(data(value)) == "generator_invalid_reply"


@pytest.mark.parametrize(
    "text",
    [
        "<html>",
        "hello",
        "data: {\n\n",
        "data: " + "[" * 3000 + "\n\n",
        "data: " + "9" * 5000 + "\n\n",
        '{"a"',
    ],
)
def test_garbage_is_refused(text: str) -> None:
    assert code_of(text) == "generator_invalid_reply"


def test_an_error_in_the_reply_is_an_error_and_not_repeated() -> None:
    for text in (
        data({"error": {"message": "机密"}}),
        '{"error": "机密"}',
        event("茶") + data({"error": "机密"}),
    ):
        with pytest.raises(GeneratorError, match="报告了错误") as caught:
            read(text)
        assert caught.value.code == "generator_failed"
        assert "机密" not in caught.value.message


def test_a_last_event_that_is_cut_off() -> None:
    assert code_of(event("茶"), 'data: {"choices": [{"de') == "generator_incomplete"
    assert code_of(event("茶"), 'data: {"error": "x"}') == "generator_failed"
    assert read(event("茶"), "data: [DONE]")[-1] == Delta(ended=True)


def test_the_limit_on_bytes() -> None:
    stream = event("茶")
    size = len(stream.encode())
    assert read(stream, max_bytes=size)
    for text in (stream + "\n", " " * (size + 1), "{" + " " * size):
        with pytest.raises(GeneratorError, match=f"超过 {size} 字节"):
            read(text, max_bytes=size)


@given(st.lists(st.text(max_size=8)), st.booleans(), st.lists(st.integers(0, 10_000), max_size=12))
def test_the_cutting_changes_nothing(texts: list[str], windows: bool, places: list[int]) -> None:
    stream = "".join(event(text) for text in texts) + DONE
    if windows:
        stream = stream.replace("\n", "\r\n")
    found = read(*cut(stream.encode("utf-8", "surrogatepass"), places), max_bytes=100_000)
    assert [delta.text for delta in found] == [*texts, ""]
    assert found[-1].ended
