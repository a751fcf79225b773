"""The rows of one document: what a source adds to a corpus, numbered from 0 and in reading order.

Deterministic and quick: what costs time, the vectors made of these texts, is kept by `index` under `sha256`.
"""

from __future__ import annotations

import hashlib
import json
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property

from rag.chunking import chunk_ranges
from rag.reading.documents import read_documents
from rag.reading.lines import LineTable
from rag.records import Chunk, Document, Paragraph, Sentence, Source
from rag.text.sentences import sentence_ranges

Placed = tuple[tuple[Chunk, ...], tuple[Sentence, ...]]
"""Chunks and sentences of a document, numbered as in a corpus."""


@dataclass(frozen=True)
class DocumentRows:
    """A document and its rows; `chunks[i].ordinal == i` and `sentences[i].ordinal == i`.

    Attributes:
        document: The document.
        chunks: In reading order.
        sentences: In reading order; `chunk_ordinal` counts the chunks here.
    """

    document: Document
    chunks: tuple[Chunk, ...]
    sentences: tuple[Sentence, ...]

    @property
    def chunk_count(self) -> int:
        """Number of chunks."""
        return len(self.chunks)

    @property
    def sentence_count(self) -> int:
        """Number of sentences."""
        return len(self.sentences)

    @property
    def begun_chunks(self) -> int:
        """In how many chunks a sentence begins: in none of those in the middle of a very long one."""
        return len({row.chunk_ordinal for row in self.sentences})

    def windows(self) -> list[str]:
        """For each sentence its text with its neighbours in the paragraph, to be encoded."""
        return windows_of(self.sentences)

    @cached_property
    def sha256(self) -> str:
        """Hex SHA-256 over all that vectors and terms are made of, and what ties them to the source.

        Each row's place and text; not the title, the label or what the uploader says of the source.
        """
        digest = hashlib.sha256()

        def add(*fields: object) -> None:
            digest.update(json.dumps(fields, ensure_ascii=False).encode() + b"\n")

        add("document", self.document.document_id)
        for chunk in self.chunks:
            add("chunk", chunk.chunk_id, chunk.paragraph, chunk.start, chunk.end, chunk.text)
        for row in self.sentences:
            place = (row.paragraph, row.chunk_ordinal, row.start, row.end)
            add("sentence", *place, row.span.start_char, row.span.end_char, row.text)
        return digest.hexdigest()

    def standing_in(self, source: Source) -> DocumentRows:
        """The same rows of the same document, which says that it stands in this source."""
        made = copy(self)  # whatever makes its rows
        made.__dict__["document"] = replace(self.document, source=source)
        return made

    def placed(self, first_chunk: int, first_sentence: int) -> Placed:
        """The rows numbered from these ordinals on."""
        return moved_rows(self.chunks, self.sentences, first_chunk, first_sentence)


def moved_rows(
    chunks: Sequence[Chunk], sentences: Sequence[Sentence], by_chunks: int, by_sentences: int
) -> Placed:
    """Rows with other ordinals: so many higher."""
    return (
        tuple(
            Chunk(
                row.ordinal + by_chunks,
                row.chunk_id,
                row.document_id,
                row.paragraph,
                row.text,
                row.start,
                row.end,
                row.span,
            )
            for row in chunks
        ),
        tuple(
            Sentence(
                row.ordinal + by_sentences,
                row.document_id,
                row.paragraph,
                row.chunk_ordinal + by_chunks,
                row.text,
                row.start,
                row.end,
                row.span,
            )
            for row in sentences
        ),
    )


def windows_of(sentences: Sequence[Sentence]) -> list[str]:
    """For each sentence its text with those of the sentences before and after it in the same paragraph."""
    texts: list[str] = []
    last = len(sentences) - 1
    for place, row in enumerate(sentences):
        key = (row.document_id, row.paragraph)
        first = place - 1 if place and _key(sentences[place - 1]) == key else place
        stop = place + 1 if place < last and _key(sentences[place + 1]) == key else place
        texts.append("".join(near.text for near in sentences[first : stop + 1]))
    return texts


def _key(row: Sentence) -> tuple[str, int]:
    return row.document_id, row.paragraph


def rows_of_source(source: Source, *, chunk_max_chars: int) -> tuple[DocumentRows, ...]:
    """The rows of every document of a source, in page order; none if it has no body.

    Args:
        source: The text.
        chunk_max_chars: Longest chunk, in code points, from 20.
    """
    table = LineTable(source.text)
    return tuple(_rows_of(document, table, chunk_max_chars) for document in read_documents(source))


def _rows_of(document: Document, table: LineTable, chunk_max_chars: int) -> DocumentRows:
    chunks: list[Chunk] = []
    sentences: list[Sentence] = []
    for paragraph in document.paragraphs:
        _add_rows(document, paragraph, table, chunk_max_chars, chunks, sentences)
    return DocumentRows(document, tuple(chunks), tuple(sentences))


def _add_rows(
    document: Document,
    paragraph: Paragraph,
    table: LineTable,
    chunk_max_chars: int,
    chunks: list[Chunk],
    sentences: list[Sentence],
) -> None:
    text, offsets = paragraph.text, paragraph.block.offsets
    first_chunk = len(chunks)
    starts: list[int] = []
    for start, end in chunk_ranges(text, chunk_max_chars):
        if text[start:end].isspace():  # what follows a sentence that fills a chunk to the last character
            continue
        span = table.span(*offsets.source_range(*_trimmed(text, start, end)))
        chunk_id = f"{document.document_id}:{span.start_char}-{span.end_char}"
        starts.append(start)
        row = Chunk(
            len(chunks), chunk_id, document.document_id, paragraph.number, text[start:end], start, end, span
        )
        chunks.append(row)
    for start, end in _merge_scraps(text, sentence_ranges(text)):
        first, last = _trimmed(text, start, end)
        home = first_chunk + bisect_right(starts, first) - 1
        span = table.span(*offsets.source_range(first, last))
        sentences.append(
            Sentence(
                len(sentences),
                document.document_id,
                paragraph.number,
                home,
                text[first:last],
                first,
                last,
                span,
            )
        )


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """The range without white space at its ends (the range must hold some other character)."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _merge_scraps(text: str, ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join a range without any letter or digit (stray punctuation) to the one before it."""
    merged: list[tuple[int, int]] = []
    for start, end in ranges:
        if merged and not any(char.isalnum() for char in text[start:end]):
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
