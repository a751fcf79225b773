"""What is judged: the seam to a question answering service, and the published reply as records.

Both ways to reach a service (in process and by URL) go through the published JSON, so what is judged is
what a caller sees. Only the fields that are judged are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeVar

from evals.sources import SourceText
from rag.records import Turn

_Record = TypeVar("_Record", "Cited", "Hit", "PassageView")


@dataclass(frozen=True, slots=True)
class Cited:
    """A citation as published; see `rag.records.Citation` for the meaning of each field."""

    number: int
    document_id: str
    paragraph: int
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    quote: str
    source_sha256: str
    match: str
    url: str
    score: float


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of an answer and the numbers of its citations."""

    text: str
    citations: tuple[int, ...]
    match: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage as published by search."""

    rank: int
    score: float
    document_id: str
    chunk_id: str
    text: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class Reply:
    """The reply to a question, without its id.

    Attributes:
        status: Whether it was answered.
        raw: What each arm of the search said of the best passage, by name; empty if it was not told.
        timings_ms: The service's own account; not part of what must repeat.
    """

    status: Literal["answered", "abstained"]
    answer: str
    reason: str | None
    confidence: float
    sentences: tuple[Said, ...]
    citations: tuple[Cited, ...]
    related: tuple[Hit, ...]
    resolved_question: str
    fingerprint: str
    raw: Mapping[str, float] = field(default_factory=dict)
    timings_ms: Mapping[str, float] = field(default_factory=dict, compare=False)


class Service(Protocol):
    """Answers and searches.

    Both raise `UnavailableError` if no question could be answered now, another `CewenError` if this one
    could not.
    """

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """Answer a question."""

    def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
        """The best passages, best first."""


@dataclass(frozen=True, slots=True)
class PassageView:
    """A body paragraph: where it stands and what it reads."""

    number: int
    start_char: int
    end_char: int
    text: str


@dataclass(frozen=True, slots=True)
class DocumentView:
    """A document of the service's corpus."""

    document_id: str
    label: str
    source_sha256: str
    paragraphs: tuple[PassageView, ...]


@dataclass(frozen=True)
class Subject:
    """A service together with what it claims to answer from.

    Attributes:
        service: What is asked.
        sources: The untouched texts to judge against.
        documents: What the service says its documents are.
        described: Names of its parts (model, settings, fingerprints), for the report.
    """

    service: Service
    sources: tuple[SourceText, ...]
    documents: tuple[DocumentView, ...]
    described: Mapping[str, str | int | float]


def read_reply(data: Mapping[str, Any]) -> Reply:
    """A reply from the JSON of `POST /v1/ask` with `explain`."""
    passages = (data.get("explain") or {}).get("passages") or [{}]
    return Reply(
        status=data["status"],
        answer=data["answer"],
        reason=data["reason"],
        confidence=data["confidence"],
        sentences=tuple(
            Said(row["text"], tuple(row["citations"]), row["match"]) for row in data["sentences"]
        ),
        citations=tuple(_picked(Cited, row) for row in data["citations"]),
        related=tuple(read_hit(row) for row in data["related"]),
        resolved_question=data["resolved_question"],
        fingerprint=data["fingerprint"],
        raw=dict(passages[0].get("raw", {})),
        timings_ms=dict(data["timings_ms"]),
    )


def read_hit(data: Mapping[str, Any]) -> Hit:
    """A hit from the JSON of `POST /v1/search`."""
    return _picked(Hit, data)


def read_document(data: Mapping[str, Any]) -> DocumentView:
    """A document from the JSON of `GET /v1/documents/{id}`."""
    paragraphs = tuple(_picked(PassageView, row) for row in data["paragraphs"])
    return DocumentView(data["id"], data["label"], data["source_sha256"], paragraphs)


def _picked(kind: type[_Record], data: Mapping[str, Any]) -> _Record:
    """A record from the fields of `data` that it has; a missing one raises `KeyError`."""
    return kind(**{name: data[name] for name in kind.__slots__})
