"""The store: one SQLite file with every text, its vectors and what was removed. The truth of a library.

From the bottom up: `records` (what comes in and out), `bodies` (texts that can be erased), `schema` (tables,
seals), `faults` (SQLite's errors as ours), `lock` (one writer; who has it open); `connections`, `readers`,
`pages` (SQLite's own check); `matrices` (vectors as rows of a table); `reading`, `listing`, `writing`,
`applying` (over one connection); `checking`; `backup`; `opening` (the file, open) and `store` (what is in it:
the class that others use).

It knows records and files: no encoder, no engine, no question. Nothing else speaks SQL about documents.
"""

from __future__ import annotations

from index.store.backup import restore
from index.store.connections import FILE_NAME
from index.store.records import (
    Addition,
    Finding,
    Pending,
    Removal,
    RemovedBy,
    SourceLabel,
    StoredCollection,
    StoredSource,
    StoredVectors,
    VectorStamp,
    Withdrawal,
)
from index.store.store import Store

__all__ = [
    "FILE_NAME",
    "Addition",
    "Finding",
    "Pending",
    "Removal",
    "RemovedBy",
    "SourceLabel",
    "Store",
    "StoredCollection",
    "StoredSource",
    "StoredVectors",
    "VectorStamp",
    "Withdrawal",
    "restore",
]
