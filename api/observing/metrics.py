"""Everything that is counted and measured, in a registry of its own (an app has one; tests make many apps).

Every label has few values: no path, no caller, no text. What may come from outside, an error code or a
generator of a third party, is "other" where we do not know it; of collections, whose names users choose, the
first 50 have a label of their own. What each metric means stands in `docs/operations.md`; the Grafana panels
in `docs/deploy`.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from importlib.metadata import version

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    generate_latest,
)

from api.engine_slot import EngineSlot
from api.errors.codes import CODES
from api.guards.limits import AdmissionGate
from api.library_records import CollectionInfo, Job
from api.observing.requests import SURFACES
from api.ports import Engine
from rag.errors import UnavailableError
from rag.records import Answer

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Of the classic text format, which every version of Prometheus reads."""

STAGES = ("encode", "search", "judge", "write", "total")
_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
_STAGE_SECONDS = (0.001, 0.0025, *_SECONDS)
OPERATIONS = (
    "add",
    "describe",
    "remove",
    "cancel",
    "create_collection",
    "remove_collection",
    "forget_calibration",
)
JOB_KINDS = ("add", "reindex", "calibrate")
_JOB_ENDS = ("done", "failed", "cancelled")
VERDICTS = ("up", "down")
MAX_COLLECTIONS = 50
OTHER_COLLECTIONS = "_other"
"""Stands for the collections beyond the first; the name of one cannot begin like this."""

_GENERATORS = frozenset({"extractive", "openai"})
_REASONS = ("off_topic", "not_stated", "false_premise", "too_vague")
_REFUSALS = ("overloaded", "shutting_down", "not_ready", "answer_timeout", "internal_error")


class Metrics:
    """The metrics of one application."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._requests = Counter(
            "cewen_requests", "Requests answered.", ("surface", "method", "status"), registry=registry
        )
        self._request_seconds = Histogram(
            "cewen_request_seconds",
            "From the first byte of a request to the last of its reply.",
            ("surface",),
            buckets=_SECONDS,
            registry=registry,
        )
        self.in_progress = Gauge(
            "cewen_requests_in_progress", "Requests being answered.", ("surface",), registry=registry
        )
        self._refused = Counter("cewen_refused", "Errors told to callers.", ("code",), registry=registry)
        self._make_answer_metrics(registry)
        self._make_state_metrics(registry)
        self._make_library_metrics(registry)
        self._counted = ("", 0, 0, 0)
        self._exposing = threading.Lock()
        # A series that begins at 0 can be alerted on from its first event.
        for surface in SURFACES:
            self._request_seconds.labels(surface)
            self.in_progress.labels(surface)
        for code in _REFUSALS:
            self._refused.labels(code)

    def _make_answer_metrics(self, registry: CollectorRegistry) -> None:
        self._answers = Counter(
            "cewen_answers",
            "Answers and abstentions.",
            ("status", "reason", "generator"),
            registry=registry,
        )
        self._stage_seconds = Histogram(
            "cewen_stage_seconds",
            "Stages of an answer.",
            ("stage",),
            buckets=_STAGE_SECONDS,
            registry=registry,
        )
        self._degraded = Counter(
            "cewen_degraded", "Answers not by the generator asked for.", ("code",), registry=registry
        )
        self._sentences = Counter(
            "cewen_sentences", "Sentences shown, by how they match.", ("match",), registry=registry
        )
        self._rejected = Counter(
            "cewen_rejected_sentences", "Sentences dropped by the verifier.", ("verdict",), registry=registry
        )
        self._feedback = Counter("cewen_feedback", "Verdicts on answers.", ("verdict",), registry=registry)
        for verdict in VERDICTS:
            self._feedback.labels(verdict)
        self._answers.labels("answered", "none", "extractive")
        for reason in _REASONS:
            self._answers.labels("abstained", reason, "extractive")
        for stage in STAGES:
            self._stage_seconds.labels(stage)
        for match in ("exact", "normalised", "supported"):
            self._sentences.labels(match)
        for verdict in ("rejected", "repeated"):
            self._rejected.labels(verdict)

    def _make_state_metrics(self, registry: CollectorRegistry) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, registry=registry)

        self._in_use = gauge("cewen_queue_in_use", "Requests that compute.")
        self._waiting = gauge("cewen_queue_waiting", "Requests that wait for a place.")
        self._places = gauge("cewen_queue_places", "Requests that may compute at once.")
        self._ready = gauge("cewen_engine_ready", "1 if the engine is open.")
        self._leaving = gauge("cewen_shutting_down", "1 once the service refuses new work.")
        self._documents = gauge("cewen_corpus_documents", "Documents.")
        self._paragraphs = gauge("cewen_corpus_paragraphs", "Paragraphs.")
        self._characters = gauge("cewen_corpus_characters", "Characters of the paragraphs.")
        self._build = Info("cewen_build", "What answers.", registry=registry)

    def _make_library_metrics(self, registry: CollectorRegistry) -> None:
        self._collection_documents = Gauge(
            "cewen_collection_documents", "Documents of a collection.", ("collection",), registry=registry
        )
        self._collection_chunks = Gauge(
            "cewen_collection_chunks", "Chunks of a collection.", ("collection",), registry=registry
        )
        self._jobs = Gauge("cewen_jobs", "Jobs that have not ended.", ("state",), registry=registry)
        self._job_seconds = Histogram(
            "cewen_job_seconds",
            "From the beginning of a job to its end.",
            ("kind", "state"),
            buckets=_SECONDS,
            registry=registry,
        )
        self._write_seconds = Histogram(
            "cewen_write_seconds",
            "Changes of the library, until they are durable.",
            ("operation",),
            buckets=_STAGE_SECONDS,
            registry=registry,
        )
        for operation in OPERATIONS:
            self._write_seconds.labels(operation)
        for kind in JOB_KINDS:
            for state in _JOB_ENDS:
                self._job_seconds.labels(kind, state)

    def count_request(self, surface: str, method: str, status: int, seconds: float) -> None:
        """Count a request whose reply has been sent."""
        self._requests.labels(surface, method, str(status)).inc()
        self._request_seconds.labels(surface).observe(seconds)

    def count_refusal(self, code: str) -> None:
        """Count an error that a caller was told."""
        self._refused.labels(_known(code)).inc()

    def count_answer(self, answer: Answer) -> None:
        """Count an answer or abstention, its stages, its sentences and what the verifier dropped."""
        generator = answer.generator if answer.generator in _GENERATORS else "other"
        self._answers.labels(answer.status, answer.reason or "none", generator).inc()
        for stage, milliseconds in answer.timings_ms.items():
            if stage in STAGES:
                self._stage_seconds.labels(stage).observe(milliseconds / 1e3)
        if answer.degraded:
            self._degraded.labels(_known(answer.degraded.code)).inc()
        for sentence in answer.sentences:
            self._sentences.labels(sentence.match).inc()
        for verdict, count in answer.dropped.items():
            self._rejected.labels(verdict).inc(count)

    def count_feedback(self, verdict: str) -> None:
        """Count a verdict that was kept, one of `VERDICTS`; a changed one counts again."""
        self._feedback.labels(verdict).inc()

    def count_write(self, operation: str, seconds: float) -> None:
        """Count a change of the library that succeeded, one of `OPERATIONS`."""
        self._write_seconds.labels(operation).observe(seconds)

    def count_job(self, job: Job, seconds: float) -> None:
        """Count a job that has ended."""
        self._job_seconds.labels(job.kind, job.state).observe(seconds)

    def exposition(self, slot: EngineSlot, gate: AdmissionGate, *, leaving: bool) -> bytes:
        """All of it as Prometheus reads it, with the state of this moment."""
        with self._exposing:
            self._in_use.set(gate.in_use)
            self._waiting.set(gate.waiting)
            self._places.set(gate.max_concurrent)
            self._leaving.set(leaving)
            self._set_library(slot)
            return generate_latest(self.registry)

    def _set_library(self, slot: EngineSlot) -> None:
        counted = ("", 0, 0, 0)
        infos, jobs = tuple[CollectionInfo, ...](), tuple[Job, ...]()
        try:
            library = slot.library()
        except UnavailableError:
            self._ready.set(0)
        else:
            self._ready.set(1)
            counted = self._count_corpus(library.engine())
            infos, jobs = library.collections(), library.jobs()
        fingerprint, documents, paragraphs, characters = counted
        self._documents.set(documents)
        self._paragraphs.set(paragraphs)
        self._characters.set(characters)
        self._build.info({"version": version("cewen"), "fingerprint": fingerprint})
        self._set_collections(infos)
        for state in ("queued", "running"):
            self._jobs.labels(state).set(sum(job.state == state for job in jobs))

    def _count_corpus(self, engine: Engine) -> tuple[str, int, int, int]:
        """Fingerprint, documents, paragraphs, characters; counted anew only where something changed."""
        if self._counted[0] != engine.fingerprint:
            documents = engine.documents()
            paragraphs = [paragraph for document in documents for paragraph in document.paragraphs]
            characters = sum(len(paragraph.text) for paragraph in paragraphs)
            self._counted = (engine.fingerprint, len(documents), len(paragraphs), characters)
        return self._counted

    def _set_collections(self, infos: Sequence[CollectionInfo]) -> None:
        own, others = infos[:MAX_COLLECTIONS], infos[MAX_COLLECTIONS:]
        rows = [(info.name, info.documents, info.chunks) for info in own]
        if others:
            documents = sum(info.documents for info in others)
            rows.append((OTHER_COLLECTIONS, documents, sum(info.chunks for info in others)))
        # Those that were removed are not to stay.
        self._collection_documents.clear()
        self._collection_chunks.clear()
        for name, documents, chunks in rows:
            self._collection_documents.labels(name).set(documents)
            self._collection_chunks.labels(name).set(chunks)


def _known(code: str) -> str:
    return code if code in CODES else "other"
