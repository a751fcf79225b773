"""Damage to the file: truncations, rows that contradict each other. Nothing of it goes unseen.

Flipped bits: `test_faults_flips`.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from index.store import Store
from index.store.reading import rows
from index.store.schema import COLUMNS, update
from rag.errors import IndexFileError
from tests.sqlite_map import map_of
from tests.store_filled import content, filled, noticed
from tests.store_samples import KEY, add, addition, ids, remove, source, texts


def test_every_truncation_is_noticed_but_of_a_last_page_that_is_free(tmp_path: Path) -> None:
    """What is missing of a page reads as zeros, which is what a free page holds."""
    path = filled(tmp_path)
    sound, pages, before = path.read_bytes(), map_of(path), content(tmp_path)
    rnd = random.Random(4)  # noqa: S311 - always the same places
    lengths = [0, 1, 99, 100, 8191, 8192, 8193, len(sound) - 8192, len(sound) - 1]
    for length in lengths + [rnd.randrange(len(sound)) for _ in range(60)]:
        path.write_bytes(sound[:length])
        for end in ("-wal", "-shm"):
            path.with_name(path.name + end).unlink(missing_ok=True)
        if not noticed(tmp_path):
            assert len(sound) - length < pages.page_bytes
            assert not any(pages.live[length:])
            assert content(tmp_path) == before


def test_what_is_damaged_is_named_by_reads_and_by_the_check(tmp_path: Path) -> None:
    path = filled(tmp_path)
    data = bytearray(path.read_bytes())
    place = data.index("第2篇。".encode() * 500)
    data[place + 3000] ^= 4
    path.write_bytes(data)
    with Store.open(tmp_path) as store:
        source_id = source("第2篇。" * 3000).sha256[:12]
        for read in (lambda: store.source("default", source_id), lambda: list(store.sources("default"))):
            with pytest.raises(IndexFileError) as caught:
                read()
            assert caught.value.code == "library_damaged"
            message = caught.value.message
            assert all(
                word in message for word in (str(path), "文库 default", source_id, "cewen check", "备份")
            )
        (finding,) = store.check()
        assert finding.place == f"library.sqlite3：文库 default，文档 {source_id}"
        assert "原文" in finding.problem
        assert "备份" in finding.next_step
        # What is sound is still there, and what is damaged can be removed.
        assert store.source("default", source("第1篇。" * 60).sha256[:12]) is not None
        remove(store, f"{source_id}-1", f"{source_id}-2")
        assert list(store.check()) == []


def change(column: str, value: object) -> Callable[[sqlite3.Connection, str], None]:
    """A change of one value that only the seal can notice."""

    def made(connection: sqlite3.Connection, table: str) -> None:
        key = COLUMNS[table][0]
        (first,) = connection.execute(f"SELECT min({key}) FROM {table}").fetchone()  # noqa: S608
        connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key} = ?", (value, first))  # noqa: S608

    return made


SEALED = [
    (table, column)
    for table, columns in COLUMNS.items()
    for column in columns
    if column not in ("id", "key", "collection", "source", "document", "text")
]


@pytest.mark.parametrize(("table", "column"), SEALED)
@pytest.mark.parametrize("value", ["x", 7, b"x", 1.5])
def test_every_column_is_sealed(tmp_path: Path, table: str, column: str, value: object) -> None:
    filled_once(tmp_path)
    with Store.open(tmp_path) as store:
        change(column, value)(store._connection(), table)
        assert [finding.place for finding in store.check()]


_made: dict[str, bytes] = {}


def filled_once(folder: Path) -> None:
    if not _made:
        _made["file"] = filled(folder).read_bytes()
    (folder / "library.sqlite3").write_bytes(_made["file"])


def test_rows_that_contradict_each_other_are_found_though_each_is_sealed(tmp_path: Path) -> None:
    def resealed(table: str, **values: object) -> Callable[[sqlite3.Connection], None]:
        def made(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA foreign_keys = OFF")
            row = next(rows(connection, table))
            update(connection, table, tuple((row | values).values()))

        return made

    def ran(*statements: str) -> Callable[[sqlite3.Connection], None]:
        def made(connection: sqlite3.Connection) -> None:
            connection.execute("PRAGMA foreign_keys = OFF")
            for statement in statements:
                connection.execute(statement)
            connection.execute("PRAGMA foreign_keys = ON")

        return made

    faults = {
        "序号": resealed("collections", sequence=1),
        "编号与原文": resealed("sources", source_id="0" * 12),
        "不连续": resealed("documents", number=9),
        "没有一篇文档": ran("DELETE FROM documents WHERE source = 1"),
        "不齐": ran("DELETE FROM vectors WHERE document = 1 AND kind = 'window'"),
        "接不起来": resealed("vectors", part=3),
        "不符": resealed("vectors", dim=9),
        "没有对应的行": ran("DELETE FROM documents WHERE id = 1"),
        "原文不见了": ran("DELETE FROM texts WHERE id = 1"),
        "不属于任何文档": ran("INSERT INTO texts VALUES (999, x'00')"),
        "缺少文库": resealed("collections", name="改名"),
        "缺少 changes": ran("DELETE FROM meta WHERE key = 'changes'"),
        "表的定义": ran("CREATE TABLE more (x)"),
        "所属的文库": resealed("pending", collection=99),
        "既在文库里": resealed(
            "removals", document_id=_first_document(tmp_path), source_id=_first_source(tmp_path)
        ),
    }
    for expected, fault in faults.items():
        filled_once(tmp_path)
        with Store.open(tmp_path) as store:
            fault(store._connection())
            problems = " / ".join(f"{one.place} {one.problem}" for one in store.check())
        assert expected in problems, (expected, problems)


def _first_source(folder: Path) -> str:
    filled_once(folder)
    with Store.open(folder, writable=False) as store:
        return next(store.sources("default")).source_id


def _first_document(folder: Path) -> str:
    return f"{_first_source(folder)}-1"


def test_vectors_that_are_no_unit_vectors_are_found(tmp_path: Path) -> None:
    from index.store import matrices

    made = addition("一")
    with Store.open(tmp_path) as store:
        add(store, made)
        (stored,) = made.documents
        half = {kind: matrix / np.float32(2) for kind, matrix in stored.vectors.items()}
        with store.changing() as connection:
            matrices.write_vectors(connection, 1, KEY, type(stored)(stored.document_id, "", half))
        problems = [finding.problem for finding in store.check()]
        assert len(problems) == 3
        assert all("单位长度" in problem for problem in problems)


def as_format(path: Path, version: int, *, by_original: bool) -> None:
    """Make a file look like one that a program of that format wrote."""
    with closing(sqlite3.connect(path)) as connection:
        if by_original:
            connection.execute("CREATE INDEX sources_by_original ON sources (collection, original_sha256)")
        connection.execute(f"PRAGMA user_version = {version}")


def test_a_file_of_the_first_format_is_read_written_and_restored_and_stays_one(tmp_path: Path) -> None:
    as_format(filled(tmp_path / "库"), 1, by_original=True)
    with Store.open(tmp_path / "库", writable=False) as store:
        before = texts(store)
        assert before
    with Store.open(tmp_path / "库") as store:
        add(store, addition("新来的"))
        assert list(store.check()) == []
        store.backup(tmp_path / "1.sqlite3")
    Store.restore(tmp_path / "1.sqlite3", tmp_path / "乙")
    for folder in ("库", "乙"):
        with Store.open(tmp_path / folder) as store:
            assert texts(store) == [*before, "新来的"]
            assert store._connection().execute("PRAGMA user_version").fetchone() == (1,)


@pytest.mark.parametrize(("version", "by_original"), [(1, False), (2, True)])
def test_the_tables_of_another_format_are_damage(tmp_path: Path, version: int, by_original: bool) -> None:
    as_format(filled(tmp_path), version, by_original=by_original)
    with pytest.raises(IndexFileError, match="表的定义被改动过") as caught:
        Store.open(tmp_path)
    assert caught.value.code == "library_damaged"


def test_a_newer_format_and_a_file_of_others_are_left_alone(tmp_path: Path) -> None:
    path = filled(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 3")
    connection.close()
    before = path.read_bytes()
    for writable in (True, False):
        with pytest.raises(IndexFileError, match="升级") as caught:
            Store.open(tmp_path, writable=writable)
        assert caught.value.code == "library_newer"
    other = tmp_path / "他" / "library.sqlite3"
    other.parent.mkdir()
    with sqlite3.connect(other) as foreign:
        foreign.execute("CREATE TABLE x (y)")
    foreign.close()
    others = other.read_bytes()
    for writable in (True, False):
        with pytest.raises(IndexFileError, match="不是文库文件") as caught:
            Store.open(other.parent, writable=writable)
        assert caught.value.code == "library_damaged"
    assert (path.read_bytes(), other.read_bytes()) == (before, others)


def test_a_file_that_another_program_holds_is_busy_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rag.errors import UnavailableError

    with Store.open(tmp_path) as store:
        store._connection().execute("PRAGMA busy_timeout = 1")
        foreign = sqlite3.connect(store.path, isolation_level=None)
        foreign.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnavailableError, match="另一个程序") as caught:
            add(store, addition("一"))
        assert caught.value.code == "library_busy"
        foreign.close()
        add(store, addition("一"))
        assert ids(addition("一"))[0][:12] == next(store.sources("default")).source_id


def test_a_number_of_changes_that_is_half_written_is_none(tmp_path: Path) -> None:
    from index.store.lock import LOCK_NAME, WriterLock, acknowledged_changes

    assert acknowledged_changes(tmp_path) == 0
    lock = WriterLock(tmp_path)
    lock.set_note("9 号机")
    lock.note_changes(99)
    before = (tmp_path / LOCK_NAME).read_bytes()
    lock.set_note("")
    lock.note_changes(100)
    lock.release()
    after = (tmp_path / LOCK_NAME).read_bytes()
    assert acknowledged_changes(tmp_path) == 100
    for written in range(len(after)):
        (tmp_path / LOCK_NAME).write_bytes(after[:written] + before[written:])
        assert acknowledged_changes(tmp_path) in (0, 99, 100)
    (tmp_path / LOCK_NAME).write_bytes(after)
    again = WriterLock(tmp_path)  # as after a kill: the number is kept until the library has been opened
    assert (again.changes, acknowledged_changes(tmp_path)) == (100, 100)
    again.note_changes(0)
    again.release()
    assert acknowledged_changes(tmp_path) == 0
