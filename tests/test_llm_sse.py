from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.errors import GeneratorError
from rag.llm.sse import EventParser


def parsed(*chunks: bytes, max_line_bytes: int = 1000) -> list[str]:
    parser = EventParser(max_line_bytes=max_line_bytes)
    return [data for chunk in chunks for data in parser.feed(chunk)] + list(parser.finish())


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[start:end] for start, end in pairwise(borders)]


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        ("data: 甲\n\n", ["甲"]),
        ("data:甲\n\ndata:  乙\n\n", ["甲", " 乙"]),
        ("data: 甲\r\n\r\ndata: 乙\r\n\r\n", ["甲", "乙"]),
        ("data: 甲\r\rdata: 乙\r\r", ["甲", "乙"]),
        ("data: 甲\ndata: 乙\n\n", ["甲\n乙"]),
        (": 保持连接\n\ndata: 甲\n: 又一句\n\n", ["甲"]),
        ("event: x\nid: 7\nretry: 10\ndata: 甲\n\n", ["甲"]),
        ("event: x\n\n\n\n", []),
        ("\ufeffdata: 甲\n\n", ["甲"]),
        ("data\n\n", [""]),
        ("data: 甲\n\ndata: 乙", ["甲", "乙"]),
        ("data: 甲\n\ndata: 乙\n", ["甲", "乙"]),
        ("", []),
    ],
)
def test_events(stream: str, events: list[str]) -> None:
    assert parsed(stream.encode()) == events
    assert parsed(*(bytes([byte]) for byte in stream.encode())) == events


@given(
    st.lists(st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.lists(st.integers(0, 10_000), max_size=12),
)
def test_the_cutting_changes_nothing(texts: list[str], end: str, places: list[int]) -> None:
    stream = "".join(f": 注{end}data: {text}{end}{end}" for text in texts).encode()
    assert parsed(*cut(stream, places)) == texts


@pytest.mark.parametrize("chunk", [b"<html>", b'{"a": 1}', "错误: 甲".encode(), b"data2: x"])
def test_what_is_no_field_is_refused(chunk: bytes) -> None:
    with pytest.raises(GeneratorError, match="不是事件流") as caught:
        parsed(chunk + b"\n")
    assert caught.value.code == "generator_invalid_reply"


def test_broken_utf8_is_refused() -> None:
    with pytest.raises(GeneratorError, match="UTF-8"):
        parsed(b"data: \xff\n\n")


def test_a_line_and_an_event_have_a_limit() -> None:
    assert parsed(b"data: 1234\n\n", max_line_bytes=11) == ["1234"]
    with pytest.raises(GeneratorError, match="一行超过 10 字节"):
        parsed(b"data: 1234\n\n", max_line_bytes=10)
    with pytest.raises(GeneratorError, match="一行超过 10 字节"):
        parsed(*[b"x"] * 11, max_line_bytes=10)
    with pytest.raises(GeneratorError, match="一个事件超过 10 字"):
        parsed(b"data: 12\n" * 4, max_line_bytes=10)
