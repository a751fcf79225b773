"""What becomes of texts that were accepted: beside others, after others, and in a collection that goes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from api.library import lanes, preparing
from api.library.attempts import Attempts
from api.library.jobs import JobBoard
from api.library.lanes import ALONE
from api.library.scratch import FOLDER_NAME, Scratch, keep_scratch_of
from api.library_records import UNNAMED_TEXT, Job, Upload
from rag.errors import CewenError, InputError, NotFoundError
from rag.metadata import check_filters, check_metadata
from rag.reading.decoding import source_from_text
from tests.library_samples import (
    WAIT_SECONDS,
    Gate,
    WatchedEncoder,
    added,
    closed_while_encoding,
    done,
    everything,
    hits,
    ids_of,
    is_found,
    listed,
    opened,
    page,
    settled,
    source_id,
    upload,
    word,
)


def bare(number: int) -> Upload:
    """A text that came without a name, and nothing is said of it."""
    return Upload(source_from_text(UNNAMED_TEXT, page(number)))


# The same text once more.


def test_what_nothing_is_said_of_stays_as_it_was(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, title="井", tags=("水",)), upload(2))
        before = library.entries("default")
        again = added(library, bare(1))
        assert (again.created, again.document_ids) == (False, ids_of(1))
        assert library.entries("default") == before


def test_what_is_said_anew_takes_the_place_of_what_was_said(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, title="井", tags=("水",)))
        again = added(library, Upload(upload(1, title="泉").source, notes=("第一页没有文字。",)))
        (entry,) = library.entries("default")
        assert (entry.document.title, entry.document.source.metadata.tags) == ("泉", ())
        assert again.notes[0] == "第一页没有文字。"
        assert "书目信息" in again.notes[1]
        renamed = added(library, Upload(source_from_text("井.txt", page(1))))
        (entry,) = library.entries("default")
        assert (entry.document.source.name, entry.document.title) == ("井.txt", "泉")
        assert "名称" in renamed.notes[0]


@pytest.mark.parametrize(
    ("first", "then", "whose"),
    [
        ("seeds", "upload", "seeds"),
        ("sync:a", "upload", "sync:a"),
        ("sync:a", "sync:b", "sync:b"),
        ("sync:a", "batch", "sync:a"),
        ("upload", "sync:a", "sync:a"),
        ("seeds", "sync:a", "seeds"),
    ],
)
def test_a_text_stays_with_the_folder_it_belongs_to(
    tmp_path: Path, first: str, then: str, whose: str
) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, origin=first), upload(2))
        told = added(library, upload(1, origin=then))
        assert {entry.source_id: entry.origin for entry in library.entries("default")}[source_id(1)] == whose
        assert bool(told.notes) == (whose != first)  # where nothing changes, nothing was done


def test_two_that_wait_for_the_same_text_do_not_undo_each_other(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        encoder.before = gate
        library.add("default", upload(1, title="井"))
        assert gate.reached.wait(WAIT_SECONDS)
        library.add("default", bare(1))
        gate.open.set()
        settled(library)
        assert [entry.document.title for entry in library.entries("default")] == ["井"]
        assert library.entries("default")[0].document.source.name == "1.txt"


# In the place of another.


def test_replacing_once_more_is_the_same_as_once(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1, essays=2))
        first = added(library, upload(2), replaces=source_id(1, 2))
        for identifier in (source_id(1, 2), *ids_of(1, 2)):
            again = added(library, upload(2), replaces=identifier)
            assert (again.created, again.document_ids, again.replaced) == (False, ids_of(2), ())
        assert (first.created, listed(library)) == (True, list(ids_of(2)))


def test_of_two_that_replace_the_same_the_later_replaces_the_earlier(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1), upload(9))
        encoder.before = gate
        jobs = [library.add("default", upload(number), replaces=ids_of(1)[0]) for number in (2, 3)]
        gate.open.set()
        assert [done(library, job).replaced for job in jobs] == [ids_of(1), ids_of(2)]
        assert listed(library) == [*ids_of(9), *ids_of(3)]
        later = added(library, upload(4), replaces=source_id(1))
        assert (later.replaced, listed(library)) == (ids_of(3), [*ids_of(9), *ids_of(4)])


def test_what_somebody_has_removed_is_not_replaced(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        added(library, upload(2), replaces=source_id(1))
        library.remove("default", source_id(2))
        for identifier in (source_id(1), ids_of(1)[0], source_id(2)):
            with pytest.raises(NotFoundError) as refused:
                library.add("default", upload(3), replaces=identifier)
            assert refused.value.code == "document_not_found"
        assert library.jobs()[-1].state == "done"  # nothing was accepted


# A collection that goes.


def test_what_waits_for_a_collection_that_is_emptied_does_not_come(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        library.create_collection("other")
        added(library, upload(1))
        encoder.before = gate
        running, queued = library.add("default", upload(2)), library.add("default", upload(3))
        beside = library.add("other", upload(4))
        assert gate.reached.wait(WAIT_SECONDS)
        library.remove_collection("default")
        for job in (running, queued):
            ended = library.job(job.job_id)
            assert (ended.state, "清空" in ended.notes[-1]) == ("cancelled", True)
        gate.open.set()
        done(library, beside)
        done(library, library.add("default", upload(5)))
        assert (listed(library), listed(library, "other")) == (list(ids_of(5)), list(ids_of(4)))
    stored = b"".join(path.read_bytes() for path in tmp_path.rglob("library.sqlite3*"))
    assert word(2).encode() not in stored
    assert word(3).encode() not in stored
    with opened(tmp_path) as library:
        assert (library.jobs(), listed(library)) == ((), list(ids_of(5)))


def test_no_work_goes_on_for_a_collection_that_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "_BATCH_TEXTS", 4)
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        library.create_collection("other")
        encoder.before = gate
        job = library.add("other", upload(1, essays=3))
        assert gate.reached.wait(WAIT_SECONDS)
        library.remove_collection("other")
        assert library.job(job.job_id).state == "cancelled"
        gate.open.set()
        library._jobs.close()  # waits for the lane
        assert encoder.encoded == 0


def test_what_failed_and_was_kept_goes_with_its_collection(tmp_path: Path) -> None:
    encoder = WatchedEncoder()

    def broken() -> None:
        raise CewenError("坏了。", code="encoder_failed")

    with opened(tmp_path, encoder) as library:
        encoder.before = broken
        job = library.wait(library.add("default", upload(1)).job_id, WAIT_SECONDS)
        assert job.kept
        library.remove_collection("default")
        assert (library.job(job.job_id).state, library.job(job.job_id).kept) == ("cancelled", False)
        with pytest.raises(InputError):
            library.retry(job.job_id)
    with opened(tmp_path) as library:
        assert (library.jobs(), listed(library)) == ((), [])


# A long text, and a restart in the middle.


def test_a_long_text_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preparing, "_BATCH_TEXTS", 7)
    gate, calls = Gate(), iter(range(100))
    encoder = WatchedEncoder()
    encoder.before = lambda: gate() if next(calls) == 3 else None
    with opened(tmp_path, encoder) as library:
        job = library.add("default", upload(1, essays=3))
        closed_while_encoding(library, gate)
        assert encoder.encoded == 3 * 7
    later = WatchedEncoder()
    with opened(tmp_path, later) as library:
        ended = done(library, library.job(job.job_id))
        assert later.encoded == ended.total - 3 * 7
        assert ended.done == ended.total
        said = everything(library.engine())
    assert not list((tmp_path / "data" / "library" / FOLDER_NAME).iterdir())
    with opened(tmp_path / "fresh") as library:
        added(library, upload(1, essays=3))
        assert everything(library.engine()) == said


def test_vectors_that_are_not_what_they_should_be_are_made_again(tmp_path: Path) -> None:
    scratch, texts = Scratch(tmp_path / "job"), ["一", "二"]
    vectors = np.eye(2, 3, dtype=np.float32)
    assert scratch.read(0, "e", texts, 3) is None
    scratch.write(0, "e", texts, vectors)
    found = scratch.read(0, "e", texts, 3)
    assert found is not None
    assert np.array_equal(found, vectors)
    assert scratch.read(1, "e", texts, 3) is None
    assert scratch.read(0, "other", texts, 3) is None
    assert scratch.read(0, "e", ["一", "三"], 3) is None
    assert scratch.read(0, "e", texts, 4) is None
    (path,) = (tmp_path / "job").iterdir()
    content = path.read_bytes()
    for damaged in (b"", content[:-1], content[:-1] + bytes([content[-1] ^ 1]), content[:40]):
        path.write_bytes(damaged)
        assert scratch.read(0, "e", texts, 3) is None
    keep_scratch_of(tmp_path, {"other"})  # nothing lies there
    scratch.drop()
    assert not (tmp_path / "job").exists()


def test_a_disk_that_takes_no_vectors_costs_nothing_but_the_progress(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    Scratch(tmp_path / "file" / "job").write(0, "e", ["一"], np.eye(1, dtype=np.float32))
    assert (tmp_path / "file").read_bytes() == b""


def test_what_is_left_of_jobs_that_are_no_more_goes_at_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = tmp_path / "data" / "library" / FOLDER_NAME / "job-0"
    left.mkdir(parents=True)
    (left / "000000.vectors").write_bytes(b"x")
    with opened(tmp_path):
        assert not left.exists()
    monkeypatch.setattr(preparing, "_BATCH_TEXTS", 7)
    gate, encoder = Gate(), WatchedEncoder()
    calls = iter(range(100))
    encoder.before = lambda: gate() if next(calls) == 1 else None
    with opened(tmp_path, encoder) as library:
        job = library.add("default", upload(1, essays=3))
        assert gate.reached.wait(WAIT_SECONDS)
        assert (left.parent / job.job_id).is_dir()
        library.cancel(job.job_id)
        gate.open.set()
    assert not (left.parent / job.job_id).exists()


# The threads of the jobs.


def nothing(_: object) -> dict[str, Any]:
    return {}


def queued(job_id: str) -> Job:
    return Job(job_id, "add", "x", "queued")


def test_a_lane_that_gets_no_thread_waits_and_asks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    board = JobBoard(lambda _: None)
    with monkeypatch.context() as patch:

        def full(_: object) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", full)
        job = board.submit(queued("job-1"), nothing, lane="one")
        assert board.wait(job.job_id, 0.01).state == "queued"
    assert board.wait(job.job_id, WAIT_SECONDS).state == "done"
    assert board.wait(board.submit(queued("job-2"), nothing, lane="one").job_id, 30).state == "done"
    board.close()


@pytest.fixture
def board() -> Iterator[JobBoard]:
    made = JobBoard(lambda _: None)
    yield made
    made.close()


def test_what_runs_alone_comes_last_and_keeps_the_others_waiting(board: JobBoard) -> None:
    order: list[str] = []
    first, alone = Gate(), Gate()

    def held(gate: Gate, name: str) -> Any:
        def work(_: object) -> dict[str, Any]:
            gate()
            order.append(name)
            return {}

        return work

    board.submit(queued("job-1"), held(first, "first"), lane="quick")
    assert first.reached.wait(WAIT_SECONDS)
    board.submit(queued("job-2"), held(alone, "alone"), lane=ALONE)
    board.submit(queued("job-3"), lambda _: order.append("third") or {}, lane="quick")  # type: ignore[func-returns-value]
    assert board.wait("job-2", 0.02).state == "queued"
    first.open.set()
    assert alone.reached.wait(WAIT_SECONDS)
    late = board.submit(queued("job-4"), lambda _: order.append("late") or {}, lane="slow")  # type: ignore[func-returns-value]
    assert board.wait(late.job_id, 0.02).state == "queued"
    alone.open.set()
    assert board.wait(late.job_id, WAIT_SECONDS).state == "done"
    assert order == ["first", "third", "alone", "late"]


def test_what_runs_alone_has_its_turn_at_last(board: JobBoard, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes, "_PATIENCE", 3)
    order: list[str] = []
    first = Gate()

    def noted(name: str) -> Any:
        def work(_: object) -> dict[str, Any]:
            first()
            order.append(name)
            return {}

        return work

    board.submit(queued("job-0"), noted("0"), lane="quick")
    assert first.reached.wait(WAIT_SECONDS)
    board.submit(queued("job-alone"), noted("alone"), lane=ALONE)
    for number in range(1, 7):
        board.submit(queued(f"job-{number}"), noted(str(number)), lane="quick")
    first.open.set()
    assert board.wait("job-6", WAIT_SECONDS).state == "done"
    assert order == ["0", "1", "2", "3", "alone", "4", "5", "6"]


def test_what_cannot_be_indexed_is_not_committed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> list[str]:
        raise OverflowError

    with opened(tmp_path) as library:
        added(library, upload(1))
        with monkeypatch.context() as patch:
            patch.setattr(preparing, "index_terms", broken)
            job = library.wait(library.add("default", upload(2)).job_id, WAIT_SECONDS)
        assert (job.state, listed(library)) == ("failed", list(ids_of(1)))
        added(library, upload(3))
        assert is_found(library.engine("default"), 3)


def test_numerals_of_any_size_are_text_like_any_other(tmp_path: Path) -> None:
    odd = f"{'一' + '亿' * 40}点五元，{'9' * 5000}万，{'九' + '亿' * 3000}，百分之{'九' * 3000}。"
    with opened(tmp_path) as library:
        added(library, upload(1), Upload(source_from_text("odd.txt", f"题目\n\n　　{odd}\n")))
        assert is_found(library.engine("default"), 1)


def test_a_retry_without_its_text_is_told_so(tmp_path: Path) -> None:
    encoder = WatchedEncoder()

    def broken() -> None:
        raise CewenError("坏了。", code="encoder_failed")

    with opened(tmp_path, encoder) as library:
        encoder.before = broken
        job = library.wait(library.add("default", upload(1)).job_id, WAIT_SECONDS)
        library._store.drop_pending(job.job_id)
        for _ in range(2):
            with pytest.raises(InputError) as refused:
                library.retry(job.job_id)
            assert refused.value.code == "job_ended"
        assert not library.job(job.job_id).kept


def test_who_sends_a_kept_text_again_cannot_lose_it(tmp_path: Path) -> None:
    encoder = WatchedEncoder()

    def broken() -> None:
        raise CewenError("坏了。", code="encoder_failed")

    with opened(tmp_path, encoder) as library:
        encoder.before = broken
        first = library.wait(library.add("default", upload(1)).job_id, WAIT_SECONDS)
        again = library.wait(library.add("default", upload(1)).job_id, WAIT_SECONDS)
        assert (first.took_over, again.took_over, again.kept) == (False, True, True)


def test_a_reindexing_counts_among_what_ran(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1))
        library._store.drop_vectors("default")
        encoder.before = gate
        job = library.reindex("default", None)
        assert gate.reached.wait(WAIT_SECONDS)
        assert Attempts(tmp_path / "data" / "library").settle() == {job.job_id: 1}
        gate.open.set()
        done(library, job)


# What is said of a text, changed alone.


def test_what_is_said_changes_at_once_and_nothing_else_does(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library, opened(tmp_path, writable=False) as reader:
        added(library, upload(1, title="井", tags=("水",)), upload(2, essays=3))
        library.remove("default", ids_of(2, 3)[1])
        texts, found = encoder.encoded, hits(library.engine(), "茶树种在哪里")
        ids = library.describe(
            "default", ids_of(1)[0], lambda said: check_metadata(title="泉", tags=said.tags)
        )
        assert (ids, encoder.encoded) == (ids_of(1), texts)
        live = [ids_of(2, 3)[0], ids_of(2, 3)[2]]
        assert library.describe("default", source_id(2, 3), lambda _: check_metadata(tags=["盐"])) == tuple(
            live
        )
        for each in (library, reader):
            entries = {entry.document.document_id: entry for entry in each.entries("default")}
            assert list(entries) == [*ids_of(1), *live]  # the removed essay has not come back
            assert entries[ids_of(1)[0]].document.title == "泉"
            tagged = each.entries("default", check_filters(tags=["盐"]))
            assert [entry.document.document_id for entry in tagged] == live
            assert sorted(hits(each.engine(), "茶树种在哪里")) == sorted(found)
            assert not is_found(each.engine(), 2, essay=2)
        state = library.live().snapshot
        assert library.describe("default", source_id(1), lambda said: said) == ids_of(1)
        assert library.live().snapshot is state
        for wrong in ("000000000000", ids_of(2, 3)[1]):
            with pytest.raises(NotFoundError):
                library.describe("default", wrong, lambda said: said)
        with pytest.raises(InputError) as refused:
            library.describe("default", source_id(1), lambda _: check_metadata(date="2024-13"))
        assert refused.value.code == "invalid_metadata"
    again = WatchedEncoder()
    with opened(tmp_path, again) as library:
        assert (again.encoded, listed(library)) == (0, [*ids_of(1), *live])
        assert library.entries("default")[0].document.title == "泉"
