"""What must not end a process twice, what is too much at once, and what must not stay on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.library import intake
from api.library.attempts import FILE_NAME, Attempts
from api.library_records import Upload
from index.built import open_generation
from index.store import Pending, Store
from rag.errors import InputError, NotFoundError, TooLargeError, UnavailableError
from rag.reading.decoding import source_from_text
from tests.library_samples import added, ids_of, listed, opened, upload


def waiting(tmp_path: Path, job_id: str) -> None:
    """A text that was accepted before the process ended."""
    with opened(tmp_path):
        pass
    one = upload(1)
    with Store.open(tmp_path / "data" / "library") as store:
        store.put_pending(Pending(job_id, "default", one.source, one.origin, None, "2026-01-01T00:00:00Z"))


@pytest.mark.parametrize(("times", "state"), [(0, "done"), (1, "done"), (2, "failed"), (7, "failed")])
def test_a_text_that_ends_the_process_twice_is_given_up(tmp_path: Path, times: int, state: str) -> None:
    waiting(tmp_path, "job-1")
    for _ in range(times):
        Attempts(tmp_path / "data" / "library").begun("job-1")
    with opened(tmp_path) as library:
        job = library.wait("job-1", 30)
        assert job.state == state
        assert listed(library) == (list(ids_of(1)) if state == "done" else [])
    assert Attempts(tmp_path / "data" / "library").read() == {}
    with opened(tmp_path) as library, pytest.raises(NotFoundError):
        library.job("job-1")


def test_what_ends_in_order_counts_for_nothing(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        assert Attempts(tmp_path / "data" / "library").read() == {}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"job-1": "often"}', "\x00"])
def test_a_file_that_says_nothing_is_no_reason_to_give_up(tmp_path: Path, content: str) -> None:
    waiting(tmp_path, "job-1")
    (tmp_path / "data" / "library" / FILE_NAME).write_text(content, "utf-8")
    with opened(tmp_path) as library:
        assert library.wait("job-1", 30).state == "done"


def test_too_many_lines_and_sentences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake, "_MAX_PIECES", 2)
    with opened(tmp_path) as library:
        with pytest.raises(TooLargeError) as refused:
            library.add("default", Upload(source_from_text("many.txt", "一。二！三？四；五\n六")))
        assert refused.value.code == "document_too_large"
        assert listed(library) == []


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
