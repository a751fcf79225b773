"""What a library tells and does not change: engines, lists, jobs, what became of a citation."""

from __future__ import annotations

from functools import partial

from api.calibration_records import Calibration
from api.engine_parts import EngineParts
from api.library.collection import LiveCollection
from api.library.correcting import calibration_of
from api.library.describing import entries_of, info_of
from api.library.jobs import JobBoard
from api.library.resolving import resolve_among
from api.library.shelf import Shelf
from api.library_records import CitationClaim, CollectionInfo, Entry, Job, Resolution
from index.store import Store
from rag.answering.citations import SourceLinks
from rag.engine import Engine
from rag.metadata import Filters
from rag.records import DEFAULT_COLLECTION


class LibraryReads:
    """Collections over one store, read. Safe to call from threads.

    Args:
        store: The truth.
        parts: Make engines.
        shelf: The collections.
        jobs: What is being done.
    """

    def __init__(self, store: Store, parts: EngineParts, shelf: Shelf, jobs: JobBoard) -> None:
        self._store = store
        self._parts = parts
        self._shelf = shelf
        self._jobs = jobs

    def live(self, name: str = DEFAULT_COLLECTION) -> LiveCollection:
        """A collection as this package knows it, up to date.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        return self._shelf.live(name)

    def engine(self, collection: str = DEFAULT_COLLECTION, filters: Filters | None = None) -> Engine:
        """One consistent state of a collection; see `api.ports.Library`, as all that follows."""
        return self.live(collection).snapshot.engine_for(filters)

    def engine_holding(self, document_id: str, collection: str | None = None) -> Engine:
        """A state of a collection that holds this document; see `api.ports.Library`."""
        held: Engine | None = None
        for name, live in sorted(self._shelf.all(), key=lambda each: each[0] != collection):
            snapshot = live.snapshot
            if document_id not in snapshot.stamps:
                continue
            if name == collection or not snapshot.engine.document(document_id).source.blanked:
                return snapshot.engine
            held = held or snapshot.engine
        return held or self.engine()

    def collections(self) -> tuple[CollectionInfo, ...]:
        """All collections; "default" first, then by name."""
        stored = {one.name: one for one in self._store.collections()}
        return tuple(
            info_of(stored[name], live.snapshot) for name, live in self._shelf.all() if name in stored
        )

    def job(self, job_id: str) -> Job:
        """A job as it stands."""
        return self._jobs.get(job_id)

    def jobs(self) -> tuple[Job, ...]:
        """All jobs that are known, oldest first."""
        return self._jobs.all()

    def wait(self, job_id: str, seconds: float) -> Job:
        """A job once it has ended, or as it stands after so long."""
        return self._jobs.wait(job_id, seconds)

    def entries(self, collection: str, filters: Filters | None = None) -> tuple[Entry, ...]:
        """The documents of a collection, in the order of their coming."""
        return entries_of(self.live(collection).snapshot, filters)

    def resolve(self, collection: str | None, claim: CitationClaim) -> Resolution:
        """What became of a cited place."""
        named = self._shelf.all() if collection is None else [(collection, self.live(collection))]
        places = [
            (
                live.snapshot.corpus.document_by_id.get,
                partial(self._store.removal, name),
                SourceLinks(self._parts.settings.public_url, name),
            )
            for name, live in named
        ]
        return resolve_among(claim, places)

    def calibration(self, collection: str) -> Calibration | None:
        """The calibration that is kept for a collection's encoder."""
        return calibration_of(self.live(collection))
