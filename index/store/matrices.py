"""Vectors of a document as rows of a table: little-endian float32, cut into parts of a few megabytes.

Parts, because SQLite holds at most a gigabyte in one value and both sides would hold it whole in memory.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.store.faults import DamageError
from index.store.records import StoredVectors
from index.store.schema import COLUMNS, insert, next_id, seal_of

_PART_BYTES = 4 << 20
_FLOAT = np.dtype("<f4")


@dataclass(slots=True)
class _Filling:
    """A matrix of which the first `filled` rows are there."""

    matrix: NDArray[np.float32]
    filled: int = 0
    parts: int = 0


def write_vectors(
    connection: sqlite3.Connection, document: int, encoder_key: str, stored: StoredVectors
) -> None:
    """Store a document's vectors, in place of those that it has under this key."""
    connection.execute("DELETE FROM vectors WHERE document = ? AND encoder_key = ?", (document, encoder_key))
    row_id = next_id(connection, "vectors")
    for kind, matrix in sorted(stored.vectors.items()):
        rows, dim = matrix.shape
        step = max(1, _PART_BYTES // (dim * _FLOAT.itemsize))
        for part, first in enumerate(range(0, max(rows, 1), step)):
            piece = np.ascontiguousarray(matrix[first : first + step], dtype=_FLOAT)
            data = piece.view(np.uint8).data.cast("B") if piece.size else b""
            values = (
                *(row_id, document, encoder_key, stored.rows_sha256, kind, part),
                *(len(piece), rows, len(stored.vectors), dim, hashlib.sha256(data).digest()),
            )
            insert(connection, "vectors", values, data=data)
            row_id += 1


def read_vectors(
    connection: sqlite3.Connection, document: int, document_id: str, encoder_key: str, place: str
) -> StoredVectors | None:
    """A document's vectors under a key, every byte verified; None if it has none.

    Raises:
        DamageError: If something does not agree, at `place`.
    """
    fillings: dict[str, _Filling] = {}
    stamps: set[tuple[str, int]] = set()
    rows = connection.execute(
        f"SELECT {', '.join(COLUMNS['vectors'])}, seal, data FROM vectors"  # noqa: S608 - constant names
        " WHERE document = ? AND encoder_key = ? ORDER BY kind, part",
        (document, encoder_key),
    )
    for *values, seal, data in rows:
        if seal_of("vectors", values) != seal:
            raise DamageError(place, "一行向量的记录与校验和不符")
        rows_sha256, kind, part, part_rows, all_rows, kinds, dim, data_sha256 = values[3:]
        piece = _piece(data, data_sha256, (part_rows, dim), f"{place}，{kind} 向量第 {part + 1} 段")
        if kind not in fillings:
            fillings[kind] = _Filling(np.empty((all_rows, dim), np.float32))
        filling = fillings[kind]
        fits = filling.filled + part_rows <= all_rows and filling.matrix.shape == (all_rows, dim)
        if filling.parts != part or not fits:
            raise DamageError(place, f"{kind} 向量的各段接不起来")
        filling.matrix[filling.filled : filling.filled + part_rows] = piece
        filling.filled += part_rows
        filling.parts += 1
        stamps.add((rows_sha256, kinds))
    if not fillings:
        return None
    short = [kind for kind, filling in fillings.items() if filling.filled != len(filling.matrix)]
    if short or stamps != {(min(stamps)[0], len(fillings))}:
        raise DamageError(place, "向量不齐")
    for filling in fillings.values():
        filling.matrix.flags.writeable = False
    return StoredVectors(document_id, min(stamps)[0], _matrices(fillings))


def vector_keys(connection: sqlite3.Connection, document: int) -> Iterator[str]:
    """The encoder keys under which a document has vectors."""
    rows = connection.execute(
        "SELECT DISTINCT encoder_key FROM vectors WHERE document = ? ORDER BY encoder_key", (document,)
    )
    return (str(key) for (key,) in rows.fetchall())


def _piece(data: bytes, sha256: bytes, shape: tuple[int, int], place: str) -> NDArray[np.float32]:
    if hashlib.sha256(data).digest() != sha256:
        raise DamageError(place, "内容与校验和不符")
    if len(data) != shape[0] * shape[1] * _FLOAT.itemsize:
        raise DamageError(place, f"长度是 {len(data)} 字节，与 {shape[0]}×{shape[1]} 不符")
    return np.frombuffer(data, _FLOAT).reshape(shape)


def _matrices(fillings: Mapping[str, _Filling]) -> dict[str, NDArray[np.float32]]:
    return {kind: filling.matrix for kind, filling in fillings.items()}
