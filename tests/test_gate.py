"""The gate lets through what the corpus says, word for word, and nothing else."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.answering.gate import Checked, check_draft
from rag.answering.generator import Draft, DraftSentence
from rag.corpus import build_corpus
from rag.reading.decoding import source_from_text
from rag.records import Passage
from rag.text.folding import squeeze

TEXT = """采茶人清晨上山。新茶要在当天炒青，
火要旺，手要快。 ISO 3720 是红茶的标准。

船坞在海边，灯塔也在海边。
"""
CORPUS = build_corpus([source_from_text("茶", TEXT)], chunk_max_chars=30)
PASSAGES = [
    Passage(rank, 1 / rank, chunk, CORPUS.documents[0], "") for rank, chunk in enumerate(CORPUS.chunks, 1)
]


def check(*sentences: DraftSentence) -> Checked:
    return check_draft(Draft(sentences), PASSAGES, CORPUS, public_url="")


def passage_of(text: str) -> int:
    return next(passage.rank for passage in PASSAGES if text in passage.chunk.text)


def test_verbatim_sentences_pass_and_are_numbered_in_order() -> None:
    first, second = "采茶人清晨上山。", "船坞在海边，灯塔也在海边。"
    checked = check(DraftSentence(second, (passage_of(second),)), DraftSentence(first, (passage_of(first),)))
    assert [sentence.text for sentence in checked.sentences] == [second, first]
    assert [sentence.citations for sentence in checked.sentences] == [(1,), (2,)]
    assert [citation.number for citation in checked.citations] == [1, 2]
    assert [citation.quote for citation in checked.citations] == [second, first]
    assert checked.verdicts == ("exact", "exact")
    assert checked.citations[0].score == 1 / passage_of(second)


def test_white_space_is_no_difference() -> None:
    checked = check(DraftSentence("ISO3720是 红茶的标准。", (passage_of("ISO"),)))
    assert [sentence.text for sentence in checked.sentences] == ["ISO 3720 是红茶的标准。"]


def test_corpus_sentences_that_are_named_pass() -> None:
    for sentence in CORPUS.sentences:
        checked = check(DraftSentence(sentence.text, (), sentence))
        assert [citation.quote for citation in checked.citations] == [sentence.text]


@pytest.mark.parametrize(
    "text", ["", " ", "采茶人傍晚上山。", "采茶人清晨上山。船坞", "采茶人清晨上山！", "採茶人清晨上山。"]
)
def test_what_the_corpus_does_not_say_is_dropped(text: str) -> None:
    every = tuple(passage.rank for passage in PASSAGES)
    checked = check(DraftSentence(text, every), DraftSentence("采茶人清晨上山。", every))
    assert [sentence.text for sentence in checked.sentences] == ["采茶人清晨上山。"]
    assert [citation.number for citation in checked.citations] == [1]
    assert checked.verdicts[0].startswith("rejected")


@pytest.mark.parametrize("numbers", [(), (0,), (-1,), (99,), (2**40, -99)])
def test_passage_numbers_out_of_range_are_ignored(numbers: tuple[int, ...]) -> None:
    text = "采茶人清晨上山。"
    assert check(DraftSentence(text, numbers)).sentences == ()
    assert len(check(DraftSentence(text, (*numbers, passage_of(text)))).sentences) == 1


def test_a_passage_that_does_not_say_it_is_no_proof() -> None:
    other = passage_of("船坞")
    assert passage_of("采茶人") != other
    assert check(DraftSentence("采茶人清晨上山。", (other,))).sentences == ()


def test_a_named_sentence_must_be_what_is_said() -> None:
    named = CORPUS.sentences[0]
    assert check(DraftSentence("船坞在海边，灯塔也在海边。", (1,), named)).sentences == ()


def test_a_named_sentence_with_forged_offsets_is_dropped() -> None:
    named = CORPUS.sentences[0]
    shifted = dataclasses.replace(named.span, start_char=named.span.start_char + 1)
    checked = check(DraftSentence(named.text, (), dataclasses.replace(named, span=shifted)))
    assert checked.sentences == ()
    assert checked.verdicts[0].startswith("rejected: 引用")


def test_nothing_passes_without_a_claim() -> None:
    assert check() == Checked((), (), ())


@given(
    st.lists(
        st.tuples(
            st.one_of(
                st.text("采茶人清晨上山。新船坞", max_size=12), st.sampled_from(["火要旺", "当天炒青"])
            ),
            st.lists(st.integers(-3, 9), max_size=3).map(tuple),
        ),
        max_size=6,
    )
)
def test_whatever_is_claimed_only_the_corpus_speaks(claims: list[tuple[str, tuple[int, ...]]]) -> None:
    checked = check(*(DraftSentence(text, numbers) for text, numbers in claims))
    assert len(checked.verdicts) == len(claims)
    assert len(checked.sentences) == len(checked.citations) == checked.verdicts.count("exact")
    for sentence, citation in zip(checked.sentences, checked.citations, strict=True):
        assert squeeze(sentence.text) in squeeze(TEXT)
        held = TEXT[citation.start_char : citation.end_char]
        assert squeeze(held) == squeeze(citation.quote) == squeeze(sentence.text)
        assert citation.start_line == TEXT.count("\n", 0, citation.start_char) + 1
