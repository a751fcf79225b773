"""The five arms over the rows of a collection that changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from index.lexical import DEFAULT_B, DEFAULT_K1
from index.postings import Postings
from index.segments.masks import Marks, RowMask
from index.segments.merging import first_merged
from index.segments.rows import IndexRows, check_counts
from index.segments.terms import SegmentedTerms
from index.segments.vectors import SegmentedVectors
from index.vectors import VectorIndex


@dataclass(frozen=True, slots=True, eq=False)
class LiveIndex:
    """What is searched. Immutable and safe to search from several threads; each change gives another one.

    Made by `empty` or `from_parts`. A row's ordinal stays its own until `kept` or `compacted`.

    Attributes:
        chunk_vectors: One row a chunk.
        sentence_vectors: One row a sentence.
        window_vectors: One row a sentence, encoded together with its neighbours.
        chunk_terms: BM25 over chunks.
        sentence_terms: BM25 over sentences.
        is_view: Made by `only`: it is searched or narrowed further, never changed.
    """

    chunk_vectors: SegmentedVectors
    sentence_vectors: SegmentedVectors
    window_vectors: SegmentedVectors
    chunk_terms: SegmentedTerms
    sentence_terms: SegmentedTerms
    is_view: bool = False

    @classmethod
    def empty(cls, dim: int, *, k1: float = DEFAULT_K1, b: float = DEFAULT_B) -> LiveIndex:
        """No rows yet.

        Args:
            dim: Length of the vectors to come, at least 1.
            k1: BM25's k1, at least 0.
            b: BM25's b, 0 to 1.

        Raises:
            ConfigError: If k1 or b is out of range.
        """
        vectors, terms = SegmentedVectors.empty(dim), SegmentedTerms.empty(k1=k1, b=b)
        return cls(vectors, vectors, vectors, terms, terms)

    @classmethod
    def from_parts(
        cls,
        vectors: Mapping[str, VectorIndex],
        terms: Mapping[str, Postings],
        *,
        k1: float = DEFAULT_K1,
        b: float = DEFAULT_B,
    ) -> LiveIndex:
        """One segment of plain parts, shared, not copied; all rows live.

        Args:
            vectors: For each of `VECTOR_KINDS` the rows.
            terms: For each of `TERM_KINDS` the rows' terms.
            k1: As for `empty`.
            b: As for `empty`.

        Raises:
            ValueError: If kinds, numbers of rows or dims do not agree.
            ConfigError: If k1 or b is out of range.
        """
        counts = {kind: int(part.lengths.size) for kind, part in terms.items()}
        check_counts({kind: part.count for kind, part in vectors.items()}, counts)
        dims = {kind: part.dim for kind, part in vectors.items()}
        if len(set(dims.values())) != 1:
            raise ValueError(f"vectors of dims {dims}, expected one dim")
        if not sum(counts.values()):
            return cls.empty(dims["chunk"], k1=k1, b=b)
        return cls(
            SegmentedVectors.of(vectors["chunk"]),
            SegmentedVectors.of(vectors["sentence"]),
            SegmentedVectors.of(vectors["window"]),
            SegmentedTerms.of(terms["chunk"], k1=k1, b=b),
            SegmentedTerms.of(terms["sentence"], k1=k1, b=b),
        )

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.chunk_vectors.dim

    @property
    def chunks(self) -> int:
        """Number of chunk rows, dead ones included."""
        return self.chunk_terms.count

    @property
    def sentences(self) -> int:
        """Number of sentence rows, dead ones included."""
        return self.sentence_terms.count

    @property
    def dead(self) -> int:
        """Number of dead chunk rows."""
        return self.chunks - self.chunk_terms.live.count

    @property
    def dead_sentences(self) -> int:
        """Number of dead sentence rows."""
        return self.sentences - self.sentence_terms.live.count

    def extended(self, rows: IndexRows) -> LiveIndex:
        """With rows at the end.

        Args:
            rows: What to add; their ordinals go on from `chunks` and `sentences`.

        Raises:
            EncoderError: If vectors have another dim or are not finite float32 rows of length 1.
            TypeError: If a row of terms is a string.
            ValueError: If this is a view.
        """
        self._check_changeable()
        if not rows.chunks and not rows.sentences:
            return self
        chunks, sentences = self.chunk_terms.live.sizes, self.sentence_terms.live.sizes
        sizes = [c + 2 * s for c, s in zip(chunks, sentences, strict=True)]  # rows to copy
        first = first_merged(sizes, rows.chunks + 2 * rows.sentences)
        return LiveIndex(
            self.chunk_vectors.extended(rows.vectors["chunk"], first),
            self.sentence_vectors.extended(rows.vectors["sentence"], first),
            self.window_vectors.extended(rows.vectors["window"], first),
            self.chunk_terms.extended(rows.terms["chunk"], first),
            self.sentence_terms.extended(rows.terms["sentence"], first),
        )

    def without(self, chunks: Sequence[range], sentences: Sequence[range]) -> LiveIndex:
        """With rows dead: no arm finds them, and idf, lengths and moments are those of the others.

        Args:
            chunks: Chunk rows; those that are dead already are fine.
            sentences: Sentence rows, likewise.

        Raises:
            ValueError: If a range has gaps or leaves the rows, or this is a view.
        """
        self._check_changeable()
        return self._living(
            self.chunk_terms.live.without(chunks), self.sentence_terms.live.without(sentences)
        )

    def only(self, chunks: Sequence[range], sentences: Sequence[range]) -> LiveIndex:
        """A view for one request, in which other rows are not found; statistics are still those of all.

        Args:
            chunks: Chunk rows that can be found, if they live (and, in a view of a view, can be found there).
            sentences: Sentence rows, likewise.

        Raises:
            ValueError: If a range has gaps or leaves the rows.
        """
        shown_chunks = self.chunk_terms.shown.within(chunks)
        shown_sentences = self.sentence_terms.shown.within(sentences)
        return LiveIndex(
            self.chunk_vectors.only(shown_chunks),
            self.sentence_vectors.only(shown_sentences),
            self.window_vectors.only(shown_sentences),
            self.chunk_terms.only(shown_chunks),
            self.sentence_terms.only(shown_sentences),
            is_view=True,
        )

    def kept(self, chunk_mask: Marks, sentence_mask: Marks) -> LiveIndex:
        """An index of some of the live rows, in one segment, numbered anew in the same order.

        Args:
            chunk_mask: Which chunk rows, bool, shape (chunks,); dead ones do not come back.
            sentence_mask: Which sentence rows, bool, shape (sentences,).

        Raises:
            ValueError: If a mask has another dtype or shape, or this is a view.
        """
        self._check_changeable()
        chunks = self.chunk_terms.live.both(chunk_mask)
        return self._living(chunks, self.sentence_terms.live.both(sentence_mask)).compacted()

    def compacted(self) -> LiveIndex:
        """The live rows alone, in one segment, numbered anew in the same order.

        Raises:
            ValueError: If this is a view.
        """
        self._check_changeable()
        live = self.chunk_terms.live.count + self.sentence_terms.live.count
        if not live:
            k1, b = self.chunk_terms.parameters
            return LiveIndex.empty(self.dim, k1=k1, b=b)
        if live == self.chunks + self.sentences and len(self.chunk_terms.live.parts) == 1:
            return self
        return LiveIndex(
            self.chunk_vectors.compacted(),
            self.sentence_vectors.compacted(),
            self.window_vectors.compacted(),
            self.chunk_terms.compacted(),
            self.sentence_terms.compacted(),
        )

    def parts(self) -> tuple[dict[str, VectorIndex], dict[str, Postings]]:
        """Plain parts over all rows, what `from_parts` takes; copied only if they lie in several segments.

        Their bytes depend on the rows alone, not on the order in which they came in.

        Raises:
            ValueError: If there are dead rows (`compacted` first), or this is a view.
        """
        self._check_changeable()
        if self.dead or self.dead_sentences:
            raise ValueError(
                f"{self.dead} dead chunks and {self.dead_sentences} dead sentences, expected none"
            )
        vectors = {
            "chunk": self.chunk_vectors.part(),
            "sentence": self.sentence_vectors.part(),
            "window": self.window_vectors.part(),
        }
        return vectors, {"chunk": self.chunk_terms.part(), "sentence": self.sentence_terms.part()}

    def _living(self, chunks: RowMask, sentences: RowMask) -> LiveIndex:
        return LiveIndex(
            self.chunk_vectors.without(chunks),
            self.sentence_vectors.without(sentences),
            self.window_vectors.without(sentences),
            self.chunk_terms.without(chunks),
            self.sentence_terms.without(sentences),
        )

    def _check_changeable(self) -> None:
        if self.is_view:
            raise ValueError("this is a view made by `only`, expected the index that it was made of")
