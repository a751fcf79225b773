"""BM25 over the live rows of several segments. Formula and order of sums: `index.lexical`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.lexical import check_parameters, idf_of, norms_of
from index.order import Ranking, best
from index.postings import Postings
from index.segments.masks import RowMask


class TermSegment:
    """Postings of consecutive rows; a term's number is found by halving, as the vocabulary is sorted."""

    def __init__(self, postings: Postings) -> None:
        self.postings = postings

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.postings.lengths.size)

    def find(self, term: str) -> tuple[NDArray[np.int32], NDArray[np.int32]] | None:
        """The rows with a term, ascending, and how often each has it; None if there is none."""
        vocabulary = self.postings.vocabulary
        number = bisect_left(vocabulary, term)
        here = number < len(vocabulary) and vocabulary[number] == term
        return self.postings.of_term(number) if here else None


class TermStatistics:
    """Segments and what is counted over their live rows; shared by an index and the views of it.

    Args:
        segments: Consecutive rows.
        live: Which of them live.
        total_length: How many terms those have together.
        k1: See `LexicalIndex`.
        b: See `LexicalIndex`.
    """

    def __init__(
        self, segments: tuple[TermSegment, ...], live: RowMask, total_length: int, k1: float, b: float
    ) -> None:
        self.segments = segments
        self.live = live
        self.total_length = total_length
        self.k1, self.b = k1, b
        self._norms: list[NDArray[np.float64] | None] = [None] * len(segments)

    def df(self, term: str) -> int:
        """How many live rows hold a term."""
        total = 0
        for segment, marks in zip(self.segments, self.live.parts, strict=True):
            found = segment.find(term)
            if found is not None:
                rows = found[0]
                total += rows.size if marks is None else int(np.count_nonzero(marks[rows]))
        return total

    def idf(self, term: str) -> float:
        """Of a term among the live rows."""
        return idf_of(self.live.count, self.df(term))

    def norms(self, place: int) -> NDArray[np.float64]:
        """k1 (1 - b + b |D| / avgdl) of a segment's rows; at the first search after a change, then kept."""
        norms = self._norms[place]
        if norms is None:  # two threads may both compute it, and get the same
            lengths = self.segments[place].postings.lengths
            norms = norms_of(lengths, self.total_length, self.live.count, k1=self.k1, b=self.b)
            self._norms[place] = norms
        return norms


class SegmentedTerms:
    """BM25 over rows of one kind; immutable, safe to search from several threads.

    Args:
        statistics: The rows, and what is counted over the live ones.
        shown: Which of the live ones can be found; None is all of them.
    """

    def __init__(self, statistics: TermStatistics, shown: RowMask | None = None) -> None:
        self._statistics = statistics
        self.live = statistics.live
        self.shown = shown or statistics.live

    @classmethod
    def empty(cls, *, k1: float, b: float) -> SegmentedTerms:
        """No rows.

        Raises:
            ConfigError: If k1 or b is out of range.
        """
        check_parameters(k1, b)
        return cls(TermStatistics((), RowMask.full(()), 0, k1, b))

    @classmethod
    def of(cls, postings: Postings, *, k1: float, b: float) -> SegmentedTerms:
        """One segment.

        Raises:
            ConfigError: If k1 or b is out of range.
        """
        return cls.empty(k1=k1, b=b)._with_segment(postings, 0)

    @property
    def count(self) -> int:
        """Number of rows, dead ones included."""
        return self.live.rows

    @property
    def parameters(self) -> tuple[float, float]:
        """BM25's k1 and b."""
        return self._statistics.k1, self._statistics.b

    def idf(self, term: str) -> float:
        """How telling a term is among all live rows, shown or not; the largest value for an unseen one."""
        return self._statistics.idf(term)

    def scores(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every row; 0 for those that cannot be found.

        Args:
            terms: The query's terms in any order; repeated ones count once, unknown ones not at all.

        Returns:
            float32, shape (count,), at least 0.

        Raises:
            TypeError: If `terms` is a string.
        """
        if isinstance(terms, str):
            raise TypeError("terms is a str, expected a list of str")
        statistics, shown = self._statistics, self.shown
        # In code-point order, as `LexicalIndex`: the last bit of a sum depends on its order.
        weights = {term: statistics.idf(term) for term in sorted(set(terms))}
        total = np.zeros(self.count)
        for place, segment in enumerate(statistics.segments):
            if not shown.counts[place]:
                continue
            part = total[shown.starts[place] : shown.starts[place + 1]]
            for term, weight in weights.items():
                found = segment.find(term)
                if found is not None:
                    rows, tf = found
                    part[rows] += weight * tf / (tf + statistics.norms(place)[rows])
            marks = shown.parts[place]
            if marks is not None:
                part[~marks] = 0.0
        return total.astype(np.float32)

    def search(self, terms: Sequence[str], k: int) -> Ranking:
        """The k best rows among those that can be found and score above 0.

        Args:
            terms: As for `scores`.
            k: How many at most, 0 or more.

        Returns:
            Ordinals (int64) and scores (float32, above 0), by (−score, ordinal); often fewer than k.

        Raises:
            TypeError: If `terms` is a string.
            ValueError: If k is negative.
        """
        scores = self.scores(terms)
        found = np.flatnonzero(scores > 0)
        return best(found, scores[found], k)

    def extended(self, terms: Sequence[Sequence[str]], first: int) -> SegmentedTerms:
        """With rows more, in one segment with all segments from `first` on.

        Args:
            terms: One list of terms for each row.
            first: A place among the segments; their number to merge none.

        Raises:
            TypeError: If a row is a string, whose "terms" would be its characters.
        """
        return self._with_segment(Postings.build(terms), first)

    def without(self, live: RowMask) -> SegmentedTerms:
        """With fewer live rows.

        Args:
            live: A part of `self.live`.
        """
        own = self._statistics
        length = own.total_length - sum(
            int(own.segments[place].postings.lengths[marks].sum(dtype=np.int64))
            for place, marks in self.live.lost(live)
        )
        return SegmentedTerms(TermStatistics(own.segments, live, length, own.k1, own.b))

    def only(self, shown: RowMask) -> SegmentedTerms:
        """A view in which only some of the live rows are found; `idf` and lengths stay those of all."""
        return SegmentedTerms(self._statistics, shown)

    def compacted(self) -> SegmentedTerms:
        """The live rows alone, in one segment, numbered anew in the same order."""
        k1, b = self.parameters
        return SegmentedTerms.of(self.part(), k1=k1, b=b)

    def part(self) -> Postings:
        """The live rows' postings; those of the very segment if it is the only one."""
        kept = [
            segment.postings if marks is None else segment.postings.kept(marks)
            for segment, marks in zip(self._statistics.segments, self.live.parts, strict=True)
        ]
        return kept[0] if len(kept) == 1 else Postings.merged(kept)

    def _with_segment(self, postings: Postings, first: int) -> SegmentedTerms:
        own = self._statistics
        count, length = postings.lengths.size, int(postings.lengths.sum(dtype=np.int64))
        tail = [segment.postings for segment in own.segments[first:]]
        last = TermSegment(Postings.merged([*tail, postings]) if tail else postings)
        live = self.live.extended(count, first)
        segments = (*own.segments[:first], last)
        return SegmentedTerms(TermStatistics(segments, live, own.total_length + length, own.k1, own.b))
