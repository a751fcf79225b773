"""A snapshot as lists show it."""

from __future__ import annotations

from api.library.lookup import source_of_document
from api.library.snapshots import Snapshot
from api.library_records import CollectionInfo, Entry
from index.store import StoredCollection
from rag.metadata import Filters


def info_of(stored: StoredCollection, snapshot: Snapshot) -> CollectionInfo:
    """A collection in a line."""
    return CollectionInfo(
        name=stored.name,
        created_at=stored.created_at,
        documents=len(snapshot.stamps),
        sources=len(snapshot.facts),
        chunks=snapshot.index.chunks - snapshot.index.dead,
        encoder=snapshot.model.encoder.name,
        calibration=snapshot.calibration,
        sequence=snapshot.sequence,
    )


def entries_of(snapshot: Snapshot, filters: Filters | None) -> tuple[Entry, ...]:
    """The documents that match, in the order of their coming."""
    found = []
    for document in snapshot.corpus.documents:
        if filters is None or filters.matches(document):
            source_id = source_of_document(document.document_id)
            facts = snapshot.facts[source_id]
            found.append(Entry(document, source_id, facts.origin, facts.added_at, facts.sequence))
    return tuple(found)
