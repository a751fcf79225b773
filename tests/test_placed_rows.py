"""Rows at their places in a corpus: made when wanted, once, and equal to the tuple of all."""

from __future__ import annotations

from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus import Corpus
from rag.placed_rows import GoneRows, PlacedRows, RowSequence, SentencesOfChunks
from rag.reading.decoding import source_from_text
from rag.rows import DocumentRows, Placed, rows_of_source

TEXTS = ("潮水涨了。船来了。\n灯塔亮了。\n", "茶" * 70 + "。\n", "守灯人来了。\n", "井深四米。水清。\n")
ALL = [
    rows
    for number, text in enumerate(TEXTS)
    for rows in rows_of_source(source_from_text(f"{number}.txt", text), chunk_max_chars=30)
]


class Watched(DocumentRows):
    """Counts how often its rows are made."""

    def placed(self, first_chunk: int, first_sentence: int) -> Placed:
        self.__dict__["made"] = self.__dict__.get("made", 0) + 1
        return super().placed(first_chunk, first_sentence)


def placed(documents: list[DocumentRows]) -> list[PlacedRows]:
    found, chunk, sentence = [], 0, 0
    for rows in documents:
        found.append(PlacedRows(rows, chunk, sentence))
        chunk, sentence = chunk + rows.chunk_count, sentence + rows.sentence_count
    return found


def test_only_what_is_looked_at_is_made_and_it_is_made_once() -> None:
    watched = [Watched(rows.document, rows.chunks, rows.sentences) for rows in ALL]
    first = Corpus.empty().extended(watched[:3])
    later = first.extended(watched[3:]).without([ALL[2].document.document_id])
    assert [rows.__dict__.get("made", 0) for rows in watched] == [0, 0, 0, 0]
    row = later.sentences[len(later.sentences) - 1]
    assert row.text == "水清。"
    assert first.sentences[0] is later.sentences[0] is later.only([ALL[0].document.document_id]).sentences[0]
    assert later.sentences_of_chunk[row.chunk_ordinal][-1] == row.ordinal
    assert later.reachable_chunks == sum(rows.begun_chunks for rows in (ALL[0], ALL[1], ALL[3]))
    assert [rows.__dict__.get("made", 0) for rows in watched] == [1, 0, 0, 1]


@given(st.lists(st.sampled_from(ALL), max_size=6), st.integers(-40, 40), st.integers(-40, 40))
def test_it_is_like_the_tuple_of_all_rows(documents: list[DocumentRows], start: int, stop: int) -> None:
    parts = placed(documents)
    for kind in (0, 1):
        rows: RowSequence = RowSequence(parts, kind)  # type: ignore[type-arg]
        plain = tuple(row for part in parts for row in part.placed[kind])
        assert [row.ordinal for row in rows] == list(range(len(rows)))
        assert rows == plain == rows
        assert hash(rows) == hash(plain)
        assert rows[start:stop] == plain[start:stop]
        assert rows[start:stop:2] == plain[start:stop:2]
        assert rows != plain[:-1] or not plain
        assert rows != list(plain)
        if -len(plain) <= start < len(plain):
            assert rows[start] is plain[start]
        else:
            with pytest.raises(IndexError):
                rows[start]


def test_chunks_of_other_documents_are_not_there() -> None:
    parts = placed(ALL)
    found = SentencesOfChunks(parts[1:3])
    ordinals = [ordinal for part in parts[1:3] for ordinal in part.ranges[0]]
    assert list(found) == ordinals
    assert len(found) == len(ordinals)
    assert found.get(0) is found.get(parts[3].ranges[0].start) is found.get(10_000) is None
    # No sentence begins in the midst of a very long one.
    assert [len(found[ordinal]) for ordinal in parts[1].ranges[0]] == [1, 0, 0]
    assert found.begun == 2


def test_of_what_is_gone_there_is_the_number_alone() -> None:
    gone = GoneRows("gone:1", 2, 3)
    assert (gone.chunk_count, gone.sentence_count, len(gone.chunks), len(gone.sentences)) == (2, 3, 2, 3)
    corpus = Corpus.empty().extended([ALL[0], gone, ALL[3]]).without(["gone:1"])
    whole = Corpus.empty().extended([ALL[0], ALL[3]])
    assert corpus.dead_rows == 2
    assert corpus.compacted() == whole
    assert corpus.sources == whole.sources
    chunks = ALL[0].chunk_count
    assert {row.text for row in islice(corpus.chunks, chunks, chunks + 2)} == {""}
    assert corpus.sentences_of_chunk.get(chunks) is None
    assert [row.ordinal for row in corpus.sentences] == list(range(len(corpus.sentences)))
