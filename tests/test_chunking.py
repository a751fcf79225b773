"""Chunks: verbatim, never too long, and whole sentences wherever they fit."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.chunking import chunk_ranges
from rag.text.sentences import sentence_ranges

SENTENCES = st.lists(
    st.text(alphabet="茶船星，；：、AB3 .", min_size=1, max_size=90).map("{}。".format), max_size=12
)
TEXTS = st.one_of(SENTENCES.map("".join), st.text(alphabet="茶船。！？，；“”（） A.", max_size=400))


@given(TEXTS, st.integers(20, 90))
def test_chunks_tile_the_text_and_are_never_too_long(text: str, max_chars: int) -> None:
    ranges = chunk_ranges(text, max_chars)
    assert "".join(text[start:end] for start, end in ranges) == (text if text.strip() else "")
    assert all(0 < end - start <= max_chars for start, end in ranges)


@given(TEXTS, st.integers(20, 90))
def test_a_sentence_that_fits_is_never_cut(text: str, max_chars: int) -> None:
    ranges = chunk_ranges(text, max_chars)
    for start, end in sentence_ranges(text):
        last = start + len(text[start:end].rstrip())
        if last - start <= max_chars:
            assert any(a <= start and last <= b for a, b in ranges), text[start:end]


@given(TEXTS)
def test_a_text_that_fits_is_one_chunk(text: str) -> None:
    if text.strip():
        assert chunk_ranges(text, max(20, len(text))) == [(0, len(text))]


def test_sizes_are_evened_out() -> None:
    """Five sentences of 20, at most 80 a chunk: 60 and 40, not 80 and a scrap of 20."""
    text = ("茶" * 19 + "。") * 5
    assert chunk_ranges(text, 80) == [(0, 60), (60, 100)]


def test_a_sentence_too_long_is_cut_at_its_clauses() -> None:
    text = "茶" * 30 + "；" + "船" * 30 + "，" + "星" * 30 + "。"
    assert [text[a:b] for a, b in chunk_ranges(text, 40)] == [
        "茶" * 30 + "；",
        "船" * 30 + "，",
        "星" * 30 + "。",
    ]


def test_a_clause_too_long_is_cut_anywhere() -> None:
    assert [end - start for start, end in chunk_ranges("茶" * 100, 40)] == [40, 40, 20]


@pytest.mark.parametrize("text", ["", " ", "\u3000\n"])
def test_blank_text_has_no_chunks(text: str) -> None:
    assert chunk_ranges(text, 40) == []


def test_astral_characters_count_once() -> None:
    assert chunk_ranges("𠮷" * 40, 40) == [(0, 40)]


def test_the_splitter_has_nothing_to_warn_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        for text in ("茶。" * 300, "茶" * 300 + "。" + "船，" * 100, "A " * 200, "（茶。" * 90):
            for max_chars in (20, 60, 200):
                chunk_ranges(text, max_chars)
    assert caplog.records == []
