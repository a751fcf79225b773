"""A citation that does not hold, in characters or in lines, is refused."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rag.answering.citations import SourceLinks, cite_block, cite_sentence, verify
from rag.corpus import Corpus, build_corpus
from rag.errors import CitationError
from rag.reading.decoding import source_from_text
from rag.records import Citation, Document, Sentence, SourceSpan
from rag.text.folding import squeeze
from tests.page_maker import make_page

CORPORA = [
    build_corpus([source_from_text(str(seed), make_page(seed).text)], chunk_max_chars=120)
    for seed in range(3)
]
PLACES = st.sampled_from(CORPORA).flatmap(
    lambda corpus: st.tuples(st.just(corpus), st.integers(0, len(corpus.sentences) - 1))
)


def cited(place: tuple[Corpus, int]) -> tuple[Citation, Document, Sentence]:
    corpus, row = place
    sentence = corpus.sentences[row]
    document = corpus.document_by_id[sentence.document_id]
    return cite_sentence(1, sentence, document, score=0.5, links=SourceLinks()), document, sentence


@given(PLACES)
def test_every_sentence_can_be_cited(place: tuple[Corpus, int]) -> None:
    citation, document, sentence = cited(place)
    text = document.source.text
    assert squeeze(text[citation.start_char : citation.end_char]) == squeeze(citation.quote)
    lines = text.split("\n")[citation.start_line - 1 : citation.end_line]
    assert squeeze(citation.quote) in squeeze("".join(lines))
    assert (citation.quote, citation.paragraph) == (sentence.text, sentence.paragraph)
    assert (citation.title, citation.authors) == (document.label, document.authors)
    assert citation.source_sha256 == document.source.sha256
    assert citation.match == "exact"


@given(PLACES, st.sampled_from(["start_char", "end_char"]), st.sampled_from([-1, 1]))
def test_an_offset_shifted_by_one_is_refused(place: tuple[Corpus, int], name: str, step: int) -> None:
    citation, document, _ = cited(place)
    text = document.source.text
    changed = getattr(citation, name) + step
    beyond = min(changed, getattr(citation, name))
    assume(0 <= beyond < len(text))
    shifted = dataclasses.replace(citation, **{name: changed})
    if text[beyond].isspace() and "\n" not in text[beyond]:
        verify(shifted, text)  # a blank more or less on the same line is the same quotation
    else:
        with pytest.raises(CitationError, match="已拒绝"):
            verify(shifted, text)


@given(PLACES, st.data())
def test_a_changed_character_of_the_quote_is_refused(place: tuple[Corpus, int], data: st.DataObject) -> None:
    citation, document, _ = cited(place)
    at = data.draw(st.integers(0, len(citation.quote) - 1))
    change = data.draw(st.sampled_from(["", "鲸", citation.quote[at] * 2]))
    assume(not citation.quote[at].isspace())
    forged = dataclasses.replace(citation, quote=citation.quote[:at] + change + citation.quote[at + 1 :])
    with pytest.raises(CitationError, match="不符"):
        verify(forged, document.source.text)


@given(PLACES, st.sampled_from(["start_line", "end_line"]), st.sampled_from([-1, 1]))
def test_a_line_off_by_one_is_refused(place: tuple[Corpus, int], name: str, step: int) -> None:
    citation, document, _ = cited(place)
    forged = dataclasses.replace(citation, **{name: getattr(citation, name) + step})
    with pytest.raises(CitationError, match="行号"):
        verify(forged, document.source.text)


@given(PLACES)
def test_a_sentence_of_another_source_is_refused(place: tuple[Corpus, int]) -> None:
    _, _, sentence = cited(place)
    other = CORPORA[(CORPORA.index(place[0]) + 1) % len(CORPORA)].documents[0]
    with pytest.raises(CitationError, match="不符"):
        cite_sentence(1, sentence, other, score=0.5, links=SourceLinks())


@pytest.mark.parametrize("quote", ["", " ", "\n"])
def test_an_empty_quote_is_refused(quote: str) -> None:
    citation, document, _ = cited((CORPORA[0], 0))
    empty = dataclasses.replace(citation, quote=quote, end_char=citation.start_char)
    with pytest.raises(CitationError, match="不符"):
        verify(empty, document.source.text)


def test_white_space_does_not_matter_to_a_quote() -> None:
    citation, document, _ = cited((CORPORA[0], 0))
    verify(dataclasses.replace(citation, quote=" \n".join(citation.quote)), document.source.text)


def test_titles_bylines_and_notes_are_cited_as_paragraph_0(seed_corpus: Corpus) -> None:
    for document in seed_corpus.documents:
        for block in document.typed_blocks:
            citation = cite_block(3, block, document, score=1.0, links=SourceLinks())
            assert (citation.number, citation.paragraph) == (3, 0)
            assert citation.quote == block.text


def test_links() -> None:
    one, more = SourceSpan(5, 9, 2, 2), SourceSpan(5, 30, 2, 4)
    assert SourceLinks().to("abc-1", one) == "/documents/abc-1?chars=5-9#L2"
    assert SourceLinks("https://qa.example/").to("abc-1", more) == (
        "https://qa.example/documents/abc-1?chars=5-30#L2-L4"
    )
    assert SourceLinks(collection="default").to("abc-1", one) == "/documents/abc-1?chars=5-9#L2"
    assert SourceLinks("https://qa.example", "live").to("abc-1", more) == (
        "https://qa.example/documents/abc-1?chars=5-30&collection=live#L2-L4"
    )


def test_offsets_are_code_points() -> None:
    corpus = build_corpus([source_from_text("x", "𠮷野山上有茶。😀船来了。\n")], chunk_max_chars=60)
    citation, _, _ = cited((corpus, 1))
    assert (citation.start_char, citation.end_char, citation.quote) == (7, 12, "😀船来了。")
