from __future__ import annotations

import hashlib
import sqlite3
import stat
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from index.store import Addition, Pending, Removal, Store, StoredVectors
from rag.errors import InputError, NotFoundError, UnavailableError
from rag.records import Metadata, Source
from tests.store_samples import (
    KEY,
    add,
    addition,
    ids,
    live_ids,
    matrix,
    remove,
    same,
    source,
    texts,
    vectors,
)

ODD = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
METADATA = st.builds(
    Metadata,
    title=st.none() | ODD,
    authors=st.lists(ODD, max_size=3).map(tuple),
    date=st.none() | ODD,
    source_url=st.none() | ODD,
    tags=st.lists(ODD, max_size=3).map(tuple),
)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store.open(tmp_path / "库")


def of(text: str, name: str, encoding: str, original: str, metadata: Metadata) -> Source:
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Source(name, text, digest, encoding=encoding, original_sha256=original, metadata=metadata)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(made=st.builds(of, ODD, ODD, ODD, ODD, METADATA), origin=ODD, key=ODD, job=ODD)
def test_whatever_goes_in_comes_out(store: Store, made: Source, origin: str, key: str, job: str) -> None:
    stored = vectors(f"{made.sha256[:12]}-1")
    waiting = Pending(job, "default", made, origin, None, "2031-05-06T07:08:09Z")
    store.put_pending(waiting)
    assert store.pending() == (waiting,)
    store.apply("default", additions=[Addition(made, origin, (stored,))], encoder_key=key, done_pending=job)
    assert store.pending() == ()
    (found,) = store.sources("default")
    assert (found.source, found.origin, found.live) == (made, origin, (1,))
    assert store.source("default", made.sha256[:12]) == found
    (read,) = store.vectors("default", key)
    assert (read.document_id, read.rows_sha256) == (stored.document_id, stored.rows_sha256)
    assert same(read.vectors, stored.vectors)
    assert list(store.check()) == []
    remove(store, stored.document_id)
    assert (texts(store), list(store.vectors("default", key))) == ([], [])


def test_a_new_store_has_an_empty_default_collection_and_is_this_users_alone(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "库"
    with Store.open(folder) as store:
        (default,) = store.collections()
        assert (default.name, default.sequence, default.sources, default.documents) == ("default", 0, 0, 0)
        assert default.encoder is None
        add(store, addition("甲"))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        locks = {"library.lock", "library.users"}
        assert set(modes) == locks | {f"library.sqlite3{end}" for end in ("", "-wal", "-shm")}
        assert set(modes.values()) == {0o600}
    left = sorted(path.name for path in folder.iterdir())
    assert left == ["library.lock", "library.sqlite3", "library.users"]


def test_it_is_opened_the_way_it_must_be(store: Store) -> None:
    def value(connection: sqlite3.Connection, pragma: str) -> object:
        return connection.execute(f"PRAGMA {pragma}").fetchone()[0]

    writer = store._connection()
    assert [value(writer, name) for name in ("journal_mode", "synchronous", "secure_delete")] == ["wal", 2, 1]
    assert [value(writer, name) for name in ("application_id", "user_version")] == [0x63776C62, 2]
    with store.reading() as reader:
        assert value(reader, "query_only") == 1
        for connection in (writer, reader):
            assert value(connection, "foreign_keys") == 1
            assert value(connection, "trusted_schema") == 0
            assert value(connection, "cell_size_check") == 1


def test_sources_come_in_the_order_of_their_last_change_whatever_the_clock_says(tmp_path: Path) -> None:
    moment = [datetime(2030, 1, 1, tzinfo=UTC)]

    def backwards() -> datetime:
        moment[0] -= timedelta(days=1)
        return moment[0]

    with Store.open(tmp_path, clock=backwards) as store:
        assert [add(store, addition(text)) for text in "丙甲乙"] == [1, 2, 3]
        assert remove(store, *ids(addition("甲"))) == 4
        assert add(store, addition("甲")) == 5
        found = list(store.sources("default"))
    assert [(one.source.text, one.sequence) for one in found] == [("丙", 1), ("乙", 3), ("甲", 5)]
    assert found[0].added_at > found[1].added_at > found[2].added_at
    assert found[0].added_at == "2029-12-30T00:00:00Z"
    with Store.open(tmp_path, writable=False) as store:
        assert [one.source.text for one in store.sources("default", after=1)] == ["乙", "甲"]
        assert [one.document_id[:12] for one in store.vectors("default", KEY)] == [
            one.source_id for one in found
        ]


def test_of_a_source_with_several_documents_each_can_go_and_the_last_takes_the_text(store: Store) -> None:
    made = addition("三篇", documents=3)
    first, second, third = ids(made)
    add(store, made)
    remove(store, second)
    assert [live_ids(one) for one in store.sources("default")] == [[first, third]]
    assert [one.document_id for one in store.vectors("default", KEY)] == [first, third]
    assert store.collections()[0].documents == 2
    with pytest.raises(NotFoundError, match=second):
        remove(store, first, second)
    assert [live_ids(one) for one in store.sources("default")] == [[first, third]]  # all or nothing
    remove(store, third, first)
    assert store.source("default", first[:12]) is None
    assert store.removal("default", second) is not None
    add(store, made)  # again: whole, and no trace of the removals
    assert [live_ids(one) for one in store.sources("default")] == [[first, second, third]]
    assert [store.removal("default", one) for one in (first, second, third)] == [None] * 3
    assert list(store.check()) == []


def test_a_removal_says_who_and_what_came_instead(store: Store, tmp_path: Path) -> None:
    old, new = addition("旧"), addition("新")
    add(store, old)
    removal = (ids(old)[0], "replaced", tuple(ids(new)))
    store.apply("default", removals=[removal], additions=[new], encoder_key=KEY)  # type: ignore[list-item]
    assert texts(store) == ["新"]
    found = store.removal("default", ids(old)[0])
    assert found is not None
    assert found == Removal(ids(old)[0], old.source.sha256, found.removed_at, "replaced", tuple(ids(new)))
    assert store.removal("default", ids(new)[0]) is None
    with pytest.raises(ValueError, match="removed by"):
        store.apply("default", removals=[(ids(new)[0], "谁", ())], encoder_key=KEY)  # type: ignore[list-item]


def test_adding_what_is_there_replaces_what_is_said_about_it_and_keeps_the_rest(store: Store) -> None:
    add(store, addition("同"), addition("另"))
    said = Metadata(
        title="题", authors=("甲", "乙"), date="2020-02", source_url="https://a.example/", tags=("x",)
    )
    again = source("同", "改名.txt", said, original="0" * 64)
    document_id = f"{again.sha256[:12]}-1"
    add(store, Addition(again, "seeds", (StoredVectors(document_id, "新行", {}),)))
    other, found = store.sources("default")
    assert (other.source.text, other.sequence, found.source, found.origin) == ("另", 2, again, "seeds")
    assert found.sequence == 3
    assert [one.document_id for one in store.vectors("default", KEY)] == [
        ids(addition("另"))[0],
        document_id,
    ]
    fresh = vectors(document_id, rows=5, salt="新")
    add(store, Addition(again, "seeds", (fresh,)))
    (*_, read) = store.vectors("default", KEY)
    assert same(read.vectors, fresh.vectors)
    assert store.row_counts("default", "chunk") == {ids(addition("另"))[0]: 2, document_id: 5}
    looked_up = store.source("default", again.sha256[:12])
    assert looked_up is not None
    assert (looked_up.source, looked_up.sequence) == (again, 4)


def test_another_text_with_the_same_id_is_refused(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nobody can make two texts whose SHA-256 begin alike, so the one that is stored is made to look like it.
    first, second = addition("一"), addition("二")
    add(store, first)
    writer = store._connection()
    from index.store.reading import rows
    from index.store.schema import update

    (row,) = rows(writer, "sources")
    row["sha256"] = second.source.sha256[:12] + row["sha256"][12:]
    row["source_id"] = second.source.sha256[:12]
    update(writer, "sources", tuple(row.values()))
    with pytest.raises(InputError, match="碰巧相同") as caught:
        add(store, second)
    assert caught.value.code == "document_conflict"


@pytest.mark.parametrize(
    "wrong",
    [
        Addition(source("文"), "upload", ()),
        Addition(source("文"), "upload", (vectors("0" * 12 + "-1"),)),
        Addition(source("文"), "upload", tuple(vectors(f"{source('文').sha256[:12]}-{n}") for n in (2, 1))),
        Addition(Source("名", "文", "0" * 64), "upload", (vectors("0" * 12 + "-1"),)),
        *(
            Addition(
                source("文"),
                "upload",
                (StoredVectors(f"{source('文').sha256[:12]}-1", "", {"chunk": np.asarray(bad)}),),
            )
            for bad in (
                np.zeros((1, 4), np.float32),
                matrix("x", 2).astype(np.float64),
                np.full((1, 4), np.nan, "f4"),
            )
        ),
    ],
)
def test_what_does_not_agree_with_itself_is_not_let_in(store: Store, wrong: Addition) -> None:
    before = store.version()
    with pytest.raises(ValueError):  # noqa: PT011 - each says something else
        add(store, addition("前"), wrong)
    assert (texts(store), store.version()) == ([], before)


def test_vectors_are_kept_by_encoder_until_it_is_switched(store: Store) -> None:
    one, two = addition("一"), addition("二")
    add(store, one, two)
    (a,), (b,) = ids(one), ids(two)
    # A document that is gone by now, one that never was, and numbers that only look like some.
    gone = [vectors(name) for name in ("0" * 12 + "-1", a[:-1] + "01", a[:-1] + "9" * 30, a[:-1] + "٢", "x")]
    store.put_vectors("default", "大模型", [vectors(b, dim=16), *gone])
    assert [read.document_id for read in store.vectors("default", "大模型")] == [b]
    assert [read.vectors["chunk"].shape for read in store.vectors("default", "大模型")] == [(2, 16)]
    store.put_vectors("default", "大模型", [vectors(a, dim=16)])
    store.switch_encoder("default", "大", "大模型")
    assert list(store.vectors("default", KEY)) == []
    assert [read.document_id for read in store.vectors("default", "大模型")] == [a, b]
    found = store.collection("default")
    assert found is not None
    assert found.encoder == "大"
    store.switch_encoder("default", None, "大模型")
    assert [one.encoder for one in store.collections()] == [None]


def test_documents_and_stamps_are_listed_without_texts_and_vectors(store: Store) -> None:
    one, two, three = addition("一", documents=2), addition("二"), addition("三")
    add(store, one, two, three)
    remove(store, ids(one)[0], *ids(two))
    store.apply("default", removals=[(ids(three)[0], "sync", ())], encoder_key=KEY)
    add(store, addition("四"))
    live = (ids(one)[1], *ids(addition("四")))
    assert store.live_documents("default") == live
    stamps = store.stamps("default", KEY)
    assert [(stamp.document_id, stamp.rows_sha256) for stamp in stamps] == [
        (read.document_id, read.rows_sha256) for read in store.vectors("default", KEY)
    ]
    chosen = [live[1], *ids(two), "无", live[0], live[1]]
    found = store.vectors("default", KEY, document_ids=chosen)
    assert [read.document_id for read in found] == [live[1], live[0]]
    assert list(store.vectors("default", KEY, document_ids=())) == []
    assert list(store.vectors("无", KEY, document_ids=live)) == []
    # Of the first text a document is left, the third vanished from its folder: a person deleted the second.
    assert store.deleted_sources("default") == {two.source.sha256}
    add(store, two)
    assert store.deleted_sources("default") == frozenset()
    store.drop_vectors("default")
    assert (store.stamps("default", KEY), list(store.vectors("default", KEY))) == ((), [])
    assert store.live_documents("default") == (*live, *ids(two))
    assert (store.live_documents("无"), store.stamps("无", KEY)) == ((), ())
    assert store.deleted_sources("无") == frozenset()


def test_long_matrices_are_stored_in_parts_and_empty_ones_as_empty(store: Store) -> None:
    made = source("长")
    rows = (4 << 20) // (4 * 256) * 2 + 3  # two parts and a little
    stored = StoredVectors(
        f"{made.sha256[:12]}-1",
        "行",
        {"chunk": np.asfortranarray(matrix("长", rows, 256)), "window": np.empty((0, 256), np.float32)},
    )
    add(store, Addition(made, "upload", (stored,)))
    (read,) = store.vectors("default", KEY)
    assert same(read.vectors, stored.vectors)
    assert not read.vectors["chunk"].flags.writeable
    assert list(store.check()) == []


def test_collections_are_apart_and_go_with_all_they_hold(store: Store) -> None:
    store.create_collection("b")
    store.create_collection("a")
    with pytest.raises(InputError, match="已经有") as caught:
        store.create_collection("a")
    assert caught.value.code == "collection_exists"
    assert [one.name for one in store.collections()] == ["default", "a", "b"]
    for name in ("a", "b", "default"):
        add(store, addition("同一篇"), collection=name)
        store.set_calibration(name, KEY, f"标定 {name}")
        store.put_pending(Pending(f"job {name}", name, source("等着"), "upload", "x-1", ""))
    remove(store, *ids(addition("同一篇")), collection="b")
    assert [texts(store, name) for name in ("a", "b", "default", "没有")] == [["同一篇"], [], ["同一篇"], []]
    store.drop_collection("a")
    store.drop_collection("default")
    assert [one.name for one in store.collections()] == ["default", "b"]
    assert [one.job_id for one in store.pending()] == ["job b"]
    assert [store.calibration(name, KEY) for name in ("a", "b", "default")] == [None, "标定 b", None]
    assert store.calibrations("b") == {KEY: "标定 b"}
    assert texts(store) == []
    removed = store.removal("default", ids(addition("同一篇"))[0])
    assert removed is not None
    assert removed.by == "user"  # so no folder that is synced into it brings it back
    with pytest.raises(NotFoundError) as missing:
        store.drop_collection("a")
    assert missing.value.code == "collection_not_found"
    # Numbers go on: nobody who knew the old collection takes the new one for an earlier state of it.
    assert store.create_collection("a").sequence == 3
    default = store.collection("default")
    assert default is not None
    assert default.sequence == 2
    assert list(store.check()) == []


def test_everything_that_needs_a_collection_says_so(store: Store) -> None:
    waiting = Pending("j", "无", source("文"), "upload", None, "")
    for change in (
        lambda: store.put_pending(waiting),
        lambda: store.apply("无", encoder_key=KEY),
        lambda: store.put_vectors("无", KEY, []),
        lambda: store.switch_encoder("无", None, KEY),
        lambda: store.set_calibration("无", KEY, ""),
    ):
        with pytest.raises(NotFoundError) as caught:
            change()
        assert caught.value.code == "collection_not_found"
    assert (store.collection("无"), store.source("无", "x"), store.removal("无", "x")) == (None, None, None)
    assert store.calibration("无", KEY) is None
    assert (store.calibrations("无"), store.row_counts("无", "chunk")) == ({}, {})
    assert list(store.vectors("无", KEY)) == []


def test_what_waits_keeps_its_order_and_ends_with_its_addition(store: Store) -> None:
    waiting = [Pending(name, "default", source(name), "upload", None, "") for name in ("乙", "甲", "丙")]
    for one in waiting:
        store.put_pending(one)
    with pytest.raises(ValueError, match="pending already"):
        store.put_pending(waiting[0])
    assert store.pending() == tuple(waiting)
    store.drop_pending("甲")
    store.drop_pending("没有")
    with pytest.raises(NotFoundError):
        store.apply("default", removals=[("没有", "user", ())], encoder_key=KEY, done_pending="乙")
    assert [one.job_id for one in store.pending()] == ["乙", "丙"]
    assert store.apply("default", encoder_key=KEY, done_pending="乙") == 0
    assert [one.job_id for one in store.pending()] == ["丙"]


def test_the_version_changes_with_every_change_and_with_nothing_else(store: Store) -> None:
    changes = (
        lambda: store.create_collection("a"),
        lambda: add(store, addition("一")),
        lambda: store.put_vectors("default", "k", [vectors(ids(addition("一"))[0])]),
        lambda: store.switch_encoder("default", "k", "k"),
        lambda: store.set_calibration("default", "k", "{}"),
        lambda: store.put_pending(Pending("j", "a", source("二"), "upload", None, "")),
        lambda: store.drop_pending("j"),
        lambda: remove(store, *ids(addition("一"))),
        lambda: store.drop_collection("a"),
    )
    with Store.open(store.path.parent, writable=False) as reader:
        seen = [reader.version()]
        for change in changes:
            change()
            assert store.version() == reader.version()
            seen.append(reader.version())
        list(store.check())
        store.checkpoint()
        assert reader.version() == seen[-1]
    assert sorted(set(seen)) == seen


def test_an_iterator_sees_one_state_while_others_write(store: Store) -> None:
    add(store, *(addition(text) for text in "一二三"))
    iterator, matrices = store.sources("default"), store.vectors("default", KEY)
    assert (next(iterator).source.text, next(matrices).document_id) == ("一", ids(addition("一"))[0])
    remove(store, *ids(addition("三")))
    add(store, addition("四"))
    assert [one.source.text for one in iterator] == ["二", "三"]
    assert [one.document_id for one in matrices] == ids(addition("二")) + ids(addition("三"))
    assert texts(store) == ["一", "二", "四"]


def test_removed_text_leaves_every_file(tmp_path: Path) -> None:
    """Also what SQLite moved from page to page while others came and went."""
    with Store.open(tmp_path) as store:
        alive: list[Addition] = []
        for number in range(120):
            text = f"<机密{number}>" * (1, 20, 400, 3000)[number % 4]
            alive.append(addition(text, name=f"<机密{number}>"))
            add(store, alive[-1])
            if number % 3:
                remove(store, *ids(alive.pop(number * 7 % len(alive))))
        kept = {one.source.name for one in alive}
        held = "".join(path.read_bytes().decode("utf-8", "replace") for path in tmp_path.iterdir())
        assert {name for n in range(120) if (name := f"<机密{n}>") in held} == kept
        # A reader who is in the middle of something keeps the log alive; then the next change cleans up.
        iterator = store.sources("default")
        next(iterator)
        last = alive.pop()
        remove(store, *ids(last))
        assert not store.checkpoint()
        iterator.close()
        store.set_calibration("default", KEY, None)
        held = "".join(path.read_bytes().decode("utf-8", "replace") for path in tmp_path.iterdir())
        assert last.source.name not in held
        assert store.checkpoint()


def test_many_threads_may_use_one_store(store: Store) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(8):
                made = addition(f"{name} {number}")
                add(store, made)
                assert texts(store).count(made.source.text) == 1
                sequences = [one.sequence for one in store.sources("default")]
                assert sequences == sorted(sequences)
                if number % 2:
                    remove(store, *ids(made))
        except BaseException as error:  # noqa: BLE001 - reported below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in "甲乙丙丁"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(texts(store)) == sorted(
        f"{name} {number}" for name in "甲乙丙丁" for number in (0, 2, 4, 6)
    )
    assert list(store.check()) == []


def test_a_reader_changes_nothing_and_a_closed_store_does_nothing(store: Store) -> None:
    add(store, addition("一"))
    with Store.open(store.path.parent, writable=False) as reader:
        assert (reader.writable, store.writable) == (False, True)
        with pytest.raises(UnavailableError, match="只读") as caught:
            add(reader, addition("二"))
        assert caught.value.code == "library_read_only"
        with pytest.raises(UnavailableError, match="只读"):
            reader.checkpoint()
        reader.set_note("谁")
    store.close()
    store.close()
    for use in (lambda: add(store, addition("二")), lambda: texts(store), store.version, store.checkpoint):
        with pytest.raises((sqlite3.ProgrammingError, UnavailableError)):
            use()
