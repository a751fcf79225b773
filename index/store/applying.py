"""Documents go, documents come: the changes that matter most, inside the caller's transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import get_args

from index.store.listing import live_document, live_documents
from index.store.matrices import write_vectors
from index.store.reading import Row, counter, metadata_text, place_of, removal_from, rows
from index.store.records import (
    Addition,
    RemovedBy,
    StoredVectors,
    Withdrawal,
)
from index.store.schema import TARGET_GONE, insert, next_id, update
from index.store.writing import check_id, check_vectors, drop_pending, known_collection, put_text
from rag.errors import NotFoundError
from rag.records import DEFAULT_COLLECTION


def apply(
    connection: sqlite3.Connection,
    collection: str,
    removals: Sequence[Withdrawal],
    additions: Sequence[Addition],
    encoder_key: str,
    now: str,
    done_pending: str | None,
    forgets_pending: bool,
) -> int:
    """Remove, then add, and end jobs; see `Store.apply`."""
    row = known_collection(connection, collection)
    sequence = int(row["sequence"])
    for document_id, by, replaced_by in removals:
        sequence += 1
        _remove(connection, row, document_id, by, replaced_by, now)
    for addition in additions:
        sequence += 1
        _add(connection, row, addition, sequence, encoder_key, now)
    if done_pending is not None:
        drop_pending(connection, done_pending)
    if forgets_pending:
        _forget_pending(connection, row)
    if sequence != row["sequence"]:
        row["sequence"] = sequence
        update(connection, "collections", tuple(row.values()))
    return sequence


def drop_collection(connection: sqlite3.Connection, name: str, now: str) -> None:
    """Remove a collection with all it holds.

    "default" stays, emptied as if a person had removed each document, so that no folder that is synced
    into it brings them back.
    """
    row = known_collection(connection, name)
    for document_id in [document_id for _, document_id in live_documents(connection, name)]:
        row["sequence"] += 1
        _remove(connection, row, document_id, "user", (), now)
    _forget_pending(connection, row)
    if name == DEFAULT_COLLECTION:
        connection.execute("DELETE FROM calibrations WHERE collection = ?", (row["id"],))
        update(connection, "collections", tuple((row | {"encoder": None}).values()))
        return
    connection.execute("DELETE FROM collections WHERE id = ?", (row["id"],))
    floor = max(counter(connection, "sequence_floor"), row["sequence"] + 1)
    update(connection, "meta", ("sequence_floor", floor))


def _forget_pending(connection: sqlite3.Connection, collection: Row, sha256: str | None = None) -> None:
    """Nothing waits any longer to come into a collection, or not one text: it would bring back what goes."""
    connection.execute(
        "DELETE FROM texts WHERE id IN"
        " (SELECT text FROM pending WHERE collection = :id AND sha256 = coalesce(:sha256, sha256))",
        {"id": collection["id"], "sha256": sha256},
    )


def _target_is_gone(connection: sqlite3.Connection, collection: Row, source_id: str, place: str) -> None:
    """Note for what waits to replace a source that somebody has removed it."""
    where = "WHERE collection = ? AND (replaces = ? OR replaces LIKE ? || '-%')"
    for row in list(rows(connection, "pending", where, (collection["id"], source_id, source_id), place)):
        update(connection, "pending", tuple((row | {"replaces": TARGET_GONE + row["replaces"]}).values()))


def _remove(
    connection: sqlite3.Connection,
    collection: Row,
    document_id: str,
    by: RemovedBy,
    replaced_by: Sequence[str],
    now: str,
) -> None:
    if by not in get_args(RemovedBy):
        raise ValueError(f"removed by {by!r}, expected one of {get_args(RemovedBy)}")
    document = live_document(connection, collection, document_id)
    if document is None:
        raise NotFoundError(
            f"文库 {collection['name']!r} 里没有文档 {document_id!r}。请查看现有文档的编号。",
            code="document_not_found",
        )
    place = place_of(collection["name"], document_id)
    source = next(rows(connection, "sources", "WHERE id = ?", (document["source"],), place))
    _forget_removals(connection, collection, "document_id", document_id)
    values = (
        *(next_id(connection, "removals"), collection["id"], document_id, source["source_id"]),
        *(source["sha256"], now, by, json.dumps(list(replaced_by), ensure_ascii=False)),
    )
    insert(connection, "removals", values)
    if by == "user":
        _forget_pending(connection, collection, source["sha256"])
    alive = "SELECT count(*) FROM documents WHERE source = ? AND live = 1"
    if connection.execute(alive, (source["id"],)).fetchone() == (1,):
        connection.execute("DELETE FROM texts WHERE id = ?", (source["text"],))
        if by == "user":
            _target_is_gone(connection, collection, source["source_id"], place)
        return
    update(connection, "documents", tuple((document | {"live": 0}).values()))
    connection.execute("DELETE FROM vectors WHERE document = ?", (document["id"],))


def _add(
    connection: sqlite3.Connection,
    collection: Row,
    addition: Addition,
    sequence: int,
    encoder_key: str,
    now: str,
) -> None:
    source, source_id = addition.source, addition.source.source_id
    wanted = [f"{source_id}-{number}" for number in range(1, len(addition.documents) + 1)]
    place = place_of(collection["name"], source_id)
    where = "WHERE collection = ? AND source_id = ?"
    old = next(rows(connection, "sources", where, (collection["id"], source_id), place), None)
    only_said = old is not None and old["sha256"] == source.sha256 and not wanted
    if (not wanted and not only_said) or [stored.document_id for stored in addition.documents] != wanted:
        given = [stored.document_id for stored in addition.documents]
        raise ValueError(f"documents {given!r}, expected {source_id}-1 and so on, at least one")
    for stored in addition.documents:
        check_vectors(stored)
    check_id(connection, source)
    fields = (
        *(source_id, sequence, addition.origin, source.name, source.sha256, source.encoding),
        *(source.original_sha256, metadata_text(source.metadata)),
    )
    if old is None:
        row_id = next_id(connection, "sources")
        text = put_text(connection, source)
        insert(connection, "sources", (row_id, collection["id"], text, *fields, now))
    else:
        row_id = old["id"]
        kept = (row_id, collection["id"], old["text"], *fields, old["added_at"])
        update(connection, "sources", kept)
    if only_said:
        return
    where = "WHERE collection = ? AND source_id = ? AND removed_by != 'sync'"
    removed = rows(connection, "removals", where, (collection["id"], source_id), place)
    stay_out = [] if addition.brings_back else [removal_from(one) for one in removed]
    _forget_removals(connection, collection, "source_id", source_id)
    _put_documents(connection, row_id, addition.documents, encoder_key)
    for one in stay_out:
        if one.document_id in wanted:
            _remove(connection, collection, one.document_id, one.by, one.replaced_by, one.removed_at)


def _put_documents(
    connection: sqlite3.Connection, source: int, documents: Sequence[StoredVectors], encoder_key: str
) -> None:
    """Make these the documents of a source, all live; those it has keep their vectors of other encoders."""
    connection.execute("DELETE FROM documents WHERE source = ? AND number > ?", (source, len(documents)))
    found = rows(connection, "documents", "WHERE source = ? ORDER BY number", (source,))
    known = {row["number"]: row for row in found}
    for number, stored in enumerate(documents, start=1):
        if number in known:
            row_id = known[number]["id"]
            update(connection, "documents", (row_id, source, number, 1))
        else:
            row_id = next_id(connection, "documents")
            insert(connection, "documents", (row_id, source, number, 1))
        if stored.vectors:
            write_vectors(connection, row_id, encoder_key, stored)


def _forget_removals(connection: sqlite3.Connection, collection: Row, column: str, value: str) -> None:
    connection.execute(
        f"DELETE FROM removals WHERE collection = ? AND {column} = ?",  # noqa: S608 - a constant of ours
        (collection["id"], value),
    )
