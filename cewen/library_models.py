"""What a library holds, as the service tells it: documents, collections, jobs; and what is told to it.

As `models`: frozen, with the field names of the JSON, lenient about what a newer service adds.
"""

from __future__ import annotations

from typing import Literal

from cewen.calibration_models import Calibrated
from cewen.models import Model, Placed


class Document(Model):
    """One document of a collection, without its text.

    Attributes:
        source_id: Of the text it stands in; all documents of one text share it, and can be removed by it.
        name: The source's file name, a label.
        title: As printed, or None.
        label: What to show where a title is wanted; never empty.
        authors: In the order of the byline; may be empty.
        affiliation: The authors' affiliation as printed, or None.
        source_sha256: Hex SHA-256 of the source; several documents may share one.
        date, source_url, tags: As whoever added it said.
        origin: What it belongs to: "upload", "seeds", or the mark of a folder that is synced.
        added_at: UTC, ISO 8601.
        original_sha256: Hex SHA-256 of the file that the source was converted from; "" if it was text itself.
    """

    id: str
    title: str | None
    label: str
    authors: tuple[str, ...]
    affiliation: str | None
    source_sha256: str
    source_id: str = ""
    name: str = ""
    date: str | None = None
    source_url: str | None = None
    tags: tuple[str, ...] = ()
    origin: str = ""
    added_at: str = ""
    original_sha256: str = ""


class Paragraph(Placed):
    """A body paragraph.

    Attributes:
        number: From 1 within the document.
        text: Printed lines joined.
    """

    number: int
    text: str

    def verify(self, source_text: str) -> bool:
        """Whether the text stands in this source at these offsets and lines, white space aside."""
        return self.holds(self.text, source_text)


class DocumentDetail(Document):
    """One document with its body, in reading order."""

    paragraphs: tuple[Paragraph, ...]


class Metadata(Model):
    """What is known of a text, told when it is added; all of it may be left out.

    Attributes:
        date: YYYY, YYYY-MM or YYYY-MM-DD.
        source_url: http or https; kept, never fetched.
    """

    title: str | None = None
    authors: tuple[str, ...] = ()
    date: str | None = None
    source_url: str | None = None
    tags: tuple[str, ...] = ()


class Filters(Model):
    """Which documents a request is about: every field that is given must hold, one of its values each.

    Attributes:
        document_ids: Ids of documents, or of sources.
        titles, authors, tags: Whole, but for width, case and script.
        date_from, date_to: Inclusive, as in `Metadata`; documents without a date do not match.
        source_url: What the address begins with.
        names: File names, whole.
    """

    document_ids: tuple[str, ...] = ()
    titles: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    date_from: str | None = None
    date_to: str | None = None
    source_url: str | None = None
    names: tuple[str, ...] = ()


class Collection(Model):
    """One corpus of a library.

    Attributes:
        created_at: UTC, ISO 8601.
        documents, sources, chunks: How many it holds.
        encoder: The model its vectors were made with.
        calibration: What `Answer.confidence` rests on.
        sequence: Number of its last change.
    """

    name: str
    created_at: str
    documents: int
    sources: int
    chunks: int
    encoder: str
    calibration: str
    sequence: int


class Job(Model):
    """Work that takes its time, as it stood when it was asked for.

    Attributes:
        kind: "add", "reindex" or "calibrate".
        done, total: Texts encoded (questions judged), and in all; 0 of 0 before that is known.
        source_id, document_ids: What is added.
        created: False if it was there already, with the same content.
        replaced: Documents that gave way to it.
        notes: What a reader should know about the conversion, in Chinese; of one that was cancelled, what is
            left of it.
        error_code, error_message: Why it failed.
        kept: Whether the text of a job that failed is still there: `Client.retry` does it again,
            `Client.cancel` lets it go.
        calibrated: What came of calibrating.
    """

    job_id: str
    kind: str
    collection: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    done: int
    total: int
    source_id: str | None
    document_ids: tuple[str, ...]
    created: bool
    replaced: tuple[str, ...]
    notes: tuple[str, ...]
    error_code: str | None
    error_message: str | None
    kept: bool = False
    calibrated: Calibrated | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more will happen."""
        return self.state in ("done", "failed", "cancelled")


class Described(Model):
    """What is known of a source, after it was changed.

    Attributes:
        source_id: Its id.
        documents: The documents in it.
    """

    source_id: str
    documents: tuple[Document, ...]


class Added(Model):
    """A text that was added.

    Attributes:
        source_id: Names it; `Client.remove` takes it.
        document_ids: The documents in it.
        created: False if it was there already, with the same content.
        replaced: Documents that gave way to it.
        notes: What a reader should know about the conversion, in Chinese.
        job: None once it is searchable, else the job that will make it so.
    """

    source_id: str
    document_ids: tuple[str, ...]
    created: bool
    replaced: tuple[str, ...]
    notes: tuple[str, ...]
    job: Job | None = None


class Removed(Model):
    """What a removal took away: all or some documents of one source."""

    source_id: str
    document_ids: tuple[str, ...]


class Resolution(Model):
    """What became of a citation.

    Attributes:
        status: "current": the words stand there unchanged. "changed": the document was replaced. "removed":
            it was removed. "unknown": there never was one, or it says something else.
        document_id: As it was cited.
        message: For people, in Chinese.
        replaced_by: What took its place.
        found_in: The document in which the words stand now; None if in none.
        start_char, end_char, start_line, end_line, quote, url: Where, and as they stand there.
    """

    status: str
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
