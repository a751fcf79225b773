"""Replies of the service that callers do not see as such: what they hold is handed out without them."""

from __future__ import annotations

from cewen.models import Document, Model


class DocumentList(Model):
    """`GET /v1/documents`, in reading order."""

    documents: tuple[Document, ...]


class ExampleList(Model):
    """`GET /v1/examples`: questions that the corpus answers."""

    questions: tuple[str, ...]


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
