"""What must not end a process twice, what is too much at once, and what must not stay on the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from api.library import intake, lookup, sizes
from api.library.attempts import FILE_NAME, Attempts
from api.library_records import Upload
from index.built import open_generation
from index.store import Pending, Store
from rag.errors import InputError, NotFoundError, TooLargeError, UnavailableError
from rag.reading.decoding import source_from_text
from tests.library_samples import (
    Gate,
    WatchedEncoder,
    added,
    done,
    ids_of,
    listed,
    opened,
    settled,
    upload,
)


def waiting(tmp_path: Path, job_id: str, **said: Any) -> None:
    """A text that was accepted before the process ended."""
    with opened(tmp_path):
        pass
    one = upload(1, **said)
    with Store.open(tmp_path / "data" / "library") as store:
        store.put_pending(Pending(job_id, "default", one.source, one.origin, None, "2026-01-01T00:00:00Z"))


def ended_in(tmp_path: Path, *running: str) -> None:
    """A process that ended while these jobs were running, and nobody has looked back since."""
    attempts = Attempts(tmp_path / "data" / "library")
    attempts.settle()
    for job_id in running:
        attempts.begun(job_id)


def standing(tmp_path: Path) -> dict[str, int]:
    return Attempts(tmp_path / "data" / "library").settle()


@pytest.mark.parametrize(("times", "state"), [(0, "done"), (1, "done"), (2, "failed"), (7, "failed")])
def test_a_text_that_ends_the_process_twice_is_set_aside_and_kept(
    tmp_path: Path, times: int, state: str
) -> None:
    waiting(tmp_path, "job-1")
    for _ in range(times):
        ended_in(tmp_path, "job-1")
    for _ in range(3):  # as often as the service is started
        with opened(tmp_path) as library:
            if state == "done" and not library.jobs():
                break
            job = library.wait("job-1", 30)
            assert (job.state, job.kept) == (state, state == "failed")
            assert listed(library) == (list(ids_of(1)) if state == "done" else [])
    if state == "done":
        assert standing(tmp_path) == {}
        return
    assert job.error_code == "document_set_aside"
    assert "/v1/jobs/job-1/retry" in str(job.error_message)
    with opened(tmp_path) as library:
        library.retry("job-1")
        assert library.wait("job-1", 30).state == "done"
        assert listed(library) == list(ids_of(1))
        with pytest.raises(InputError) as refused:
            library.retry("job-1")
        assert refused.value.code == "job_ended"
    assert standing(tmp_path) == {}
    with opened(tmp_path) as library, pytest.raises(NotFoundError):
        library.job("job-1")


def test_whoever_was_not_alone_is_not_blamed_and_runs_alone(tmp_path: Path) -> None:
    waiting(tmp_path, "job-1")
    for _ in range(5):
        ended_in(tmp_path, "job-1", "job-2")
    assert standing(tmp_path)["job-1"] == 0
    encoder, gate = WatchedEncoder(), Gate()
    encoder.before = gate
    with opened(tmp_path, encoder) as library:
        assert gate.reached.wait(30)
        assert library.job("job-1").state == "running"
        other = library.add("default", upload(2))
        assert library.wait(other.job_id, 0.05).state == "queued"  # nothing runs beside it
        gate.open.set()
        settled(library)
        assert listed(library) == [*ids_of(1), *ids_of(2)]
    assert standing(tmp_path) == {}


def test_the_same_text_again_is_the_way_to_try_once_more(tmp_path: Path) -> None:
    waiting(tmp_path, "job-1", title="井")
    for _ in range(2):
        ended_in(tmp_path, "job-1")
    with opened(tmp_path) as library:
        assert library.job("job-1").state == "failed"
        again = added(library, upload(1))
        assert library.job("job-1").state == "cancelled"
        assert again.job_id in library.job("job-1").notes[-1]
        assert [entry.document.title for entry in library.entries("default")] == ["井"]
    with opened(tmp_path) as library:
        assert (library.jobs(), listed(library)) == ((), list(ids_of(1)))


def test_one_try_more_is_one_and_not_two(tmp_path: Path) -> None:
    waiting(tmp_path, "job-1")
    for _ in range(2):
        ended_in(tmp_path, "job-1")
    encoder, gate = WatchedEncoder(), Gate()
    encoder.before = gate
    with opened(tmp_path, encoder) as library:
        library.retry("job-1")
        assert gate.reached.wait(30)
        killed = (tmp_path / "data" / "library" / FILE_NAME).read_bytes()
        gate.open.set()
        library.wait("job-1", 30)
        library.remove("default", ids_of(1)[0])
    waiting(tmp_path, "job-1")  # as it is if the process is killed at the gate
    (tmp_path / "data" / "library" / FILE_NAME).write_bytes(killed)
    with opened(tmp_path) as library:
        assert library.job("job-1").error_code == "document_set_aside"


def test_what_was_set_aside_goes_when_somebody_says_so(tmp_path: Path) -> None:
    waiting(tmp_path, "job-1")
    for _ in range(2):
        ended_in(tmp_path, "job-1")
    with opened(tmp_path) as library:
        cancelled = library.cancel("job-1")
        assert (cancelled.state, cancelled.kept) == ("cancelled", False)
        with pytest.raises(InputError):
            library.retry("job-1")
    assert standing(tmp_path) == {}
    with opened(tmp_path) as library:
        assert (library.jobs(), listed(library)) == ((), [])


def test_what_ends_in_order_counts_for_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        done(library, library.reindex("default", None))
    assert standing(tmp_path) == {}


@pytest.mark.parametrize(
    "content",
    [
        *("", "[]", "{", "\x00", '{"job-1": 7}', '{"running": [], "times": {"job-1": "often"}}'),
        *('{"running": 1, "times": {}}', '{"running": [1], "times": 2}'),
    ],
)
def test_a_file_that_says_nothing_is_no_reason_to_give_up(tmp_path: Path, content: str) -> None:
    waiting(tmp_path, "job-1")
    (tmp_path / "data" / "library" / FILE_NAME).write_text(content, "utf-8")
    with opened(tmp_path) as library:
        assert library.wait("job-1", 30).state == "done"


@pytest.mark.parametrize("text", ["一。二！三？四；五\n六", "一。\n\n\n二。", "一\n\n\n"])
def test_too_many_lines_and_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr(sizes, "_MAX_PIECES", 2)
    with opened(tmp_path) as library:
        with pytest.raises(TooLargeError) as refused:
            library.add("default", Upload(source_from_text("many.txt", text)))
        assert refused.value.code == "document_too_large"
        assert listed(library) == []


def test_too_many_texts_to_encode(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    encoder = WatchedEncoder()
    with opened(tmp_path, encoder) as library:
        monkeypatch.setattr(lookup, "_MAX_TEXTS", 5)
        job = library.wait(library.add("default", upload(1)).job_id, 30)
        assert (job.error_code, job.kept, encoder.encoded) == ("document_too_large", False, 0)


@pytest.mark.parametrize(
    ("text", "lane"),
    [
        ("一句话。", "quick"),
        ("话" * 15_000 + "。", "quick"),
        ("一句。" * 90, "quick"),
        ("一句。" * 110, "slow"),
        ("一句\n" * 110, "slow"),
        ("话" * 40_000, "slow"),
    ],
)
def test_the_quick_lane_is_for_what_is_encoded_quickly(text: str, lane: str) -> None:
    assert sizes.lane_of(text) == lane


def test_too_much_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))  # alone it may be as long as it likes
        monkeypatch.setattr(intake, "_MAX_WAITING_CHARS", 1)
        added(library, upload(2))
        library._intake._waiting_chars["job-of-another"] = 1  # one that is at work
        with pytest.raises(UnavailableError) as refused:
            library.add("default", upload(3))
        assert refused.value.code == "overloaded"


def test_words_of_a_removed_document_leave_the_index_at_the_next_start(tmp_path: Path) -> None:
    folder = tmp_path / "index" / "default"
    with opened(tmp_path) as library:
        for number in range(1, 8):
            added(library, upload(number))
        library.live().write_generation(always=True)
        library.live().write_generation(always=True)
        library.remove("default", ids_of(3)[0])
    assert ids_of(3)[0] in {stamp.document_id for stamp in open_generation(folder).recipe.documents}
    with opened(tmp_path):
        pass
    assert ids_of(3)[0] not in {stamp.document_id for stamp in open_generation(folder).recipe.documents}
    assert len(list(folder.glob("gen-*"))) == 1  # the one before would still tell


def test_an_index_from_before_collections_goes(tmp_path: Path) -> None:
    old = tmp_path / "index" / "gen-000007"
    old.mkdir(parents=True)
    (old / "sources.json").write_text("旧的全文", "utf-8")
    (tmp_path / "index" / "CURRENT").write_text("gen-000007 0\n", "utf-8")
    (tmp_path / "index" / "notes.txt").write_text("别人的", "utf-8")
    with opened(tmp_path) as library:
        with pytest.raises(InputError) as refused:
            library.create_collection("gen-000007")
        assert refused.value.code == "invalid_collection_name"
    assert not old.exists()
    assert not (tmp_path / "index" / "CURRENT").exists()
    assert (tmp_path / "index" / "notes.txt").exists()
