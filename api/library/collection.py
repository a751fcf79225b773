"""One corpus that lives: a snapshot that requests take, and the changes that put the next one in its place.

A change is made in this order: encode (others go on reading and writing), then under the lock commit it to
the store, make the next snapshot, and swap it in by one assignment. What fails before the commit changes
nothing; what fails after it is in the store, and the snapshot is loaded from there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from api.library.current import CurrentCollection
from api.library.lookup import (
    as_said,
    is_there,
    no_document,
    rows_of_upload,
    source_of_document,
)
from api.library.preparing import Kept, Prepared, Progress
from api.library.snapshots import Snapshot, encoder_key
from api.library.storing import changed_facts, live_rows, stored_vectors, with_vectors
from api.library_records import SYNCED, Added, Removed, Upload
from index.store import Addition, RemovedBy
from rag.confidence.correction import Correction
from rag.records import Metadata
from rag.rows import DocumentRows

_log = logging.getLogger(__name__)


class LiveCollection(CurrentCollection):
    """One collection that is changed; made as a `CurrentCollection`. Safe to call from threads."""

    def add(
        self,
        upload: Upload,
        *,
        replaces: str | None = None,
        done_pending: str | None = None,
        progress: Progress | None = None,
        decide: Callable[[], None] = lambda: None,
        kept: Kept | None = None,
    ) -> Added:
        """Add a source, or put it in the place of another; it can be found when this returns.

        Args:
            upload: The source.
            replaces: Id of a document or source; its source gives way, or what has taken its place since.
            done_pending: The job that asked for it, which is done then.
            progress: Told of the encoding; what it raises ends the work, and nothing has changed.
            decide: Called directly before the change; what it raises ends the work, too.
            kept: Keeps vectors until all are made.

        Raises:
            NotFoundError: `document_not_found` if there is nothing to replace.
            InputError: `document_without_text`, or `document_conflict` if another text has this id.
            TooLargeError: `document_too_large`.
            IndexFileError: If the store cannot be written; nothing has changed.
        """
        by: RemovedBy = "sync" if upload.origin.startswith(SYNCED) else "replaced"
        given, (upload, told) = upload, as_said(self.snapshot, upload)
        rows = rows_of_upload(upload, self._parts.settings)
        ids = tuple(one.document.document_id for one in rows)
        old = self._giving_way(replaces)
        if is_there(self.snapshot, upload, ids, old):
            with self._changing():
                decide()
                if done_pending is not None:
                    self._store.drop_pending(done_pending)
            return Added(ids, created=False, notes=(*upload.notes, *told))
        snapshot = self.snapshot
        prepared = self._prepared(snapshot, rows, progress, kept)
        with self._changing():
            if encoder_key(self.snapshot.model.encoder) != encoder_key(snapshot.model.encoder):
                prepared = self._prepared(self.snapshot, rows, progress)  # reindexed meanwhile
            if as_said(self.snapshot, given)[0] != upload:  # said otherwise meanwhile
                upload, told = as_said(self.snapshot, given)
                rows = rows_of_upload(upload, self._parts.settings)
                prepared = [replace(one, rows=row) for one, row in zip(prepared, rows, strict=True)]
            here = self.snapshot.stamps
            gone = tuple(one for one in self._giving_way(replaces) if one not in ids)
            present = tuple(one for one in ids if one in here)
            decide()
            sequence = self._store.apply(
                self.name,
                removals=[(one, by, ids) for one in gone],
                additions=[Addition(upload.source, upload.origin, tuple(map(stored_vectors, prepared)))],
                encoder_key=encoder_key(self.snapshot.model.encoder),
                done_pending=done_pending,
            )
            self._advance(sequence, removed=(*gone, *present), added=prepared)
        return Added(ids, len(present) < len(ids), gone, (*upload.notes, *told))

    def describe(self, identifier: str, said: Callable[[Metadata], Metadata]) -> tuple[str, ...]:
        """Change what is said of a source, and nothing else: nothing is encoded. Ids of its documents.

        Args:
            identifier: Of the source, or of a document of it.
            said: From what is said of it to what is to be said; what it raises ends the work.

        Raises:
            NotFoundError: `document_not_found`.
            IndexFileError: If the store cannot be written; nothing has changed.
        """
        with self._changing():
            snapshot = self.snapshot
            ids = self._of_source(identifier)
            if (stored := self._store.source(self.name, source_of_document(ids[0]))) is None:
                raise no_document(self.name, identifier)
            source = replace(stored.source, metadata=said(stored.source.metadata))
            if source == stored.source:
                return ids
            rows = live_rows(replace(stored, source=source), self._parts)
            prepared = self._prepared(snapshot, rows, None)
            key, said_now = encoder_key(snapshot.model.encoder), Addition(source, stored.origin, ())
            sequence = self._store.apply(self.name, additions=[said_now], encoder_key=key)
            self._advance(sequence, removed=ids, added=prepared)
        return ids

    def remove(
        self, identifier: str, by: RemovedBy = "user", done: Callable[[str], None] = lambda _: None
    ) -> Removed:
        """Remove a document, or all documents of a source; no request that comes after this finds them.

        Args:
            identifier: Of the source, or of a document of it.
            by: Who removes it. If a person, the same text no longer waits to be added, either.
            done: Called with the id of the source before anything else can change.

        Raises:
            NotFoundError: `document_not_found`.
            IndexFileError: If the store cannot be written; nothing has changed.
        """
        with self._changing():
            stamps = self.snapshot.stamps
            ids = (identifier,) if identifier in stamps else self._of_source(identifier)
            sequence = self._store.apply(
                self.name,
                removals=[(one, by, ()) for one in ids],
                encoder_key=encoder_key(self.snapshot.model.encoder),
            )
            source_id = source_of_document(ids[0])
            self._advance(sequence, removed=ids)
            done(source_id)
        return Removed(source_id, ids)

    def clear(self, done: Callable[[], None] = lambda: None) -> None:
        """Remove all documents, and what waits to come; `done` is called before anything else can change."""
        with self._changing():
            ids = tuple(self.snapshot.stamps)
            key = encoder_key(self.snapshot.model.encoder)
            sequence = self._store.apply(
                self.name,
                removals=[(one, "user", ()) for one in ids],
                encoder_key=key,
                forgets_pending=True,
            )
            self._advance(sequence, removed=ids)
            done()
        self._generations.erase()

    def drop(self, done: Callable[[], None] = lambda: None) -> None:
        """Remove the collection with all it holds; whoever still works on it is refused. `done` as above."""
        with self._changing():
            self._store.drop_collection(self.name)
            self._gone = True
            done()
        self._generations.erase(for_good=True)

    def swap_encoder(
        self, encoder: str | None, complete: Callable[[], None], decide: Callable[[], None] = lambda: None
    ) -> None:
        """Change to vectors that were made beside the live ones, in one step.

        Args:
            encoder: The model; None for the one of the settings.
            complete: Makes what is still missing; called while nothing else can change.
            decide: As for `add`.
        """
        with self._changing():
            complete()
            decide()
            key = encoder_key(self._parts.model(encoder).encoder)
            self._store.switch_encoder(self.name, encoder, key)
            self.load()

    def correct(self, key: str, text: str | None) -> bool:
        """Keep a calibration, or (None) forget it; answers go by it from then on.

        Args:
            key: Of the encoder that it was made with.
            text: As `Correction.to_text` writes it.

        Returns:
            False, with nothing changed, if the collection has another encoder by now.
        """
        with self._changing():
            snapshot = self.snapshot
            if encoder_key(snapshot.model.encoder) != key:
                return False
            self._store.set_calibration(self.name, key, text)
            self._snapshot = snapshot.corrected(None if text is None else Correction.from_text(text))
            self.version = self._store.version()
            return True

    def _prepared(
        self,
        snapshot: Snapshot,
        rows: Sequence[DocumentRows],
        progress: Progress | None,
        kept: Kept | None = None,
    ) -> list[Prepared]:
        prepared = with_vectors(self._store, self.name, snapshot.model.encoder, rows, progress, kept)
        for one in prepared:
            one.terms()  # what cannot be indexed fails before it is committed
        return prepared

    def _advance(
        self, sequence: int, *, removed: Collection[str] = (), added: Sequence[Prepared] = ()
    ) -> None:
        """Swap in the state after a change that is committed."""
        snapshot = self.snapshot
        new = [one.rows.document.document_id for one in added]
        if not set(removed) <= set(new):
            self._generations.lost(sequence)
        try:
            documents = [*removed, *new]
            facts = changed_facts(self._store, self.name, snapshot.facts, documents)
            self._snapshot = snapshot.changed(removed=removed, added=added, facts=facts, sequence=sequence)
            self.version = self._store.version()
        except Exception:  # noqa: BLE001 -- the change is committed, and must be seen
            _log.exception("the index of %r could not follow a change, and is loaded anew", self.name)
            self.load()
