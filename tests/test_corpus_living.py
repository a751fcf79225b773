"""A corpus that changes: documents come and go, and everything agrees with one that is made anew."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.corpus import Corpus, build_corpus, window_texts
from rag.enumerations import DocumentLists, lists_of
from rag.names import names_of
from rag.reading.blanking import without_documents
from rag.reading.decoding import source_from_text
from rag.records import Document, Sentence, Source
from rag.rows import DocumentRows, rows_of_source
from rag.scope import ScopeFinder
from rag.structure import Structure

CHARS = 30
TEXTS = (
    "山中制茶三法\n■李白云 杜甫\n茶事有二。一是采茶。要趁早。二是制茶。\n海上观星\n■杜甫\n彗星来了。\n",
    "■李白\n船来了。一是起锚。二是扬帆。\n",
    "观测站在山上。首先看天，其次看云。\n一、看天。\n二、看云，" + "云" * 70 + "。\n",
    "■李白云\n灯塔亮了。\n■陆青山\n守灯人来了。\n",
    "潮水涨了。\n",
)
SOURCES = tuple(source_from_text(f"{n}.txt", text) for n, text in enumerate(TEXTS))
QUESTIONS = (
    "李白云和李白怎么看？",
    "杜甫说了什么？",
    "山中制茶三法怎么说？",
    "What does Li Baiyun say?",
    "潮水呢？",
)


def added_by(sources: Sequence[Source]) -> list[DocumentRows]:
    return [rows for source in sources for rows in rows_of_source(source, chunk_max_chars=CHARS)]


ALL = added_by(SOURCES)
WHOLE = {source.sha256: source for source in SOURCES}
IDS = [rows.document.document_id for rows in ALL]


def content(corpus: Corpus) -> dict[str, object]:
    """All that a corpus says, with rows named by what they are instead of by ordinals."""
    chunk = {row.ordinal: row.chunk_id for row in corpus.chunks}
    sentence = {row.ordinal: (row.document_id, row.start, row.paragraph) for row in corpus.sentences}
    structure = Structure(corpus)
    return {
        "sources": whole(corpus).sources,
        "documents": whole(corpus).documents,
        "by_id": [(name, made_whole(document)) for name, document in corpus.document_by_id.items()],
        "chunks": [(row.chunk_id, row.text) for row in corpus.live_chunks()],
        "sentences": [(chunk[row.chunk_ordinal], row.text) for row in corpus.live_sentences()],
        "of_chunk": [
            (chunk[row], [sentence[n] for n in rows]) for row, rows in corpus.sentences_of_chunk.items()
        ],
        "of_paragraph": [
            (key, [sentence[n] for n in rows]) for key, rows in corpus.sentences_of_paragraph.items()
        ],
        "rows": [(name, *map(len, rows)) for name, rows in corpus.first_rows.items()],
        "names": list(corpus.names.items()),
        "reachable": corpus.reachable_chunks,
        "windows": window_texts(corpus),
        "sha256": corpus.rows_sha256,
        "lists": [
            (e.document_id, [sentence[n] for n in e.announcers], [[sentence[n] for n in i] for i in e.items])
            for e in structure.enumerations
        ],
        "items": [[sentence[n] for n in structure.item_of(row.ordinal)] for row in corpus.live_sentences()],
        "scopes": [ScopeFinder(corpus).find(question) for question in QUESTIONS],
    }


def made_whole(document: Document) -> Document:
    """The document in its whole source, whatever has gone from that."""
    return replace(document, source=WHOLE[document.source.sha256])


def whole(corpus: Corpus) -> Corpus:
    """The same with the whole text in each source: here documents come back without the others of theirs."""
    sources = tuple(WHOLE[source.sha256] for source in corpus.sources)
    return Corpus(sources, tuple(map(made_whole, corpus.documents)), corpus.chunks, corpus.sentences)


def from_scratch(document_ids: Sequence[str]) -> Corpus:
    """The corpus of these documents, every map made anew from its rows."""
    rows = {rows.document.document_id: rows for rows in ALL}
    made = Corpus.empty().extended([rows[name] for name in document_ids])
    return Corpus(made.sources, made.documents, made.chunks, made.sentences)


def test_a_corpus_that_is_built_is_one_that_was_extended() -> None:
    built = build_corpus(SOURCES, chunk_max_chars=CHARS)
    grown = Corpus.empty()
    for source in SOURCES:
        grown = grown.extended(rows_of_source(source, chunk_max_chars=CHARS))
    assert built == grown == Corpus.empty().extended(ALL)
    assert content(built) == content(grown) == content(from_scratch(IDS))
    assert built.sources == SOURCES
    assert [row.ordinal for row in built.chunks] == list(range(len(built.chunks)))
    assert built.dead_rows == 0
    assert built.compacted() is built


CHANGES = st.lists(st.tuples(st.integers(0, len(IDS) - 1), st.integers(0, 3)), max_size=9)


@settings(max_examples=40)
@given(CHANGES)
def test_whatever_comes_and_goes_is_as_if_made_anew(changes: list[tuple[int, int]]) -> None:
    """Adds a document that is not there; removes, hides or, now and then, closes up otherwise."""
    corpus, live = Corpus.empty(), list[str]()
    for number, change in changes:
        before = {row.ordinal: row for row in corpus.live_sentences()}
        name = IDS[number]
        if name not in live:
            corpus, live = corpus.extended([ALL[number]]), [*live, name]
        elif change:
            corpus, live = corpus.without([name]), [other for other in live if other != name]
        else:
            corpus, before = corpus.compacted(), {}
        after = {row.ordinal: row for row in corpus.live_sentences()}
        assert all(after[n] is row for n, row in before.items() if row.document_id in live)
        assert corpus.dead_rows == len(corpus.chunks) - sum(len(ALL[IDS.index(n)].chunks) for n in live)
        assert whole(corpus.compacted()) == from_scratch(live)
    assert content(corpus.only(live[::2])) == content(from_scratch(live[::2]))
    expected = content(from_scratch(live))
    assert content(corpus) == expected  # a view takes nothing from what it is a view of
    assert content(corpus.compacted()) == expected
    for rows in (corpus.chunks, corpus.sentences):
        assert [row.ordinal for row in rows] == list(range(len(rows)))


def test_documents_of_one_source_go_one_by_one() -> None:
    corpus = build_corpus(SOURCES[:2], chunk_max_chars=CHARS)
    first, second, _ = (document.document_id for document in corpus.documents)
    left = corpus.without([first])
    blanked = without_documents(SOURCES[0], corpus.documents[:1], corpus.documents[1:2])
    assert blanked != SOURCES[0]
    assert left.sources == (blanked, SOURCES[1])
    assert [one.source for one in left.documents] == [blanked, SOURCES[1]]
    assert left.rows_of(second).document is left.document_by_id[second] is left.documents[0]
    assert corpus.without([first, second]).sources == SOURCES[1:2]
    assert corpus.without([first]).without([second]) == corpus.without([second, first])
    assert corpus.without(["nothing"]) is corpus
    assert corpus.only([]).documents == corpus.only(["nothing"]).documents == ()
    with pytest.raises(ValueError, match=first):
        corpus.extended(ALL[:1])


def test_what_was_found_of_a_document_stays_with_it_and_goes_with_it() -> None:
    corpus = build_corpus(SOURCES, chunk_max_chars=CHARS)
    names, findings = corpus.names[IDS[1]], corpus.findings[IDS[1]]
    later = corpus.without(IDS[:1]).compacted().only(IDS[1:3]).extended([])
    assert later.names[IDS[1]] is names
    assert later.findings[IDS[1]] is findings
    assert set(later.names) == set(later.findings) == set(IDS[1:3])
    again = corpus.without([IDS[1]]).extended([ALL[1]])
    assert again.findings[IDS[1]] is not findings
    assert again.names[IDS[1]] == names_of(ALL[1].document) == names


def test_lists_are_looked_for_once_by_many_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def counted(document_id: str, sentences: Sequence[Sentence]) -> DocumentLists:
        looked.append(document_id)
        return lists_of(document_id, sentences)

    monkeypatch.setattr("rag.structure.lists_of", counted)
    corpus = build_corpus(SOURCES, chunk_max_chars=CHARS)
    found: list[object] = []
    snapshots = [corpus, corpus.extended([]), corpus.only(IDS), corpus.without(IDS[-1:])]
    threads = [
        threading.Thread(target=lambda held=held: found.append(Structure(held).enumerations))
        for held in snapshots * 3
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(looked) == sorted(IDS)
    assert len(set(map(repr, found))) == 1
