"""The library: the port that routes and commands use, over a store and the collections in it."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path
from typing import Any

from api.engine_parts import EngineParts
from api.library.collection import LiveCollection
from api.library.describing import entries_of, info_of
from api.library.intake import Intake
from api.library.jobs import JobBoard, Report, new_job_id
from api.library.loading import Told
from api.library.lookup import check_collection_name, no_collection
from api.library.reindexing import Reindexing
from api.library.resolving import better, resolve
from api.library_records import (
    DEFAULT_COLLECTION,
    CitationClaim,
    CollectionInfo,
    Entry,
    Job,
    Removed,
    Resolution,
    Upload,
)
from index.store import Store
from rag.engine import Engine
from rag.errors import UnavailableError
from rag.metadata import Filters


class Library:
    """Collections over one store. Safe to call from threads; close it, or use it in a `with`.

    Args:
        store: The truth; the library closes it.
        parts: Make engines.
        index_dir: Where generations lie, a folder for each collection.

    Attributes:
        encoded: How many texts had to be encoded to open it.
    """

    def __init__(self, store: Store, parts: EngineParts, index_dir: Path) -> None:
        self._store = store
        self._parts = parts
        self._index_dir = index_dir
        self._lock = threading.Lock()  # held for a moment only: every request takes it
        self._administration = threading.RLock()
        self._collections: dict[str, LiveCollection] = {}
        self._jobs = JobBoard(self._after_job)
        self._intake = Intake(store, self._jobs, self.live)
        self.encoded = 0

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, *, may_encode: bool = True, told: Told | None = None) -> int:
        """Load every collection; how many texts had to be encoded for it.

        Raises:
            IndexFileError: If the store is damaged, or vectors are missing and may not be made.
        """
        encoded = 0
        for stored in self._store.collections():
            collection = self._live(stored.name)
            encoded += collection.load(may_encode=may_encode, told=told)
            if self._store.writable:
                collection.write_after_loading()
        return encoded

    def take_up(self) -> None:
        """Go on with what was accepted before the last end of the process."""
        if self._store.writable:
            self._intake.take_up()

    def close(self) -> None:
        """Stop what runs (it is taken up at the next start) and close the store. May be called again."""
        self._jobs.close()
        self._store.close()  # which says from then on that it is closed

    @property
    def writable(self) -> bool:
        """Whether this process may change it."""
        return self._store.writable

    def let_others_write(self) -> None:
        """Only read from now on, and follow what another process writes."""
        self._store.let_others_write()

    def set_note(self, note: str) -> None:
        """What a process is told that wants to write too, e.g. the address of this service."""
        if self._store.writable:
            self._store.set_note(note)

    def live(self, name: str = DEFAULT_COLLECTION) -> LiveCollection:
        """A collection as this package knows it, up to date.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        with self._lock:
            found = self._collections.get(name)
        if not self._store.writable:
            found = self._follow(name)
        if found is None:
            raise no_collection(name)
        return found

    def engine(self, collection: str = DEFAULT_COLLECTION, filters: Filters | None = None) -> Engine:
        """One consistent state of a collection; see `api.ports.Library`, as all that follows."""
        return self.live(collection).snapshot.engine_for(filters)

    def engine_holding(self, document_id: str) -> Engine:
        """A state of the first collection that holds this document."""
        for _, live in self._known():
            snapshot = live.snapshot
            if document_id in snapshot.stamps:
                return snapshot.engine
        return self.engine()

    def collections(self) -> tuple[CollectionInfo, ...]:
        """All collections; "default" first, then by name."""
        stored = {one.name: one for one in self._store.collections()}
        return tuple(info_of(stored[name], live.snapshot) for name, live in self._known() if name in stored)

    def create_collection(self, name: str) -> CollectionInfo:
        """Make an empty collection."""
        self._check_writable()
        check_collection_name(name)
        with self._administration:
            stored = self._store.create_collection(name)
            live = self._new(name)
            try:
                live.load()
            except BaseException:
                live.drop()
                raise
            with self._lock:
                self._collections[name] = live
            return info_of(stored, live.snapshot)

    def remove_collection(self, name: str) -> CollectionInfo:
        """Remove a collection with all it holds; "default" is emptied and stays."""
        self._check_writable()
        with self._administration:
            live = self.live(name)
            info = next(one for one in self.collections() if one.name == name)
            if name == DEFAULT_COLLECTION:
                live.clear()
            else:
                live.drop()
                with self._lock:
                    del self._collections[name]
            return info

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        """Begin to add a text, or to put it in the place of another."""
        self._check_writable()
        return self._intake.accept(collection, upload, replaces)

    def job(self, job_id: str) -> Job:
        """A job as it stands."""
        return self._jobs.get(job_id)

    def jobs(self) -> tuple[Job, ...]:
        """All jobs that are known, oldest first."""
        return self._jobs.all()

    def wait(self, job_id: str, seconds: float) -> Job:
        """A job once it has ended, or as it stands after so long."""
        return self._jobs.wait(job_id, seconds)

    def remove(self, collection: str, identifier: str) -> Removed:
        """Remove a document, or all documents of a source."""
        self._check_writable()
        return self.live(collection).remove(identifier)

    def entries(self, collection: str, filters: Filters | None = None) -> tuple[Entry, ...]:
        """The documents of a collection, in the order of their coming."""
        return entries_of(self.live(collection).snapshot, filters)

    def resolve(self, collection: str | None, claim: CitationClaim) -> Resolution:
        """What became of a cited place."""
        found = Resolution("unknown", claim.document_id, "从来没有这个编号的文档。请核对 document_id。")
        for name, live in self._known() if collection is None else [(collection, self.live(collection))]:
            documents = live.snapshot.corpus.document_by_id
            removal = partial(self._store.removal, name)
            here = resolve(claim, documents.get, removal, public_url=self._parts.settings.public_url)
            found = better(found, here)
        return found

    def reindex(self, collection: str, encoder: str | None) -> Job:
        """Begin to encode a collection anew beside the live index."""
        self._check_writable()
        live = self.live(collection)

        def work(report: Report) -> dict[str, Any]:
            Reindexing(self._store, live, self._parts, encoder, report).run()
            return {}

        self._jobs.check_room()
        job = Job(new_job_id(), "reindex", collection, "queued")
        return self._jobs.submit(job, work, lane="slow")

    def _after_job(self, collection: str) -> None:
        with self._lock:
            live = self._collections.get(collection)
        if live is not None:
            live.write_generation()

    def _live(self, name: str) -> LiveCollection:
        with self._lock:
            if name not in self._collections:
                self._collections[name] = self._new(name)
            return self._collections[name]

    def _new(self, name: str) -> LiveCollection:
        return LiveCollection(self._store, name, self._parts, self._index_dir / name)

    def _follow(self, name: str) -> LiveCollection | None:
        """The collection as the writing process has it now; None if it is gone."""
        with self._lock:
            known = self._collections.get(name)
        if known is not None and self._store.version() == known.version:
            return known
        if self._store.collection(name) is None:
            with self._lock:
                self._collections.pop(name, None)
            return None
        known = self._live(name)
        known.refresh()
        return known

    def _known(self) -> list[tuple[str, LiveCollection]]:
        """All collections with their names, "default" first; none that somebody has just removed."""
        if self._store.writable:
            with self._lock:
                known = dict(self._collections)
        else:
            names = [one.name for one in self._store.collections()]
            known = {name: live for name in names if (live := self._follow(name)) is not None}
        return sorted(known.items(), key=lambda one: (one[0] != DEFAULT_COLLECTION, one[0]))

    def _check_writable(self) -> None:
        if not self._store.writable:
            self._store.version()  # a store that is closed says so
            raise UnavailableError(
                "文库由另一个进程在写，本进程只能读。请到那个服务上添加或删除文档，或等它结束后重新启动。",
                code="library_read_only",
            )
