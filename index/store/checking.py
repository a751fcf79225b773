"""Is everything in the file as it was written? Every page, seal, text and vector, one after another.

What cannot be seen, because nothing refers to it: bytes of free pages, the space between the rows of a page,
and fields of the file's first hundred bytes that decide nothing (change counters, cookies, the version that
wrote last, reserved bytes). None of them is ever read as content.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from index.flat import fault
from index.store.faults import DamageError
from index.store.matrices import read_vectors, vector_keys
from index.store.pages import changes_problem
from index.store.reading import (
    Row,
    calibrations_of,
    counter,
    metadata_from,
    place_of,
    removal_from,
    rows,
    source_of,
    source_problem,
    waiting,
)
from index.store.records import Finding, StoredVectors
from index.store.schema import verify
from rag.records import DEFAULT_COLLECTION

NEXT_STEP = "请从备份恢复；没有备份就删除这份文档，再重新添加。"
_WHOLE_FILE = "请从备份恢复；没有备份就移走这个文件，再重新添加文档。"
_MAX_REPORTED = 100


def check(connection: sqlite3.Connection, name: str, acknowledged: int = 0) -> Iterator[Finding]:
    """All that is wrong; nothing if all is well.

    Args:
        connection: One that reads, in a snapshot.
        name: The file's name, for places.
        acknowledged: How many changes there are at the least.
    """
    parts: tuple[Callable[[sqlite3.Connection], Iterator[tuple[str, str]]], ...] = (
        _schema,
        lambda readable: _changes(readable, acknowledged),
        _pages,
        _references,
        _counters,
        _collections,
        _pending,
        _orphans,
    )
    for part in parts:
        for place, problem in _guarded(part(connection)):
            where = f"{name}：{place}" if place else name
            yield Finding(where, problem, NEXT_STEP if place else _WHOLE_FILE)


def _guarded(found: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """What is found, and what stops the search of this part, itself a finding."""
    try:
        yield from found
    except DamageError as error:
        yield error.place, error.problem
    except sqlite3.Error as error:
        yield "", f"SQLite 读不下去：{error}"
    except (MemoryError, ValueError, OverflowError, TypeError, KeyError) as error:
        # A length or a number that makes no sense got as far as Python.
        yield "", f"读不下去：{type(error).__name__}: {error}"


def _schema(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    problem = verify(connection)
    if problem:
        yield "", problem


def _changes(connection: sqlite3.Connection, acknowledged: int) -> Iterator[tuple[str, str]]:
    problem = changes_problem(connection, acknowledged)
    if problem:
        yield "", problem


def _pages(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for (problem,) in connection.execute(f"PRAGMA integrity_check({_MAX_REPORTED})"):
        if problem != "ok":
            yield "", f"SQLite 的检查：{problem}"


def _references(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for table, row, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        yield "", f"{table} 表第 {row} 行在 {parent} 表里没有对应的行"


def _counters(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for key in ("changes", "sequence_floor"):
        if counter(connection, key) < 0:
            yield "", f"meta 表的 {key} 是负数"


def _collections(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    names = []
    # Read before anything else is asked of the connection: few, and short.
    for row in list(rows(connection, "collections")):
        names.append(row["name"])
        for identifier, found in chain(_sources(connection, row), _removals(connection, row)):
            yield place_of(row["name"], identifier), found
        calibrations_of(connection, row["name"])
    if DEFAULT_COLLECTION not in names:
        yield "", f"缺少文库 {DEFAULT_COLLECTION}"


def _sources(connection: sqlite3.Connection, collection: Row) -> Iterator[tuple[str, str]]:
    where = "WHERE collection = ? ORDER BY sequence"
    name = collection["name"]
    for row in rows(connection, "sources", where, (collection["id"],), place_of(name)):
        source_id = row["source_id"]
        place = place_of(name, source_id)
        if row["sequence"] > collection["sequence"]:
            yield source_id, f"序号 {row['sequence']} 大于文库的 {collection['sequence']}"
        try:
            documents = list(
                rows(connection, "documents", "WHERE source = ? ORDER BY number", (row["id"],), place)
            )
            source_of(connection, row, place)
            metadata_from(row["metadata"])
        except DamageError as error:
            yield source_id, error.problem
            continue
        problem = source_problem(row, documents)
        if problem:
            yield source_id, problem
        for document in documents:
            document_id = f"{source_id}-{document['number']}"
            for found in _document(connection, name, document, document_id):
                yield document_id, found


def _document(
    connection: sqlite3.Connection, collection: str, document: Row, document_id: str
) -> Iterator[str]:
    for key in vector_keys(connection, document["id"]):
        if not document["live"]:
            yield "已删除，却还有向量"
        try:
            stored = read_vectors(
                connection, document["id"], document_id, key, place_of(collection, document_id)
            )
        except DamageError as error:
            yield error.problem
            continue
        yield from _matrix_faults(stored)


def _matrix_faults(stored: StoredVectors | None) -> Iterator[str]:
    for kind, matrix in (stored.vectors if stored else {}).items():
        problem = fault(np.asarray(matrix))
        if problem:
            yield f"{kind} 向量：{problem}"


def _removals(connection: sqlite3.Connection, collection: Row) -> Iterator[tuple[str, str]]:
    where, name = "WHERE collection = ?", collection["name"]
    living = "SELECT 1 FROM sources s JOIN documents d ON d.source = s.id WHERE s.collection = ? AND "
    living += "s.source_id = ? AND d.live = 1 AND s.source_id || '-' || d.number = ?"
    for row in rows(connection, "removals", where, (collection["id"],), place_of(name)):
        removed = removal_from(row)
        values = (collection["id"], row["source_id"], removed.document_id)
        if connection.execute(living, values).fetchone():
            yield removed.document_id, "既在文库里，又记着已删除"


def _pending(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    for _ in waiting(connection):
        yield from ()


def _orphans(connection: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    query = (
        "SELECT count(*) FROM texts WHERE id NOT IN (SELECT text FROM sources)"
        " AND id NOT IN (SELECT text FROM pending)"
    )
    (count,) = connection.execute(query).fetchone()
    if count:
        yield "", f"有 {count} 份原文不属于任何文档"
    both = "SELECT count(*) FROM sources s JOIN pending p ON p.text = s.text"
    (count,) = connection.execute(both).fetchone()
    if count:
        yield "", f"有 {count} 份原文既是文档的，又是待处理的"
    # Reached through their parents above, rows of these are counted here, in case one has lost its parent.
    for table in ("documents", "vectors", "calibrations", "removals"):
        for _ in rows(connection, table):
            pass
