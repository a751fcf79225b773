"""Between the store's records and what a snapshot is made of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from api.engine_parts import EngineParts
from api.library.preparing import Kept, Prepared, Progress, encode
from api.library.snapshots import SourceFacts, encoder_key
from index.store import Store, StoredSource, StoredVectors
from rag.encoding.encoder import Encoder
from rag.reading.blanking import without_documents
from rag.reading.documents import read_documents
from rag.records import Document, Source
from rag.rows import DocumentRows, rows_of_source


def live_rows(stored: StoredSource, parts: EngineParts) -> list[DocumentRows]:
    """Rows of those documents of a source that were not removed."""
    rows = rows_of_source(stored.source, chunk_max_chars=parts.settings.chunk_max_chars)
    live = [one for number, one in enumerate(rows, 1) if number in stored.live]
    shown = _shown(stored, [one.document for one in rows])
    return live if shown is stored.source else [one.standing_in(shown) for one in live]


def shown_source(stored: StoredSource) -> Source:
    """What may be shown of a source: all of it, but for what stood in documents that were removed.

    Costs reading it where some were.
    """
    return _shown(stored, read_documents(stored.source)) if stored.removed else stored.source


def _shown(stored: StoredSource, documents: Sequence[Document]) -> Source:
    gone = [one for number, one in enumerate(documents, 1) if number not in stored.live]
    staying = [one for number, one in enumerate(documents, 1) if number in stored.live]
    return without_documents(stored.source, gone, staying) if gone else stored.source


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
    kept: Kept | None = None,
) -> list[Prepared]:
    """Documents with the vectors that the store has (when only what is said of a text changes); else made."""
    return stored_as(store, collection, encoder, rows) or encode(rows, encoder, progress, kept)


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


def forget_unused_models(store: Store, parts: EngineParts) -> None:
    """Let go of the models that no collection uses any more."""
    parts.keep_only(one.encoder for one in store.collections())
