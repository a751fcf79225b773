"""Results to groups: overall, by split, by type and by slice, each with every measure and its interval."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from evals.measures.calibration import expected_calibration_error
from evals.measures.catalogue import MEASURES, Measure
from evals.measures.discrimination import auroc, auroc_interval
from evals.measures.intervals import mean_interval
from evals.measures.risk_coverage import area_under_risk_coverage
from evals.question_line import TYPES
from evals.result import Result

OVERALL, BODY = "overall", "body"
"""All questions; the answerable ones about what the texts say, not about who wrote them."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A measure over a group.

    Attributes:
        value: Mean or median, rounded to 6 places; None if no question of the group is judged by it.
        n: Questions judged.
        low, high: The 95 % interval, where there is one.
    """

    value: float | None
    n: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """A set of questions: "overall", "body", "split:…", "type:…" or "slice:…"."""

    name: str
    questions: int
    measures: dict[str, Estimate]


def group_results(results: Sequence[Result]) -> tuple[Group, ...]:
    """All groups that have a question, in a fixed order."""
    return tuple(
        Group(name, len(rows), {measure.name: _estimate(measure, rows) for measure in MEASURES})
        for name, rows in members_of_groups(results).items()
    )


def members_of_groups(results: Sequence[Result]) -> dict[str, list[Result]]:
    """The questions of each group that has any."""
    members: dict[str, list[Result]] = {OVERALL: list(results)}
    members[BODY] = [row for row in results if row.answerable and row.type != "authorship"]
    splits = sorted({row.split for row in results})
    for split in splits if len(splits) > 1 else ():
        members[f"split:{split}"] = [row for row in results if row.split == split]
    for kind in TYPES:
        members[f"type:{kind}"] = [row for row in results if row.type == kind]
    for tag in sorted({tag for row in results for tag in row.slices}):
        members[f"slice:{tag}"] = [row for row in results if tag in row.slices]
    return {name: rows for name, rows in members.items() if rows}


def _estimate(measure: Measure, rows: Sequence[Result]) -> Estimate:
    if not measure.paired:
        return _of_confidence(measure.name, rows)
    values = [value for row in rows if (value := row.measures.get(measure.name)) is not None]
    if not values:
        return Estimate(None, 0)
    if measure.statistic == "median":
        return Estimate(round(median(values), 6), len(values))
    low, high = mean_interval(values)
    return Estimate(round(math.fsum(values) / len(values), 6), len(values), round(low, 6), round(high, 6))


def _of_confidence(name: str, rows: Sequence[Result]) -> Estimate:
    """A measure of `confidence` as a forecast that the corpus answers; it needs questions of both kinds."""
    judged = [row for row in rows if row.error is None]
    confidences = [row.confidence for row in judged]
    answerable = [row.answerable for row in judged]
    positive = [row.confidence for row in judged if row.answerable]
    negative = [row.confidence for row in judged if not row.answerable]
    if not positive or not negative:
        return Estimate(None, 0)
    if name == "auroc":
        area = auroc(positive, negative)
        low, high = auroc_interval(area, len(positive), len(negative))
        return Estimate(round(area, 6), len(judged), round(low, 6), round(high, 6))
    if name == "ece":
        return Estimate(round(expected_calibration_error(confidences, answerable), 6), len(judged))
    wrong = [not flag for flag in answerable]
    return Estimate(round(area_under_risk_coverage(confidences, wrong), 6), len(judged))
