"""Enumerations of a corpus, in sentence rows."""

from __future__ import annotations

from rag.corpus import Corpus, build_corpus
from rag.reading.decoding import source_from_text
from rag.structure import Structure


def corpus_of(*texts: str) -> Corpus:
    return build_corpus([source_from_text(str(n), text) for n, text in enumerate(texts)], chunk_max_chars=60)


def shown(corpus: Corpus, rows: tuple[int, ...]) -> list[str]:
    return [corpus.sentences[row].text for row in rows]


def test_a_series_inside_a_paragraph() -> None:
    corpus = corpus_of("船来了。\n茶事有三道。都要手巧。一是采茶。要趁早。二是制茶。三是卖茶。\n")
    (found,) = Structure(corpus).enumerations
    assert [shown(corpus, item) for item in found.items] == [
        ["一是采茶。", "要趁早。"],
        ["二是制茶。"],
        ["三是卖茶。"],
    ]
    assert shown(corpus, found.heads) == ["一是采茶。", "二是制茶。", "三是卖茶。"]
    assert not found.parallel
    assert shown(corpus, found.announcers) == ["茶事有三道。", "都要手巧。"]


def test_a_series_of_paragraphs() -> None:
    corpus = corpus_of("茶事有二。\n一、采茶。要趁早。\n手要轻。\n二、制茶。火要旺。\n")
    (found,) = Structure(corpus).enumerations
    assert [shown(corpus, item) for item in found.items] == [
        ["一、采茶。", "要趁早。", "手要轻。"],
        ["二、制茶。", "火要旺。"],
    ]
    assert shown(corpus, found.announcers) == ["茶事有二。"]


def test_parallel_paragraphs() -> None:
    corpus = corpus_of(
        "茶事要说三句。\n从茶到船，讲究的是火候。要旺。\n从船到星，讲究的是方向。\n从星到水，讲究的是耐心。\n"
    )
    (found,) = Structure(corpus).enumerations
    assert found.parallel
    assert [len(item) for item in found.items] == [2, 1, 1]
    assert shown(corpus, found.announcers) == ["茶事要说三句。"]


def test_the_innermost_item_comes_first() -> None:
    corpus = corpus_of("一是采茶。首先看天。其次看叶。二是制茶。火要旺。\n")
    structure = Structure(corpus)
    assert shown(corpus, structure.item_of(1)) == ["首先看天。"]
    assert shown(corpus, structure.item_of(0)) == ["一是采茶。", "首先看天。", "其次看叶。"]
    assert [len(found.items) for found in structure.of_sentence(1)] == [2, 2]
    assert shown(corpus, structure.of_sentence(1)[0].heads) == ["首先看天。", "其次看叶。"]


def test_a_sentence_of_no_list_is_its_own_item() -> None:
    structure = Structure(corpus_of("船来了。茶好。\n"))
    assert structure.enumerations == ()
    assert structure.item_of(1) == (1,)


def test_lists_do_not_cross_documents() -> None:
    assert Structure(corpus_of("一是采茶。\n", "二是制茶。\n")).enumerations == ()


def test_circled_numbers() -> None:
    corpus = corpus_of("茶事有二。①采茶。②制茶。\n")
    (found,) = Structure(corpus).enumerations
    assert shown(corpus, found.heads) == ["①采茶。", "②制茶。"]


def test_the_sample_corpus_has_lists_in_most_paragraphs(seed_corpus: Corpus) -> None:
    found = Structure(seed_corpus).enumerations
    inside = [e for e in found if not e.parallel]
    assert len(inside) >= 8
    assert {len(e.items) for e in inside} <= {2, 3, 4}
    documents = {e.document_id for e in inside}
    assert len(documents) == 4
