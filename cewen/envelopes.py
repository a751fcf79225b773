"""Replies of the service that callers do not see as such: what they hold is handed out without them."""

from __future__ import annotations

from cewen.calibration_models import Calibration
from cewen.library_models import Collection, Document, Job
from cewen.models import Model


class DocumentList(Model):
    """`GET /v1/documents`: a page of them, in the order of their coming."""

    documents: tuple[Document, ...]
    total: int | None = None
    next_offset: int | None = None


class ExampleList(Model):
    """`GET /v1/examples`: questions that the corpus answers."""

    questions: tuple[str, ...]


class CollectionList(Model):
    """`GET /v1/collections`."""

    collections: tuple[Collection, ...]


class JobBegun(Model):
    """A reply to what takes its time."""

    job: Job


class JobList(Model):
    """`GET /v1/jobs`."""

    jobs: tuple[Job, ...]
    total: int


class CalibrationFound(Model):
    """`GET /v1/collections/{name}/calibration`."""

    collection: str
    calibration: Calibration | None


class CalibrationForgotten(Model):
    """`DELETE /v1/collections/{name}/calibration`."""

    collection: str
    forgotten: bool


class AddReply(Model):
    """The reply to an upload: what was added, or the job that is still at it."""

    source_id: str | None = None
    documents: tuple[Document, ...] = ()
    created: bool = True
    replaced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    job: Job | None = None


class ReadyReply(Model):
    """`GET /readyz` when it is."""

    fingerprint: str


class ErrorDetail(Model):
    """What went wrong: a broad class, a stable code, words for people."""

    type: str = ""
    code: str
    message: str
    request_id: str | None = None


class ErrorReply(Model):
    """Any error, in a reply or in a stream."""

    error: ErrorDetail
