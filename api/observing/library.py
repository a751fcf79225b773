"""The library as every surface gets it: engines observed, changes timed, jobs counted when they end.

What it counts of a job is what it hears of it: from whoever asks after the job or waits for it, else from the
collection of the metrics. So how long a job took is exact where somebody waited, and to a scrape elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any

from api.calibration_records import Calibration
from api.library_records import CitationClaim, CollectionInfo, Entry, Job, Removed, Resolution, Said, Upload
from api.observing.engine import ObservedEngine, Recorder
from api.observing.metrics import Metrics
from api.ports import Engine, Library
from rag.errors import NotFoundError
from rag.metadata import Filters
from rag.records import DEFAULT_COLLECTION

_FOLLOWED = 500
"""So many jobs are followed until somebody looks which of them have ended."""


class ObservedLibrary:
    """A library whose questions and changes are counted.

    Args:
        library: Does the work.
        metrics: Where it is counted.
        timeout_seconds: How long one answer may take.
        recorder: Is given every answer.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        library: Library,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._library = library
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._recorder = recorder
        self._clock = clock
        self._begun: dict[str, float] = {}
        self._look_at = _FOLLOWED
        self._lock = threading.Lock()

    def engine(self, collection: str = DEFAULT_COLLECTION, filters: Filters | None = None) -> Engine:
        """As the library has it, observed."""
        narrowed = filters is not None
        return self._observed(self._library.engine(collection, filters), collection, narrowed=narrowed)

    def engine_holding(self, document_id: str, collection: str | None = None) -> Engine:
        """As the library has it: for reading a document, not for asking, so there is nothing to observe."""
        return self._library.engine_holding(document_id, collection)

    def collections(self) -> tuple[CollectionInfo, ...]:
        """As the library has it."""
        return self._library.collections()

    def create_collection(self, name: str) -> CollectionInfo:
        """As the library has it, timed."""
        with self._timed("create_collection"):
            return self._library.create_collection(name)

    def remove_collection(self, name: str) -> CollectionInfo:
        """As the library has it, timed."""
        with self._timed("remove_collection"):
            return self._library.remove_collection(name)

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        """As the library has it, timed until it is durable, and once more until it is searchable."""
        begun = self._clock()
        with self._timed("add"):
            job = self._library.add(collection, upload, replaces=replaces)
        return self._follow(job, begun)

    def jobs(self) -> tuple[Job, ...]:
        """As the library has it."""
        return self._library.jobs()

    def job(self, job_id: str) -> Job:
        """As the library has it."""
        return self._heard(self._library.job(job_id))

    def cancel(self, job_id: str) -> Job:
        """As the library has it, timed."""
        with self._timed("cancel"):
            job = self._library.cancel(job_id)
        return self._heard(job)

    def retry(self, job_id: str) -> Job:
        """As the library has it, timed until it ends."""
        begun = self._clock()
        return self._follow(self._library.retry(job_id), begun)

    def describe(self, collection: str, identifier: str, said: Said) -> tuple[str, ...]:
        """As the library has it, timed."""
        with self._timed("describe"):
            return self._library.describe(collection, identifier, said)

    def wait(self, job_id: str, seconds: float) -> Job:
        """As the library has it."""
        return self._heard(self._library.wait(job_id, seconds))

    def remove(self, collection: str, identifier: str) -> Removed:
        """As the library has it, timed."""
        with self._timed("remove"):
            return self._library.remove(collection, identifier)

    def entries(self, collection: str, filters: Filters | None = None) -> tuple[Entry, ...]:
        """As the library has it."""
        return self._library.entries(collection, filters)

    def resolve(self, collection: str | None, claim: CitationClaim) -> Resolution:
        """As the library has it."""
        return self._library.resolve(collection, claim)

    def reindex(self, collection: str, encoder: str | None) -> Job:
        """As the library has it, timed until it ends."""
        begun = self._clock()
        return self._follow(self._library.reindex(collection, encoder), begun)

    def calibrate(self, collection: str, questions: Sequence[Any], *, keep: bool) -> Job:
        """As the library has it, timed until it ends; what is judged for it is not counted."""
        begun = self._clock()
        return self._follow(self._library.calibrate(collection, questions, keep=keep), begun)

    def calibration(self, collection: str) -> Calibration | None:
        """As the library has it."""
        return self._library.calibration(collection)

    def forget_calibration(self, collection: str) -> bool:
        """As the library has it, timed."""
        with self._timed("forget_calibration"):
            return self._library.forget_calibration(collection)

    def close(self) -> None:
        """Close the library, if there is anything to close."""
        close = getattr(self._library, "close", None)
        if close is not None:
            close()

    def settle(self) -> None:
        """Count the jobs begun here that have ended since somebody looked."""
        for job_id in tuple(self._begun):
            try:
                self.job(job_id)
            except NotFoundError:  # it ended so long ago that nobody remembers how
                with self._lock:
                    self._begun.pop(job_id, None)

    def _observed(self, engine: Engine, collection: str, *, narrowed: bool) -> ObservedEngine:
        return ObservedEngine(
            engine,
            self._metrics,
            timeout_seconds=self._timeout_seconds,
            collection=collection,
            narrowed=narrowed,
            recorder=self._recorder,
        )

    @contextmanager
    def _timed(self, operation: str) -> Iterator[None]:
        """Time what succeeds; what is refused does nothing, and would only make the times look short."""
        begun = self._clock()
        yield
        self._metrics.count_write(operation, self._clock() - begun)

    def _follow(self, job: Job, begun: float) -> Job:
        with self._lock:
            self._begun.setdefault(job.job_id, begun)
            many = len(self._begun) >= self._look_at
        if many:  # nobody collects the metrics, and few jobs are waited for
            self.settle()
            with self._lock:
                self._look_at = max(_FOLLOWED, 2 * len(self._begun))  # those left have not ended
        return self._heard(job)

    def _heard(self, job: Job) -> Job:
        if job.ended:
            with self._lock:
                begun = self._begun.pop(job.job_id, None)
            if begun is not None:
                self._metrics.count_job(job, self._clock() - begun)
        return job
