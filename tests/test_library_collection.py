"""A collection that changes while it is asked: what is there, in which order, and what is left behind."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest

from api.engine_parts import EngineParts
from api.library import generations, preparing, snapshots
from api.library.library import Library
from api.library.opening import store_folder
from api.library_records import Upload
from api.wire.document_convert import job_out
from rag.errors import IndexFileError, InputError, NotFoundError
from rag.metadata import check_filters
from rag.reading.decoding import source_from_text
from tests.counting_encoder import CountingEncoder
from tests.library_samples import (
    WatchedEncoder,
    added,
    done,
    everything,
    hits,
    ids_of,
    is_found,
    listed,
    opened,
    scratch,
    settings_of,
    source,
    source_id,
    upload,
)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few rows are many: holes are closed, generations written, batches cut early."""
    monkeypatch.setattr(snapshots, "_MANY_DEAD_ROWS", 3)
    monkeypatch.setattr(generations, "_TAIL_ROWS", 4)
    monkeypatch.setattr(preparing, "_BATCH_TEXTS", 8)


def test_what_is_added_is_found_and_what_is_removed_is_not(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        assert everything(library.engine())[0] == []
        assert library.engine().ask("水井有多深").status == "abstained"
        added(library, upload(1), upload(2, essays=2))
        before = library.engine()
        assert listed(library) == [*ids_of(1), *ids_of(2, 2)]
        removed = library.remove("default", ids_of(1)[0])
        assert (removed.source_id, removed.document_ids) == (source_id(1), ids_of(1))
        assert not is_found(library.engine(), 1)
        assert is_found(library.engine(), 2, essay=2)
        assert is_found(before, 1)  # whoever has begun goes on with what there was
        assert library.remove("default", source_id(2, 2)).document_ids == ids_of(2, 2)
        assert everything(library.engine())[0] == []


def test_the_same_content_twice_is_there_once_and_encoded_once(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        first = added(library, upload(1))
        texts, sequence = encoder.encoded, library.collections()[0].sequence
        again = library.add("default", upload(1))
        assert (first.created, again.state, again.created) == (True, "done", False)
        assert again.document_ids == first.document_ids == ids_of(1)
        # A PUT of what is there, in its own place.
        put = added(library, upload(1), replaces=source_id(1))
        assert (put.created, put.replaced) == (False, ())
        assert (encoder.encoded, library.collections()[0].sequence) == (texts, sequence)


def test_saying_something_else_of_a_text_encodes_nothing(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1), upload(2))
        texts = encoder.encoded
        told = added(library, upload(1, title="井", tags=("水",)))
        assert (told.created, told.document_ids, encoder.encoded) == (False, ids_of(1), texts)
        assert listed(library) == [*ids_of(2), *ids_of(1)]  # the latest change is the last
        assert [entry.document.title for entry in library.entries("default", check_filters(tags=["水"]))] == [
            "井"
        ]
        moved = added(library, upload(1, origin="sync:/a", title="井", tags=("水",)))
        assert (moved.created, encoder.encoded) == (False, texts)
        assert [entry.origin for entry in library.entries("default")] == ["upload", "sync:/a"]


def test_an_essay_that_was_removed_comes_back_with_its_page(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, essays=3), upload(2))
        first, second, third = ids_of(1, 3)
        library.remove("default", second)
        assert listed(library) == [first, third, *ids_of(2)]
        again = added(library, upload(1, essays=3))
        assert (again.created, again.document_ids) == (True, (first, second, third))
        assert listed(library) == [*ids_of(2), first, second, third]
        assert is_found(library.engine(), 1, essay=2)


def test_a_text_takes_the_place_of_another(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, essays=2), upload(2))
        library.remove("default", ids_of(1, 2)[0])
        job = added(library, upload(3), replaces=ids_of(1, 2)[1])
        assert (job.created, job.replaced) == (True, (ids_of(1, 2)[1],))
        assert listed(library) == [*ids_of(2), *ids_of(3)]
        # By one that is there already: the other gives way, this one stays.
        job = added(library, upload(3), replaces=source_id(2))
        assert (job.created, job.replaced) == (False, ids_of(2))
        assert listed(library) == list(ids_of(3))


def test_ids_that_look_like_ids_are_nobodys(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, essays=2))
        whole, first = source_id(1, 2), ids_of(1, 2)[0]
        library.remove("default", ids_of(1, 2)[1])
        for other in (
            "",
            "-",
            "-1",
            whole[:-1],
            f"{whole}-",
            f"{whole}-01",
            f"{whole}-2",
            f"{first}-1",
            whole.upper() + "x",
        ):
            with pytest.raises(NotFoundError) as caught:
                library.remove("default", other)
            assert caught.value.code == "document_not_found"
            with pytest.raises(NotFoundError):
                library.add("default", upload(3), replaces=other)
        assert listed(library) == [first]


def test_a_text_without_text_is_refused(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        blank = Upload(source_from_text("x.txt", "\n"))
        job = library.wait(library.add("default", blank).job_id, 30)
        assert (job.state, job.error_code) == ("failed", "document_without_text")
        with pytest.raises(InputError):
            library.live().add(blank)
    with opened(tmp_path) as library:
        assert library.jobs() == ()


@pytest.mark.usefixtures("few")
def test_it_answers_as_one_that_never_held_anything_else(tmp_path: Path) -> None:
    parts = EngineParts(settings_of(tmp_path), encoder=CountingEncoder())
    with opened(tmp_path) as library:
        added(library, *(upload(number, essays=2) for number in range(6)))
        for number in (0, 3, 4):
            library.remove("default", source_id(number, 2))
        library.remove("default", ids_of(1, 2)[0])
        added(library, upload(7), upload(2, essays=2, title="井"))
        held = [
            (source(1, 2), (2,)),
            (source(5, 2), (1, 2)),
            (source(7), (1,)),
            (source(2, 2, title="井"), (1, 2)),
        ]
        said = everything(library.engine())
        assert said == everything(scratch(parts, held))
        state = library.live().snapshot
        assert state.corpus.dead_rows == state.index.dead
    with opened(tmp_path) as library:
        assert everything(library.engine()) == said
        assert library.encoded == 0
        assert library.live().snapshot.fingerprint == state.fingerprint
        assert library.live().snapshot.facts == state.facts
        assert library.collections()[0].sequence == state.sequence


def test_the_fingerprint_goes_with_everything_that_is_shown(tmp_path: Path) -> None:
    seen = set()
    with opened(tmp_path) as library:

        def note() -> None:
            seen.add(library.engine().ask("水井有多深").fingerprint)

        note()
        for change in (upload(1), upload(2), upload(1), upload(1, title="井"), upload(1, date="2024")):
            added(library, change)
            note()
        library.remove("default", source_id(2))
        note()
    assert len(seen) == 6


def test_a_filter_shows_some_documents(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, tags=("甲",)), upload(2), upload(3, tags=("甲",)))
        some = library.engine(filters=check_filters(tags=["甲"]))
        assert [document.document_id for document in some.documents()] == [*ids_of(1), *ids_of(3)]
        assert {chunk.partition("-")[0] for chunk, _, _ in hits(some, "茶树种在哪里")} == {
            source_id(1),
            source_id(3),
        }
        none = library.engine(filters=check_filters(names=["没有.txt"]))
        assert (none.search("茶树"), none.ask("茶树种在哪里").status) == ((), "abstained")
        assert library.engine(filters=check_filters()) is library.engine()


def test_nobody_keeps_an_old_state(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        library.engine().ask("水井有多深")
        old = weakref.ref(library.live().snapshot)
        added(library, upload(2))
        gc.collect()
        assert old() is None


def test_what_fails_before_the_commit_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        state = library.live().snapshot

        def full(*_: object, **__: object) -> int:
            raise IndexFileError("磁盘满了。", code="library_unwritable")

        with monkeypatch.context() as patch:
            patch.setattr("index.store.store.apply", full)
            job = library.wait(library.add("default", upload(2)).job_id, 30)
            assert (job.state, job.error_code) == ("failed", "library_unwritable")
            for change in (
                lambda: library.remove("default", source_id(1)),
                lambda: library.remove_collection("default"),
            ):
                with pytest.raises(IndexFileError):
                    change()
        assert library.live().snapshot is state
        added(library, upload(2))
        assert listed(library) == [*ids_of(1), *ids_of(2)]


def test_what_fails_after_the_commit_is_seen_nevertheless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1), upload(2))

        def broken(*_: object, **__: object) -> object:
            raise MemoryError

        with monkeypatch.context() as patch:
            patch.setattr(snapshots.Snapshot, "changed", broken)
            library.remove("default", source_id(1))
            added(library, upload(3))
            assert listed(library) == [*ids_of(2), *ids_of(3)]
            # Not even loading works: then nothing is shown rather than what was removed.
            patch.setattr("api.library.current.Loader.load", broken)
            with pytest.raises(MemoryError):
                library.remove("default", source_id(2))
            with pytest.raises(MemoryError):
                library.engine()
        assert listed(library) == list(ids_of(3))
        assert not is_found(library.engine(), 2)


def test_removed_words_are_not_left_in_files_of_a_collection_that_is_emptied(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        library.create_collection("sky")
        for name in ("default", "sky"):
            added(library, upload(1), collection=name)
            live = library.live(name)
            live.write_generation(always=True)
            assert list((tmp_path / "index" / name).glob("gen-*"))
            library.remove_collection(name)
            kept = [path for path in (tmp_path / "index" / name).rglob("*") if path.is_file()]
            assert not [path for path in kept if b"qx0001z1" in path.read_bytes().lower()]
            if name != "default":
                live.write_generation(always=True)  # as a job does that was under way
            assert not list((tmp_path / "index" / name).glob("gen-*"))
        added(library, upload(2))
    stored = b"".join(
        path.read_bytes() for path in store_folder(settings_of(tmp_path)).glob("library.sqlite3*")
    )
    assert b"QX0001Z1" not in stored
    assert b"QX0002Z1" in stored


def test_the_same_text_may_be_in_several_collections(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        library.create_collection("sky")
        added(library, upload(1))
        added(library, upload(1, title="井"), collection="sky")
        library.remove("default", source_id(1))
        assert (listed(library), listed(library, "sky")) == ([], list(ids_of(1)))
        assert library.engine_holding(ids_of(1)[0]).documents()[0].title == "井"
        assert library.engine_holding("nobody").documents() == ()


def test_a_collection_that_is_made_anew_is_empty_and_counts_on(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        for name in ("", "天", "../up", "A", "a/b", "x" * 65, "-a"):
            with pytest.raises(InputError) as caught:
                library.create_collection(name)
            assert caught.value.code == "invalid_collection_name"
        library.create_collection("sky")
        with pytest.raises(InputError) as caught:
            library.create_collection("sky")
        assert caught.value.code == "collection_exists"
        added(library, upload(1), collection="sky")
        assert library.remove_collection("sky").documents == 1
        for use in (
            lambda: library.engine("sky"),
            lambda: library.remove_collection("sky"),
            lambda: library.entries("sky"),
        ):
            with pytest.raises(NotFoundError) as gone:
                use()
            assert gone.value.code == "collection_not_found"
        assert library.create_collection("sky").documents == 0
        added(library, upload(2), collection="sky")
        assert listed(library, "sky") == list(ids_of(2))
        assert [info.name for info in library.collections()] == ["default", "sky"]
        assert library.collections()[1].sequence > 2
    assert not (tmp_path / "up").exists()


def test_a_collection_that_cannot_be_opened_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as library:
        with monkeypatch.context() as patch:
            patch.setattr(
                "api.library.current.Loader.load",
                lambda _: (_ for _ in ()).throw(IndexFileError("坏了。")),
            )
            with pytest.raises(IndexFileError):
                library.create_collection("sky")
        assert [info.name for info in library.collections()] == ["default"]
        assert library.create_collection("sky").name == "sky"


def test_reindexing_swaps_the_encoder_and_restarts_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.engine_parts.load_encoder", lambda _, name=None: WatchedEncoder(str(name)))
    with opened(tmp_path) as library:
        added(library, upload(1), upload(2))
        before = everything(library.engine())
        job = done(library, library.reindex("default", "other"))
        assert (job.kind, job.done, job.total) == ("reindex", job.total, job.total)
        assert library.collections()[0].encoder == "other"
        said = everything(library.engine())
        assert (said[0], said[1]) == (before[0], before[1])  # it counts the same characters
        added(library, upload(3))
    with opened(tmp_path) as library:
        assert (library.encoded, library.collections()[0].encoder) == (0, "other")
        assert everything(library.engine())[0] == [*before[0], *ids_of(3)]  # type: ignore[misc]
        done(library, library.reindex("default", None))
        assert library.collections()[0].encoder == "counting"


def test_an_encoder_that_is_not_there_is_named_and_changes_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        job = library.wait(library.reindex("default", "nobody/has-this").job_id, 60)
        assert (job.state, job.error_code) == ("failed", "encoder_unusable")
        for part in ("“nobody/has-this”", "照旧用 counting", "bundled:multilingual-e5-small", "文件夹"):
            assert part in (job.error_message or "")
        assert str(tmp_path) not in (job.error_message or "")
        assert job_out(job).error_message == job.error_message
        assert library.collections()[0].encoder == "counting"
        assert is_found(library.engine(), 1)


def test_library_is_what_it_says(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        assert isinstance(library, Library)
        added(library, upload(1, essays=2), upload(2))
        (info,) = library.collections()
        assert (info.documents, info.sources, info.encoder, info.calibration) == (3, 2, "counting", "none")
        assert info.chunks == library.live().snapshot.corpus.live_count
