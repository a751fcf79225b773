"""A library that commands change: one opened in this process, or that of a service elsewhere.

Both speak in the client library's own records, so that `--json` prints the same and people are shown the
same. Work that takes its time is waited for, with its progress told.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from typing import Any, Protocol

import cewen
from api.cli.ending import calling_off, ended_well
from api.cli.service import as_our_errors
from api.library.mirroring import Loaded
from api.library.syncing import Present
from api.library_records import Job
from api.ports import Library
from cewen.adding import added_by
from rag.errors import CewenError, UnavailableError

Told = Callable[[int, int], None]
"""Called with (texts encoded, texts in all)."""

_LOOK_SECONDS = 0.5
_AT_ONCE_SECONDS = 1.0
"""How long a service may wait before it replies: until then there is no job that could be called off."""


def _tell_nobody(_done: int, _total: int) -> None:
    pass


class Holdings(Protocol):
    """What commands do to a library."""

    def add(self, collection: str, loaded: Loaded, *, replaces: str | None = None) -> cewen.Added:
        """Add a file, and wait until it is searchable."""
        ...

    def remove(self, collection: str, identifier: str) -> cewen.Removed:
        """Remove a document or source."""
        ...

    def held(self, collection: str) -> Sequence[Present]:
        """Every source, in the order of their coming."""
        ...

    def collections(self) -> Sequence[cewen.Collection]:
        """All collections."""
        ...

    def create_collection(self, name: str) -> cewen.Collection:
        """Make an empty collection."""
        ...

    def remove_collection(self, name: str) -> cewen.Collection:
        """Remove a collection with all it holds."""
        ...

    def reindex(self, collection: str, encoder: str | None, told: Told) -> cewen.Job:
        """Encode a collection anew, and wait for the end."""
        ...


class LocalHoldings:
    """A library of this process.

    Args:
        library: Opened to be written.
    """

    def __init__(self, library: Library) -> None:
        self._library = library

    def add(self, collection: str, loaded: Loaded, *, replaces: str | None = None) -> cewen.Added:
        """Add a file, and wait until it is searchable."""
        job = self._ended(self._library.add(collection, loaded.upload, replaces=replaces))
        return cewen.Added(
            source_id=job.source_id or "",
            document_ids=job.document_ids,
            created=job.created,
            replaced=job.replaced,
            notes=job.notes,
        )

    def remove(self, collection: str, identifier: str) -> cewen.Removed:
        """Remove a document or source."""
        return cewen.Removed.model_validate(asdict(self._library.remove(collection, identifier)))

    def held(self, collection: str) -> Sequence[Present]:
        """Every source, in the order of their coming."""
        found: dict[str, Present] = {}
        for entry in self._library.entries(collection):
            source = entry.document.source
            found[entry.source_id] = Present(
                source.name, entry.source_id, source.sha256, source.original_sha256, entry.origin
            )
        return list(found.values())

    def collections(self) -> Sequence[cewen.Collection]:
        """All collections."""
        return [cewen.Collection.model_validate(asdict(info)) for info in self._library.collections()]

    def create_collection(self, name: str) -> cewen.Collection:
        """Make an empty collection."""
        return cewen.Collection.model_validate(asdict(self._library.create_collection(name)))

    def remove_collection(self, name: str) -> cewen.Collection:
        """Remove a collection with all it holds."""
        return cewen.Collection.model_validate(asdict(self._library.remove_collection(name)))

    def reindex(self, collection: str, encoder: str | None, told: Told) -> cewen.Job:
        """Encode a collection anew, and wait for the end."""
        job = self._ended(self._library.reindex(collection, encoder), told)
        return cewen.Job.model_validate(asdict(job))

    def _ended(self, job: Job, told: Told = _tell_nobody) -> Job:
        with calling_off(lambda: self._library.cancel(job.job_id)):
            while not job.ended:
                told(job.done, job.total)
                job = self._library.wait(job.job_id, _LOOK_SECONDS)
        if job.kept:  # who hears of the failure has the file still
            with suppress(CewenError):
                self._library.cancel(job.job_id)
        return ended_well(job)


class RemoteHoldings:
    """The library of a service elsewhere.

    Args:
        client: A client of it.
    """

    def __init__(self, client: cewen.Client) -> None:
        self._client = client

    def add(self, collection: str, loaded: Loaded, *, replaces: str | None = None) -> cewen.Added:
        """Add a file, and wait until it is searchable."""
        source = loaded.upload.source
        told: dict[str, Any] = {
            "name": source.name,
            "metadata": {name: value for name, value in asdict(source.metadata).items() if value},
            "collection": collection,
            "origin": loaded.upload.origin,
        }
        with as_our_errors():
            if replaces is None:
                added = self._client.add_file(loaded.data, wait=_AT_ONCE_SECONDS, **told)
            else:
                added = self._client.replace(replaces, file=loaded.data, wait=_AT_ONCE_SECONDS, **told)
            return added if added.job is None else added_by(self._ended(added.job))

    def remove(self, collection: str, identifier: str) -> cewen.Removed:
        """Remove a document or source."""
        with as_our_errors():
            return self._client.remove(identifier, collection=collection)

    def held(self, collection: str) -> Sequence[Present]:
        """Every source, in the order of their coming."""
        found: dict[str, Present] = {}
        for one in self._client.documents(collection=collection):
            source_id = one.source_id or one.id.rpartition("-")[0]
            found[source_id] = Present(
                one.name, source_id, one.source_sha256, one.original_sha256, one.origin
            )
        return list(found.values())

    def collections(self) -> Sequence[cewen.Collection]:
        """All collections."""
        return self._client.collections()

    def create_collection(self, name: str) -> cewen.Collection:
        """Make an empty collection."""
        return self._client.create_collection(name)

    def remove_collection(self, name: str) -> cewen.Collection:
        """Remove a collection with all it holds."""
        return self._client.remove_collection(name)

    def reindex(self, collection: str, encoder: str | None, told: Told) -> cewen.Job:
        """Encode a collection anew, and wait for the end."""
        return ended_well(self._ended(self._client.reindex(collection, encoder), told))

    def calibrate(
        self, collection: str, questions: Sequence[dict[str, Any]], *, keep: bool, told: Told
    ) -> cewen.Calibrated:
        """Calibrate a collection, and wait for the end."""
        begun = self._client.calibrate(questions, collection=collection, keep=keep)
        calibrated = ended_well(self._ended(begun, told)).calibrated
        if calibrated is None:
            raise UnavailableError("服务没有说明标定的结果。请查看服务的版本和日志。")
        return calibrated

    def forget_calibration(self, collection: str) -> bool:
        """Forget a collection's calibration; whether there was one."""
        return self._client.forget_calibration(collection)

    def _ended(self, job: cewen.Job, told: Told = _tell_nobody) -> cewen.Job:
        with calling_off(lambda: self._client.cancel(job)):
            while not job.ended:
                told(job.done, job.total)
                job = self._client.wait_for(job, seconds=_LOOK_SECONDS)
        return job


class CollectionTarget:
    """One collection of a library, as something to sync.

    Args:
        holdings: The library.
        collection: Which.
    """

    def __init__(self, holdings: Holdings, collection: str) -> None:
        self._holdings = holdings
        self._collection = collection

    def held(self) -> Sequence[Present]:
        """Every source, in the order of their coming."""
        return self._holdings.held(self._collection)

    def add(self, loaded: Loaded, *, replaces: str | None) -> str:
        """Add a file, in the place of a source if one is named."""
        return self._holdings.add(self._collection, loaded, replaces=replaces).source_id

    def remove(self, source_id: str) -> None:
        """Remove a source."""
        self._holdings.remove(self._collection, source_id)
