"""An engine as a library: read like one, never written, and what stands at a cited place."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.cited_places import place_of
from api.fixed_library import FixedLibrary, as_library
from api.library_records import CitationClaim, Upload
from rag.errors import CewenError, InputError, NotFoundError, UnavailableError
from rag.metadata import check_filters
from rag.records import Source
from tests.api_fakes import LIGHTHOUSE, PAGE, SHA256, TEA, FakeEngine, FakeLibrary, documents

QUOTE = "守塔人每天傍晚点灯，清晨熄灯。"
(CITED,) = FakeEngine().ask("清晨熄灯").citations


class PlainEngine(FakeEngine):
    """An engine that cannot be narrowed."""

    only = None  # type: ignore[assignment]


def library() -> FixedLibrary:
    return FixedLibrary(FakeEngine())


def test_an_engine_becomes_a_library_and_a_library_stays_one() -> None:
    held, engine = FakeLibrary(), FakeEngine()
    assert as_library(held) is held
    assert as_library(engine).engine() is engine
    assert as_library(engine).engine_holding("gone") is engine


def test_the_one_collection_and_its_entries() -> None:
    (info,) = library().collections()
    assert (info.name, info.documents, info.sources, info.sequence) == ("default", 2, 1, 0)
    entries = library().entries("default")
    assert [entry.document for entry in entries] == list(documents())
    assert {entry.source_id for entry in entries} == {SHA256[:12]}
    (tea,) = library().entries("default", check_filters(authors=("何采薇",)))
    assert tea.document.document_id == TEA
    assert library().jobs() == ()


def test_filters_narrow_the_engine() -> None:
    whole = library().engine("default", check_filters())
    assert len(whole.documents()) == 2
    narrowed = library().engine("default", check_filters(document_ids=(TEA,)))
    assert [document.document_id for document in narrowed.documents()] == [TEA]
    assert narrowed.search("灯塔")[0].document.document_id == TEA
    nothing = library().engine("default", check_filters(tags=("没有",)))
    assert (nothing.documents(), nothing.search("灯塔"), nothing.ask("灯塔").status) == ((), (), "abstained")


def test_an_engine_that_cannot_be_narrowed_says_so() -> None:
    with pytest.raises(InputError) as caught:
        FixedLibrary(PlainEngine()).engine("default", check_filters(document_ids=(TEA,)))
    assert caught.value.code == "invalid_filters"


@pytest.mark.parametrize(
    ("do", "code"),
    [
        (lambda it: it.create_collection("x"), "library_read_only"),
        (lambda it: it.remove_collection("default"), "library_read_only"),
        (lambda it: it.add("default", Upload(Source("a.txt", "文。", "0"))), "library_read_only"),
        (lambda it: it.remove("default", TEA), "library_read_only"),
        (lambda it: it.reindex("default", None), "library_read_only"),
        (lambda it: it.engine("other"), "collection_not_found"),
        (lambda it: it.entries("other"), "collection_not_found"),
        (lambda it: it.resolve("other", CitationClaim(TEA, 0, 1)), "collection_not_found"),
        (lambda it: it.job("j"), "job_not_found"),
        (lambda it: it.wait("j", 0.0), "job_not_found"),
    ],
)
def test_what_it_refuses(do: Callable[[FixedLibrary], object], code: str) -> None:
    with pytest.raises(CewenError) as caught:
        do(library())
    assert caught.value.code == code
    assert isinstance(caught.value, (UnavailableError, NotFoundError))


def test_a_citation_that_stands() -> None:
    claim = CitationClaim(LIGHTHOUSE, CITED.start_char, CITED.end_char, SHA256, CITED.quote)
    found = library().resolve(None, claim)
    assert (found.status, found.found_in, found.quote) == ("current", LIGHTHOUSE, QUOTE)
    assert (found.start_line, found.end_line) == (CITED.start_line, CITED.end_line)
    assert found.url == CITED.url


@pytest.mark.parametrize(
    "claim",
    [
        CitationClaim("gone-1", 0, 1),
        CitationClaim(TEA, 0, len(PAGE) + 1),
        CitationClaim(TEA, 5, 5),
        CitationClaim(TEA, -1, 5),
        CitationClaim(TEA, 0, 5, "0" * 64),
        CitationClaim(TEA, 0, 5, SHA256, "别的话"),
    ],
)
def test_a_citation_that_never_stood(claim: CitationClaim) -> None:
    found = library().resolve("default", claim)
    assert (found.status, found.document_id, found.quote) == ("unknown", claim.document_id, None)
    assert found.message.endswith("。")


@given(st.data())
def test_any_range_reads_as_the_source_does(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(PAGE) - 1))
    end = data.draw(st.integers(start + 1, len(PAGE)))
    document = data.draw(st.sampled_from(documents()))
    found = place_of(document, CitationClaim(document.document_id, start, end, SHA256, PAGE[start:end]))
    assert found.status == "current"
    assert "".join((found.quote or "").split()) == "".join(PAGE[start:end].split())
    before = PAGE[:start].count("\n")
    assert (found.start_line, found.end_line) == (before + 1, before + 1 + PAGE[start : end - 1].count("\n"))
