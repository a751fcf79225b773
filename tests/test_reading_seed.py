"""The newspaper page of the sample corpus: its structure, never its words."""

from __future__ import annotations

import itertools

import pytest

from rag.corpus import Corpus
from rag.reading.documents import Layout, read_page, unreflow
from rag.records import Document, Source
from rag.text.folding import squeeze
from tests.span_checks import check_span, rows_of

AUTHORS = [("江优优",), ("田方林",), ("殷俊", "甘田"), ("金华宝",)]


@pytest.fixture(scope="module")
def page(seed_source: Source) -> tuple[tuple[Document, ...], Layout]:
    return read_page(seed_source)


def test_four_documents_with_their_authors(page: tuple[tuple[Document, ...], Layout]) -> None:
    documents, layout = page
    assert layout.hard_wrapped
    assert [document.authors for document in documents] == AUTHORS


def test_eighteen_paragraphs(page: tuple[tuple[Document, ...], Layout]) -> None:
    counts = [len(document.paragraphs) for document in page[0]]
    assert counts == [4, 5, 4, 5]
    for document in page[0]:
        assert [p.number for p in document.paragraphs] == list(range(1, len(document.paragraphs) + 1))
        assert all(p.text[-1] in "。！？”" and p.heading == "" for p in document.paragraphs)


def test_two_titles_and_labels_for_all(page: tuple[tuple[Document, ...], Layout]) -> None:
    titles = [document.title for document in page[0]]
    assert [title is not None for title in titles] == [True, True, False, False]
    for document in page[0]:
        assert document.label
        if document.title:
            assert document.label == document.title
        else:
            assert document.label.startswith("、".join(document.authors))


def test_titles_stand_after_the_note_of_their_own_document(
    page: tuple[tuple[Document, ...], Layout],
) -> None:
    for document in page[0][:2]:
        title, note = document.typed_block("title"), document.typed_block("note")
        assert title is not None
        assert note is not None
        assert title.span.start_line > note.span.end_line > document.paragraphs[-1].block.span.end_line


def test_notes_and_masthead(page: tuple[tuple[Document, ...], Layout]) -> None:
    documents, layout = page
    for document in documents:
        assert document.affiliation is not None
        assert document.affiliation.startswith("作者")
        note = document.typed_block("note")
        assert note is not None
        assert (note.text[0], note.text[-1]) == ("（", "）")
        assert 1 <= note.span.end_line - note.span.start_line + 1 <= 4
    masthead = [block for block in layout.blocks if block.kind == "masthead"]
    assert [block.span.start_line for block in masthead] == [1]
    assert masthead[0].text.count("■") == 4


def test_the_page_comes_back_character_for_character(
    page: tuple[tuple[Document, ...], Layout], seed_source: Source
) -> None:
    assert unreflow(page[1]) == seed_source.text
    assert all(white.isspace() for _, white in page[1].gaps)


def test_reading_form_has_no_white_space_of_the_layout(page: tuple[tuple[Document, ...], Layout]) -> None:
    for document in page[0]:
        for paragraph in document.paragraphs:
            for before, white, after in zip(
                paragraph.text, paragraph.text[1:], paragraph.text[2:], strict=False
            ):
                assert not white.isspace() or (before.isascii() and after.isascii())


def test_the_letter_spaced_line_is_closed_up(
    page: tuple[tuple[Document, ...], Layout], seed_source: Source
) -> None:
    line = seed_source.text.split("\n")[98]
    assert line.count(" ") >= 15
    assert squeeze(line) in page[0][0].paragraphs[3].text


def test_lines_that_open_with_latin_letters_gain_no_space(
    page: tuple[tuple[Document, ...], Layout], seed_source: Source
) -> None:
    lines = seed_source.text.split("\n")
    text = "".join(paragraph.text for document in page[0] for paragraph in document.paragraphs)
    joined = [
        squeeze(before)[-4:] + squeeze(line)[:4]
        for before, line in itertools.pairwise(lines)
        if before and line[:1].isascii() and line[:1].isalnum()
    ]
    assert len(joined) >= 3
    assert all(join in text for join in joined)


def test_every_row_holds_its_source_and_its_lines(seed_corpus: Corpus, seed_source: Source) -> None:
    for text, span in rows_of(seed_corpus):
        check_span(text, span, seed_source.text)
    for document in seed_corpus.documents:
        for block in (*document.typed_blocks, *(p.block for p in document.paragraphs)):
            check_span(block.text, block.span, seed_source.text)
