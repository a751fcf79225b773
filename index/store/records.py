"""What goes into the store and comes out of it. Data only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rag.records import Source

RemovedBy = Literal["user", "replaced", "sync"]
Withdrawal = tuple[str, RemovedBy, tuple[str, ...]]
"""A removal that is asked for: document id, by whom, ids of the documents that take its place."""


@dataclass(frozen=True, slots=True)
class StoredCollection:
    """One collection.

    Attributes:
        name: As it was created.
        created_at: UTC, ISO 8601; for people, nothing is ordered by it.
        encoder: The model it was switched to; None for the one of the settings.
        sequence: Number of its last change, from 0; only grows, also over removals.
        sources, documents: How many are live.
    """

    name: str
    created_at: str
    encoder: str | None
    sequence: int
    sources: int
    documents: int


@dataclass(frozen=True, slots=True)
class StoredSource:
    """A source with at least one live document.

    Attributes:
        collection: Where.
        source_id: First 12 hex digits of the text's SHA-256.
        sequence: Number of the change that brought it, or that last replaced what is said about it.
        origin: What it belongs to, e.g. "upload" or "seeds".
        source: Text, name and metadata; the text agrees with its SHA-256.
        added_at: UTC, ISO 8601, when it first came; for people.
        live: Numbers of its documents that were not removed, ascending from 1; never empty.
        removed: How many of its documents were. Their text is still in `source`.
    """

    collection: str
    source_id: str
    sequence: int
    origin: str
    source: Source
    added_at: str
    live: tuple[int, ...]
    removed: int = 0


@dataclass(frozen=True, slots=True)
class SourceLabel:
    """What a source is known by, without its text; fields as in `StoredSource` and `Source`."""

    name: str
    source_id: str
    sha256: str
    original_sha256: str
    origin: str


@dataclass(frozen=True, slots=True)
class StoredVectors:
    """The vectors of one document, made with one encoder.

    Attributes:
        document_id: Whose.
        rows_sha256: Identity of the rows that were encoded (`rag.rows.DocumentRows.sha256`).
        vectors: By kind, float32 rows of unit length, shape (rows, dim); may be empty.
    """

    document_id: str
    rows_sha256: str
    vectors: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class VectorStamp:
    """Which rows of a document the stored vectors were made of; fields as in `StoredVectors`."""

    document_id: str
    rows_sha256: str


@dataclass(frozen=True, slots=True)
class Addition:
    """A source to be added with all its documents.

    Attributes:
        source: The text and what is said about it.
        origin: What it belongs to.
        documents: One for each document of the source, numbers 1 to n in order; none if only what is said of
            a source that is there changes, and its documents stay as they are.
        brings_back: Whether documents of it come back that a person has removed.
    """

    source: Source
    origin: str
    documents: tuple[StoredVectors, ...]
    brings_back: bool = True


@dataclass(frozen=True, slots=True)
class Removal:
    """What is known of a document that was removed; its text is gone.

    Attributes:
        document_id: Whose.
        source_sha256: Hex SHA-256 of the text it stood in.
        removed_at: UTC, ISO 8601; for people.
        by: "user", "replaced" (by a person, with another text) or "sync" (its file vanished or changed).
        replaced_by: Documents that took its place.
    """

    document_id: str
    source_sha256: str
    removed_at: str
    by: RemovedBy
    replaced_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """A text that was accepted and is not encoded yet.

    Attributes:
        job_id: The job that will add it; unique in the store.
        collection: Where it goes.
        source: The text.
        origin: As in `Addition`.
        replaces: Id of what it replaces, or None.
        accepted_at: UTC, ISO 8601; for people.
        target_gone: Whether a person has removed what it was to replace since. The next start then does not
            take its place by itself: what has that id by then may be something else.
    """

    job_id: str
    collection: str
    source: Source
    origin: str
    replaces: str | None
    accepted_at: str
    target_gone: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Attributes:
        place: File, and where known collection and document.
        problem: What is wrong, in Chinese.
        next_step: What to do, in Chinese.
    """

    place: str
    problem: str
    next_step: str
