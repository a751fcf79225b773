"""Jobs that are called off: nothing of them is there, now or after a restart; or they came to their end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from api.library import intake, preparing
from api.library.library import Library
from api.library_records import Job
from index.store import Store
from rag.errors import CewenError, IndexFileError, InputError, NotFoundError, UnavailableError
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
    source_id,
    upload,
    word,
)


@contextmanager
def held(library: Library, encoder: WatchedEncoder, **how: Any) -> Iterator[tuple[Job, Gate]]:
    """A job whose encoding stands at a gate, which is opened at the end."""
    gate = Gate()
    encoder.before = gate
    job = library.add("default", upload(1), **how)
    assert gate.reached.wait(WAIT_SECONDS)
    try:
        yield job, gate
    finally:
        encoder.before = lambda: None
        gate.open.set()


def code_of(library: Library, job_id: str) -> str:
    with pytest.raises(CewenError) as caught:
        library.cancel(job_id)
    return caught.value.code


def store_bytes(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.rglob("library.sqlite3*"))


def test_what_waits_is_gone_at_once_and_for_good(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        with held(library, encoder):
            second = library.add("default", upload(2))
            assert library.job(second.job_id).state == "queued"
            cancelled = library.cancel(second.job_id)
            assert (cancelled.state, cancelled.ended, cancelled.error_code) == ("cancelled", True, None)
            assert "没有加入文库" in cancelled.notes[-1]
            assert library.cancel(second.job_id) == library.wait(second.job_id, 0) == cancelled
        settled(library)
        assert listed(library) == list(ids_of(1))
    assert word(2).encode() not in store_bytes(tmp_path)
    with opened(tmp_path) as library:
        assert (library.jobs(), listed(library)) == ((), list(ids_of(1)))


def test_what_runs_stops_between_two_batches(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        added(library, upload(3))
        state = library.live().snapshot
        with held(library, encoder, replaces=source_id(3)) as (job, _):
            assert library.cancel(job.job_id).state == "cancelled"
            assert library.wait(job.job_id, WAIT_SECONDS).state == "cancelled"
            assert library.live().snapshot is state
        added(library, upload(4))  # in the same lane, so the other has ended
        assert library.job(job.job_id).state == "cancelled"
        assert listed(library) == [*ids_of(3), *ids_of(4)]
    assert word(1).encode() not in store_bytes(tmp_path)
    with opened(tmp_path) as library:
        assert (library.jobs(), listed(library)) == ((), [*ids_of(3), *ids_of(4)])


def test_nothing_more_is_encoded_of_what_was_cancelled(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        with held(library, encoder) as (job, _):
            library.cancel(job.job_id)
        library._jobs.close()  # waits for the lane
        assert encoder.encoded == 0


def test_a_text_that_is_being_written_is_not_called_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = Gate()
    apply = Store.apply

    def slow(*arguments: Any, **named: Any) -> int:
        gate()
        return apply(*arguments, **named)

    with opened(tmp_path) as library:
        monkeypatch.setattr(Store, "apply", slow)
        job = library.add("default", upload(1))
        assert gate.reached.wait(WAIT_SECONDS)
        assert code_of(library, job.job_id) == "job_ended"
        gate.open.set()
        done(library, job)
        assert code_of(library, job.job_id) == "job_ended"
        assert listed(library) == list(ids_of(1))


def test_a_disk_that_refuses_leaves_the_job_to_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = WatchedEncoder()

    def full(*_: object) -> None:
        raise IndexFileError("磁盘满了。", code="library_unwritable")

    with opened(tmp_path, encoder) as library:
        with held(library, encoder) as (job, _), monkeypatch.context() as patch:
            patch.setattr(Store, "drop_pending", full)
            assert code_of(library, job.job_id) == "library_unwritable"
            assert library.job(job.job_id).state == "running"
        done(library, job)
        assert listed(library) == list(ids_of(1))


def test_what_was_taken_up_after_a_restart_is_cancelled_under_its_name(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library, held(library, encoder) as (job, gate):
        closed_while_encoding(library, gate)
    encoder = WatchedEncoder()
    gate = encoder.before = Gate()
    with opened(tmp_path, encoder) as library:
        assert gate.reached.wait(WAIT_SECONDS)
        assert library.cancel(job.job_id).state == "cancelled"
        gate.open.set()
    assert json.loads((tmp_path / "data" / "library" / "library.attempts").read_text()) == {
        "running": [],
        "times": {},
    }
    with opened(tmp_path) as library:
        assert (library.jobs(), listed(library)) == ((), [])


def test_what_has_ended_or_never_was(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        finished = added(library, upload(1))

        def broken() -> None:
            raise InputError("坏了。", code="encoder_failed")

        encoder.before = broken
        failed = library.wait(library.add("default", upload(2)).job_id, WAIT_SECONDS)
        assert failed.state == "failed"
        assert code_of(library, finished.job_id) == "job_ended"
        assert library.job(finished.job_id) == finished
        assert failed.kept  # its text is still there, so there is something to call off
        assert library.cancel(failed.job_id).state == "cancelled"
        assert code_of(library, finished.job_id) == "job_ended"
        with pytest.raises(NotFoundError) as caught:
            library.cancel("job-0")
        assert caught.value.code == "job_not_found"
        with opened(tmp_path, writable=False) as reading, pytest.raises(UnavailableError) as refused:
            reading.cancel(finished.job_id)
        assert refused.value.code == "library_read_only"


def test_a_job_is_called_off_or_done_whoever_is_quicker(tmp_path: Path) -> None:
    """From many threads, some at the worst of moments: the answer and the library always agree."""
    with opened(tmp_path) as library, ThreadPoolExecutor(4) as threads:
        outcomes: dict[int, bool] = {}

        def one(number: int) -> None:
            job = library.add("default", upload(number))
            if number % 3:
                library.wait(job.job_id, 0.002 * (number % 5))
            try:
                library.cancel(job.job_id)
            except InputError:
                outcomes[number] = True
            else:
                outcomes[number] = False

        list(threads.map(one, range(60)))
        settled(library)
        there = {one for number, kept in outcomes.items() if kept for one in ids_of(number)}
        assert set(listed(library)) == there
    with opened(tmp_path) as library:
        assert (library.jobs(), set(listed(library))) == ((), there)


def test_room_is_given_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_MAX_WAITING_CHARS", len(upload(1).source.text) * 2)
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        with held(library, encoder):
            second = library.add("default", upload(2))
            with pytest.raises(UnavailableError):
                library.add("default", upload(3))
            library.cancel(second.job_id)
            library.add("default", upload(3))
        settled(library)
        assert listed(library) == [*ids_of(1), *ids_of(3)]


def test_room_is_given_back_where_a_collection_is_emptied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "_MAX_WAITING_CHARS", len(upload(1).source.text) * 2)
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        with held(library, encoder):
            library.add("default", upload(2))
            library.remove_collection("default")
            library.add("default", upload(3))
            library.add("default", upload(4))
        settled(library)
        assert listed(library) == [*ids_of(3), *ids_of(4)]


# Encoding a collection anew.


def test_a_reindexing_that_is_cancelled_changes_nothing_and_loses_no_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparing, "_BATCH_TEXTS", 12)  # those of one text
    new = WatchedEncoder("new")
    monkeypatch.setattr("api.engine_parts.load_encoder", lambda *_: new)
    with opened(tmp_path) as library:
        added(library, upload(1), upload(2))
        before = library.live().snapshot
        calls: list[int] = []
        gate = Gate()

        def second() -> None:
            calls.append(1)
            if len(calls) == 2:
                gate()

        new.before = second
        job = library.reindex("default", "new")
        assert gate.reached.wait(WAIT_SECONDS)
        cancelled = library.cancel(job.job_id)
        assert cancelled.state == "cancelled"
        assert "接着用" in cancelled.notes[-1]
        gate.open.set()
        half = new.encoded
        new.before = lambda: None
        assert library.live().snapshot is before
        assert library.collections()[0].encoder == "counting"
        again = done(library, library.reindex("default", "new"))
        texts = len(before.corpus.chunks) + 2 * len(before.corpus.sentences)
        assert 0 < half < half + again.total == new.encoded == texts
        assert library.collections()[0].encoder == "new"
        assert code_of(library, again.job_id) == "job_ended"
