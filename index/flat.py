"""FAISS's flat index as an array of unit rows: room for it, its memory as numpy sees it, candidates.

The only place that imports FAISS; it does so where an index is made, never at import.

Not here: exact scores, ranking, moments (`index.vectors`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import faiss

UNIT_TOLERANCE = 1e-3
"""How far a row's length may be from 1."""


def allocate(count: int, dim: int) -> faiss.IndexFlatIP:
    """An index of `count` rows of zeros, to be written through `rows_of`: there is never a second copy."""
    import faiss

    engine = faiss.IndexFlatIP(dim)
    engine.codes.resize(count * dim * np.dtype(np.float32).itemsize)
    engine.ntotal = count
    return engine


def deserialize(data: bytes) -> faiss.IndexFlatIP:
    """Read what `faiss.serialize_index` gave.

    Raises:
        ValueError: If it is no flat inner-product index; in Chinese.
    """
    import faiss

    try:
        engine = faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))
    except RuntimeError as error:
        raise ValueError(f"FAISS 读不懂它：{error}") from error
    if type(engine) is not faiss.IndexFlatIP or engine.metric_type != faiss.METRIC_INNER_PRODUCT:
        raise ValueError(f"其中是 {type(engine).__name__}，应为 IndexFlatIP（内积）")
    return engine


def serialize(engine: faiss.IndexFlatIP) -> bytes:
    """The whole index as bytes, in FAISS's own form."""
    import faiss

    data: bytes = faiss.serialize_index(engine).tobytes()
    return data


def rows_of(engine: faiss.IndexFlatIP) -> NDArray[np.float32]:
    """The rows, shape (count, dim): a view of the engine's memory, valid as long as the engine lives."""
    import faiss

    rows: NDArray[np.float32] = faiss.rev_swig_ptr(engine.get_xb(), engine.ntotal * engine.d)
    return rows.reshape(engine.ntotal, engine.d)


def candidates(
    engine: faiss.IndexFlatIP, query: NDArray[np.float32], fetch: int, among: NDArray[np.bool_] | None
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The rows that FAISS thinks best.

    Args:
        engine: The index.
        query: float32, shape (dim,), contiguous and finite.
        fetch: How many at most, at least 1.
        among: The rows that may be found, shape (count,); None is all of them.

    Returns:
        FAISS's own single-precision scores, descending, and rows; without the -1 it fills up with.
    """
    import faiss

    chosen = None
    if among is not None:  # one bit a row, the lowest first; FAISS passes over rows without it
        bits = np.packbits(among, bitorder="little")
        selector = faiss.IDSelectorBitmap(bits.size, faiss.swig_ptr(bits))  # a pointer: `bits` outlives it
        chosen = faiss.SearchParameters()
        chosen.sel = selector
    # On one thread: a second one on a busy core made a search of 137,000 rows three times slower. OpenMP
    # keeps the number per calling thread, so it is said each time; no result depends on it.
    faiss.omp_set_num_threads(1)
    near, found = engine.search(query[np.newaxis], fetch, params=chosen)
    real = found[0] >= 0
    return near[0][real], found[0][real]


def rounding_bound(query: NDArray[np.float32]) -> float:
    """How far a single-precision inner product of the query with any row can be from the exact one.

    |computed - exact| <= g |q| |x| with g = m u / (1 - m u), whatever the order of summation
    (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed. 2002, section 3.1); u = 2^-24
    is the unit roundoff, m = d + 2 for d products and the final rounding of either side.
    """
    terms = (query.size + 2) * 2.0**-24
    length = float(np.linalg.norm(query.astype(np.float64)))
    return terms / (1.0 - terms) * length * (1.0 + UNIT_TOLERANCE)


def checked_query(vector: NDArray[np.float32], dim: int) -> NDArray[np.float32]:
    """A query as FAISS wants it.

    Raises:
        ValueError: If it is not float32 of shape (dim,) and finite.
    """
    if vector.shape != (dim,) or vector.dtype != np.float32:
        raise ValueError(f"query vector is {vector.dtype} of shape {vector.shape}, expected float32 ({dim},)")
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
