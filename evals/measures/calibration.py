"""Expected calibration error and the bins of a reliability diagram.

    ECE = sum over bins b of (n_b / n) |acc_b - conf_b|

with n_b the predictions in bin b, acc_b the share of them that came true and conf_b their mean
confidence; B equal-width bins, bin b = [b / B, (b + 1) / B), the last one closed (Naeini, Cooper &
Hauskrecht 2015; Guo, Pleiss, Sun & Weinberger 2017).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """One bin that holds at least one prediction.

    Attributes:
        low, high: Its borders.
        count: Predictions in it.
        confidence: Their mean confidence.
        accuracy: Share of them that came true.
    """

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


def reliability(confidences: Sequence[float], came_true: Sequence[bool], bins: int = BINS) -> tuple[Bin, ...]:
    """The bins that are not empty, ascending."""
    grouped: dict[int, list[tuple[float, bool]]] = {}
    for confidence, true in zip(confidences, came_true, strict=True):
        grouped.setdefault(min(int(confidence * bins), bins - 1), []).append((confidence, true))
    return tuple(
        Bin(
            low=place / bins,
            high=(place + 1) / bins,
            count=len(rows),
            confidence=math.fsum(confidence for confidence, _ in rows) / len(rows),
            accuracy=sum(true for _, true in rows) / len(rows),
        )
        for place, rows in sorted(grouped.items())
    )


def expected_calibration_error(
    confidences: Sequence[float], came_true: Sequence[bool], bins: int = BINS
) -> float:
    """The ECE, 0-1, of at least one prediction."""
    total = len(confidences)
    return math.fsum(
        row.count / total * abs(row.accuracy - row.confidence)
        for row in reliability(confidences, came_true, bins)
    )
