"""What is found, as Dify's records. One table says what the metadata holds, and so what can be filtered.

`content` is verbatim and nothing else, because it is what Dify's model reads and what a reader compares
with the source. Where it stands goes to `title`, which Dify shows as the name of the citation; lines come
first there, because its panel cuts the name after some twenty characters.

Dify's panel makes one entry of all records with the same `document_id` and names it after the first of
them. So all records of a document in one reply have the same title, with the lines of each: an entry
named after the first one's lines would claim the others stand there too. The exact place of each record
is in its metadata. (Dify writes `title`, `score`, `dataset_id` and `dataset_name` into the metadata
itself, over what stands there. The essay's own name is therefore also under `document_name`, which is
what Dify calls it in its own.)
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from api.dify.comparing import Value
from api.dify.schemas import RecordOut
from api.pages.links import Linker
from rag.records import Citation, Document, Passage, SourceSpan


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage or a citation.

    Attributes:
        text: Verbatim, reflowed.
        score: Public relevance.
        document: The document it stands in.
        paragraph: From 1; 0 for a title, byline or note.
        span: Where in the source file.
        url: Absolute permalink.
        own: Metadata that only its kind has.
    """

    text: str
    score: float
    document: Document
    paragraph: int
    span: SourceSpan
    url: str
    own: Mapping[str, Value] = field(default_factory=dict)


_FIELDS: dict[str, Callable[[Piece], Value]] = {
    "document_id": lambda piece: piece.document.document_id,
    "document_name": lambda piece: piece.document.label,
    "title": lambda piece: piece.document.label,
    "authors": lambda piece: list(piece.document.authors),
    "affiliation": lambda piece: piece.document.affiliation,
    "source": lambda piece: piece.document.source.name,
    "name": lambda piece: piece.document.source.name,
    "date": lambda piece: piece.document.source.metadata.date,
    "source_url": lambda piece: piece.document.source.metadata.source_url,
    "tags": lambda piece: list(piece.document.source.metadata.tags),
    "paragraph": lambda piece: piece.paragraph,
    "start_char": lambda piece: piece.span.start_char,
    "end_char": lambda piece: piece.span.end_char,
    "start_line": lambda piece: piece.span.start_line,
    "end_line": lambda piece: piece.span.end_line,
    "url": lambda piece: piece.url,
    "source_sha256": lambda piece: piece.document.source.sha256,
    "quote_sha256": lambda piece: hashlib.sha256(piece.text.encode("utf-8")).hexdigest(),
    "score": lambda piece: piece.score,
}
PASSAGE_NAMES = frozenset({*_FIELDS, "chunk_id"})
CITATION_NAMES = frozenset({*_FIELDS, "number", "match", "answer"})
"""All names that the metadata of such a record can have."""
NAMES = PASSAGE_NAMES | CITATION_NAMES


def piece_of_passage(passage: Passage, link: Linker) -> Piece:
    """A passage of the search."""
    chunk = passage.chunk
    own = {"chunk_id": chunk.chunk_id}
    return Piece(
        chunk.text, passage.score, passage.document, chunk.paragraph, chunk.span, link(passage.url), own
    )


def piece_of_citation(citation: Citation, document: Document, said: str | None, link: Linker) -> Piece:
    """A citation of an answer that says this; None to leave out what it says."""
    span = SourceSpan(citation.start_char, citation.end_char, citation.start_line, citation.end_line)
    own: dict[str, Value] = {"number": citation.number, "match": citation.match}
    if said is not None:
        own["answer"] = said
    return Piece(citation.quote, citation.score, document, citation.paragraph, span, link(citation.url), own)


def value_in(piece: Piece, name: str) -> Value:
    """What the metadata of a piece's record holds under a name; None if it has no such name."""
    return _FIELDS[name](piece) if name in _FIELDS else piece.own.get(name)


def records_of(pieces: Sequence[Piece]) -> list[RecordOut]:
    """The records of one reply, in the order of the pieces."""
    spans: dict[str, dict[tuple[int, int], None]] = {}
    for piece in sorted(pieces, key=lambda piece: piece.span.start_char):
        lines = (piece.span.start_line, piece.span.end_line)
        spans.setdefault(piece.document.document_id, {})[lines] = None
    return [
        RecordOut(
            content=piece.text,
            score=piece.score,
            title=_title(piece.document, tuple(spans[piece.document.document_id])),
            metadata={name: read(piece) for name, read in _FIELDS.items()} | dict(piece.own),
        )
        for piece in pieces
    ]


def _title(document: Document, lines: Sequence[tuple[int, int]]) -> str:
    shown = "、".join(f"第 {first} 行" if first == last else f"第 {first}–{last} 行" for first, last in lines)
    return f"{shown} · {document.label}"
