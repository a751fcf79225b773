"""The parser of server-sent events: however the bytes are cut, the events are the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cewen import InvalidReplyError
from cewen.sse import EventParser, ServerEvent

LINE_ENDS = ("\n", "\r\n", "\r")
# Any text of one line, with characters of one to four bytes.
one_line = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\n\ufeff"), max_size=12)
names = st.sampled_from(["", "citations", "delta", "done"])


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[ServerEvent]]:
    """A stream with all that the standard allows, and its events."""
    text, expected = "\ufeff" * draw(st.booleans()), []
    for _ in range(draw(st.integers(0, 4))):
        end = draw(st.sampled_from(LINE_ENDS))
        name, lines = draw(names), draw(st.lists(one_line, max_size=3))
        noise = draw(st.sampled_from([": ping", ":", "id: 7", "retry: 100", "unknown: x", "unknown"]))
        space = draw(st.sampled_from(["", " "]))
        fields = [noise, *([f"event:{space}{name}"] if name else [])]
        # Without the space a value that begins with one would lose it.
        fields += [f"data: {line}" if space or line.startswith(" ") else f"data:{line}" for line in lines]
        text += "".join(field + end for field in [*fields, noise, ""])
        if lines:
            expected.append(ServerEvent(name or "message", "\n".join(lines)))
    return text.encode(), expected


def parse(*chunks: bytes) -> list[ServerEvent]:
    parser = EventParser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


@given(streams(), st.lists(st.integers(0, 400)))
def test_any_cutting_gives_the_same_events(stream: tuple[bytes, list[ServerEvent]], cuts: list[int]) -> None:
    data, expected = stream
    places = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    chunks = [data[start:end] for start, end in pairwise(places)]
    assert parse(*chunks) == expected


@given(streams())
def test_byte_by_byte_is_no_different(stream: tuple[bytes, list[ServerEvent]]) -> None:
    data, expected = stream
    assert parse(*(bytes([byte]) for byte in data)) == expected


def test_an_event_that_nothing_ends_is_dropped() -> None:
    assert parse(b"data: one\n\ndata: two\n") == [ServerEvent("message", "one")]
    assert parse(b"data: one\n\ndata: two") == [ServerEvent("message", "one")]


def test_an_event_without_data_is_none_and_its_name_is_forgotten() -> None:
    assert parse(b"event: done\n\ndata: x\n\n") == [ServerEvent("message", "x")]


def test_a_field_without_colon_is_empty() -> None:
    assert parse(b"event: a\nevent\ndata\ndata\n\n") == [ServerEvent("message", "\n")]


@pytest.mark.parametrize("data", [b"data: " + b"x" * 100, b"data: x\n" * 15, b": x\n" * 30])
def test_an_event_may_not_grow_without_end(data: bytes) -> None:
    parser = EventParser(max_event_bytes=100)
    with pytest.raises(InvalidReplyError, match="100 字节"):
        list(parser.feed(data))


def test_the_limit_is_for_one_event() -> None:
    parser = EventParser(max_event_bytes=20)
    assert len(list(parser.feed(b"data: 123456\n\n" * 50))) == 50


def test_what_is_not_utf8_is_refused() -> None:
    with pytest.raises(InvalidReplyError, match="UTF-8"):
        parse("data: 灯塔\n\n".encode("gb18030"))
