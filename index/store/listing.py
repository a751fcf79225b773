"""Documents and vectors without texts: which are live, what is stored for them, what was deleted."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from index.store.matrices import read_vectors
from index.store.reading import Row, collection_row, place_of, removal_from, rows
from index.store.records import SourceLabel, StoredVectors, VectorStamp


def live_documents(
    connection: sqlite3.Connection, collection: str, source_id: str | None = None
) -> Iterator[tuple[int, str]]:
    """Row number and id of every live document, of one source or of all, in order of addition."""
    found = collection_row(connection, collection)
    if found is None:
        return
    where, values = "WHERE collection = ? ORDER BY sequence", [found["id"]]
    if source_id is not None:
        where, values = "WHERE collection = ? AND source_id = ?", [found["id"], source_id]
    for source in rows(connection, "sources", where, values, place_of(collection)):
        place = place_of(collection, source["source_id"])
        of_source = "WHERE source = ? ORDER BY number"
        for document in rows(connection, "documents", of_source, (source["id"],), place):
            if document["live"]:
                yield document["id"], f"{source['source_id']}-{document['number']}"


def labels_of(connection: sqlite3.Connection, collection: str) -> Iterator[SourceLabel]:
    """What every source is known by, in order of addition; no text is read."""
    found = collection_row(connection, collection)
    if found is None:
        return
    where = "WHERE collection = ? ORDER BY sequence"
    for row in rows(connection, "sources", where, (found["id"],), place_of(collection)):
        yield SourceLabel(row["name"], row["source_id"], row["sha256"], row["original_sha256"], row["origin"])


def live_document(connection: sqlite3.Connection, collection: Row, document_id: str) -> Row | None:
    """The row of a live document; None if there is none of this id."""
    source_id, _, number = document_id.rpartition("-")
    if not (number.isascii() and number.isdecimal() and str(int(number)) == number):
        return None
    where = (
        "WHERE live = 1 AND number = ?"
        " AND source = (SELECT id FROM sources WHERE collection = ? AND source_id = ?)"
    )
    place = place_of(collection["name"], document_id)
    # SQLite's integers have 64 bits; a longer number is nobody's.
    values = (min(int(number), 2**62), collection["id"], source_id)
    return next(rows(connection, "documents", where, values, place), None)


def vectors_of(
    connection: sqlite3.Connection, collection: str, encoder_key: str, document_ids: Sequence[str] | None
) -> Iterator[StoredVectors]:
    """The vectors of live documents that have some under a key; of all in order of addition, or of these."""
    for row_id, document_id in _chosen(connection, collection, document_ids):
        place = place_of(collection, document_id)
        stored = read_vectors(connection, row_id, document_id, encoder_key, place)
        if stored is not None:
            yield stored


def stamps_of(connection: sqlite3.Connection, collection: str, encoder_key: str) -> Iterator[VectorStamp]:
    """Of which rows the live documents have vectors under a key, in order of addition."""
    where = "WHERE document = ? AND encoder_key = ? ORDER BY kind, part LIMIT 1"
    for row_id, document_id in live_documents(connection, collection):
        place = place_of(collection, document_id)
        for row in rows(connection, "vectors", where, (row_id, encoder_key), place):
            yield VectorStamp(document_id, row["rows_sha256"])


def row_counts_of(connection: sqlite3.Connection, collection: str, kind: str) -> Iterator[tuple[str, int]]:
    """Id of every live document that has vectors of a kind, and how many, whatever they were made with."""
    where = "WHERE document = ? AND kind = ? ORDER BY encoder_key, part LIMIT 1"
    for row_id, document_id in live_documents(connection, collection):
        for row in rows(connection, "vectors", where, (row_id, kind), place_of(collection, document_id)):
            yield document_id, row["all_rows"]


def deleted_sources_of(connection: sqlite3.Connection, collection: str) -> frozenset[str]:
    """Hex SHA-256 of the texts that are gone because a person removed or replaced every document of them."""
    found = collection_row(connection, collection)
    if found is None:
        return frozenset()
    where, place = "WHERE collection = ?", place_of(collection)
    removals = [removal_from(row) for row in rows(connection, "removals", where, (found["id"],), place)]
    if not removals:
        return frozenset()
    there = {row["sha256"] for row in rows(connection, "sources", where, (found["id"],), place)}
    otherwise = {one.source_sha256 for one in removals if one.by == "sync"}
    return frozenset({one.source_sha256 for one in removals} - otherwise - there)


def _chosen(
    connection: sqlite3.Connection, collection: str, document_ids: Sequence[str] | None
) -> Iterator[tuple[int, str]]:
    if document_ids is None:
        yield from live_documents(connection, collection)
        return
    found = collection_row(connection, collection)
    if found is None:
        return
    for document_id in dict.fromkeys(document_ids):
        document = live_document(connection, found, document_id)
        if document is not None:
            yield document["id"], document_id
