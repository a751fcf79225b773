"""The rows of documents at their places in a corpus, made when they are first wanted.

Most questions touch a few dozen of very many documents, so a corpus holds where rows stand and makes the
records of a document only when somebody looks. They are made once and then shared by all corpora that hold
the document at this place.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Generic, TypeVar, overload

from rag.once import Once
from rag.records import Chunk, Document, Sentence, Source, SourceSpan
from rag.rows import DocumentRows, Placed

Row = TypeVar("Row", Chunk, Sentence)
Ordinals = tuple[int, ...]
_NOWHERE = SourceSpan(0, 0, 0, 0)


class PlacedRows:
    """One document's rows as they are numbered in a corpus. Safe to use from threads.

    Args:
        rows: The same rows numbered from 0.
        first_chunk: Ordinal of the first chunk, or of the one that would be.
        first_sentence: Likewise.
    """

    __slots__ = ("_first", "_of_chunk", "_of_paragraph", "_placed", "rows")

    def __init__(self, rows: DocumentRows, first_chunk: int, first_sentence: int) -> None:
        self.rows = rows
        self._first = first_chunk, first_sentence
        self._placed: Once[Placed] = Once()
        self._of_chunk: Once[dict[int, Ordinals]] = Once()
        self._of_paragraph: Once[dict[int, Ordinals]] = Once()

    def standing_in(self, source: Source) -> PlacedRows:
        """The same rows at the same place, of the same document in this source."""
        return PlacedRows(self.rows.standing_in(source), *self._first)

    @property
    def placed(self) -> Placed:
        """Chunks and sentences."""
        return self._placed.get(lambda: self.rows.placed(*self._first))

    @property
    def ranges(self) -> tuple[range, range]:
        """The ordinals of its chunks and of its sentences."""
        chunk, sentence = self._first
        return range(chunk, chunk + self.rows.chunk_count), range(
            sentence, sentence + self.rows.sentence_count
        )

    @property
    def of_chunk(self) -> Mapping[int, Ordinals]:
        """For each of its chunks' ordinals the ordinals of the sentences that begin there, in order."""
        return self._of_chunk.get(self._by_chunk)

    @property
    def of_paragraph(self) -> Mapping[int, Ordinals]:
        """The same for each paragraph's number, in which there is a sentence."""
        return self._of_paragraph.get(self._by_paragraph)

    def _by_chunk(self) -> dict[int, Ordinals]:
        found: dict[int, list[int]] = {ordinal: [] for ordinal in self.ranges[0]}
        for row in self.placed[1]:
            found[row.chunk_ordinal].append(row.ordinal)
        return {key: tuple(rows) for key, rows in found.items()}

    def _by_paragraph(self) -> dict[int, Ordinals]:
        found: dict[int, list[int]] = {}
        for row in self.placed[1]:
            found.setdefault(row.paragraph, []).append(row.ordinal)
        return {key: tuple(rows) for key, rows in found.items()}


class GoneRows(DocumentRows):
    """Rows of a document of which nothing is left but their number, in an index: all of them blank.

    For a corpus beside an index that still has them, marked dead; not to be live.

    Args:
        name: Of the document; no live one's.
        chunk_count: Number of chunks.
        sentence_count: Number of sentences.
    """

    def __init__(self, name: str, chunk_count: int, sentence_count: int) -> None:
        document = Document(name, Source("", "", ""), None, "", (), None, (), ())
        self.__dict__.update(document=document, _counts=(chunk_count, sentence_count))

    @property
    def chunk_count(self) -> int:
        """Number of chunks."""
        return self._number(0)

    @property
    def sentence_count(self) -> int:
        """Number of sentences."""
        return self._number(1)

    @property
    def begun_chunks(self) -> int:
        """None of them says where its sentences begin."""
        return 0

    @property
    def chunks(self) -> tuple[Chunk, ...]:
        """Blank ones."""
        return self.placed(0, 0)[0]

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        """Blank ones."""
        return self.placed(0, 0)[1]

    def placed(self, first_chunk: int, first_sentence: int) -> Placed:
        """Blank rows numbered from these ordinals on."""
        chunks = range(first_chunk, first_chunk + self.chunk_count)
        sentences = range(first_sentence, first_sentence + self.sentence_count)
        name = self.document.document_id
        return (
            tuple(Chunk(ordinal, "", name, 0, "", 0, 0, _NOWHERE) for ordinal in chunks),
            tuple(Sentence(ordinal, name, 0, first_chunk, "", 0, 0, _NOWHERE) for ordinal in sentences),
        )

    def _number(self, kind: int) -> int:
        count: int = self.__dict__["_counts"][kind]
        return count


class RowSequence(Sequence[Row], Generic[Row]):
    """All rows of one kind, by ordinal; equal to the tuple of them.

    Args:
        documents: Placed one after the other without gaps, from ordinal 0.
        kind: 0 for chunks, 1 for sentences.
    """

    def __init__(self, documents: Sequence[PlacedRows], kind: int) -> None:
        self._documents = documents
        self._kind = kind
        self._starts = [one.ranges[kind].start for one in documents]
        self._length = documents[-1].ranges[kind].stop if documents else 0

    def __len__(self) -> int:
        return self._length

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Row, ...]: ...
    def __getitem__(self, index: int | slice) -> Row | tuple[Row, ...]:
        if isinstance(index, slice):
            return self._stretch(index)
        ordinal = index + self._length if index < 0 else index
        if not 0 <= ordinal < self._length:
            raise IndexError(f"row {index} of {self._length}")
        place = bisect_right(self._starts, ordinal) - 1
        return self._rows(place)[ordinal - self._starts[place]]

    def __iter__(self) -> Iterator[Row]:
        for place in range(len(self._documents)):
            yield from self._rows(place)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, tuple | RowSequence):
            return NotImplemented
        return len(self) == len(other) and all(mine == its for mine, its in zip(self, other, strict=True))

    def __hash__(self) -> int:
        return hash(tuple(self))

    def _rows(self, place: int) -> tuple[Row, ...]:
        rows: tuple[Row, ...] = self._documents[place].placed[self._kind]  # type: ignore[assignment]
        return rows

    def _stretch(self, wanted: slice) -> tuple[Row, ...]:
        start, stop, step = wanted.indices(self._length)
        if step != 1:
            return tuple(self[ordinal] for ordinal in range(start, stop, step))
        found: list[Row] = []
        place = bisect_right(self._starts, start) - 1
        while start + len(found) < stop:
            at = start + len(found) - self._starts[place]
            found += self._rows(place)[at : at + stop - start - len(found)]
            place += 1
        return tuple(found)


class SentencesOfChunks(Mapping[int, Ordinals]):
    """For each chunk's ordinal the ordinals of the sentences that begin in it.

    Args:
        documents: Those whose chunks are in it, in the order of their rows.
    """

    def __init__(self, documents: Sequence[PlacedRows]) -> None:
        self._documents = documents

    @cached_property
    def _starts(self) -> list[int]:
        return [one.ranges[0].start for one in self._documents]

    @cached_property
    def _length(self) -> int:
        return sum(one.rows.chunk_count for one in self._documents)

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[int]:
        for one in self._documents:
            yield from one.ranges[0]

    def __getitem__(self, ordinal: int) -> Ordinals:
        place = bisect_right(self._starts, ordinal) - 1
        if place < 0 or ordinal not in self._documents[place].ranges[0]:
            raise KeyError(ordinal)
        return self._documents[place].of_chunk[ordinal]

    @cached_property
    def begun(self) -> int:
        """In how many of the chunks a sentence begins."""
        return sum(one.rows.begun_chunks for one in self._documents)


class SentencesOfParagraphs(Mapping[tuple[str, int], Ordinals]):
    """For each (document id, paragraph number) the ordinals of its sentences, if it has any.

    Args:
        documents: By id.
    """

    def __init__(self, documents: Mapping[str, PlacedRows]) -> None:
        self._documents = documents

    def __len__(self) -> int:
        return sum(len(one.of_paragraph) for one in self._documents.values())

    def __iter__(self) -> Iterator[tuple[str, int]]:
        for document_id, one in self._documents.items():
            for number in one.of_paragraph:
                yield document_id, number

    def __getitem__(self, key: tuple[str, int]) -> Ordinals:
        document_id, number = key
        return self._documents[document_id].of_paragraph[number]
