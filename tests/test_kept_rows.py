"""Rows in columns: what comes back is what was cut, or it was not taken."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.corpus import Corpus
from rag.keeping import Keeper
from rag.kept_rows import WIDTHS, Kept
from rag.reading.decoding import read_source
from rag.records import Metadata, Source
from rag.rows import DocumentRows, rows_of_source

PAGE = """茶山小记

●陆羽

山里的茶树长得很慢。采茶要等到清明以后（有人说谷雨），才有滋味。

采茶的人

他们 speak English and
write it well。一天采两斤半，最多三斤！
"""

TEXTS = st.text("茶山人水。！？，（）“”●作者：陆 羽李\u3000\nab .15-", min_size=1, max_size=300)


def rows_of(source: Source, chunk_max_chars: int = 40) -> tuple[DocumentRows, ...]:
    return rows_of_source(source, chunk_max_chars=chunk_max_chars)


def kept_of(keeper: Keeper) -> Kept:
    return Kept(keeper.tables)


def test_a_page_comes_back() -> None:
    source = read_source("茶.txt", PAGE.encode())
    (rows,) = rows_of(source)
    keeper = Keeper()
    assert keeper.keep(rows)
    back = kept_of(keeper).rows(0, source, rows.document.document_id, rows.sha256)
    assert back is not None
    assert rows.document.printed_authors == ("陆羽",)
    assert (back.document, back.chunks, back.sentences) == (rows.document, rows.chunks, rows.sentences)
    assert (back.chunk_count, back.sentence_count) == (len(rows.chunks), len(rows.sentences))
    assert back.sha256 == rows.sha256 == DocumentRows(rows.document, rows.chunks, rows.sentences).sha256
    assert back.placed(7, 11) == rows.placed(7, 11)
    assert back.begun_chunks == rows.begun_chunks == len({row.chunk_ordinal for row in rows.sentences})
    assert Corpus.empty().extended([back]) == Corpus.empty().extended([rows])


@given(st.lists(TEXTS, max_size=4), st.integers(20, 60))
def test_whatever_was_taken_comes_back(texts: list[str], chunk_max_chars: int) -> None:
    keeper, taken = Keeper(), []
    for number, text in enumerate(texts):
        metadata = Metadata(title="题" * (number % 2), authors=("某人",) * (number % 3 == 1))
        source = replace(read_source("x.txt", text.encode()), metadata=metadata)
        taken += [rows for rows in rows_of(source, chunk_max_chars) if keeper.keep(rows)]
    kept = kept_of(keeper)
    for place, rows in enumerate(taken):
        document = rows.document
        back = kept.rows(place, document.source, document.document_id, "")
        assert back is not None
        assert (back.document, back.placed(3, 5)) == (document, rows.placed(3, 5))
        assert back.begun_chunks == rows.begun_chunks


def test_what_came_back_is_kept_again_as_it_was() -> None:
    sources = [read_source("茶.txt", PAGE.encode()), read_source("短.txt", "短。\n\n很短。".encode())]
    first, again = Keeper(), Keeper()
    cut = [rows for source in sources for rows in rows_of(source)]
    assert all(map(first.keep, cut))
    for place, rows in enumerate(cut):
        back = kept_of(first).rows(place, rows.document.source, rows.document.document_id, rows.sha256)
        assert back is not None
        assert again.keep(back)
    for name, table in first.tables.items():
        assert again.tables[name].tolist() == table.tolist()
        assert len(table)


def test_there_is_no_text_in_the_columns() -> None:
    keeper = Keeper()
    assert keeper.keep(*rows_of(read_source("茶.txt", PAGE.encode())))
    assert {table.dtype for table in keeper.tables.values()} == {np.dtype(np.int32)}


def test_what_would_not_come_back_is_not_taken() -> None:
    (rows,) = rows_of(read_source("茶.txt", PAGE.encode()))
    odd = DocumentRows(replace(rows.document, affiliation="某校"), rows.chunks, rows.sentences)
    keeper = Keeper()
    assert not keeper.keep(odd)
    assert all(not len(table) for table in keeper.tables.values())


def test_columns_of_another_text_give_nothing_or_other_rows() -> None:
    source = read_source("茶.txt", PAGE.encode())
    (rows,) = rows_of(source)
    keeper = Keeper()
    keeper.keep(rows)
    other = read_source("短.txt", "短。".encode())
    assert kept_of(keeper).rows(0, other, rows.document.document_id, "") is None


@pytest.mark.parametrize("name", [name for name in WIDTHS if name != "documents"])
def test_tables_that_do_not_fit_are_refused(name: str) -> None:
    keeper = Keeper()
    keeper.keep(*rows_of(read_source("茶.txt", PAGE.encode())))
    tables = keeper.tables
    tables[name] = tables[name][:-1]
    with pytest.raises(ValueError, match=name):
        Kept(tables)
