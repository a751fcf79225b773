"""Paired exact tests: has a change made the same questions better or worse?

With w pairs better, l pairs worse and ties left out, under "better and worse are equally likely" l is
binomial with n = w + l and p = 1/2, and the two-sided

    p = min(1, 2 P(X <= min(w, l)))

For scores of 0 and 1 this is McNemar's test in its exact form (McNemar 1947), for others the sign test
(Arbuthnott 1710; Conover 1999, section 3.4).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Paired:
    """A paired comparison.

    Attributes:
        better, worse, tied: Pairs of each kind.
        p_value: Two-sided, exact; 1.0 if no pair differs.
    """

    better: int
    worse: int
    tied: int
    p_value: float


def sign_test(better: int, worse: int) -> float:
    """The two-sided exact p-value for these counts."""
    differing = better + worse
    tail = sum(math.comb(differing, x) for x in range(min(better, worse) + 1))
    return min(1.0, math.ldexp(tail, 1 - differing))


def compare_pairs(pairs: Iterable[tuple[float, float]], *, higher_is_better: bool = True) -> Paired:
    """Compare (before, after) scores of the same questions."""
    better = worse = tied = 0
    for before, after in pairs:
        if before == after:
            tied += 1
        elif (after > before) is higher_is_better:
            better += 1
        else:
            worse += 1
    return Paired(better, worse, tied, sign_test(better, worse))
