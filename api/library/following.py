"""How a reading process keeps up with the writing one: the next state from the differences in the store."""

from __future__ import annotations

from api.engine_parts import EngineParts
from api.library.loading import Loader
from api.library.lookup import source_of_document
from api.library.snapshots import Snapshot, encoder_key
from api.library.storing import facts_of, live_rows
from index.store import Store


def followed(
    snapshot: Snapshot, store: Store, collection: str, parts: EngineParts, loader: Loader
) -> Snapshot | None:
    """The state that the store holds now, made from an earlier one.

    Returns:
        None if it has to be loaded anew: with another encoder, or in an order that differences do not give.
    """
    live = store.live_documents(collection)
    stored = store.collection(collection)
    encoder = parts.model(stored.encoder if stored else None).encoder
    new = list(store.sources(collection, after=snapshot.sequence))
    rows = [row for source in new for row in live_rows(source, parts)]
    fresh = {row.document.document_id for row in rows}
    staying = set(live) - fresh
    gone = [one for one in snapshot.stamps if one not in staying]
    left = [one for one in snapshot.stamps if one in staying]
    ordered = [*left, *(row.document.document_id for row in rows)]
    if ordered != list(live) or encoder_key(encoder) != encoder_key(snapshot.model.encoder):
        return None
    prepared = [one for batch in loader.prepared(snapshot.model, rows) for one in batch]
    facts = {source_of_document(one): snapshot.facts[source_of_document(one)] for one in left}
    for source_id in {source_of_document(one) for one in gone} & facts.keys():
        if found := store.source(collection, source_id):
            facts[source_id] = facts_of(found)
    facts |= {source.source_id: facts_of(source) for source in new}
    sequence = max([stored.sequence if stored else 0, *(source.sequence for source in new)])
    changed = snapshot.changed(removed=gone, added=prepared, facts=facts, sequence=sequence)
    return changed.corrected(loader.correction(snapshot.model))
