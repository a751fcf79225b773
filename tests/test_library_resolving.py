"""What became of a cited place: never other words, whatever was replaced, removed or brought back since."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from api.library.library import Library
from api.library.resolving import FindDocument, FindRemoval, find_words, resolve_among
from api.library_records import CitationClaim, Upload
from index.store import Removal
from rag.answering.citations import SourceLinks
from rag.errors import InputError, NotFoundError
from rag.reading.decoding import source_from_text
from rag.records import Document
from tests.library_samples import (
    added,
    claim,
    ids_of,
    opened,
    page,
    source_id,
    upload,
    word,
)


def bare(text: str) -> str:
    return "".join(text.split())


@given(st.text("ab \n\u3000\x1c", max_size=30), st.text("ab \u2003\x85", max_size=4))
@example("ab", "b")
@example("a b", " a  b ")
def test_words_are_found_whatever_white_space_there_is(text: str, quote: str) -> None:
    found = find_words(text, quote)
    places = [
        (start, end)
        for start in range(len(text))
        for end in range(start + 1, len(text) + 1)
        if bare(text[start:end]) == bare(quote) != "" and text[start:end] == text[start:end].strip()
    ]
    assert found == min(places, default=None)


def test_a_place_is_current_until_its_text_goes(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, essays=2))
        cited = claim(library, 1, essay=2)
        current = library.resolve("default", cited)
        assert (current.status, current.found_in, current.quote) == ("current", ids_of(1, 2)[1], cited.quote)
        assert (current.start_char, current.end_char) == (cited.start_char, cited.end_char)
        added(library, upload(1, essays=2, title="井"))  # only said otherwise
        library.remove("default", ids_of(1, 2)[0])  # the essay beside it
        assert library.resolve("default", cited) == current
        library.remove("default", source_id(1, 2))
        removed = library.resolve("default", cited)
        assert (removed.status, removed.quote, removed.found_in, removed.replaced_by) == (
            "removed",
            None,
            None,
            (),
        )
        added(library, upload(1, essays=2))
        assert library.resolve("default", cited) == current
    with opened(tmp_path) as library:
        assert library.resolve("default", cited) == current
        assert library.resolve(None, cited) == current


def test_a_replaced_place_is_followed_to_the_same_words(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        cited = claim(library, 1)
        # Its words are on the second page of what replaces it, and of what replaces that.
        for number, text in ((2, page(2) + "\n" + page(1)), (3, page(3) + "\n" + page(1) + "\n" + page(4))):
            book = source_from_text(f"{number}.txt", text)
            added(
                library,
                Upload(book),
                replaces=library.entries("default")[-1].source_id,
            )
            told = library.resolve("default", cited)
            assert (told.status, told.found_in) == ("changed", f"{book.source_id}-2")
            assert told.quote is not None
            assert bare(told.quote) == bare(str(cited.quote))
            assert book.text[told.start_char : told.end_char] == told.quote
            assert word(1) in told.quote
        without_words = library.resolve("default", replace(cited, quote=None))
        assert (without_words.status, without_words.found_in, without_words.quote) == ("changed", None, None)
        assert without_words.replaced_by == tuple(
            entry.document.document_id for entry in library.entries("default")
        )
        added(library, upload(5), replaces=library.entries("default")[-1].source_id)
        gone = library.resolve("default", cited)
        assert (gone.status, gone.replaced_by, gone.quote) == ("changed", ids_of(5), None)
        library.remove("default", source_id(5))
        assert library.resolve("default", cited).status == "removed"


def test_texts_that_replace_each_other_in_a_ring_come_to_an_end(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(0))
        cited = claim(library, 0)
        for number in (1, 2, 0, 1):
            added(library, upload(number), replaces=library.entries("default")[0].source_id)
        assert library.resolve("default", cited).replaced_by == ids_of(1)
        library.remove("default", source_id(1))
        assert library.resolve("default", cited).status == "removed"


@pytest.mark.parametrize(
    "changes",
    [
        {"quote": "水井"},
        {"source_sha256": "0" * 64},
        {"end_char": 10**6},
        {"start_char": 0, "quote": "x"},
        {"document_id": "0" * 12 + "-1"},
        {"document_id": source_id(1)},
        {"document_id": ""},
    ],
)
def test_what_was_never_there_is_unknown(tmp_path: Path, changes: dict[str, object]) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        told = library.resolve("default", replace(claim(library, 1), **changes))  # type: ignore[arg-type]
        assert (told.status, told.quote, told.found_in) == ("unknown", None, None)
        removed = replace(claim(library, 1), source_sha256="1" * 64)
        library.remove("default", source_id(1))
        assert library.resolve("default", removed).status == "unknown"


def test_the_collection_that_knows_most_is_believed(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        library.create_collection("sky")
        added(library, upload(1))
        cited = claim(library, 1)
        added(library, upload(1), collection="sky")
        library.remove("default", source_id(1))
        assert library.resolve("default", cited).status == "removed"
        assert library.resolve("sky", cited).status == "current"
        assert library.resolve(None, cited).status == "current"
        library.remove("sky", source_id(1))
        assert library.resolve(None, cited).status == "removed"
        library.remove_collection("sky")
        with pytest.raises(NotFoundError):
            library.resolve("sky", cited)
        assert library.resolve(None, CitationClaim("none-1", 0, 1)).status == "unknown"


# Two texts whose SHA-256 begin with the same 48 bits; found in ten seconds.
TWINS = tuple(
    f"灯塔甲{salt}是一座灯塔的编号，守塔人把它写在门上。\n" for salt in ("3dfbd01d4a8e", "fb1d7dda0d14")
)
FIRST, SECOND = (
    Upload(source_from_text(f"{name}.txt", text)) for name, text in zip("甲乙", TWINS, strict=True)
)


def refused(library: Library, collection: str, given: Upload) -> None:
    with pytest.raises(InputError, match="碰巧相同") as caught:
        library.add(collection, given)
    assert caught.value.code == "document_conflict"
    assert library.jobs()[-1].state == "done"  # that of the first text: none was begun


def test_no_other_text_takes_an_id_in_any_collection_nor_after_its_text_has_gone(tmp_path: Path) -> None:
    document_id = f"{FIRST.source.source_id}-1"
    assert FIRST.source.source_id == SECOND.source.source_id
    with opened(tmp_path) as library:
        library.create_collection("sky")
        added(library, FIRST)
        for collection in ("default", "sky"):
            refused(library, collection, SECOND)
        library.remove("default", document_id)
        for collection in ("default", "sky"):
            refused(library, collection, SECOND)
        assert library.resolve(None, CitationClaim(document_id, 0, 3)).status == "removed"
        added(library, FIRST, collection="sky")  # the same text may stand anywhere
        assert library.resolve(None, CitationClaim(document_id, 0, 3)).quote == TWINS[0][:3]


def test_where_an_id_has_had_two_texts_a_place_without_words_is_no_proof(tmp_path: Path) -> None:
    """As a library from before such ids were refused may hold them."""
    with opened(tmp_path) as library:
        added(library, FIRST)
        document = library.engine().documents()[0]
    gone = Removal(document.document_id, SECOND.source.sha256, "", "user", ())
    nothing: dict[str, Document] = {}
    places: list[tuple[FindDocument, FindRemoval, SourceLinks]]
    places = [
        ({document.document_id: document}.get, lambda _: None, SourceLinks()),
        (nothing.get, lambda _: gone, SourceLinks()),
    ]
    bare_claim = CitationClaim(document.document_id, 0, 3)
    told = resolve_among(bare_claim, places)
    assert (told.status, told.quote) == ("unknown", None)
    by_words = resolve_among(replace(bare_claim, quote=TWINS[0][:3]), places)
    assert by_words.status == "current"
    for text, status in zip((FIRST, SECOND), ("current", "removed"), strict=True):
        by_sum = replace(bare_claim, source_sha256=text.source.sha256)
        assert resolve_among(by_sum, places).status == status
