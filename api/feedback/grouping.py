"""Questions that ask for much the same, by the vectors of a sentence encoder: average-linkage clustering.

Two groups are as similar as their questions are on average, over all pairs of one with one of the other; of
all groups the most similar two are joined, until no two reach the threshold. For unit vectors that average
is the inner product of the groups' sums over the product of their sizes, so no matrix of pairs is needed.
The order of joining is found by chains of nearest neighbours (Benzécri 1982, Murtagh 1983), which gives the
same tree: joining two groups never makes a third more similar to them than both were.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

THRESHOLD = 0.93
"""Least average similarity within a joined group, for the bundled encoder's query vectors.

Chosen on CMRC 2018, DRCD and XQuAD (Chinese) questions: see `docs/operations.md`."""


def grouped(vectors: npt.NDArray[np.float32], threshold: float = THRESHOLD) -> list[list[int]]:
    """Rows by group.

    The result depends on the vectors alone; where two pairs are equally similar, the earlier row decides.

    Args:
        vectors: Shape (rows, dimension), rows of unit length.
        threshold: Cosine, -1 to 1.

    Returns:
        Groups of ascending row numbers, by their first.
    """
    parent = list(range(len(vectors)))
    for similarity, one, other in _joins(vectors):
        if similarity >= threshold:
            first, second = sorted((_root(parent, one), _root(parent, other)))
            parent[second] = first
    groups: dict[int, list[int]] = {}
    for row in range(len(vectors)):
        groups.setdefault(_root(parent, row), []).append(row)
    return list(groups.values())


def _joins(vectors: npt.NDArray[np.float32]) -> list[tuple[float, int, int]]:
    """The whole tree: for each join its similarity, and a row of either side."""
    import numpy as np

    # Of each group still there: the sum of its rows, and how many; groups are named by one of their rows.
    sums = np.asarray(vectors, np.float64).copy()
    sizes = np.ones(len(sums))
    alive = np.ones(len(sums), bool)
    joins: list[tuple[float, int, int]] = []
    chain: list[int] = []
    while len(joins) < len(sums) - 1:
        if not chain:
            chain.append(int(np.argmax(alive)))
        top = chain[-1]
        similar = (sums @ sums[top]) / (sizes * sizes[top])
        similar[~alive] = -np.inf
        similar[top] = -np.inf
        nearest = int(np.argmax(similar))
        # Among equals the one we come from, or a chain could go in circles; only rounding leads further back.
        if len(chain) > 1 and (similar[chain[-2]] >= similar[nearest] or nearest in chain):
            nearest = chain[-2]
        if len(chain) < 2 or nearest != chain[-2]:
            chain.append(nearest)
            continue
        joins.append((float(similar[nearest]), top, nearest))
        del chain[-2:]
        sums[nearest] += sums[top]
        sizes[nearest] += sizes[top]
        alive[top] = False
    return joins


def _root(parent: Sequence[int], row: int) -> int:
    while parent[row] != row:
        row = parent[row]
    return row
