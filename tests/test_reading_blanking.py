"""A source of which documents were removed: their words are gone, and nothing else has moved."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rag.reading.blanking import without_documents
from rag.reading.decoding import source_from_text
from rag.reading.documents import read_documents
from rag.records import Document, Source
from tests.api_fakes import PAGE, documents
from tests.library_samples import page, word

ESSAYS = 4
WHOLE = source_from_text("报.txt", page(1, ESSAYS).replace("\n", "\r\n"))
DOCUMENTS = read_documents(WHOLE)


def without(source: Source, numbers: set[int], gone_before: frozenset[int] = frozenset()) -> Source:
    """The source without these documents."""
    gone = [each for number, each in enumerate(DOCUMENTS, 1) if number in numbers]
    hidden = numbers | gone_before
    staying = [each for number, each in enumerate(DOCUMENTS, 1) if number not in hidden]
    return without_documents(source, gone, staying)


def claimed(document: Document, text: str) -> list[str]:
    """What stands in a text where a document's blocks are."""
    blocks = [*document.typed_blocks, *(paragraph.block for paragraph in document.paragraphs)]
    return [text[block.span.start_char : block.span.end_char] for block in blocks]


def test_the_words_of_what_is_removed_are_gone_and_all_else_stands_where_it_stood() -> None:
    assert len(DOCUMENTS) == ESSAYS
    shown = without(WHOLE, {2, 3})
    assert [word(1, essay) in shown.text for essay in range(1, ESSAYS + 1)] == [True, False, False, True]
    assert (shown.sha256, len(shown.text)) == (WHOLE.sha256, len(WHOLE.text))
    for number, document in enumerate(DOCUMENTS, 1):
        pieces = claimed(document, shown.text)
        if number in {2, 3}:
            assert not "".join(pieces).strip()
        else:
            assert pieces == claimed(document, WHOLE.text)
    for place, (before, after) in enumerate(zip(WHOLE.text, shown.text, strict=True)):
        inside = any(start <= place < end for start, end in shown.blanked)
        assert after == (before if before.isspace() or not inside else " ")


def test_what_no_document_claims_stays() -> None:
    lighthouse, tea = documents()
    masthead = PAGE.split("\n")[0]
    assert masthead.strip()
    assert without_documents(tea.source, [lighthouse], [tea]).text.split("\n")[0] == masthead


def test_nothing_removed_is_the_same_source() -> None:
    assert without(WHOLE, set()) is WHOLE


@given(st.lists(st.sampled_from(range(1, ESSAYS)), unique=True))
def test_step_by_step_and_at_once_come_to_the_same(order: list[int]) -> None:
    shown = WHOLE
    for at, number in enumerate(order):
        shown = without(shown, {number}, frozenset(order[:at]))
    assert shown == without(WHOLE, set(order))
