"""Checking a citation against the source, by hand and by construction."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cewen import Citation, Paragraph, Passage

SOURCE = "题目\n　一二三\n四 五。\n\n𠮷田说：“好。”\n"
WHITE = " \t\n\u3000\u00a0"
sources = st.text(st.sampled_from("一二三四五。，𠮷a1" + WHITE), min_size=1, max_size=60)


def citation(source: str = SOURCE, **changes: Any) -> Citation:
    """The words 二三四 of the sample, on its lines 2 and 3."""
    fields: dict[str, Any] = {
        "number": 1,
        "document_id": "d-1",
        "title": "题目",
        "authors": ["何采薇"],
        "paragraph": 1,
        "start_char": 5,
        "end_char": 9,
        "start_line": 2,
        "end_line": 3,
        "quote": "二三四",
        "source_sha256": hashlib.sha256(source.encode()).hexdigest(),
        "match": "exact",
        "url": "/",
        "score": 0.5,
    }
    return Citation(**fields | changes)


def test_a_right_citation_holds() -> None:
    assert SOURCE[5:9] == "二三\n四"
    assert citation().verify(SOURCE)
    assert citation(end_char=10).verify(SOURCE)  # white space after it does not count
    assert citation(quote="二 三\u3000四").verify(SOURCE)
    assert citation(start_char=14, end_char=15, start_line=5, end_line=5, quote="𠮷").verify(SOURCE)


@pytest.mark.parametrize(
    "changes",
    [
        {"start_char": 4},
        {"end_char": 11},
        {"start_char": -1},
        {"start_char": 9, "end_char": 5},
        {"start_char": 9, "end_char": 9, "quote": ""},
        {"end_char": 10_000},
        {"start_line": 1},
        {"start_line": 3},
        {"end_line": 2},
        {"end_line": 4},
        {"quote": "二三五"},
        {"quote": ""},
        {"quote": " "},
        {"source_sha256": "0" * 64},
    ],
)
def test_a_wrong_one_does_not(changes: dict[str, Any]) -> None:
    assert not citation(**changes).verify(SOURCE)


def test_another_text_does_not_do_even_if_the_quote_stands_there() -> None:
    assert not citation().verify(SOURCE + "。")
    assert not citation().verify(SOURCE.encode("utf-16-be").decode("latin-1"))
    assert not citation().verify("\ud800")
    assert not citation().verify("")


def cut(source: str, start: int, end: int) -> dict[str, Any]:
    """A citation of this stretch, computed another way than the code under test does."""
    lines = [number for number, line in enumerate(source.split("\n"), 1) for _ in range(len(line) + 1)]
    return {
        "start_char": start,
        "end_char": end,
        "start_line": lines[start],
        "end_line": lines[end - 1],
        "quote": "".join(character for character in source[start:end] if character not in WHITE),
    }


@given(sources, st.data())
def test_every_stretch_holds_and_no_moved_one_does(source: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source) - 1))
    end = data.draw(st.integers(start + 1, len(source)))
    fields = cut(source, start, end)
    assume(fields["quote"])
    assert citation(source, **fields).verify(source)
    for name in ("start_line", "end_line"):
        for by in (-1, 1):
            assert not citation(source, **fields | {name: fields[name] + by}).verify(source)
    assert not citation(source, **fields | {"quote": fields["quote"] + "。"}).verify(source)
    moved = data.draw(st.integers(0, len(source)).filter(lambda at: at != start))
    other = citation(source, **fields | {"start_char": moved})
    stretch = "".join(source[moved:end].split())
    on_line = source.count("\n", 0, moved) + 1 == fields["start_line"]
    assert other.verify(source) == (moved < end and stretch == fields["quote"] and on_line)


@given(sources, st.data())
def test_passages_and_paragraphs_are_checked_alike(source: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(source) - 1))
    end = data.draw(st.integers(start + 1, len(source)))
    fields = cut(source, start, end)
    text = fields.pop("quote")
    paragraph = Paragraph(number=1, text=text, **fields)
    known: dict[str, Any] = {
        "rank": 1,
        "score": 0.5,
        "document_id": "d-1",
        "chunk_id": "c-1",
        "title": "题",
        "authors": (),
    }
    passage = Passage(**known, text=text, paragraph=1, url="/", **fields)
    assert paragraph.verify(source) == passage.verify(source) == bool(text)
    assert not passage.model_copy(update={"text": f"{text}九"}).verify(source)
