"""AUROC: how well a score separates two classes.

    A = P(s+ > s-) + P(s+ = s-) / 2       (s+, s- scores of a random positive and negative)

which is the Mann-Whitney statistic over m positives and n negatives divided by m n (Hanley & McNeil
1982). Their standard error, with Q1 = A / (2 - A) and Q2 = 2 A^2 / (1 + A), is

    SE^2 = (A (1 - A) + (m - 1)(Q1 - A^2) + (n - 1)(Q2 - A^2)) / (m n)
"""

from __future__ import annotations

import math
from collections.abc import Sequence

_NORMAL_975 = 1.959963984540054


def auroc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """The area under the curve, 0-1; 0.5 is chance. Both sequences need at least one score."""
    wins = sum((p > n) + (p == n) / 2 for p in positive for n in negative)
    return wins / (len(positive) * len(negative))


def auroc_interval(area: float, positives: int, negatives: int) -> tuple[float, float]:
    """The 95 % normal interval after Hanley & McNeil, cut to 0-1."""
    q1, q2 = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (positives - 1) * (q1 - area**2) + (negatives - 1) * (q2 - area**2)
    reach = _NORMAL_975 * math.sqrt(max(spread, 0.0) / (positives * negatives))
    return max(0.0, area - reach), min(1.0, area + reach)
