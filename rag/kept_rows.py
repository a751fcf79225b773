"""Rows that were cut once as columns of numbers, and back, so that a start need not cut every text anew.

There is no text in the columns: what a row says is read from its source, which is at hand. How columns are
made, and of which documents, is `rag.keeping`'s business.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import get_args

import numpy as np
import numpy.typing as npt

from rag.reading.documents import as_shown, document_of
from rag.records import Block, BlockKind, Chunk, Document, OffsetMap, Sentence, Source, SourceSpan
from rag.rows import DocumentRows, Placed

Columns = npt.NDArray[np.int32]

WIDTHS = {"documents": 7, "authors": 3, "blocks": 7, "runs": 2, "chunks": 7, "sentences": 8}
"""The tables, and how many columns each has."""
_HOME = 1
"""The column of "sentences" that numbers the chunk in which a sentence begins."""
_HOME_BITS = 32

BLOCK_KINDS: tuple[BlockKind, ...] = get_args(BlockKind)
"""A block's kind is kept as its place here."""


class KeptRows(DocumentRows):
    """Rows of a document whose records are made from columns, when they are wanted.

    Args:
        document: The document.
        kept: What holds the columns.
        place: The document's place there.
        sha256: That of the rows.
    """

    def __init__(self, document: Document, kept: Kept, place: int, sha256: str) -> None:
        self.__dict__.update(document=document, _kept=kept, _place=place, sha256=sha256)

    def columns(self, name: str) -> Columns:
        """Its rows of one of the tables in `WIDTHS`."""
        kept: Kept = self.__dict__["_kept"]
        return kept.of(name, self.__dict__["_place"])

    @cached_property
    def _placed(self) -> Placed:
        return self.placed(0, 0)

    @property
    def chunk_count(self) -> int:
        """Number of chunks."""
        kept: Kept = self.__dict__["_kept"]
        return kept.count("chunks", self.__dict__["_place"])

    @property
    def sentence_count(self) -> int:
        """Number of sentences."""
        kept: Kept = self.__dict__["_kept"]
        return kept.count("sentences", self.__dict__["_place"])

    @property
    def begun_chunks(self) -> int:
        """In how many chunks a sentence begins."""
        kept: Kept = self.__dict__["_kept"]
        place: int = self.__dict__["_place"]
        return kept.begun_chunks[place]

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """In reading order."""
        return self._placed[0]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """In reading order."""
        return self._placed[1]

    def placed(self, first_chunk: int, first_sentence: int) -> Placed:
        """The rows numbered from these ordinals on."""
        document_id = self.document.document_id
        texts = [paragraph.block.text for paragraph in self.document.paragraphs]
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
                    self.columns("chunks").tolist(), first_chunk
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
                    self.columns("sentences").tolist(), first_sentence
                )
            ),
        )


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
        starts = {name: _starts(documents[:, column]) for name, column in counts.items()}
        runs = _starts(tables["blocks"][:, 1])  # of blocks, and through them of documents
        for name, found in (*starts.items(), ("runs", runs)):
            if (np.diff(found) < 0).any() or found[-1] != len(tables[name]):
                raise ValueError(f"表 {name} 有 {len(tables[name])} 行，应有 {found[-1]} 行")
        starts |= {"documents": np.arange(len(documents) + 1), "runs": runs[starts["blocks"]]}
        self._starts: dict[str, list[int]] = {name: found.tolist() for name, found in starts.items()}
        self._block_runs: list[int] = runs.tolist()

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
                for start, end, squeezed in self.of("authors", place).tolist()
            )
            document = document_of(source, number, authors, blocks[:typed], blocks[typed:])
        except (IndexError, ValueError):
            return None
        if document.document_id != document_id:
            return None
        shown = as_shown(document, alone=bool(alone))
        return KeptRows(shown, self, place, sha256)

    def of(self, name: str, place: int) -> Columns:
        """The rows of one of the tables that belong to the document at a place."""
        starts = self._starts[name]
        return self._tables[name][starts[place] : starts[place + 1]]

    def count(self, name: str, place: int) -> int:
        """How many `of` would give."""
        starts = self._starts[name]
        return starts[place + 1] - starts[place]

    @cached_property
    def begun_chunks(self) -> list[int]:
        """For each document in how many of its chunks a sentence begins."""
        homes, count = self._tables["sentences"][:, _HOME], len(self._tables["documents"])
        place = np.repeat(np.arange(count), np.diff(self._starts["sentences"]))
        begun = np.unique((place << _HOME_BITS) + homes) >> _HOME_BITS
        found: list[int] = np.bincount(begun, minlength=count).tolist()
        return found

    def _blocks(self, place: int, text: str) -> list[Block]:
        starts, first = self._block_runs, self._starts["blocks"][place]
        found = []
        for at, (kind, _, length, *span) in enumerate(self.of("blocks", place).tolist(), first):
            runs = self._tables["runs"][starts[at] : starts[at + 1]].tolist()
            text_starts, source_starts = zip(*runs, strict=True)
            offsets = OffsetMap(text_starts, source_starts, length)
            found.append(Block(BLOCK_KINDS[kind], _text_of(offsets, text), offsets, SourceSpan(*span)))
        return found


def as_columns(name: str, rows: Sequence[tuple[int, ...]]) -> Columns:
    """Rows of a table as an array, also if there are none."""
    return np.array(rows, np.int32).reshape(len(rows), WIDTHS[name])


def _starts(counts: Columns) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])


def _text_of(offsets: OffsetMap, source: str) -> str:
    """The text of a block: its characters in the source; a line end in the midst of words is a space."""
    ends = [*offsets.text_starts[1:], offsets.length]
    runs = zip(offsets.text_starts, offsets.source_starts, ends, strict=True)
    text = "".join([source[at : at + end - start] for start, at, end in runs])
    return text.replace("\n", " ").replace("\r", " ")
