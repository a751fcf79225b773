"""Which segments a new one is merged with: few segments, and no row copied often.

As in a binary counter or a log-structured merge tree (O'Neil et al., The Log-Structured Merge-Tree, Acta
Informatica 33, 1996; Bentley and Saxe, Decomposable Searching Problems I, J. Algorithms 1, 1980): the new
segment swallows its left neighbour while that is less than twice as large as all swallowed so far.

* Afterwards each segment is at least twice as large as the next, so n rows lie in at most log2(n) + 1
  segments.
* A row of an old segment that is swallowed comes to lie in one at least half as large again, so it is
  copied at most log(n) / log(1.5) times; n additions cost O(n log n) in all. A small addition to a large
  index leaves the large segment alone.
"""

from __future__ import annotations

from collections.abc import Sequence


def first_merged(sizes: Sequence[int], added: int) -> int:
    """From which segment on all are merged with the new one.

    Args:
        sizes: Rows of each segment, in order.
        added: Rows of the new one.

    Returns:
        A place in `sizes`; its length if nothing is merged.
    """
    place, total = len(sizes), added
    while place and sizes[place - 1] < 2 * total:
        place -= 1
        total += sizes[place]
    return place
