"""What a person deletes stays gone, and what he says stays said, whatever happens to its file then."""

from __future__ import annotations

import gc
import threading
import weakref
from pathlib import Path

import pytest

from api.library.memory import leave_unswept
from api.library_records import CitationClaim, Upload
from index.store import Store
from index.store.retrying import Retrying
from rag.reading.decoding import source_from_text
from tests.library_samples import (
    WAIT_SECONDS,
    added,
    claim,
    ids_of,
    is_found,
    listed,
    opened,
    page,
    source_id,
    upload,
    word,
    write_seed,
)

HTML = "<html><body><!-- {} -->{}</body></html>"


def as_html(folder: Path, comment: str) -> None:
    (folder / "seeds").mkdir(exist_ok=True)
    paragraphs = "".join(f"<p>{line}</p>" for line in page(1, 2).split("\n") if line)
    (folder / "seeds" / "1.html").write_text(HTML.format(comment, paragraphs), "utf-8")


def holding(folder: Path, text: str) -> list[str]:
    """The files of a library in which a text stands."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return sorted(path.name for path in files if text.encode() in path.read_bytes())


def test_a_seeds_file_with_new_bytes_and_the_same_text_changes_nothing(tmp_path: Path) -> None:
    as_html(tmp_path, "once")
    with opened(tmp_path) as library:
        first, second = listed(library)
        library.describe("default", first, lambda said: type(said)(title="井", tags=("水",), date="2020"))
        library.remove("default", first)
        said = library.entries("default")[0].document.source.metadata
    for comment in ("twice", "thrice"):
        as_html(tmp_path, comment)
        with opened(tmp_path) as library:
            assert listed(library) == [second]
            assert library.entries("default")[0].document.source.metadata == said
            assert (library.encoded, said.tags) == (0, ("水",))


def test_what_is_replaced_by_hand_stays_away_whatever_origin_its_successor_has(tmp_path: Path) -> None:
    write_seed(tmp_path, 1)
    with opened(tmp_path) as library:
        added(library, upload(2, origin="batch-2024"), replaces=source_id(1))
    with opened(tmp_path) as library:
        assert listed(library) == list(ids_of(2))


def test_one_essay_of_a_file_stays_away_when_the_file_was_missing_for_a_while(tmp_path: Path) -> None:
    write_seed(tmp_path, 1, essays=2)
    write_seed(tmp_path, 2)
    with opened(tmp_path) as library:
        library.remove("default", ids_of(1, 2)[0])
    (tmp_path / "seeds" / "1.txt").unlink()
    with opened(tmp_path) as library:
        assert listed(library) == list(ids_of(2))
    write_seed(tmp_path, 1, essays=2)
    for _ in range(2):
        with opened(tmp_path) as library:
            assert listed(library) == [*ids_of(2), ids_of(1, 2)[1]]
            assert not is_found(library.engine(), 1)
            assert library._store.removal("default", ids_of(1, 2)[0]).by == "user"  # type: ignore[union-attr]
    with opened(tmp_path) as library:
        added(library, upload(1, essays=2))  # that is another wish
        assert is_found(library.engine(), 1)


def test_what_is_removed_leaves_the_log_as_soon_as_nobody_reads_it(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1), upload(2))
        folder = library._store.path.parent
        with Store.open(folder, writable=False) as other:
            with other.reading() as connection:
                connection.execute("SELECT count(*) FROM sources").fetchone()
                library.remove("default", source_id(1))
                assert holding(folder, word(1)) != []  # else this test is for nothing
                thread = library._store._eraser._thread
                assert thread is not None
            thread.join(WAIT_SECONDS)
            assert holding(folder, word(1)) == []
            assert holding(folder, word(2)) != []


def test_trying_again_ends_when_it_is_done_and_may_begin_anew() -> None:
    done, tried = threading.Event(), threading.Event()

    def attempt() -> bool:
        tried.set()
        return done.is_set()

    retrying = Retrying(attempt, "test")
    for _ in range(2):
        retrying.begin()
        retrying.begin()
        thread = retrying._thread
        assert thread is not None
        assert tried.wait(WAIT_SECONDS)
        done.set()
        thread.join(WAIT_SECONDS)
        assert retrying._thread is None
        done.clear()
        tried.clear()
    retrying.begin()
    thread = retrying._thread
    assert thread is not None
    retrying.close()
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
    retrying.begin()  # after the end nothing begins
    assert retrying._thread is thread


def test_what_begins_while_it_is_tried_is_tried_again() -> None:
    tries: list[int] = []

    def attempt() -> bool:
        tries.append(len(tries))
        if len(tries) == 1:
            retrying.begin()
        return True

    retrying = Retrying(attempt, "test")
    retrying.begin()
    thread = retrying._thread
    assert thread is not None
    thread.join(WAIT_SECONDS)
    assert tries == [0, 1]


def test_an_engine_that_nobody_uses_any_more_is_given_back_without_a_sweep(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        library.create_collection("sky")
        added(library, upload(1), upload(2), collection="sky")
        library.engine("sky").examples()
        try:
            leave_unswept()  # as a service does once it is loaded
            gc.disable()
            engine = weakref.ref(library.engine("sky"))
            library.remove_collection("sky")
            assert engine() is None
        finally:
            gc.enable()
            gc.unfreeze()


def test_the_index_of_a_collection_that_is_gone_goes_at_the_next_start(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        library.create_collection("sky")
        added(library, upload(1), collection="sky")
        added(library, upload(2))
        for name in ("sky", "default"):
            library.live(name).write_generation(always=True)
        library._store.drop_collection("sky")  # and the process ends
    other = tmp_path / "index" / "eval" / "store"
    other.mkdir(parents=True)
    (other / "library.sqlite3").write_bytes(b"not ours")
    assert list((tmp_path / "index" / "sky").iterdir()) != []
    with opened(tmp_path) as library:
        assert [one for one in (tmp_path / "index" / "sky").iterdir() if one.name != ".lock"] == []
        assert (other / "library.sqlite3").exists()
        assert list((tmp_path / "index" / "default").glob("gen-*")) != []
        assert library.encoded == 0


def test_a_replaced_place_is_in_the_essay_that_holds_its_words_now(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        cited = claim(library, 1)
        book = source_from_text("3.txt", page(3) + "\n" + page(1))
        added(library, Upload(book), replaces=source_id(1))
        told = library.resolve("default", cited)
        assert (told.status, told.found_in) == ("changed", f"{book.source_id}-2")
        assert told.start_char is not None
        assert told.end_char is not None
        again = CitationClaim(told.found_in or "", told.start_char, told.end_char, book.sha256, told.quote)
        assert library.resolve("default", again).status == "current"
        assert word(1) in next(
            block.text
            for paragraph in library.engine().document(told.found_in or "").paragraphs
            for block in [paragraph.block]
            if block.span.start_char <= told.start_char < block.span.end_char
        )


@pytest.mark.parametrize("essay", [1, 2])
def test_evidence_that_was_deleted_is_none(tmp_path: Path, essay: int) -> None:
    questions = [
        {
            "question": f"第{number}口井{word(1, essay)}在哪里？",
            "type": "place",
            "evidence": [[word(1, essay)]],
        }
        for number in range(15)
    ]
    unknown = [
        {"question": f"第{number}个月亮叫什么？", "type": "unanswerable", "evidence": []}
        for number in range(15)
    ]
    with opened(tmp_path) as library:
        added(library, upload(1, essays=2))
        library.remove("default", ids_of(1, 2)[0])
        job = library.calibrate("default", [*questions, *unknown], keep=False)
        ended = library.wait(job.job_id, WAIT_SECONDS)
        assert (ended.error_code == "evidence_not_found") == (essay == 1), ended
