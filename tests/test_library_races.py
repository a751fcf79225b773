"""Changes that meet: whoever comes second finds what the first has left, and nothing comes back."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from api.library.library import Library
from api.library.loading import Loader
from api.library.opening import open_store
from rag.errors import InputError, NotFoundError
from tests.library_samples import (
    WAIT_SECONDS,
    Gate,
    WatchedEncoder,
    added,
    closed_while_encoding,
    done,
    hits,
    ids_of,
    is_found,
    listed,
    opened,
    settings_of,
    settled,
    source_id,
    upload,
    word,
)


def pending(folder: Path) -> list[str]:
    with open_store(settings_of(folder), writable=False) as store:
        return [one.job_id for one in store.pending()]


@pytest.mark.parametrize("again", [False, True])
def test_a_collection_that_goes_takes_its_jobs_along(tmp_path: Path, *, again: bool) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        library.create_collection("sky")
        added(library, upload(0), collection="sky")
        encoder.before = gate
        jobs = [library.add("sky", upload(number)) for number in (1, 2)]
        jobs.append(library.add("sky", upload(0, title="井")))
        jobs.append(library.reindex("sky", None))
        assert gate.reached.wait(WAIT_SECONDS)
        library.remove_collection("sky")
        if again:
            library.create_collection("sky")
        gate.open.set()
        ended = [library.wait(job.job_id, WAIT_SECONDS) for job in jobs]
        *additions, reindexing = [(job.state, job.error_code) for job in ended]
        assert additions == [("cancelled", None)] * 3
        # It has nothing to encode, so it may have been done before the collection went.
        assert reindexing in {("cancelled", None), ("done", None)}
        assert pending(tmp_path) == []
        if again:
            assert listed(library, "sky") == []
            added(library, upload(3), collection="sky")
    with opened(tmp_path) as library:
        assert [info.name for info in library.collections()] == ["default", *["sky"] * again]
        if again:
            assert listed(library, "sky") == list(ids_of(3))
    assert bool(list((tmp_path / "index" / "sky").glob("gen-*"))) <= again


def test_what_waits_while_default_is_emptied_goes_with_it(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(0))
        encoder.before = gate
        jobs = [library.add("default", upload(1)), library.add("default", upload(2), replaces=source_id(0))]
        assert gate.reached.wait(WAIT_SECONDS)
        library.remove_collection("default")
        assert listed(library) == []
        gate.open.set()
        ended = [library.wait(job.job_id, WAIT_SECONDS) for job in jobs]
        assert [job.state for job in ended] == ["cancelled", "cancelled"]
        assert listed(library) == []
    assert pending(tmp_path) == []


def test_what_is_removed_while_its_successor_is_encoded_is_not_replaced(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1), upload(2, essays=2))
        encoder.before = gate
        job = library.add("default", upload(3), replaces=source_id(1))
        assert gate.reached.wait(WAIT_SECONDS)
        library.remove("default", source_id(1))
        gate.open.set()
        assert library.wait(job.job_id, WAIT_SECONDS).error_code == "document_not_found"
        assert not is_found(library.engine(), 3)
        added(library, upload(1))  # what has the id now is not what was to be replaced
    # Accepted, so it is not lost; but somebody has to say what becomes of it.
    assert pending(tmp_path) == [job.job_id]
    for _ in range(2):
        with opened(tmp_path) as library:
            again = library.wait(job.job_id, WAIT_SECONDS)
            assert (again.state, again.error_code, again.kept) == ("failed", "document_not_found", True)
            settled(library)
            assert is_found(library.engine(), 1)
    with opened(tmp_path) as library:
        assert done(library, library.retry(job.job_id)).replaced == ids_of(1)
        assert (is_found(library.engine(), 1), is_found(library.engine(), 3)) == (False, True)
    assert pending(tmp_path) == []


def test_what_is_left_of_a_source_when_its_successor_is_encoded_is_replaced(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(2, essays=2))
        encoder.before = gate
        job = library.add("default", upload(4), replaces=ids_of(2, 2)[1])
        assert gate.reached.wait(WAIT_SECONDS)
        library.remove("default", ids_of(2, 2)[0])
        gate.open.set()
        assert done(library, job).replaced == (ids_of(2, 2)[1],)
        assert listed(library) == list(ids_of(4))


def test_what_waits_only_to_replace_another_is_begun_at_the_next_start(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1), upload(2), upload(4, essays=2))
        encoder.before = gate
        library.add("default", upload(5), replaces=source_id(2))
        library.add("default", upload(6), replaces=ids_of(4, 2)[1])
        assert gate.reached.wait(WAIT_SECONDS)
        library.remove("default", source_id(1))  # another one
        library.remove("default", ids_of(4, 2)[0])  # and of this one something is left
        closed_while_encoding(library, gate)
    assert len(pending(tmp_path)) == 2
    with opened(tmp_path) as library:
        settled(library)
        assert listed(library) == [*ids_of(5), *ids_of(6)]


def test_a_text_that_is_removed_while_it_is_told_anew_stays_away(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        live, gate = library.live(), Gate()
        prepared = live._prepared
        live._prepared = lambda *given: (prepared(*given), gate())[0]  # type: ignore[method-assign,func-returns-value]
        job = library.add("default", upload(1, title="井"))
        assert gate.reached.wait(WAIT_SECONDS)
        library.remove("default", source_id(1))
        assert listed(library) == []
        assert pending(tmp_path) == []  # it is in no file any more
        gate.open.set()
        ended = library.wait(job.job_id, WAIT_SECONDS)
        assert ended.state == "cancelled"
        assert "被删除" in ended.notes[-1]
        settled(library)
        assert (listed(library), is_found(library.engine(), 1)) == ([], False)
        added(library, upload(1))  # that is another wish
        assert listed(library) == list(ids_of(1))


def test_what_waits_to_come_again_does_not_undo_a_removal(tmp_path: Path) -> None:
    encoder, gate = WatchedEncoder(), Gate()
    with opened(tmp_path, encoder) as library:
        added(library, upload(1, essays=2), upload(2))
        library.create_collection("sky")
        encoder.before = gate
        first = library.add("default", upload(3))
        assert gate.reached.wait(WAIT_SECONDS)
        waiting = [
            library.add("default", upload(1, essays=2, title="井")),
            library.add("default", upload(1, essays=2, title="泉"), replaces=source_id(2)),
        ]
        others = [library.add("default", upload(4)), library.add("sky", upload(1, essays=2))]
        library.remove("default", ids_of(1, 2)[0])
        assert len(pending(tmp_path)) == 3
        assert [library.wait(job.job_id, WAIT_SECONDS).state for job in waiting] == ["cancelled"] * 2
        gate.open.set()
        settled(library)
        assert all(done(library, job).created for job in (first, *others))
        assert listed(library) == [ids_of(1, 2)[1], *ids_of(2), *ids_of(3), *ids_of(4)]
        assert listed(library, "sky") == list(ids_of(1, 2))


def test_what_failed_and_is_kept_goes_when_its_text_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened(tmp_path) as library:
        added(library, upload(1))
        with monkeypatch.context() as patch:
            patch.setattr(library.live(), "_prepared", lambda *_: 1 / 0)
            job = library.add("default", upload(1, title="井"))
            assert library.wait(job.job_id, WAIT_SECONDS).kept
        library.remove("default", source_id(1))
        gone = library.wait(job.job_id, WAIT_SECONDS)
        assert (gone.state, gone.kept, pending(tmp_path)) == ("cancelled", False, [])
        with pytest.raises(InputError, match="没有留下"):
            library.retry(job.job_id)


def test_the_same_text_added_by_two_at_once_is_there_once(tmp_path: Path) -> None:
    encoder, both = WatchedEncoder(), threading.Barrier(2)
    with opened(tmp_path, encoder) as library:

        def together() -> None:
            both.wait(WAIT_SECONDS)

        encoder.before = together
        with ThreadPoolExecutor(2) as pool:
            made = list(pool.map(lambda _: library.live().add(upload(1, essays=2)), range(2)))
        assert sorted(one.created for one in made) == [False, True]
        assert listed(library) == list(ids_of(1, 2))
        assert len(hits(library.engine(), word(1), top_k=50)) == len(
            {*hits(library.engine(), word(1), top_k=50)}
        )
    with opened(tmp_path) as library:
        assert listed(library) == list(ids_of(1, 2))


def test_adding_and_removing_go_on_while_a_collection_is_reindexed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, gate = WatchedEncoder("other"), Gate()
    monkeypatch.setattr("api.engine_parts.load_encoder", lambda *_: other)
    with opened(tmp_path) as library:
        added(library, upload(1), upload(2), upload(3, essays=2))
        other.before = gate
        reindexing = library.reindex("default", "other")
        assert gate.reached.wait(WAIT_SECONDS)
        assert is_found(library.engine(), 2)
        library.remove("default", source_id(2))
        library.remove("default", ids_of(3, 2)[0])
        added(library, upload(4), upload(1, title="井"))
        assert library.collections()[0].encoder == "counting"
        gate.open.set()
        done(library, reindexing)
        expected = [ids_of(3, 2)[1], *ids_of(4), *ids_of(1)]
        assert (library.collections()[0].encoder, listed(library)) == ("other", expected)
        assert is_found(library.engine(), 4)
        assert not is_found(library.engine(), 2)
        added(library, upload(5))
    with opened(tmp_path) as library:
        assert (listed(library), library.encoded) == ([*expected, *ids_of(5)], 0)


def test_what_is_encoded_when_the_encoder_changes_is_encoded_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, other, gate = WatchedEncoder(), WatchedEncoder("other"), Gate()
    monkeypatch.setattr("api.engine_parts.load_encoder", lambda *_: other)
    with opened(tmp_path, first) as library:
        added(library, upload(1))
        first.before = gate
        adding = library.add("default", upload(2))
        assert gate.reached.wait(WAIT_SECONDS)
        done(library, library.reindex("default", "other"))
        gate.open.set()
        done(library, adding)
        assert is_found(library.engine(), 2)
        rows = library.live().snapshot.corpus.first_rows.values()
        assert other.encoded == sum(len(chunks) + 2 * len(sentences) for chunks, sentences in rows)
    with opened(tmp_path) as library:
        assert (listed(library), library.encoded) == ([*ids_of(1), *ids_of(2)], 0)


def test_a_reindexing_that_is_stopped_changes_nothing_and_goes_on_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.library.preparing._BATCH_TEXTS", 8)
    other, calls = WatchedEncoder("other"), iter(range(99))
    monkeypatch.setattr("api.engine_parts.load_encoder", lambda *_: other)

    def fail() -> None:
        if next(calls) == 2:
            raise MemoryError

    with opened(tmp_path) as library:
        added(library, *(upload(number) for number in range(4)))
        other.before = fail
        job = library.wait(library.reindex("default", "other").job_id, WAIT_SECONDS)
        assert (job.state, job.error_code) == ("failed", "internal_error")
        assert library.collections()[0].encoder == "counting"
        done(library, library.reindex("default", "other"))
        assert other.encoded == sum(
            len(chunks) + 2 * len(sentences)
            for chunks, sentences in library.live().snapshot.corpus.first_rows.values()
        )  # none of them twice


@pytest.mark.parametrize("held", ["create", "remove"])
def test_questions_do_not_wait_for_whoever_administers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    gate = Gate()
    with opened(tmp_path) as library:
        added(library, upload(1))
        library.create_collection("old")

        def waiting(given: Callable[..., object]) -> Callable[..., object]:
            return lambda *arguments, **options: (gate(), given(*arguments, **options))[1]  # type: ignore[func-returns-value]

        with monkeypatch.context() as patch, ThreadPoolExecutor(1) as pool:
            if held == "create":
                patch.setattr(Loader, "load", waiting(Loader.load))
                work = pool.submit(library.create_collection, "new")
            else:
                patch.setattr("index.store.store.drop_collection", waiting(lambda *_: None))
                work = pool.submit(library.remove_collection, "old")
            try:
                assert gate.reached.wait(WAIT_SECONDS)
                assert is_found(library.engine(), 1)
                assert [info.name for info in library.collections()] == ["default", "old"]
                assert library.engine_holding(ids_of(1)[0]).documents()
            finally:
                gate.open.set()
            work.result(WAIT_SECONDS)


def test_everyone_sees_one_state_whatever_happens_beside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.library.snapshots._MANY_DEAD_ROWS", 4)
    monkeypatch.setattr("api.library.generations._TAIL_ROWS", 4)
    over = threading.Event()
    seen: set[tuple[str, ...]] = set()
    faults: list[Exception] = []

    def ask(library: Library) -> None:
        while not over.is_set():
            try:
                engine = library.engine()
                ids = [document.document_id for document in engine.documents()]
                found = {chunk.partition(":")[0] for chunk, _, _ in hits(engine, "水井在山上")}
                assert found <= set(ids), (found, ids)
                assert bool(found) == bool(ids)
                seen.add(tuple(ids))
                if "sky" in [info.name for info in library.collections()]:
                    library.engine("sky").search("水井")
            except NotFoundError:  # "sky", a moment ago
                pass
            except Exception as error:  # noqa: BLE001 - told by the test
                faults.append(error)
                return

    with opened(tmp_path) as writer, opened(tmp_path, writable=False) as reader:
        threads = [threading.Thread(target=ask, args=(library,)) for library in (writer, writer, reader)]
        for thread in threads:
            thread.start()
        states: set[tuple[str, ...]] = {()}
        for number in range(4):
            added(writer, upload(number, essays=2))
            states.add(tuple(listed(writer)))
            if number % 2:
                writer.remove("default", source_id(number - 1, 2))
                states.add(tuple(listed(writer)))
                writer.create_collection("sky")
                added(writer, upload(number), collection="sky")
                writer.remove_collection("sky")
        done(writer, writer.reindex("default", None))
        over.set()
        for thread in threads:
            thread.join(WAIT_SECONDS)
    assert faults == []
    assert seen <= states
