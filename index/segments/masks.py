"""Some of the rows of consecutive segments: those that live, or those that a request may see."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class RowMask:
    """Marked rows, segment by segment; immutable. Changed copies share every segment that is not touched.

    Attributes:
        starts: Ordinal of each segment's first row, and after the last of them the number of rows.
        parts: For each segment which rows are marked, bool, shape (its rows,), read-only; None is all.
        counts: For each segment how many are.
    """

    starts: tuple[int, ...]
    parts: tuple[Marks | None, ...]
    counts: tuple[int, ...]

    @classmethod
    def full(cls, sizes: Sequence[int]) -> RowMask:
        """All rows of segments of these sizes."""
        return cls(tuple(itertools.accumulate(sizes, initial=0)), (None,) * len(sizes), tuple(sizes))

    @property
    def rows(self) -> int:
        """Number of rows, marked or not."""
        return self.starts[-1]

    @property
    def count(self) -> int:
        """Number of marked rows."""
        return sum(self.counts)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of rows of each segment."""
        return tuple(after - before for before, after in itertools.pairwise(self.starts))

    def extended(self, size: int, first: int) -> RowMask:
        """With so many marked rows more, in one segment with all segments from `first` on."""
        last = None
        if any(part is not None for part in self.parts[first:]):
            tail = [self._marks(place) for place in range(first, len(self.parts))]
            last = _sealed(np.concatenate([*tail, np.ones(size, dtype=np.bool_)]))
        return RowMask(
            (*self.starts[: first + 1], self.rows + size),
            (*self.parts[:first], last),
            (*self.counts[:first], sum(self.counts[first:]) + size),
        )

    def without(self, ranges: Sequence[range]) -> RowMask:
        """With these rows no longer marked; those that were not are fine.

        Raises:
            ValueError: If a range has gaps or leaves the rows.
        """
        changed: dict[int, Marks] = {}
        for place, rows in self._pieces(ranges):
            if place not in changed:
                changed[place] = self._marks(place)
            changed[place][rows] = False
        return self._with(changed)

    def within(self, ranges: Sequence[range]) -> RowMask:
        """With only those marked that also lie in these ranges.

        Raises:
            ValueError: As `without`.
        """
        inside = [np.zeros(size, dtype=np.bool_) for size in self.sizes]
        for place, rows in self._pieces(ranges):
            inside[place][rows] = True
        return self.both(np.concatenate([np.empty(0, dtype=np.bool_), *inside]))

    def both(self, marks: Marks) -> RowMask:
        """With only those marked that also are in an array over all rows.

        Raises:
            ValueError: If the array is not bool of shape (rows,).
        """
        if marks.shape != (self.rows,) or marks.dtype != np.bool_:
            raise ValueError(f"mask is {marks.dtype} of shape {marks.shape}, expected bool ({self.rows},)")
        pieces = (marks[before:after] for before, after in itertools.pairwise(self.starts))
        return self._with({place: piece & self._marks(place) for place, piece in enumerate(pieces)})

    def lost(self, later: RowMask) -> Iterator[tuple[int, Marks]]:
        """Segments and which of their rows are marked here but not in a later copy of the same segments."""
        for place, (before, after) in enumerate(zip(self.parts, later.parts, strict=True)):
            if after is not before and after is not None:
                yield place, self._marks(place) & ~after

    def _marks(self, place: int) -> Marks:
        part = self.parts[place]
        size = self.starts[place + 1] - self.starts[place]
        return np.ones(size, dtype=np.bool_) if part is None else part.copy()

    def _with(self, changed: dict[int, Marks]) -> RowMask:
        parts, counts = list(self.parts), list(self.counts)
        for place, marks in changed.items():
            counts[place] = int(np.count_nonzero(marks))
            parts[place] = None if counts[place] == marks.size else _sealed(marks)
        return RowMask(self.starts, tuple(parts), tuple(counts))

    def _pieces(self, ranges: Sequence[range]) -> Iterator[tuple[int, slice]]:
        """The ranges cut at the borders of segments: a segment and rows counted from its first."""
        for rows in ranges:
            if not rows:
                continue
            if rows.step != 1 or rows.start < 0 or rows.stop > self.rows:
                raise ValueError(f"{rows!r}, expected a range without gaps within 0 to {self.rows}")
            place = bisect_right(self.starts, rows.start) - 1
            while self.starts[place] < rows.stop:
                first, after = self.starts[place], self.starts[place + 1]
                yield place, slice(max(rows.start, first) - first, min(rows.stop, after) - first)
                place += 1


def _sealed(marks: Marks) -> Marks:
    marks.flags.writeable = False
    return marks
