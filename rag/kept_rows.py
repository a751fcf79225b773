"""Rows that were cut once as columns of numbers, and back, so that a start need not cut every text anew.

There is no text in the columns: what a row says is read from its source, which is at hand. And nothing is
believed: only documents that come back from their columns exactly as they were are kept, so whatever this
module does not provide for is cut anew.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import get_args

import numpy as np
import numpy.typing as npt

from rag.reading.documents import as_shown, document_of
from rag.records import Block, BlockKind, Chunk, Document, OffsetMap, Sentence, Source, SourceSpan
from rag.rows import DocumentRows

Columns = npt.NDArray[np.int32]

WIDTHS = {"documents": 7, "authors": 3, "blocks": 7, "runs": 2, "chunks": 7, "sentences": 8}
"""The tables, and how many columns each has."""

_SPACES = {ord("\n"): " ", ord("\r"): " "}
_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)


class KeptRows(DocumentRows):
    """Rows of a document whose records are made from columns, when they are wanted.

    Args:
        document: The document.
        chunks: The table "chunks", its rows only.
        sentences: The table "sentences", likewise.
        sha256: That of the rows.
    """

    def __init__(self, document: Document, chunks: Columns, sentences: Columns, sha256: str) -> None:
        self.__dict__.update(document=document, _chunks=chunks, _sentences=sentences, sha256=sha256)

    @cached_property
    def _placed(self) -> tuple[tuple[Chunk, ...], tuple[Sentence, ...]]:
        return self.placed(0, 0)

    @property
    def chunk_count(self) -> int:
        """Number of chunks."""
        return len(self.__dict__["_chunks"])

    @property
    def sentence_count(self) -> int:
        """Number of sentences."""
        return len(self.__dict__["_sentences"])

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """In reading order."""
        return self._placed[0]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """In reading order."""
        return self._placed[1]

    def placed(self, first_chunk: int, first_sentence: int) -> tuple[tuple[Chunk, ...], tuple[Sentence, ...]]:
        """The rows numbered from these ordinals on."""
        document_id = self.document.document_id
        texts = [paragraph.block.text for paragraph in self.document.paragraphs]
        columns: Mapping[str, Columns] = self.__dict__
        return (
            tuple(
                Chunk(
                    ordinal,
                    f"{document_id}:{span[0]}-{span[1]}",
                    document_id,
                    paragraph,
                    texts[paragraph - 1][start:end],
                    start,
                    end,
                    SourceSpan(*span),
                )
                for ordinal, (paragraph, start, end, *span) in enumerate(
                    columns["_chunks"].tolist(), first_chunk
                )
            ),
            tuple(
                Sentence(
                    ordinal,
                    document_id,
                    paragraph,
                    home + first_chunk,
                    texts[paragraph - 1][start:end],
                    start,
                    end,
                    SourceSpan(*span),
                )
                for ordinal, (paragraph, home, start, end, *span) in enumerate(
                    columns["_sentences"].tolist(), first_sentence
                )
            ),
        )


class Keeper:
    """Collects the columns of documents.

    Attributes:
        tables: For each of `WIDTHS` its rows so far.
    """

    def __init__(self) -> None:
        self.tables: dict[str, list[tuple[int, ...]]] = {name: [] for name in WIDTHS}

    def keep(self, rows: DocumentRows) -> bool:
        """Take a document in; False if it would not come back as it is, and so was not taken."""
        document = rows.document
        for alone in (True, False):
            tables = _tables_of(rows, alone=alone)
            kept = Kept({name: as_columns(name, tables[name]) for name in WIDTHS})
            back = kept.rows(0, document.source, document.document_id, "")
            if back is not None and (back.document, back.placed(0, 0)) == (document, rows.placed(0, 0)):
                for name, added in tables.items():
                    self.tables[name] += added
                return True
        return False


class Kept:
    """Documents in columns.

    Args:
        tables: For each of `WIDTHS` int32, shape (rows, its width).

    Raises:
        ValueError: If they do not fit each other.
    """

    def __init__(self, tables: Mapping[str, Columns]) -> None:
        self._tables = tables
        counts = {"authors": 1, "blocks": 2, "chunks": 4, "sentences": 5}
        documents = tables["documents"]
        self._starts = {name: _starts(documents[:, column]) for name, column in counts.items()}
        self._starts["runs"] = _starts(tables["blocks"][:, 1])
        for name, starts in self._starts.items():
            if (np.diff(starts) < 0).any() or starts[-1] != len(tables[name]):
                raise ValueError(f"表 {name} 有 {len(tables[name])} 行，应有 {starts[-1]} 行")

    def rows(self, place: int, source: Source, document_id: str, sha256: str) -> KeptRows | None:
        """The rows of a document; None if they cannot be those of this source.

        Args:
            place: Its place among the documents.
            source: Where it stands.
            document_id: Its id.
            sha256: That of its rows.
        """
        alone, _, _, typed, _, _, number = self._tables["documents"][place].tolist()
        try:
            blocks = self._blocks(place, source.text)
            authors = tuple(
                "".join(source.text[start:end].split()) if squeezed else source.text[start:end]
                for start, end, squeezed in self._of("authors", place).tolist()
            )
            document = document_of(source, number, authors, blocks[:typed], blocks[typed:])
        except (IndexError, ValueError):
            return None
        if document.document_id != document_id:
            return None
        shown = as_shown(document, alone=bool(alone))
        return KeptRows(shown, self._of("chunks", place), self._of("sentences", place), sha256)

    def _blocks(self, place: int, text: str) -> list[Block]:
        starts, first = self._starts["runs"], int(self._starts["blocks"][place])
        found = []
        for at, (kind, _, length, *span) in enumerate(self._of("blocks", place).tolist(), first):
            runs = self._tables["runs"][starts[at] : starts[at + 1]].tolist()
            text_starts, source_starts = zip(*runs, strict=True)
            offsets = OffsetMap(text_starts, source_starts, length)
            found.append(Block(_KINDS[kind], _text_of(offsets, text), offsets, SourceSpan(*span)))
        return found

    def _of(self, name: str, place: int) -> Columns:
        starts = self._starts[name]
        return self._tables[name][starts[place] : starts[place + 1]]


def as_columns(name: str, rows: Sequence[tuple[int, ...]]) -> Columns:
    """Rows of a table as an array, also if there are none."""
    return np.array(rows, np.int32).reshape(len(rows), WIDTHS[name])


def _starts(counts: Columns) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _tables_of(rows: DocumentRows, *, alone: bool) -> dict[str, list[tuple[int, ...]]]:
    """The columns of one document."""
    document, chunks, sentences = rows.document, rows.chunks, rows.sentences
    typed = [block for block in document.typed_blocks if block.kind != "heading"]
    body = [block for block in document.typed_blocks if block.kind == "heading"]
    body += [paragraph.block for paragraph in document.paragraphs]
    blocks = [*typed, *sorted(body, key=lambda block: block.span.start_char)]
    authors = _authors(document)
    counts = (len(authors), len(blocks), len(typed), len(chunks), len(sentences))
    number = int(document.document_id.rpartition("-")[2])
    return {
        "documents": [(int(alone), *counts, number)],
        "authors": authors,
        "blocks": [
            (_KINDS.index(block.kind), len(block.offsets.text_starts), len(block.text), *_span(block.span))
            for block in blocks
        ],
        "runs": [
            run
            for block in blocks
            for run in zip(block.offsets.text_starts, block.offsets.source_starts, strict=True)
        ],
        "chunks": [(row.paragraph, row.start, row.end, *_span(row.span)) for row in chunks],
        "sentences": [
            (row.paragraph, row.chunk_ordinal, row.start, row.end, *_span(row.span)) for row in sentences
        ],
    }


def _authors(document: Document) -> list[tuple[int, ...]]:
    """Where the printed authors stand in the source, and whether white space stands inside the name."""
    byline = document.typed_block("byline")
    if byline is None:
        return []
    text, at = document.source.text, byline.span.start_char
    found: list[tuple[int, ...]] = []
    for author in document.printed_authors:
        match = re.compile(r"\s*".join(map(re.escape, author))).search(text, at, byline.span.end_char)
        if match is None:
            return []
        found.append((match.start(), match.end(), int(match[0] != author)))
        at = match.end()
    return found


def _span(span: SourceSpan) -> tuple[int, int, int, int]:
    return span.start_char, span.end_char, span.start_line, span.end_line


def _text_of(offsets: OffsetMap, source: str) -> str:
    """The text of a block: its characters in the source; a line end in the midst of words is a space."""
    ends = [*offsets.text_starts[1:], offsets.length]
    runs = zip(offsets.text_starts, offsets.source_starts, ends, strict=True)
    return "".join(source[at : at + end - start] for start, at, end in runs).translate(_SPACES)
