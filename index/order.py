"""The one order of results: by (−score, ordinal). Not a search: it only picks and sorts.

Both arms go through here, so equal scores come out in row order whatever the engine below did
(FAISS returns ties in any order).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Ranking = tuple[NDArray[np.int64], NDArray[np.float32]]
"""Row ordinals (from 0) and their scores, best first."""


def best(ordinals: NDArray[np.int64], scores: NDArray[np.float32], k: int) -> Ranking:
    """The k best rows in total order.

    Args:
        ordinals: Distinct row numbers, shape (n,), any order.
        scores: Their scores, shape (n,), finite; higher is better.
        k: How many to return at most, 0 or more.

    Returns:
        Ordinals and scores, shape (min(k, n),), by descending score, equal scores by ascending ordinal.

    Raises:
        ValueError: If k is negative.
    """
    if k < 0:
        raise ValueError(f"k is {k!r}, expected 0 or more")
    if 0 < k < scores.size:
        # Everything that ties with rank k stays in, so that the cut falls by ordinal, not by chance.
        threshold = np.partition(scores, scores.size - k)[scores.size - k]
        kept = scores >= threshold
        ordinals, scores = ordinals[kept], scores[kept]
    order = np.lexsort((ordinals, -scores))[:k]
    return ordinals[order], scores[order]
