"""From rows to records, over one connection. What is returned was verified; damage raises `DamageError`."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from typing import Any

from index.store.bodies import unpacked
from index.store.faults import DamageError
from index.store.records import Pending, Removal, StoredCollection, StoredSource
from index.store.schema import COLUMNS, TARGET_GONE, seal_of
from rag.records import Metadata, Source

Row = dict[str, Any]


def rows(
    connection: sqlite3.Connection,
    table: str,
    where: str = "",
    values: Sequence[object] = (),
    place: str = "",
) -> Iterator[Row]:
    """Rows of a table by column name, their seals verified, fetched one by one.

    Args:
        connection: For this thread alone.
        table: Which.
        where: What follows the table's name: a condition, an order. Never from outside.
        values: What stands for its question marks.
        place: For messages.

    Raises:
        DamageError: At a row whose seal does not agree.
    """
    names = COLUMNS[table]
    query = f"SELECT {', '.join(names)}, seal FROM {table} {where}"  # noqa: S608 - constant names
    yield from _sealed(table, connection.execute(query, tuple(values)), place)


def _sealed(table: str, found: Iterable[tuple[Any, ...]], place: str) -> Iterator[Row]:
    """Rows by column name; each was selected with its seal after its columns."""
    names = COLUMNS[table]
    for *values, seal in found:
        if seal_of(table, values) != seal:
            raise DamageError(place, f"{table} 表第 {values[0]!r} 行与校验和不符")
        yield dict(zip(names, values, strict=True))


def collection_row(connection: sqlite3.Connection, name: str) -> Row | None:
    """The row of a collection; None if there is none."""
    return next(rows(connection, "collections", "WHERE name = ?", (name,), f"文库 {name}"), None)


def stored_collection(connection: sqlite3.Connection, row: Row) -> StoredCollection:
    """A collection and how much it holds."""
    count = "SELECT count(*), count(DISTINCT s.id) FROM sources s JOIN documents d ON d.source = s.id"
    documents, sources = connection.execute(
        f"{count} WHERE s.collection = ? AND d.live = 1", (row["id"],)
    ).fetchone()
    return StoredCollection(
        row["name"], row["created_at"], row["encoder"], row["sequence"], sources=sources, documents=documents
    )


def stored_source(connection: sqlite3.Connection, collection: str, row: Row) -> StoredSource:
    """The source of a row, with its text and its live documents."""
    place = place_of(collection, row["source_id"])
    documents = list(rows(connection, "documents", "WHERE source = ? ORDER BY number", (row["id"],), place))
    return _stored_source(connection, collection, row, documents, place)


def _stored_source(
    connection: sqlite3.Connection, collection: str, row: Row, documents: Sequence[Row], place: str
) -> StoredSource:
    live = tuple(document["number"] for document in documents if document["live"])
    source = source_of(connection, row, place)
    problem = source_problem(row, documents)
    if problem:
        raise DamageError(place, problem)
    known = (collection, row["source_id"], row["sequence"], row["origin"], source, row["added_at"], live)
    return StoredSource(*known, removed=len(documents) - len(live))


def source_problem(row: Row, documents: Sequence[Row]) -> str | None:
    """How a source's rows contradict each other, in Chinese; None if they do not."""
    if row["source_id"] != row["sha256"][:12]:
        return "编号与原文的 SHA-256 不符"
    numbers = [document["number"] for document in documents]
    if numbers != list(range(1, len(numbers) + 1)) or {d["live"] for d in documents} - {0, 1}:
        return "各篇的编号不连续"
    if not any(document["live"] for document in documents):
        return "没有一篇文档"
    return None


def source_of(connection: sqlite3.Connection, row: Row, place: str) -> Source:
    """The text, name and metadata of a row of `sources` or `pending`."""
    found = connection.execute("SELECT body FROM texts WHERE id = ?", (row["text"],)).fetchone()
    if found is None:
        raise DamageError(place, "原文不见了")
    (stored,) = found
    body = unpacked(stored) if isinstance(stored, bytes) else None
    if body is None or hashlib.sha256(body).hexdigest() != row["sha256"]:
        raise DamageError(place, "原文与它的 SHA-256 不符")
    return Source(
        name=row["name"],
        text=body.decode("utf-8"),
        sha256=row["sha256"],
        encoding=row["encoding"],
        original_sha256=row["original_sha256"],
        metadata=metadata_from(row["metadata"]),
    )


def sources_of(connection: sqlite3.Connection, collection: str, after: int) -> Iterator[StoredSource]:
    """The sources of a collection with a greater sequence, in its order; one text in memory at a time."""
    found = collection_row(connection, collection)
    if found is None:
        return
    values = (found["id"], after)
    # One query for all documents, in the order of their sources: one for each source costs twice the time.
    names = COLUMNS["documents"]
    query = (
        f"SELECT {', '.join(f'd.{name}' for name in names)}, d.seal"  # noqa: S608 - constant names
        " FROM sources s JOIN documents d ON d.source = s.id"
        " WHERE s.collection = ? AND s.sequence > ? ORDER BY s.sequence, d.number"
    )
    groups = groupby(connection.execute(query, values), key=itemgetter(names.index("source")))
    group = next(groups, None)
    where = "WHERE collection = ? AND sequence > ? ORDER BY sequence"
    for row in rows(connection, "sources", where, values, place_of(collection)):
        place, documents = place_of(collection, row["source_id"]), list[Row]()
        if group is not None and group[0] == row["id"]:
            documents += _sealed("documents", group[1], place)
            group = next(groups, None)
        yield _stored_source(connection, collection, row, documents, place)


def source_by_id(connection: sqlite3.Connection, collection: str, source_id: str) -> StoredSource | None:
    """A source of a collection; None if it is not there."""
    found = collection_row(connection, collection)
    if found is None:
        return None
    condition = "WHERE collection = ? AND source_id = ?"
    row = next(rows(connection, "sources", condition, (found["id"], source_id), place_of(collection)), None)
    return None if row is None else stored_source(connection, collection, row)


def removal_of(connection: sqlite3.Connection, collection: str, document_id: str) -> Removal | None:
    """What is known of a removed document; None if it was not removed."""
    found = collection_row(connection, collection)
    if found is None:
        return None
    place = place_of(collection, document_id)
    where = "WHERE collection = ? AND document_id = ?"
    row = next(rows(connection, "removals", where, (found["id"], document_id), place), None)
    return None if row is None else removal_from(row)


def removal_from(row: Row) -> Removal:
    """The record of a row."""
    return Removal(
        row["document_id"],
        row["source_sha256"],
        row["removed_at"],
        row["removed_by"],
        tuple(json.loads(row["replaced_by"])),
    )


def waiting(connection: sqlite3.Connection) -> Iterator[Pending]:
    """The texts that wait, in the order in which they came."""
    names = {row["id"]: str(row["name"]) for row in rows(connection, "collections")}
    for row in rows(connection, "pending", "ORDER BY id", (), "待处理的文档"):
        place, target = f"待处理的文档 {row['job_id']}", row["replaces"] or ""
        if row["collection"] not in names:
            raise DamageError(place, "所属的文库不见了")
        yield Pending(
            row["job_id"],
            names[row["collection"]],
            source_of(connection, row, place),
            row["origin"],
            target.removeprefix(TARGET_GONE) or None,
            row["accepted_at"],
            target_gone=target.startswith(TARGET_GONE),
        )


def calibrations_of(connection: sqlite3.Connection, collection: str) -> dict[str, str]:
    """What was stored for a collection, by encoder key."""
    found = collection_row(connection, collection)
    if found is None:
        return {}
    stored = rows(connection, "calibrations", "WHERE collection = ?", (found["id"],), place_of(collection))
    return {row["encoder_key"]: str(row["content"]) for row in stored}


def counter(connection: sqlite3.Connection, key: str) -> int:
    """A number of the table `meta`."""
    row = next(rows(connection, "meta", "WHERE key = ?", (key,)), None)
    if row is None:
        raise DamageError("", f"meta 表缺少 {key}")
    return int(row["value"])


def metadata_text(metadata: Metadata) -> str:
    """Metadata as they are stored: JSON with sorted keys."""
    return json.dumps(asdict(metadata), ensure_ascii=False, sort_keys=True)


@lru_cache(maxsize=256)  # nothing is said of most sources, and much the same of many others
def metadata_from(text: str) -> Metadata:
    """What `metadata_text` wrote."""
    fields: dict[str, Any] = json.loads(text)
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return Metadata(**(fields | lists))


def place_of(collection: str, identifier: str = "") -> str:
    """Where something is, for messages."""
    return f"文库 {collection}，文档 {identifier}" if identifier else f"文库 {collection}"
