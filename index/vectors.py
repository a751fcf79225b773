"""Exact inner-product search over one matrix of unit vectors, with FAISS.

FAISS finds candidates; their scores are then computed again, row by row in double precision, and
rounded once. So `search` and `scores` agree to the last bit, equal rows score equally wherever they
stand in the matrix, and neither threads nor the processor's vector width change a result. (FAISS
sums in single precision in an order of its own, returns ties in any order and -1 for "no row".)

Not here: encoding, fusion, approximate search. FAISS is imported when the first index is built,
never when this module is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from index.background import Background
from index.order import Ranking, best
from rag.errors import EncoderError

if TYPE_CHECKING:
    import faiss

UNIT_TOLERANCE = 1e-3
"""How far a row's length may be from 1."""

_SPARE = 32
_BLOCK_ROWS = 4096
_NEXT_STEP = "请检查编码器，或换用默认编码器后重新建立索引。"


class VectorIndex:
    """All rows of one kind (chunks, sentences, sentences with their neighbours).

    Made by `VectorIndex.build` or `VectorIndex.from_parts`; immutable, safe to search from several
    threads.
    """

    def __init__(self, engine: faiss.IndexFlatIP, background: Background | None = None) -> None:
        import faiss

        self._engine = engine
        # A view of the engine's own memory, not a copy; `_engine` keeps it alive.
        flat = faiss.rev_swig_ptr(engine.get_xb(), engine.ntotal * engine.d)
        self._rows: NDArray[np.float32] = flat.reshape(engine.ntotal, engine.d)
        self._rows.flags.writeable = False
        self._background = background or Background.of(self._rows)

    @classmethod
    def build(cls, rows: NDArray[np.float32]) -> VectorIndex:
        """Index a matrix; the rows are copied.

        Args:
            rows: float32, shape (n, d), d at least 1, each of length 1 within `UNIT_TOLERANCE`.

        Raises:
            EncoderError: If they are anything else: only an encoder makes them.
        """
        problem = fault(rows)
        if problem:
            raise EncoderError(f"编码器给出的向量不能建索引：{problem}。{_NEXT_STEP}")
        import faiss

        engine = faiss.IndexFlatIP(rows.shape[1])
        engine.add(np.ascontiguousarray(rows))
        return cls(engine)

    @classmethod
    def from_parts(cls, parts: Mapping[str, bytes]) -> VectorIndex:
        """Read back what `to_parts` gave. The caller has verified the bytes' checksums: FAISS does not.

        Raises:
            ValueError: If the bytes are not such an index or its rows are not sound.
        """
        import faiss

        try:
            engine = faiss.deserialize_index(np.frombuffer(parts["faiss"], dtype=np.uint8))
        except RuntimeError as error:
            raise ValueError(f"FAISS 读不懂它：{error}") from error
        if type(engine) is not faiss.IndexFlatIP or engine.metric_type != faiss.METRIC_INNER_PRODUCT:
            raise ValueError(f"其中是 {type(engine).__name__}，应为 IndexFlatIP（内积）")
        flat = faiss.rev_swig_ptr(engine.get_xb(), engine.ntotal * engine.d)
        rows = flat.reshape(engine.ntotal, engine.d)
        problem = fault(rows)
        if problem:
            raise ValueError(problem)
        return cls(engine, Background.from_bytes(parts["npz"], rows))

    def to_parts(self) -> dict[str, bytes]:
        """The index as bytes by file suffix: `faiss` the rows, `npz` their mean and covariance."""
        import faiss

        return {"faiss": faiss.serialize_index(self._engine).tobytes(), "npz": self._background.to_bytes()}

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self._rows.shape[0])

    @property
    def dim(self) -> int:
        """Length of a row."""
        return int(self._rows.shape[1])

    def search(self, vector: NDArray[np.float32], k: int) -> Ranking:
        """The k rows with the highest inner product.

        Args:
            vector: The query, float32, shape (dim,), finite.
            k: How many; more than there are rows is fine.

        Returns:
            Ordinals (int64) and scores (float32, in [-1, 1] within rounding for unit vectors),
            shape (min(k, count),), by (−score, ordinal).

        Raises:
            ValueError: If the vector has another shape or dtype or is not finite, or k is negative.
        """
        query = self._checked(vector)
        wanted = min(k, self.count)
        fetch = max(wanted, 0) + _SPARE
        slack = _rounding_bound(query)
        while True:
            near, found = self._candidates(query, fetch)
            ordinals, scores = best(found, self.scores(query, found), wanted)
            # A row that was not fetched scores at most near[-1] + slack: too little even to tie?
            if fetch >= self.count or not wanted or float(near[-1]) + slack < float(scores[-1]):
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
        wide = self._checked(vector).astype(np.float64)
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
        return self._background.of_scores(self._checked(vector))

    def _candidates(
        self, query: NDArray[np.float32], fetch: int
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """FAISS's own single-precision scores, descending, and rows; without the -1 it fills up with."""
        near, found = self._engine.search(query[np.newaxis], fetch)
        real = found[0] >= 0
        return near[0][real], found[0][real]

    def _checked(self, vector: NDArray[np.float32]) -> NDArray[np.float32]:
        if vector.shape != (self.dim,) or vector.dtype != np.float32:
            raise ValueError(
                f"query vector is {vector.dtype} of shape {vector.shape}, expected float32 ({self.dim},)"
            )
        if not np.isfinite(vector).all():
            raise ValueError("query vector holds a value that is not finite")
        return np.ascontiguousarray(vector)


def fault(rows: NDArray[np.float32]) -> str | None:
    """What is wrong with a matrix of rows, in Chinese; None if nothing is."""
    if rows.ndim != 2 or rows.dtype != np.float32 or rows.shape[1] == 0:
        return f"形状是 {rows.shape}，类型是 {rows.dtype}，应为 float32 的（行数，维数）"
    with np.errstate(all="ignore"):  # a value that overflows is found below
        lengths = np.sqrt(np.einsum("ij,ij->i", rows, rows))
    wrong = np.flatnonzero(~(np.abs(lengths - 1.0) <= UNIT_TOLERANCE))  # also true for NaN and infinity
    if wrong.size:
        row = int(wrong[0])
        return f"{wrong.size} 行不是单位长度的有限值（第 {row} 行的长度是 {float(lengths[row])!r}）"
    return None


def _rounding_bound(query: NDArray[np.float32]) -> float:
    """How far a single-precision inner product of the query with any row can be from the exact one.

    |computed - exact| <= g |q| |x| with g = m u / (1 - m u), whatever the order of summation
    (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002, section 3.1); u = 2^-24
    is the unit roundoff, m = d + 2 for d products and the final rounding of either side.
    """
    terms = (query.size + 2) * 2.0**-24
    length = float(np.linalg.norm(query.astype(np.float64)))
    return terms / (1.0 - terms) * length * (1.0 + UNIT_TOLERANCE)
