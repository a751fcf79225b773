r"""The frozen records that the stages hand to each other. Data only: no behaviour beyond derived values.

Coordinates: `start_char`/`end_char` are half-open Unicode code-point offsets into the stored source
text; `start_line`/`end_line` are 1-based, inclusive printed lines (a line ends at "\\n"). `start`/`end`
without a unit are half-open offsets into a paragraph's reflowed text. `number` counts from 1,
`ordinal` counts rows from 0. A higher score is always better.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Status = Literal["answered", "abstained"]
Reason = Literal["off_topic", "not_stated", "false_premise", "too_vague"]
Match = Literal["exact", "normalised", "supported"]
Calibration = Literal["general", "collection", "none"]
BlockKind = Literal["masthead", "byline", "title", "note", "heading", "paragraph", "rule"]

DEFAULT_COLLECTION = "default"
"""The collection that every library has."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is known of a source besides its text, as whoever added it gave it; all may be empty.

    Made by `rag.metadata.check_metadata`; nothing here is read off the page.

    Attributes:
        title: Its title.
        authors: Their names, distinct, in the order given.
        date: When it appeared, ISO 8601: YYYY, YYYY-MM or YYYY-MM-DD.
        source_url: Where it comes from, http or https. Never fetched.
        tags: Distinct, in the order given.
    """

    title: str | None = None
    authors: tuple[str, ...] = ()
    date: str | None = None
    source_url: str | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """One stored source file.

    Attributes:
        name: A label (the file's name), never used as a path.
        text: The stored text: as it came but for a byte-order mark, or what a converter wrote.
        sha256: Hex SHA-256 of `text` in UTF-8, the bytes that `/source` serves.
        encoding: What the file was read as, e.g. "utf-8" or "gb18030"; "html", "docx" or "pdf" if converted.
        original_sha256: Hex SHA-256 of the file that `text` was converted from; "" if it was text itself.
        metadata: What its uploader says of it.
        blanked: Ranges of `text`, ascending, that read as white space because the documents that stood there
            were removed (`rag.reading.blanking`). If there are any, `sha256` is that of the text before.
    """

    name: str
    text: str
    sha256: str
    encoding: str = "utf-8"
    original_sha256: str = ""
    metadata: Metadata = Metadata()
    blanked: tuple[tuple[int, int], ...] = ()

    @property
    def source_id(self) -> str:
        """The first 12 hex digits of its SHA-256: what the ids of its documents begin with."""
        return self.sha256[:12]


@dataclass(frozen=True, slots=True)
class SourceSpan:
    """A stretch of a source: characters and the printed lines they stand on."""

    start_char: int
    end_char: int
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class OffsetMap:
    """Where each character of a reading text stands in its source.

    A list of runs: characters `text_starts[i]` up to `text_starts[i + 1]` stand at consecutive source
    offsets from `source_starts[i]`. Ascending in both, so a clean paragraph is one run.

    Attributes:
        text_starts: First character of each run, from 0.
        source_starts: Source offset of that character.
        length: Characters in the text.
    """

    text_starts: tuple[int, ...]
    source_starts: tuple[int, ...]
    length: int

    def source_of(self, index: int) -> int:
        """Source offset of character `index` (0 <= index < length)."""
        run = bisect_right(self.text_starts, index) - 1
        return self.source_starts[run] + index - self.text_starts[run]

    def source_range(self, start: int, end: int) -> tuple[int, int]:
        """Half-open source range from character `start` to the one before `end` (start < end)."""
        return self.source_of(start), self.source_of(end - 1) + 1

    def text_of(self, offset: int) -> int:
        """Index of the first character that stands at or after source `offset` (`length` if none)."""
        run = bisect_right(self.source_starts, offset) - 1
        if run < 0:
            return 0
        following = self.text_starts[run + 1] if run + 1 < len(self.text_starts) else self.length
        return min(self.text_starts[run] + offset - self.source_starts[run], following)


@dataclass(frozen=True, slots=True)
class Block:
    """A typed stretch of a source in reading form.

    Attributes:
        kind: What it is.
        text: Reflowed text: white space of the printed layout removed or, between Latin words,
            folded to one space.
        offsets: Where its characters stand in the source.
        span: From the first to the last of them.
    """

    kind: BlockKind
    text: str
    offsets: OffsetMap
    span: SourceSpan


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A body paragraph of a document.

    Attributes:
        number: From 1 within the document.
        heading: Text of the nearest section heading above it, or "".
        block: Text, offset map and span.
    """

    number: int
    block: Block
    heading: str = ""

    @property
    def text(self) -> str:
        """The reflowed text."""
        return self.block.text


@dataclass(frozen=True, slots=True)
class Document:
    """One essay or article of a source.

    Attributes:
        document_id: Stable while the source's content is: first 12 hex digits of its SHA-256, "-",
            and the document's number within the source.
        source: The file it stands in (several documents may share one).
        title: As its uploader gave it, else as printed; None where there is none.
        label: What to show where a title is wanted; never empty.
        authors: As its uploader gave them, else as printed in the byline, in order; may be empty.
        affiliation: The note's text without its outer brackets, or None.
        typed_blocks: Title, byline and note as they stand in the source.
        paragraphs: The body, in reading order.
        printed_title: The title on the page, or None. What is said on the proof of the page goes by this.
        printed_authors: The authors on the page; may be empty.
    """

    document_id: str
    source: Source
    title: str | None
    label: str
    authors: tuple[str, ...]
    affiliation: str | None
    typed_blocks: tuple[Block, ...]
    paragraphs: tuple[Paragraph, ...]
    printed_title: str | None = None
    printed_authors: tuple[str, ...] = ()

    def typed_block(self, kind: BlockKind) -> Block | None:
        """The first typed block of this kind, if the page has one."""
        return next((block for block in self.typed_blocks if block.kind == kind), None)


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of a paragraph, a verbatim slice of its reflowed text.

    Attributes:
        ordinal: Row number over the whole corpus, from 0.
        chunk_ordinal: Row number of the chunk that holds its first character.
        start, end: Offsets into the paragraph's text.
    """

    ordinal: int
    document_id: str
    paragraph: int
    chunk_ordinal: int
    text: str
    start: int
    end: int
    span: SourceSpan


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of one paragraph made of whole sentences where they fit: what search returns.

    Attributes:
        ordinal: Row number over the whole corpus, from 0.
        chunk_id: `{document_id}:{start_char}-{end_char}`.
        start, end: Offsets into the paragraph's text.
    """

    ordinal: int
    chunk_id: str
    document_id: str
    paragraph: int
    text: str
    start: int
    end: int
    span: SourceSpan


@dataclass(frozen=True, slots=True)
class Example:
    """A question that a corpus answers.

    Attributes:
        question: In the words of the document.
        document_id: The document that it was made from.
    """

    question: str
    document_id: str


@dataclass(frozen=True, slots=True)
class Passage:
    """A retrieved chunk.

    Attributes:
        rank: From 1.
        score: Relevance in 0-1, the one public score.
        raw: What the arms said, shown only under `explain`.
    """

    rank: int
    score: float
    chunk: Chunk
    document: Document
    url: str
    raw: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Citation:
    """Proof of one sentence: a verbatim span of a source.

    Attributes:
        number: From 1; the `[n]` mark in the answer.
        title: The document's display label.
        paragraph: Body paragraph number from 1; 0 for a title, byline or note.
        quote: The reflowed text of the span. With all white space removed it equals
            `source.text[start_char:end_char]` with all white space removed.
        match: "exact", or the name of the one normalisation used to find it.
        url: Opens the source page at these lines.
        score: Relevance in 0-1 of the passage it was taken from.
    """

    number: int
    document_id: str
    title: str
    authors: tuple[str, ...]
    paragraph: int
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    quote: str
    source_sha256: str
    match: Match
    url: str
    score: float


@dataclass(frozen=True, slots=True)
class AnswerSentence:
    """One sentence of an answer with the numbers of the citations it stands on (at least one)."""

    text: str
    citations: tuple[int, ...]
    match: Match


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of the conversation so far."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Degradation:
    """Why an answer is not, or not wholly, the work of the generator that was asked for.

    Attributes:
        generator: Its name.
        code: Stable, e.g. "generator_timeout"; listed in `docs/errors.md`.
        message: For people, in Chinese.
    """

    generator: str
    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply to a question.

    Attributes:
        answer_id: Unique per reply; not part of the deterministic content.
        answer: Text with `[n]` marks; for an abstention a Chinese sentence without marks.
        reason: None when answered.
        confidence: Estimated probability, 0-1, that the corpus answers this question.
        sentences, citations: Empty when abstained.
        related: Nearest passages when abstained; empty when answered.
        fingerprint: Names corpus, index, model and settings.
        timings_ms: Milliseconds by stage; not part of the deterministic content.
        calibration: What `confidence` was fitted on: "general", other corpora with the same encoder; "none",
            an encoder for which nothing was measured; "collection", and corrected by questions of the
            collection that a person has labelled.
        degraded: Why it is not the work of the generator that was asked for; None if it is.
        dropped: How many sentences of a generator the gate dropped, by verdict; for whoever counts.
        explain: Raw scores and verdicts, present only when asked for.
    """

    answer_id: str
    status: Status
    answer: str
    reason: Reason | None
    confidence: float
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    related: tuple[Passage, ...]
    resolved_question: str
    generator: str
    fingerprint: str
    timings_ms: Mapping[str, float]
    calibration: Calibration = "general"
    degraded: Degradation | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    explain: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class CitationsKnown:
    """An event of a streamed answer: all citations known so far, which the text to come may mark."""

    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class TextAdded:
    """An event of a streamed answer: the next part of its text, checked. Joined they are `Answer.answer`.

    Attributes:
        text: What stands between it and the sentence before, the sentence, its marks.
        sentence: The sentence; None for the text of an abstention.
    """

    text: str
    sentence: AnswerSentence | None = None


AnswerEvent = CitationsKnown | TextAdded | Answer
"""What a streamed answer consists of: citations before the text that marks them; the whole `Answer` last."""
