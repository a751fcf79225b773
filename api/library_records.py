"""What the routes and commands hand to a library of collections, and get back from it. Data only."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from api.calibration_records import Calibrated
from rag.records import Document, Metadata, Source

COLLECTION_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
"""What the name of a collection looks like, from end to end."""

DOCUMENT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")
"""What the id of a document or source looks like, from end to end; others are nobody's."""

UPLOADED = "upload"
"""The origin of what somebody added by hand."""

SYNCED = "sync:"
"""What the origin of a folder that is synced begins with."""

UNNAMED_TEXT = "未命名.txt"
"""What a text is called that came without a name."""

JobKind = Literal["add", "reindex", "calibrate"]
JobState = Literal["queued", "running", "done", "failed", "cancelled"]
Said = Callable[[Metadata], Metadata]
"""From what is said of a source to what is to be said; what it raises ends the change."""
ResolutionStatus = Literal["current", "changed", "removed", "unknown"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A text to be added, already read or converted.

    Attributes:
        source: Its text, name and metadata.
        origin: What it belongs to: "upload", "seeds", or the mark of a folder that is synced.
        notes: What a reader should know about the conversion, in Chinese.
    """

    source: Source
    origin: str = UPLOADED
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionInfo:
    """One corpus of a library.

    Attributes:
        name: Lower-case letters, digits, "-" and "_", 1-64 of them.
        created_at: UTC, ISO 8601.
        documents, sources, chunks: How many it holds.
        encoder: Name of the model that its vectors were made with.
        calibration: What confidence rests on: "general", "none" or "collection".
        sequence: Number of the last change, from 0.
    """

    name: str
    created_at: str
    documents: int
    sources: int
    chunks: int
    encoder: str
    calibration: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Entry:
    """A document as the list shows it.

    Attributes:
        document: The document.
        source_id: Of the text that it stands in; all documents of one text share it.
        origin: As in `Upload`.
        added_at: UTC, ISO 8601.
        sequence: Number of the change that brought it; the list is in this order.
    """

    document: Document
    source_id: str
    origin: str
    added_at: str
    sequence: int


@dataclass(frozen=True, slots=True)
class Job:
    """Work that takes its time, as it stands now.

    A job to add something is durable once it exists: a server that is killed goes on with it when it starts
    again. It is searchable when the state is "done", not before.

    Attributes:
        job_id: Its name.
        kind, collection, state: What, where, how far.
        done, total: Texts encoded (questions judged), and in all; 0 of 0 before that is known.
        source_id, document_ids: What was added; known from the beginning for the source.
        created: False if it was there already, with the same content.
        replaced: Documents that gave way to it.
        notes: As in `Upload`; of one that was cancelled, what is left of it.
        error_code, error_message: Why it failed.
        kept: Whether the text that was accepted for a job that failed is still there: it is tried again when
            somebody asks for it, or at the next start, and goes when the job is cancelled.
        took_over: Whether it goes on with a text that was accepted before: that one is not let go of because
            the later caller is told of a failure.
        calibrated: What came of calibrating.
    """

    job_id: str
    kind: JobKind
    collection: str
    state: JobState
    done: int = 0
    total: int = 0
    source_id: str | None = None
    document_ids: tuple[str, ...] = ()
    created: bool = True
    replaced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    error_code: str | None = None
    error_message: str | None = None
    kept: bool = False
    took_over: bool = False
    calibrated: Calibrated | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Added:
    """What came of adding a source.

    Attributes:
        document_ids: Its documents, in order.
        created: False if it was there already, with the same content.
        replaced: Documents that gave way.
        notes: Of the upload, and what else the uploader should know.
    """

    document_ids: tuple[str, ...]
    created: bool
    replaced: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Removed:
    """What a removal took away: all or some documents of one source."""

    source_id: str
    document_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CitationClaim:
    """A citation that somebody kept.

    Attributes:
        document_id: As it was cited.
        start_char, end_char: The range in the source that was cited.
        source_sha256: As it was cited, if known.
        quote: As it was cited, if known: with it, a replaced document can be searched for the same words.
    """

    document_id: str
    start_char: int
    end_char: int
    source_sha256: str | None = None
    quote: str | None = None


@dataclass(frozen=True, slots=True)
class Resolution:
    """What became of a cited place.

    Attributes:
        status: "current": the text stands there unchanged. "changed": the document was replaced. "removed":
            it was removed. "unknown": there never was one, or it says something else.
        document_id: As it was claimed.
        replaced_by: What took its place, where that is known.
        found_in: The document in which the quoted words stand now; None if they stand nowhere.
        start_char, end_char, start_line, end_line, quote, url: Where, and the words as they stand there.
        message: For people, in Chinese.
    """

    status: ResolutionStatus
    document_id: str
    message: str
    replaced_by: tuple[str, ...] = ()
    found_in: str | None = None
    start_char: int | None = None
    end_char: int | None = None
    start_line: int | None = None
    end_line: int | None = None
    quote: str | None = None
    url: str | None = None
