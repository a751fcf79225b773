r"""What the service replies with, as frozen pydantic models with exactly the field names of the JSON.

Data and checks on it, no connection; documents and what else a library holds are in `library_models`. A field
that a newer service adds is ignored; where a newer one may add a value (`reason`, `match`, `calibration`) the
type is an open string, and the known values are named here.

Coordinates: `start_char`/`end_char` are half-open Unicode code-point offsets into the stored source text;
`start_line`/`end_line` are lines of it, from 1, both inclusive (a line ends at "\\n"). `score` and
`confidence` are 0-1, higher is better.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from cewen.verifying import sha256_of, stands_at


class Model(BaseModel):
    """What all have in common: frozen, lenient about new fields, silent about values in errors."""

    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)


class Turn(Model):
    """One message of the conversation so far.

    Attributes:
        role: Who said it.
        content: 1-8000 characters.
    """

    role: Literal["user", "assistant"]
    content: str


class Placed(Model):
    """A stretch of a source."""

    start_char: int
    end_char: int
    start_line: int
    end_line: int

    def holds(self, quote: str, source_text: str) -> bool:
        """Whether the quote stands in this source at these offsets and lines, white space aside."""
        return stands_at(
            quote,
            source_text,
            start_char=self.start_char,
            end_char=self.end_char,
            start_line=self.start_line,
            end_line=self.end_line,
        )


class Citation(Placed):
    """Proof of one sentence: a verbatim stretch of a source.

    Attributes:
        number: From 1; the `[n]` in the answer.
        title: The document's title, or what is shown where it has none.
        authors: In the order of the byline.
        paragraph: Body paragraph from 1; 0 for a title, byline or note.
        quote: With white space removed equal to that stretch with white space removed.
        source_sha256: Hex SHA-256 of the source text in UTF-8.
        match: "exact", "normalised" (differs in spelling only) or "supported" (a paraphrase).
        url: Opens the source at these lines; may be relative, see `Client.absolute_url`.
        score: Relevance of the passage it was taken from.
    """

    number: int
    document_id: str
    title: str
    authors: tuple[str, ...]
    paragraph: int
    quote: str
    source_sha256: str
    match: str
    url: str
    score: float

    def verify(self, source_text: str) -> bool:
        """Whether this is the text cited from, and the quote stands in it at these offsets and lines.

        Another document of the same source that was removed since is blank in its text, which is not the one
        cited from any more then; `holds` still tells whether the quote stands there.

        Args:
            source_text: What `Client.source(citation.document_id, collection=answer.collection)` gives.
        """
        return sha256_of(source_text) == self.source_sha256 and self.holds(self.quote, source_text)


class Passage(Placed):
    """A piece of a document that search found.

    Attributes:
        rank: From 1.
        score: Relevance; what `score_threshold` compares.
        chunk_id: Stable while the source and the service's splitting are.
        title: The document's title, or what is shown where it has none.
        authors: In the order of the byline; may be empty.
        text: Printed lines joined.
        paragraph: Body paragraph, from 1.
        url: Opens the source at these lines; may be relative, see `Client.absolute_url`.
    """

    rank: int
    score: float
    document_id: str
    chunk_id: str
    title: str
    authors: tuple[str, ...]
    text: str
    paragraph: int
    url: str

    def verify(self, source_text: str) -> bool:
        """Whether the text stands in this source at these offsets and lines, white space aside."""
        return self.holds(self.text, source_text)


class AnswerSentence(Model):
    """One sentence of an answer, without marks.

    Attributes:
        citations: Numbers of the citations it stands on, at least one.
        match: As in `Citation`; of the sentence.
    """

    text: str
    citations: tuple[int, ...]
    match: str


class Degradation(Model):
    """Why an answer is not, or not wholly, the work of the generator that was asked for.

    Attributes:
        generator: Its name.
        code: Stable, e.g. "generator_timeout".
        message: For people, in Chinese.
    """

    generator: str
    code: str
    message: str


class Answer(Model):
    """The reply to a question; the last event of a stream.

    Attributes:
        id: Unique per reply.
        status: "abstained" if the texts do not say.
        answer: Text with `[n]` marks; for an abstention a Chinese sentence without marks.
        reason: None when answered, else "off_topic", "not_stated", "false_premise" or "too_vague".
        confidence: Estimated probability that the texts answer this question.
        sentences: In order; empty when abstained.
        citations: By number; empty when abstained.
        related: Nearest passages when abstained, no answer; empty when answered.
        resolved_question: The question completed from the conversation.
        fingerprint: Names corpus, index, model and settings; the same question under it gets the same answer.
        timings_ms: Milliseconds by step.
        calibration: What `confidence` rests on: "general", "none", or "collection" (`cewen calibrate`).
        collection: The collection that was asked.
        degraded: None if the generator that was asked for wrote it all.
        explain: Raw scores and verdicts; None unless asked for.
    """

    id: str
    status: Literal["answered", "abstained"]
    answer: str
    reason: str | None
    confidence: float
    sentences: tuple[AnswerSentence, ...]
    citations: tuple[Citation, ...]
    related: tuple[Passage, ...]
    resolved_question: str
    generator: str
    fingerprint: str
    timings_ms: dict[str, float]
    calibration: str
    collection: str = "default"
    degraded: Degradation | None = None
    explain: dict[str, Any] | None = None


class CitationsKnown(Model):
    """An event of a stream: all citations known so far, which the text to come may mark."""

    citations: tuple[Citation, ...]


class TextAdded(Model):
    """An event of a stream: the next part of the text, checked. Joined they are `Answer.answer`."""

    text: str


AnswerEvent = CitationsKnown | TextAdded | Answer
"""What a stream consists of: citations before the text that marks them; the whole `Answer` last."""


class SearchResult(Model):
    """What a search found.

    Attributes:
        hits: Best first; empty if nothing fits.
        fingerprint, collection: As in `Answer`.
    """

    hits: tuple[Passage, ...]
    fingerprint: str
    collection: str = "default"
