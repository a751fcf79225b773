"""The rows of one document."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus import build_corpus
from rag.errors import ConfigError
from rag.reading.decoding import source_from_text
from rag.records import Metadata
from rag.rows import DocumentRows, rows_of_source

PAGE = "■李白云\n采茶人上山。新茶下山，炒青要快。\n船坞在海边。\n■杜甫\n彗星每七十年来一次。\n"


def only_rows(text: str, *, chunk_max_chars: int = 60) -> DocumentRows:
    (rows,) = rows_of_source(source_from_text("x", text), chunk_max_chars=chunk_max_chars)
    return rows


def test_each_document_has_rows_of_its_own_from_zero() -> None:
    first, second = rows_of_source(source_from_text("x", PAGE), chunk_max_chars=60)
    assert [row.ordinal for row in first.sentences] == [0, 1, 2]
    assert [row.chunk_ordinal for row in first.sentences] == [0, 0, 1]
    assert [row.ordinal for row in second.sentences] == [0]
    assert {row.document_id for row in second.sentences} == {second.document.document_id}
    assert rows_of_source(source_from_text("x", " \n"), chunk_max_chars=60) == ()


def test_windows_end_with_the_paragraph() -> None:
    assert only_rows("甲。乙。丙。\n丁。\n").windows() == ["甲。乙。", "甲。乙。丙。", "乙。丙。", "丁。"]


@given(st.text(alphabet="茶船。！\n■李白", min_size=1, max_size=80), st.integers(20, 40))
def test_together_they_are_the_rows_of_the_corpus(text: str, chunk_max_chars: int) -> None:
    source = source_from_text("x", text)
    added = rows_of_source(source, chunk_max_chars=chunk_max_chars)
    if not added:
        with pytest.raises(ConfigError):
            build_corpus([source], chunk_max_chars=chunk_max_chars)
        return
    corpus = build_corpus([source], chunk_max_chars=chunk_max_chars)
    assert [rows.document for rows in added] == list(corpus.documents)
    assert [row.text for rows in added for row in rows.chunks] == [row.text for row in corpus.chunks]
    assert [row.span for rows in added for row in rows.sentences] == [row.span for row in corpus.sentences]
    assert [corpus.rows_of(rows.document.document_id) for rows in added] == list(added)


def test_the_checksum_is_that_of_what_is_searched() -> None:
    source = source_from_text("x", "采茶人上山。新茶下山，炒青要快。\n")
    (plain,) = rows_of_source(source, chunk_max_chars=60)
    named = replace(
        source, name="other", metadata=Metadata("题", ("陆青山",), "2024", "http://a.example/", ("t",))
    )
    (other,) = rows_of_source(named, chunk_max_chars=60)
    assert other.document.title == "题"
    assert other.sha256 == plain.sha256
    sentences = plain.sentences
    changed = [
        replace(plain, document=replace(plain.document, document_id="d")),
        replace(plain, chunks=(replace(plain.chunks[0], text="茶"),)),
        replace(plain, chunks=(replace(plain.chunks[0], chunk_id="c"),)),
        replace(plain, chunks=(replace(plain.chunks[0], paragraph=2),)),
        replace(plain, sentences=sentences[:1]),
        replace(plain, sentences=(replace(sentences[0], text="茶"), sentences[1])),
        replace(plain, sentences=(replace(sentences[0], chunk_ordinal=1), sentences[1])),
        replace(plain, sentences=(replace(sentences[0], span=sentences[1].span), sentences[1])),
        replace(plain, sentences=(replace(sentences[0], paragraph=2), sentences[1])),
    ]
    assert len({rows.sha256 for rows in (plain, *changed)}) == 1 + len(changed)
