"""Things to put into a store: texts, and vectors that one can make again from their name alone."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from index.store import Addition, Store, StoredSource, StoredVectors
from rag.records import Metadata, Source

KEY = "编码器-3"
DIM = 8


def source(text: str, name: str = "灯塔.txt", metadata: Metadata | None = None, original: str = "") -> Source:
    sha256 = hashlib.sha256(text.encode()).hexdigest()
    return Source(name, text, sha256, original_sha256=original, metadata=metadata or Metadata())


def matrix(seed: str, rows: int, dim: int = DIM) -> NDArray[np.float32]:
    number = int.from_bytes(hashlib.sha256(seed.encode()).digest()[:4], "little")
    drawn = np.random.default_rng(number).standard_normal((rows, dim)).astype(np.float32)
    unit: NDArray[np.float32] = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


def vectors(document_id: str, rows: int = 2, dim: int = DIM, salt: str = "") -> StoredVectors:
    kinds = {"chunk": rows, "sentence": 2 * rows, "window": 2 * rows}
    return StoredVectors(
        document_id,
        hashlib.sha256(document_id.encode()).hexdigest(),
        {kind: matrix(f"{document_id} {kind} {salt}", count, dim) for kind, count in kinds.items()},
    )


def addition(
    text: str, documents: int = 1, origin: str = "upload", rows: int = 2, name: str = "灯塔.txt"
) -> Addition:
    made = source(text, name)
    ids = [f"{made.sha256[:12]}-{number}" for number in range(1, documents + 1)]
    return Addition(made, origin, tuple(vectors(document_id, rows) for document_id in ids))


def ids(added: Addition) -> list[str]:
    return [stored.document_id for stored in added.documents]


def add(store: Store, *additions: Addition, collection: str = "default") -> int:
    return store.apply(collection, additions=additions, encoder_key=KEY)


def remove(store: Store, *document_ids: str, collection: str = "default") -> int:
    return store.apply(collection, removals=[(one, "user", ()) for one in document_ids], encoder_key=KEY)


def texts(store: Store, collection: str = "default") -> list[str]:
    return [stored.source.text for stored in store.sources(collection)]


def live_ids(stored: StoredSource) -> list[str]:
    return [f"{stored.source_id}-{number}" for number in stored.live]


def same(one: Mapping[str, NDArray[np.float32]], other: Mapping[str, NDArray[np.float32]]) -> bool:
    return set(one) == set(other) and all(
        one[kind].dtype == np.float32 and np.array_equal(one[kind], other[kind]) for kind in one
    )
