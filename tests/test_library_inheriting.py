"""What is said of a source is said of the text that takes its place, unless its sender says otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from api.library.library import Library
from api.library_records import UNNAMED_TEXT, Upload
from rag.metadata import check_filters, check_metadata
from rag.records import Metadata, Source
from tests.library_samples import (
    WAIT_SECONDS,
    Gate,
    WatchedEncoder,
    added,
    closed_while_encoding,
    done,
    ids_of,
    listed,
    opened,
    settled,
    source,
    source_id,
    upload,
    write_seed,
)

SAID = check_metadata(title="井", authors=["陆青山"], date="1998", tags=["水"])


def described(library: Library, number: int, said: Metadata = SAID, essays: int = 1) -> None:
    library.describe("default", source_id(number, essays), lambda _: said)


def source_in(library: Library, number: int) -> Source:
    (entry,) = library.entries("default", check_filters(document_ids=[source_id(number)]))
    return entry.document.source


@pytest.mark.parametrize("origin", ["upload", "sync:a", "mine"])
def test_what_a_person_has_said_stays_when_the_text_is_replaced(tmp_path: Path, origin: str) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, origin=origin))
        described(library, 1)
        job = added(library, upload(2, origin=origin), replaces=ids_of(1)[0])
        assert source_in(library, 2).metadata == SAID
        assert [note for note in job.notes if "沿用" in note]
        assert not added(library, upload(2, origin=origin), replaces=source_id(1)).created
        assert source_in(library, 2).metadata == SAID
        (found,) = library.entries("default", check_filters(tags=["水"]))
        assert found.document.title == "井"
    with opened(tmp_path) as library:
        assert source_in(library, 2).metadata == SAID


def test_what_the_sender_says_takes_its_place_whole(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, title="井", tags=["水"]))
        job = added(library, upload(2, date="2001"), replaces=source_id(1))
        assert source_in(library, 2).metadata == check_metadata(date="2001")
        assert job.notes == ()


def test_nothing_is_told_where_nothing_was_said(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        assert added(library, upload(2), replaces=source_id(1)).notes == ()


def test_it_comes_from_what_stands_in_the_place_by_then(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, tags=["一"]))
        added(library, upload(2, tags=["二"]), replaces=source_id(1))
        added(library, upload(3), replaces=source_id(1))
        assert source_in(library, 3).metadata.tags == ("二",)


def test_what_is_said_while_the_new_text_is_encoded_counts(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1, tags=["早"]))
        encoder.before = gate
        job = library.add("default", upload(2), replaces=source_id(1))
        assert gate.reached.wait(WAIT_SECONDS)
        described(library, 1)
        encoder.before = lambda: None
        gate.open.set()
        assert done(library, job).replaced == ids_of(1)
        assert source_in(library, 2).metadata == SAID
        assert len([note for note in library.job(job.job_id).notes if "沿用" in note]) == 1


def test_it_holds_after_a_restart(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    library = opened(tmp_path, encoder)
    added(library, upload(1))
    described(library, 1)
    encoder.before = gate
    library.add("default", upload(2), replaces=source_id(1))
    closed_while_encoding(library, gate)
    with opened(tmp_path) as library:
        settled(library)
        assert listed(library) == list(ids_of(2))
        assert source_in(library, 2).metadata == SAID


def test_a_text_that_is_there_keeps_what_is_said_of_it(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, tags=["一"]), upload(2, tags=["二"]), upload(3))
        added(library, upload(2), replaces=source_id(1))
        assert source_in(library, 2).metadata.tags == ("二",)
        added(library, upload(3), replaces=source_id(2))
        assert source_in(library, 3).metadata == Metadata()


def test_a_text_without_a_name_keeps_that_of_the_old_one(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        added(library, Upload(replace(source(2), name=UNNAMED_TEXT)), replaces=source_id(1))
        assert source_in(library, 2).name == "1.txt"


def test_a_file_of_the_seeds_that_is_edited_keeps_what_is_said_of_it(tmp_path: Path) -> None:
    write_seed(tmp_path, 1, name="井.txt")
    with opened(tmp_path) as library:
        described(library, 1)
    write_seed(tmp_path, 2, name="井.txt")
    with opened(tmp_path) as library:
        assert listed(library) == list(ids_of(2))
        assert source_in(library, 2).metadata == SAID


def test_a_file_of_the_seeds_that_is_renamed_is_called_so_and_keeps_the_rest(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    write_seed(tmp_path, 1, essays=2, name="井.txt")
    with opened(tmp_path, encoder) as library:
        described(library, 1, essays=2)
        library.remove("default", ids_of(1, 2)[1])
        texts = encoder.encoded
    (tmp_path / "seeds" / "井.txt").rename(tmp_path / "seeds" / "泉.txt")
    with opened(tmp_path, encoder) as library:
        (entry,) = library.entries("default", check_filters(names=["泉.txt"]))
        assert entry.document.document_id == ids_of(1, 2)[0]
        assert entry.document.source.metadata == SAID
        assert library.entries("default", check_filters(names=["井.txt"])) == ()
        assert (listed(library), encoder.encoded) == ([ids_of(1, 2)[0]], texts)
