"""Between the store's records and what a snapshot is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from api.engine_parts import EngineParts
from api.library.preparing import Prepared, Progress, encode
from api.library.snapshots import SourceFacts, encoder_key
from index.store import Store, StoredSource, StoredVectors
from rag.encoding.encoder import Encoder
from rag.rows import DocumentRows, rows_of_source


def live_rows(stored: StoredSource, parts: EngineParts) -> list[DocumentRows]:
    """Rows of those documents of a source that were not removed."""
    rows = rows_of_source(stored.source, chunk_max_chars=parts.settings.chunk_max_chars)
    return [one for number, one in enumerate(rows, 1) if number in stored.live]


def stored_as(
    store: Store, collection: str, encoder: Encoder, rows: Sequence[DocumentRows]
) -> list[Prepared] | None:
    """Documents with the vectors that the store has; None if it lacks some, or has those of other rows."""
    ids = tuple(row.document.document_id for row in rows)
    found = {
        one.document_id: one for one in store.vectors(collection, encoder_key(encoder), document_ids=ids)
    }
    if any(
        one not in found or found[one].rows_sha256 != row.sha256 for one, row in zip(ids, rows, strict=True)
    ):
        return None
    return [Prepared(row, found[one].vectors) for one, row in zip(ids, rows, strict=True)]


def with_vectors(
    store: Store,
    collection: str,
    encoder: Encoder,
    rows: Sequence[DocumentRows],
    progress: Progress | None = None,
) -> list[Prepared]:
    """Documents with the vectors that the store has (when only what is said of a text changes); else made."""
    return stored_as(store, collection, encoder, rows) or encode(rows, encoder, progress)


def facts_of(stored: StoredSource) -> SourceFacts:
    """What a snapshot keeps of a stored source."""
    return SourceFacts(stored.source, stored.origin, stored.added_at, stored.sequence, stored.live)


def changed_facts(
    store: Store, collection: str, facts: Mapping[str, SourceFacts], document_ids: Iterable[str]
) -> dict[str, SourceFacts]:
    """What is known of the sources after a change of these documents."""
    changed = dict(facts)
    for source_id in {document_id.partition("-")[0] for document_id in document_ids}:
        stored = store.source(collection, source_id)
        if stored is None:
            changed.pop(source_id, None)
        else:
            changed[source_id] = facts_of(stored)
    return changed


def stored_vectors(prepared: Prepared) -> StoredVectors:
    """A document's vectors as the store takes them."""
    return StoredVectors(prepared.rows.document.document_id, prepared.rows.sha256, prepared.vectors)
