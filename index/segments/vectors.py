"""Exact inner-product search over the live rows of several segments (`index.vectors` searches each)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from index.background import Background
from index.flat import checked_query
from index.order import Ranking, best
from index.segments.masks import RowMask
from index.segments.moments import Moments
from index.vectors import VectorIndex
from rag.errors import EncoderError


class SegmentedVectors:
    """Rows of one kind; immutable, safe to search from several threads.

    Args:
        dim: Length of a row.
        segments: Consecutive rows.
        live: Which of them live.
        moments: Mean and covariance of those.
        shown: Which of the live ones can be found; None is all of them.
    """

    def __init__(
        self,
        dim: int,
        segments: tuple[VectorIndex, ...],
        live: RowMask,
        moments: Moments,
        shown: RowMask | None = None,
    ) -> None:
        self._dim = dim
        self._segments = segments
        self._moments = moments
        self.live = live
        self.shown = shown or live

    @classmethod
    def empty(cls, dim: int) -> SegmentedVectors:
        """No rows."""
        return cls(dim, (), RowMask.full(()), Moments.none(dim))

    @classmethod
    def of(cls, vectors: VectorIndex) -> SegmentedVectors:
        """One segment, shared, not copied."""
        moments = Moments(vectors.count, vectors.moments())
        return cls(vectors.dim, (vectors,), RowMask.full((vectors.count,)), moments)

    @property
    def count(self) -> int:
        """Number of rows, dead ones included."""
        return self.live.rows

    @property
    def dim(self) -> int:
        """Length of a row."""
        return self._dim

    @property
    def moments(self) -> Moments:
        """Mean and covariance of the live rows."""
        return self._moments

    def search(self, vector: NDArray[np.float32], k: int) -> Ranking:
        """The k rows with the highest inner product among those that can be found.

        Args:
            vector: The query, float32, shape (dim,), finite.
            k: How many; more than there are rows is fine.

        Returns:
            Ordinals (int64) and scores (float32), by (−score, ordinal), as `VectorIndex.search`.

        Raises:
            ValueError: If the vector is unusable or k is negative.
        """
        query = checked_query(vector, self._dim)
        ordinals, scores = [np.empty(0, dtype=np.int64)], [np.empty(0, dtype=np.float32)]
        shown = self.shown
        for place, segment in enumerate(self._segments):
            if shown.counts[place]:
                found, values = segment.search(query, k, shown.parts[place])
                ordinals.append(found + shown.starts[place])
                scores.append(values)
        return best(np.concatenate(ordinals), np.concatenate(scores), k)

    def scores(self, vector: NDArray[np.float32], ordinals: NDArray[np.int64]) -> NDArray[np.float32]:
        """Exact inner products with chosen rows: of any row, also one that cannot be found.

        Args:
            vector: The query, float32, shape (dim,), finite.
            ordinals: Rows, integers in [0, count), shape (m,), any order, repeats allowed.

        Returns:
            float32, shape (m,), in the order of `ordinals`.

        Raises:
            ValueError: If the vector is unusable or an ordinal is no row.
        """
        query = checked_query(vector, self._dim)
        chosen = np.asarray(ordinals, dtype=np.int64)
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < self.count):
            raise ValueError(
                f"ordinals from {chosen.min()} to {chosen.max()}, expected 0 to {self.count - 1}"
            )
        result = np.empty(chosen.shape, dtype=np.float32)
        places = np.searchsorted(self.live.starts, chosen, side="right") - 1
        for place in np.unique(places).tolist():
            here = places == place
            result[here] = self._segments[place].scores(query, chosen[here] - self.live.starts[place])
        return result

    def background(self, vector: NDArray[np.float32]) -> tuple[float, float]:
        """Mean and standard deviation of the inner product over all live rows, shown or not.

        Args:
            vector: The query, float32, shape (dim,), finite.

        Raises:
            ValueError: If the vector is unusable.
        """
        return self._moments.background.of_scores(checked_query(vector, self._dim))

    def extended(self, rows: NDArray[np.float32], first: int) -> SegmentedVectors:
        """With rows more, in one segment with all segments from `first` on.

        Args:
            rows: float32, shape (n, dim), each of length 1.
            first: A place among the segments; their number to merge none.

        Raises:
            EncoderError: If the rows are anything else.
        """
        added = VectorIndex.build(rows, prepared=False)
        if added.dim != self._dim:
            raise EncoderError(
                f"编码器给出的向量是 {added.dim} 维，索引里的是 {self._dim} 维。"
                "请换回建立索引时的编码器，或用现在的编码器重新建立索引。"
            )
        tail = self._segments[first:]
        last = VectorIndex.joined([*tail, added]) if tail else added
        return SegmentedVectors(
            self._dim,
            (*self._segments[:first], last),
            self.live.extended(added.count, first),
            self._moments.with_rows(added.count, Background.of(added.rows)),
        )._refreshed()

    def without(self, live: RowMask) -> SegmentedVectors:
        """With fewer live rows.

        Args:
            live: A part of `self.live`.
        """
        count = self.live.count - live.count
        moments = self._moments.less(count) if count else self._moments
        if count and not moments.is_worn:
            removed = Background.of_blocks(lambda: self._lost(live), self._dim)
            moments = self._moments.without_rows(count, removed)
        return SegmentedVectors(self._dim, self._segments, live, moments)._refreshed()

    def only(self, shown: RowMask) -> SegmentedVectors:
        """A view in which only some of the live rows are found; `background` stays that of all."""
        return SegmentedVectors(self._dim, self._segments, self.live, self._moments, shown)

    def compacted(self) -> SegmentedVectors:
        """The live rows alone, in one segment, numbered anew in the same order."""
        dense = RowMask.full((self.live.count,))
        return SegmentedVectors(self._dim, (self.part(),), dense, self._moments)

    def part(self) -> VectorIndex:
        """The live rows as one plain index; the very segment if that is it."""
        if not self._segments:
            return VectorIndex.build(np.empty((0, self._dim), dtype=np.float32))
        if len(self._segments) == 1 and self.live.parts[0] is None:
            return self._segments[0]
        return VectorIndex.joined(self._segments, self.live.parts)

    def _lost(self, live: RowMask) -> Iterator[NDArray[np.float32]]:
        for place, marks in self.live.lost(live):
            yield from self._segments[place].blocks(marks)

    def _living(self) -> Iterator[NDArray[np.float32]]:
        for segment, marks in zip(self._segments, self.live.parts, strict=True):
            yield from segment.blocks(marks)

    def _refreshed(self) -> SegmentedVectors:
        """With the moments computed from the rows, if they are worn."""
        if not self._moments.is_worn:
            return self
        background = Background.of_blocks(self._living, self._dim)
        moments = Moments(self.live.count, background)
        return SegmentedVectors(self._dim, self._segments, self.live, moments)
