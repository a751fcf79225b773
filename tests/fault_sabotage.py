"""Libraries that are broken on purpose, each in one place: the fault suite must see every one of them."""

from __future__ import annotations

import os
import signal
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import api.library.seeding
import index.store.checking
import index.store.opening
import index.store.reading
from index.files import Digest, Files
from index.reader import Reader
from index.store import Addition, Store
from index.store.bodies import unpacked
from index.store.connections import connect
from index.store.reading import Row, metadata_from
from rag.records import Source

_REAL_APPLY = Store.apply
_REAL_CONNECT = connect


def _apply_without_removals(store: Store, collection: str, **change: Any) -> int:
    return _REAL_APPLY(store, collection, **(change | {"removals": ()}))


def _die_between_two_applies(store: Store, collection: str, **change: Any) -> int:
    if change.get("removals") and change.get("additions"):
        _REAL_APPLY(store, collection, **(change | {"additions": (), "done_pending": None}))
        os.kill(os.getpid(), signal.SIGKILL)
    return _REAL_APPLY(store, collection, **change)


def _connect_carelessly(*arguments: Any, **options: Any) -> Any:
    connection = _REAL_CONNECT(*arguments, **options)
    if options.get("writable"):
        connection.execute("PRAGMA synchronous = OFF")
    return connection


def _make_folder(folder: Path, files: Files) -> None:
    files.make_folder(folder)


def _write_blocks_unsynced(_: Files, path: Path, blocks: Iterable[bytes | memoryview]) -> Digest:
    data = b"".join(blocks)
    path.write_bytes(data)
    return Digest.of(data)


def _addition_that_brings_back(*given: Any, **named: Any) -> Addition:
    return Addition(*given, **(named | {"brings_back": True}))


def _source_of(connection: sqlite3.Connection, row: Row, _: str) -> Source:
    (body,) = connection.execute("SELECT body FROM texts WHERE id = ?", (row["text"],)).fetchone()
    said = (row["sha256"], row["encoding"], row["original_sha256"], metadata_from(row["metadata"]))
    return Source(row["name"], (unpacked(body) or b"").decode("utf-8"), *said)


_CHANGES: dict[str, tuple[tuple[Any, str, Any], ...]] = {
    "accepts before it is stored": ((Store, "put_pending", lambda *_: None),),
    "removes from memory only": ((Store, "apply", _apply_without_removals),),
    "replaces in two steps": ((Store, "apply", _die_between_two_applies),),
    "does not sync commits": ((index.store.opening, "connect", _connect_carelessly),),
    "does not sync the new folder": ((index.store.opening, "make_folder", _make_folder),),
    "does not sync generations": ((Files, "write_blocks", _write_blocks_unsynced),),
    "forgets what was deleted": (  # both times that it is asked about
        (Store, "deleted_sources", lambda *_: frozenset()),
        (api.library.seeding, "Addition", _addition_that_brings_back),
    ),
    "does not check texts": (
        (index.store.reading, "source_of", _source_of),
        (index.store.checking, "source_of", _source_of),
    ),
    "does not check generations": ((Reader, "_prove", lambda *_: None),),
}
"""For each what is put in the place of what."""

NAMES = tuple(_CHANGES)


@contextmanager
def applied(name: str | None) -> Iterator[None]:
    """Inside, the library is broken in this way; in none without a name."""
    changes = _CHANGES[name] if name else ()
    before = [getattr(owner, attribute) for owner, attribute, _ in changes]
    for owner, attribute, value in changes:
        setattr(owner, attribute, value)
    try:
        yield
    finally:
        for (owner, attribute, _), value in zip(changes, before, strict=True):
            setattr(owner, attribute, value)
