"""The risk-coverage curve of a confidence: what answering more costs.

For a threshold t, with n questions in all,

    coverage(t) = |{i : c_i >= t}| / n
    risk(t)     = |{i : c_i >= t and i is wrong}| / |{i : c_i >= t}|

(El-Yaniv & Wiener 2010). "Wrong" is here a question that the corpus does not answer. AURC is the mean of
the risk at every coverage 1/n ... 1 (Geifman & El-Yaniv 2017); inside a run of equal confidences, which
no threshold can split, the risk at the run's end is used for all of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class RiskPoint:
    """The curve at one threshold.

    Attributes:
        threshold: The least confidence that is answered.
        coverage: Share of questions answered.
        risk: Share of those that are wrong.
    """

    threshold: float
    coverage: float
    risk: float


def risk_coverage(confidences: Sequence[float], wrong: Sequence[bool]) -> tuple[RiskPoint, ...]:
    """The curve at every distinct confidence, by ascending coverage."""
    total = len(confidences)
    rows = sorted(zip(confidences, wrong, strict=True), key=lambda row: -row[0])
    points: list[RiskPoint] = []
    covered = bad = 0
    for threshold, group in groupby(rows, key=lambda row: row[0]):
        flags = [flag for _, flag in group]
        covered += len(flags)
        bad += sum(flags)
        points.append(RiskPoint(threshold, covered / total, bad / covered))
    return tuple(points)


def area_under_risk_coverage(confidences: Sequence[float], wrong: Sequence[bool]) -> float:
    """AURC, 0-1; lower is better. At least one question."""
    before, parts = 0.0, []
    for point in risk_coverage(confidences, wrong):
        parts.append((point.coverage - before) * point.risk)
        before = point.coverage
    return math.fsum(parts)
