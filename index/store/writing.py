"""Changes, over one connection, inside the caller's transaction: all of a change or nothing of it.

What a caller hands over is checked here, before any of it is written: a store that holds only what agrees
with itself can treat every disagreement as damage.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence

from index.flat import fault
from index.store.bodies import packed
from index.store.listing import live_document
from index.store.matrices import write_vectors
from index.store.reading import Row, collection_row, counter, metadata_text
from index.store.records import (
    Pending,
    StoredVectors,
)
from index.store.schema import insert, next_id, update
from rag.errors import InputError, NotFoundError
from rag.records import Source


def known_collection(connection: sqlite3.Connection, name: str) -> Row:
    """The row of a collection.

    Raises:
        NotFoundError: With code `collection_not_found`.
    """
    row = collection_row(connection, name)
    if row is None:
        raise NotFoundError(
            f"没有名为 {name!r} 的文库。请先建立它，或改用已有的。", code="collection_not_found"
        )
    return row


def create_collection(connection: sqlite3.Connection, name: str, now: str) -> Row:
    """Make an empty collection.

    Raises:
        InputError: With code `collection_exists`.
    """
    if collection_row(connection, name) is not None:
        raise InputError(
            f"已经有名为 {name!r} 的文库。请换一个名字，或直接使用它。", code="collection_exists"
        )
    # A name that is used again goes on counting, so that nobody takes old numbers for new ones.
    floor = counter(connection, "sequence_floor")
    insert(connection, "collections", (next_id(connection, "collections"), name, now, None, floor))
    return known_collection(connection, name)


def put_vectors(
    connection: sqlite3.Connection, collection: str, encoder_key: str, stored: Sequence[StoredVectors]
) -> None:
    """Store vectors of live documents; see `Store.put_vectors`."""
    row = known_collection(connection, collection)
    for one in stored:
        check_vectors(one)
        document = live_document(connection, row, one.document_id)
        if document is not None:
            write_vectors(connection, document["id"], encoder_key, one)


def drop_vectors(connection: sqlite3.Connection, collection: str) -> None:
    """Forget all vectors of a collection, whatever they were made with."""
    row = known_collection(connection, collection)
    connection.execute(
        "DELETE FROM vectors WHERE document IN (SELECT d.id FROM documents d"
        " JOIN sources s ON d.source = s.id WHERE s.collection = ?)",
        (row["id"],),
    )


def switch_encoder(
    connection: sqlite3.Connection, collection: str, encoder: str | None, keep_key: str
) -> None:
    """Name a collection's encoder and drop the vectors of all others."""
    row = known_collection(connection, collection)
    row["encoder"] = encoder
    update(connection, "collections", tuple(row.values()))
    connection.execute(
        "DELETE FROM vectors WHERE encoder_key <> ? AND document IN (SELECT d.id FROM documents d"
        " JOIN sources s ON d.source = s.id WHERE s.collection = ?)",
        (keep_key, row["id"]),
    )


def put_pending(connection: sqlite3.Connection, pending: Pending) -> None:
    """Keep a text until it is encoded."""
    row = known_collection(connection, pending.collection)
    if connection.execute("SELECT 1 FROM pending WHERE job_id = ?", (pending.job_id,)).fetchone():
        raise ValueError(f"job {pending.job_id!r} is pending already")
    source = pending.source
    check_id(connection, source)
    values = (
        *(next_id(connection, "pending"), pending.job_id, row["id"], put_text(connection, source)),
        *(pending.origin, source.name, source.sha256, source.encoding, source.original_sha256),
        *(metadata_text(source.metadata), pending.replaces, pending.accepted_at),
    )
    insert(connection, "pending", values)


def drop_pending(connection: sqlite3.Connection, job_id: str) -> None:
    """Forget a text that waits; nothing happens if there is none."""
    connection.execute("DELETE FROM texts WHERE id IN (SELECT text FROM pending WHERE job_id = ?)", (job_id,))


def set_calibration(
    connection: sqlite3.Connection, collection: str, encoder_key: str, content: str | None
) -> None:
    """Store or (None) forget a calibration."""
    row = known_collection(connection, collection)
    connection.execute(
        "DELETE FROM calibrations WHERE collection = ? AND encoder_key = ?", (row["id"], encoder_key)
    )
    if content is not None:
        insert(
            connection,
            "calibrations",
            (next_id(connection, "calibrations"), row["id"], encoder_key, content),
        )


def check_id(connection: sqlite3.Connection, source: Source) -> None:
    """See whether the id of a text is that of no other one, here or gone, in any collection.

    An id is a part of a checksum, and somebody who tries for some seconds can make two texts that share it.
    Links and citations name nothing else; they must not show one text in the place of another.

    Raises:
        InputError: With code `document_conflict`.
    """
    for table, column in (("sources", "sha256"), ("removals", "source_sha256")):
        taken = connection.execute(
            f"SELECT 1 FROM {table} WHERE collection IN (SELECT id FROM collections)"  # noqa: S608 - ours
            f" AND source_id = ? AND {column} <> ? LIMIT 1",
            (source.source_id, source.sha256),
        ).fetchone()
        if taken:
            raise InputError(
                f"编号 {source.source_id} 属于另一份不同的原文，它在文库里或曾在文库里（两份的 SHA-256 "
                "前 12 位碰巧相同）。请在文中加一个空行后再添加。",
                code="document_conflict",
            )


def put_text(connection: sqlite3.Connection, source: Source) -> int:
    """Store a text; its row number.

    Raises:
        ValueError: If it does not have the SHA-256 that its source says.
    """
    body = source.text.encode("utf-8")
    if hashlib.sha256(body).hexdigest() != source.sha256:
        raise ValueError(f"the text of {source.name!r} does not have the SHA-256 {source.sha256!r}")
    row_id = next_id(connection, "texts")
    connection.execute("INSERT INTO texts (id, body) VALUES (?, ?)", (row_id, packed(body)))
    return row_id


def check_vectors(stored: StoredVectors) -> None:
    """Let only what `fault` finds sound into the store.

    Raises:
        ValueError: If anything else is among a document's vectors.
    """
    for kind, matrix in stored.vectors.items():
        problem = fault(matrix)
        if problem:
            raise ValueError(f"{kind} vectors of {stored.document_id}: {problem}")
