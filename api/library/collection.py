"""One corpus that lives: a snapshot that requests take, and the changes that put the next one in its place.

A change is made in this order: encode (others go on reading and writing), then under the lock commit it to
the store, make the next snapshot, and swap it in by one assignment. What fails before the commit changes
nothing; what fails after it is in the store, and the snapshot is loaded from there.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from api.engine_parts import EngineParts
from api.library.following import followed
from api.library.generations import GenerationKeeper
from api.library.loading import Loader, Told
from api.library.lookup import (
    documents_of,
    ids_if_there,
    is_there,
    no_collection,
    rows_of_upload,
    source_of_document,
)
from api.library.memory import sweeping_paused
from api.library.preparing import Prepared, Progress
from api.library.snapshots import Snapshot, encoder_key
from api.library.storing import changed_facts, stored_vectors, with_vectors
from api.library_records import UPLOADED, Added, Removed, Upload
from index.store import Addition, RemovedBy, Store
from rag.rows import DocumentRows

_log = logging.getLogger(__name__)


class LiveCollection:
    """One collection. Safe to call from threads.

    Args:
        store: The truth.
        name: Its name.
        parts: Make engines.
        folder: Where its generations lie.

    Attributes:
        version: The state of the store that the snapshot stands for.
    """

    def __init__(self, store: Store, name: str, parts: EngineParts, folder: Path) -> None:
        self.name = name
        self._store = store
        self._parts = parts
        self._generations = GenerationKeeper(name, folder)
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._gone = False
        self.version = -1

    @property
    def snapshot(self) -> Snapshot:
        """The current state; loaded if it is not, which is so at first, and after loading has failed."""
        snapshot = self._snapshot
        if snapshot is None:
            with self._lock:
                if self._snapshot is None:
                    self.load()
                return self.snapshot
        return snapshot

    def load(self, *, may_encode: bool = True, told: Told | None = None) -> int:
        """Take the state of the store; how many texts had to be encoded.

        Raises:
            IndexFileError: If the store is damaged, or vectors are missing and may not be made.
        """
        with self._lock:
            version = self._store.version()
            folder = self._generations.folder
            loader = Loader(self._store, self.name, self._parts, folder, may_encode=may_encode, told=told)
            try:
                with sweeping_paused():
                    self._snapshot, kept = loader.load()
            except BaseException:
                self._snapshot = None  # an old state would show what is deleted
                raise
            self.version = version
            self._generations.loaded(kept, loader.cut, outdated=loader.outdated)
            return loader.encoded

    def refresh(self) -> None:
        """Catch up with what another process has written; costs next to nothing if that is nothing."""
        version = self._store.version()
        if version == self.version:
            return
        with self._lock:
            if version == self.version:
                return
            loader = Loader(self._store, self.name, self._parts, self._generations.folder)
            followed_state = followed(self.snapshot, self._store, self.name, self._parts, loader)
            if followed_state is None:
                self.load()
            else:
                self._snapshot, self.version = followed_state, version

    def add(
        self,
        upload: Upload,
        *,
        replaces: str | None = None,
        done_pending: str | None = None,
        progress: Progress | None = None,
    ) -> Added:
        """Add a source, or put it in the place of another; it can be found when this returns.

        Args:
            upload: The source.
            replaces: Id of a document or source whose source gives way.
            done_pending: The job that asked for it, which is done then.
            progress: Told of the encoding; what it raises ends the work, and nothing has changed.

        Raises:
            NotFoundError: `document_not_found` if there is nothing to replace.
            InputError: `document_without_text`, or `document_conflict` if another text has this id.
            IndexFileError: If the store cannot be written; nothing has changed.
        """
        rows = rows_of_upload(upload, self._parts.settings)
        ids = tuple(one.document.document_id for one in rows)
        by: RemovedBy = "replaced" if upload.origin == UPLOADED else "sync"
        old = self._of_source(replaces)
        if is_there(self.snapshot, upload, ids, old):
            with self._changing():
                if done_pending is not None:
                    self._store.drop_pending(done_pending)
            return Added(ids, created=False)
        snapshot = self.snapshot
        prepared = self._prepared(snapshot, rows, progress)
        with self._changing():
            if encoder_key(self.snapshot.model.encoder) != encoder_key(snapshot.model.encoder):
                prepared = self._prepared(self.snapshot, rows, progress)  # reindexed meanwhile
            here = self.snapshot.stamps
            gone = tuple(one for one in self._of_source(replaces) if one not in ids)
            present = tuple(one for one in ids if one in here)
            sequence = self._store.apply(
                self.name,
                removals=[(one, by, ids) for one in gone],
                additions=[Addition(upload.source, upload.origin, tuple(map(stored_vectors, prepared)))],
                encoder_key=encoder_key(self.snapshot.model.encoder),
                done_pending=done_pending,
            )
            self._advance(sequence, removed=(*gone, *present), added=prepared)
        return Added(ids, created=len(present) < len(ids), replaced=gone)

    def remove(self, identifier: str, by: RemovedBy = "user") -> Removed:
        """Remove a document, or all documents of a source; no request that comes after this finds them.

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
            self._advance(sequence, removed=ids)
        return Removed(source_of_document(ids[0]), ids)

    def clear(self) -> None:
        """Remove all documents in one change; what was deleted so stays deleted. What waits still comes."""
        with self._changing():
            ids = tuple(self.snapshot.stamps)
            key = encoder_key(self.snapshot.model.encoder)
            sequence = self._store.apply(
                self.name, removals=[(one, "user", ()) for one in ids], encoder_key=key
            )
            self._advance(sequence, removed=ids)
        self._generations.erase()

    def drop(self) -> None:
        """Remove the collection with all it holds; whoever still works on it is refused."""
        with self._changing():
            self._store.drop_collection(self.name)
            self._gone = True
        self._generations.erase(for_good=True)

    def swap_encoder(self, encoder: str | None, complete: Callable[[], None]) -> None:
        """Change to vectors that were made beside the live ones, in one step.

        Args:
            encoder: The model; None for the one of the settings.
            complete: Makes what is still missing; called while nothing else can change.
        """
        with self._changing():
            complete()
            key = encoder_key(self._parts.model(encoder).encoder)
            self._store.switch_encoder(self.name, encoder, key)
            self.load()

    def write_generation(self, *, always: bool = False) -> None:
        """Write the index to disk if much has changed since it was written."""
        self._generations.keep_up(lambda: self.snapshot, always=always)

    def write_after_loading(self) -> None:
        """Write the index to disk if the start would have been much quicker with it."""
        snapshot = self.snapshot
        if self._generations.lags_after_loading(snapshot):
            self._generations.renew(snapshot)
        elif self._generations.rows_lag_after_loading(snapshot):
            self._generations.keep_rows(snapshot)

    def check_there(self, identifier: str) -> None:
        """See whether a document or source is there.

        Raises:
            NotFoundError: `document_not_found`.
        """
        self._of_source(identifier)

    def already_there(self, upload: Upload, replaces: str | None) -> tuple[str, ...] | None:
        """Ids of its documents, if adding it would change nothing."""
        return ids_if_there(self.snapshot, upload, self._of_source(replaces), self._parts.settings)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            if self._gone:
                raise no_collection(self.name)
            yield

    def _prepared(
        self, snapshot: Snapshot, rows: Sequence[DocumentRows], progress: Progress | None
    ) -> list[Prepared]:
        return with_vectors(self._store, self.name, snapshot.model.encoder, rows, progress)

    def _of_source(self, identifier: str | None) -> tuple[str, ...]:
        return documents_of(self.snapshot, self.name, identifier) if identifier is not None else ()

    def _advance(
        self, sequence: int, *, removed: Collection[str] = (), added: Sequence[Prepared] = ()
    ) -> None:
        """Swap in the state after a change that is committed."""
        snapshot = self.snapshot
        try:
            documents = [*removed, *(one.rows.document.document_id for one in added)]
            facts = changed_facts(self._store, self.name, snapshot.facts, documents)
            self._snapshot = snapshot.changed(removed=removed, added=added, facts=facts, sequence=sequence)
            self.version = self._store.version()
        except Exception:  # noqa: BLE001 -- the change is committed, and must be seen
            _log.exception("the index of %r could not follow a change, and is loaded anew", self.name)
            self.load()
