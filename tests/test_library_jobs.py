"""Jobs: what was accepted is done, also after an end in between; what fails is said, too much is refused."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from api.library import job_states, jobs, sizes
from api.library.jobs import JobBoard, new_job_id
from api.library.tasks import Report
from api.library_records import Job, Upload
from rag.errors import CewenError, NotFoundError, UnavailableError
from rag.reading.decoding import source_from_text
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
)


def test_what_was_accepted_is_taken_up_under_the_same_name(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1))
        texts, encoder.before = encoder.encoded, gate
        accepted = [
            library.add("default", upload(2, essays=2), replaces=source_id(1)),
            library.add("default", upload(3, title="井")),
            library.add("default", upload(2, essays=2)),
        ]
        closed_while_encoding(library, gate)
        assert [library.job(job.job_id).state for job in accepted] == ["queued"] * 3
        assert encoder.encoded == texts
    with opened(tmp_path) as library:
        ended = settled(library)
        assert [(job.job_id, job.state) for job in ended] == [(job.job_id, "done") for job in accepted]
        assert [(job.created, job.document_ids, job.replaced) for job in ended] == [
            (True, ids_of(2, 2), ids_of(1)),
            (True, ids_of(3), ()),
            (False, ids_of(2, 2), ()),
        ]
        assert listed(library) == [*ids_of(2, 2), *ids_of(3)]
        assert library.entries("default")[2].document.title == "井"
    with opened(tmp_path) as library:
        assert library.jobs() == ()


def test_closing_does_not_wait_for_what_takes_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_JOIN_SECONDS", 0.01)
    encoder, gate = WatchedEncoder(), Gate()
    library = opened(tmp_path, encoder)
    encoder.before = gate
    library.add("default", upload(1))
    assert gate.reached.wait(WAIT_SECONDS)
    library.close()
    with opened(tmp_path) as again:  # another process, say
        (job,) = settled(again)
        assert (job.state, listed(again)) == ("done", list(ids_of(1)))
        gate.open.set()
        _no_lane_is_left(but=1)
        assert listed(again) == list(ids_of(1))


def _no_lane_is_left(but: int = 0) -> None:
    """Wait until at most so many threads of libraries live."""
    for _ in range(100):
        lanes = [one for one in threading.enumerate() if one.name.startswith("library-")]
        if len(lanes) <= but:
            return
        lanes[0].join(0.1)
    raise AssertionError(lanes)


def test_no_thread_outlives_its_library(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        done(library, library.reindex("default", None))
    _no_lane_is_left()


def test_what_fails_is_said_and_done_again_at_the_next_start(tmp_path: Path) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        for error, code in (
            (CewenError("模型坏了。", code="encoder_failed"), "encoder_failed"),
            (ZeroDivisionError(), "internal_error"),
        ):

            def broken(error: Exception = error) -> None:
                raise error

            encoder.before = broken
            job = library.wait(library.add("default", upload(1)).job_id, WAIT_SECONDS)
            assert (job.state, job.error_code, job.ended, job.kept) == ("failed", code, True, True)
            assert job.error_message
        assert [one.state for one in library.jobs()] == ["cancelled", "failed"]  # one text, one job
        encoder.before = lambda: None
        added(library, upload(2))
        assert listed(library) == list(ids_of(2))
    with opened(tmp_path) as library:
        assert [(one.job_id, one.state) for one in settled(library)] == [(job.job_id, "done")]
        assert listed(library) == [*ids_of(2), *ids_of(1)]


def test_what_can_never_be_added_is_not_kept(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        nothing_in_it = Upload(source_from_text("title.txt", "# \n"), "upload")
        job = library.wait(library.add("default", nothing_in_it).job_id, WAIT_SECONDS)
        assert (job.state, job.error_code, job.kept) == ("failed", "document_without_text", False)
    with opened(tmp_path) as library:
        assert library.jobs() == ()


def test_too_many_that_wait_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_MAX_WAITING", 2)
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        encoder.before = gate
        library.add("default", upload(0))
        assert gate.reached.wait(WAIT_SECONDS)
        for number in (1, 2):
            library.add("default", upload(number))
        with pytest.raises(UnavailableError) as caught:
            library.add("default", upload(3))
        with pytest.raises(UnavailableError) as caught_too:
            library.reindex("default", None)
        assert (caught.value.code, caught_too.value.code) == ("overloaded", "overloaded")
        gate.open.set()
        settled(library)
        added(library, upload(3))
        assert len(listed(library)) == 4


def test_a_note_does_not_wait_for_a_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sizes, "_QUICK_TEXTS", 30)
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        encoder.before = gate
        book = library.add("default", upload(1, essays=5))
        assert gate.reached.wait(WAIT_SECONDS)
        encoder.before = lambda: None
        added(library, upload(2))
        assert library.job(book.job_id).state == "running"
        gate.open.set()
        done(library, book)
        assert listed(library) == [*ids_of(2), *ids_of(1, 5)]


def test_progress_and_notes_are_told(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        encoder.before = gate
        noted = Upload(upload(1).source, "upload", ("第一页没有文字。",))
        job = library.add("default", noted)
        assert (job.state, job.source_id, job.notes) == ("queued", source_id(1), ("第一页没有文字。",))
        assert gate.reached.wait(WAIT_SECONDS)
        assert library.wait(job.job_id, 0.0).state == "running"
        gate.open.set()
        ended = done(library, job)
        assert (ended.done, ended.total) == (encoder.encoded, encoder.encoded)
        assert ended.notes == job.notes
        again = library.add("default", noted)
        assert (again.state, again.notes) == ("done", job.notes)


# The board itself.


def job_of(collection: str = "x") -> Job:
    return Job(new_job_id(), "add", collection, "queued")


def board(after: Callable[[str], None] = lambda _: None) -> JobBoard:
    return JobBoard(after)


def nothing(_: Report) -> dict[str, Any]:
    return {}


def test_ended_jobs_are_forgotten_the_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_states, "_KEPT", 3)
    made = board()
    submitted = [made.submit(job_of(), nothing, lane="one") for _ in range(5)]
    made.wait(submitted[-1].job_id, WAIT_SECONDS)
    noted = made.note(job_of(), state="done")
    assert [job.job_id for job in made.all()] == [*(job.job_id for job in submitted[3:]), noted.job_id]
    for job_id in (submitted[0].job_id, "job-1", ""):
        for use in (made.get, lambda name: made.wait(name, 0.0)):
            with pytest.raises(NotFoundError) as caught:
                use(job_id)
            assert caught.value.code == "job_not_found"
    made.close()


def test_a_lane_goes_on_whatever_happens_in_it() -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    made = board(broken)
    first = made.submit(job_of(), broken, lane="one", failed=broken)
    second = made.submit(job_of(), nothing, lane="one")
    assert made.wait(second.job_id, WAIT_SECONDS).state == "done"
    assert made.get(first.job_id).state == "failed"
    made.close()


def test_after_each_job_its_collection_is_told_and_after_closing_none() -> None:
    told: list[str] = []
    made = board(told.append)
    for name in ("a", "b"):
        last = made.submit(job_of(name), nothing, lane="one")
    made.wait(last.job_id, WAIT_SECONDS)
    made.close()
    assert told == ["a", "b"]
    late = made.submit(job_of("c"), nothing, lane="two")
    began = time.monotonic()
    assert made.wait(late.job_id, WAIT_SECONDS).state == "queued"
    assert time.monotonic() - began < WAIT_SECONDS / 2
    with pytest.raises(UnavailableError) as caught:
        made.check_room()
    assert caught.value.code == "shutting_down"
    made.close()
    assert told == ["a", "b"]


def test_job_names_are_all_different() -> None:
    assert len({new_job_id() for _ in range(100)}) == 100
