"""Exact inner-product search over one matrix of unit vectors, with FAISS.

FAISS finds candidates; their scores are then computed again, row by row in double precision, and
rounded once. So `search` and `scores` agree to the last bit, equal rows score equally wherever they
stand in the matrix, and neither threads nor the processor's vector width change a result. (FAISS
sums in single precision in an order of its own, returns ties in any order and -1 for "no row".)

Not here: encoding, fusion, approximate search. FAISS is imported when the first index is built,
never when this module is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.background import Background
from index.flat import (
    allocate,
    candidates,
    checked_query,
    deserialize,
    fault,
    rounding_bound,
    rows_of,
    serialize,
)
from index.order import Ranking, best
from rag.errors import EncoderError

if TYPE_CHECKING:
    import faiss

_SPARE = 32
_FEW = 512
"""So many rows are scored one by one rather than looked for (measured: the break-even is near 700)."""
_BLOCK_ROWS = 4096
_NEXT_STEP = "请检查编码器，或换用默认编码器后重新建立索引。"


class VectorIndex:
    """All rows of one kind (chunks, sentences, sentences with their neighbours).

    Made by `build`, `joined` or `from_parts`; immutable, safe to search from several threads.
    """

    def __init__(self, engine: faiss.IndexFlatIP, background: Background | None = None) -> None:
        self._engine = engine
        # A view of the engine's own memory, not a copy; `_engine` keeps it alive.
        self._rows = rows_of(engine)
        self._rows.flags.writeable = False
        self._background = background

    @classmethod
    def build(cls, rows: NDArray[np.float32], *, prepared: bool = True) -> VectorIndex:
        """Index a matrix; the rows are copied.

        Args:
            rows: float32, shape (n, d), d at least 1, each of length 1 within `flat.UNIT_TOLERANCE`.
            prepared: Whether to compute their mean and covariance now, rather than when asked for.

        Raises:
            EncoderError: If they are anything else: only an encoder makes them.
        """
        problem = fault(rows)
        if problem:
            raise EncoderError(f"编码器给出的向量不能建索引：{problem}。{_NEXT_STEP}")
        engine = allocate(*rows.shape)
        rows_of(engine)[:] = rows
        index = cls(engine)
        if prepared:
            index.moments()
        return index

    @classmethod
    def joined(
        cls, parts: Sequence[VectorIndex], kept: Sequence[NDArray[np.bool_] | None] | None = None
    ) -> VectorIndex:
        """One index over the rows of several, in order. Each row is copied once, into its place.

        Args:
            parts: At least one, of the same dim.
            kept: For each part which of its rows to take, shape (count,); None is all of them.

        Raises:
            ValueError: If there is no part, or their dims differ.
        """
        if len({part.dim for part in parts}) != 1:
            raise ValueError(f"parts of dims {[part.dim for part in parts]}, expected one dim")
        masks = kept or [None] * len(parts)
        dim, count = parts[0].dim, sum(map(_chosen, parts, masks))
        engine = allocate(count, dim)
        rows, at = rows_of(engine), 0
        for part, mask in zip(parts, masks, strict=True):
            for block in part.blocks(mask):
                rows[at : at + len(block)] = block
                at += len(block)
        return cls(engine)

    @classmethod
    def from_parts(cls, parts: Mapping[str, bytes]) -> VectorIndex:
        """Read back what `to_parts` gave. The caller has verified the bytes' checksums: FAISS does not.

        Raises:
            ValueError: If the bytes are not such an index or its rows are not sound.
        """
        engine = deserialize(parts["faiss"])
        rows = rows_of(engine)
        problem = fault(rows)
        if problem:
            raise ValueError(problem)
        return cls(engine, Background.from_bytes(parts["npz"], rows))

    @classmethod
    def filled(
        cls, count: int, dim: int, fill: Callable[[NDArray[np.float32]], None], background: bytes
    ) -> VectorIndex:
        """Read stored rows straight into the memory that is searched: there is never a second copy.

        Args:
            count: Number of rows, 0 or more.
            dim: Length of a row, at least 1.
            fill: Writes all rows into the array it is given, shape (count, dim); it answers for their
                being the ones that were stored.
            background: What `background_bytes` gave for these rows.

        Raises:
            ValueError: If the rows are not sound or the background belongs to others; in Chinese.
        """
        engine = allocate(count, dim)
        rows = rows_of(engine)
        fill(rows)
        problem = fault(rows)
        if problem:
            raise ValueError(problem)
        return cls(engine, Background.from_bytes(background, rows))

    @property
    def rows(self) -> NDArray[np.float32]:
        """The rows themselves, shape (count, dim), read-only: no copy."""
        return self._rows

    def background_bytes(self) -> bytes:
        """Mean and covariance of the rows, as they are stored."""
        return self.moments().to_bytes()

    def to_parts(self) -> dict[str, bytes]:
        """The index as bytes by file suffix: `faiss` the rows, `npz` their mean and covariance."""
        return {"faiss": serialize(self._engine), "npz": self.background_bytes()}

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self._rows.shape[0])

    @property
    def dim(self) -> int:
        """Length of a row."""
        return int(self._rows.shape[1])

    def moments(self) -> Background:
        """Mean and covariance of the rows; computed once."""
        if self._background is None:  # two threads may both compute it, and get the same
            self._background = Background.of(self._rows)
        return self._background

    def blocks(self, mask: NDArray[np.bool_] | None = None) -> Iterator[NDArray[np.float32]]:
        """The rows, some thousand at a time, in order; only those of the mask, shape (count,), if given."""
        chosen = None if mask is None else np.flatnonzero(mask)
        for start in range(0, self.count if chosen is None else chosen.size, _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            yield self._rows[block] if chosen is None else self._rows[chosen[block]]

    def search(self, vector: NDArray[np.float32], k: int, among: NDArray[np.bool_] | None = None) -> Ranking:
        """The k rows with the highest inner product.

        Args:
            vector: The query, float32, shape (dim,), finite.
            k: How many; more than there are rows is fine.
            among: The rows that may be found, bool, shape (count,); None is all of them. What is not
                among them costs next to nothing and never crowds out what is.

        Returns:
            Ordinals (int64) and scores (float32, in [-1, 1] within rounding for unit vectors), shape
            (min(k, rows that may be found),), by (−score, ordinal).

        Raises:
            ValueError: If the vector has another shape or dtype or is not finite, or k is negative.
        """
        query = checked_query(vector, self.dim)
        rows = _chosen(self, among)
        wanted = min(k, rows)
        if among is not None and rows <= _FEW:
            few = np.flatnonzero(among)
            return best(few, self.scores(query, few), wanted)
        fetch = max(wanted, 0) + _SPARE
        slack = rounding_bound(query)
        while True:
            near, found = candidates(self._engine, query, fetch, among)
            ordinals, scores = best(found, self.scores(query, found), wanted)
            # A row that was not fetched scores at most near[-1] + slack: too little even to tie?
            if fetch >= rows or not wanted or float(near[-1]) + slack < float(scores[-1]):
                return ordinals, scores
            fetch *= 2

    def scores(self, vector: NDArray[np.float32], ordinals: NDArray[np.int64]) -> NDArray[np.float32]:
        """Exact inner products with chosen rows.

        Args:
            vector: The query, float32, shape (dim,), finite.
            ordinals: Rows, integers in [0, count), shape (m,), any order, repeats allowed.

        Returns:
            float32, shape (m,), in the order of `ordinals`.

        Raises:
            ValueError: If the vector is unusable or an ordinal is no row.
        """
        wide = checked_query(vector, self.dim).astype(np.float64)
        chosen = np.asarray(ordinals, dtype=np.int64)
        if chosen.size and not (chosen.min() >= 0 and chosen.max() < self.count):
            raise ValueError(
                f"ordinals from {chosen.min()} to {chosen.max()}, expected 0 to {self.count - 1}"
            )
        result = np.empty(chosen.shape, dtype=np.float32)
        for start in range(0, chosen.size, _BLOCK_ROWS):
            block = slice(start, start + _BLOCK_ROWS)
            # Products of two float32 are exact in float64. The sum runs along each row alone, so it
            # does not depend on which rows stand beside it, as a matrix product's may.
            result[block] = (self._rows[chosen[block]] * wide).sum(axis=1)
        return result

    def background(self, vector: NDArray[np.float32]) -> tuple[float, float]:
        """Mean and standard deviation of the inner product over all rows (formula: `index.background`).

        Args:
            vector: The query, float32, shape (dim,), finite.

        Raises:
            ValueError: If the vector is unusable.
        """
        return self.moments().of_scores(checked_query(vector, self.dim))


def _chosen(index: VectorIndex, mask: NDArray[np.bool_] | None) -> int:
    return index.count if mask is None else int(np.count_nonzero(mask))
