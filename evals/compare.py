"""Two runs side by side: every measure of every group with delta and paired exact p-value, worst first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from evals.aggregate import Group, members_of_groups
from evals.baseline import Baseline
from evals.measures.catalogue import MEASURE_BY_NAME, MEASURES, Measure
from evals.measures.paired import Paired, compare_pairs
from evals.report import Report
from evals.result import Result


@dataclass(frozen=True, slots=True)
class Row:
    """A measure of a group in two runs, over the questions that both have.

    Attributes:
        before, after: Mean or median over those questions.
        paired: The test.
        interval: The interval of `after` over all questions of the group, where there is one.
    """

    group: str
    measure: str
    before: float
    after: float
    paired: Paired
    interval: tuple[float, float] | None

    @property
    def delta(self) -> float:
        """What was gained: `after` minus `before`."""
        return self.after - self.before

    @property
    def is_worse(self) -> bool:
        """Whether it moved the wrong way."""
        return self.delta != 0 and (self.delta < 0) is MEASURE_BY_NAME[self.measure].higher_is_better


def compare(baseline: Baseline, report: Report) -> tuple[Row, ...]:
    """All rows that can be compared, worse ones first, then by p-value, then in report order."""
    members = members_of_groups(report.results)
    rows = [
        row
        for group in report.groups
        for measure in MEASURES
        if measure.paired
        and (row := compare_group(baseline, group, members[group.name], measure)) is not None
    ]
    return tuple(sorted(rows, key=lambda row: (not row.is_worse, row.paired.p_value)))


def compare_group(
    baseline: Baseline, group: Group, members: Sequence[Result], measure: Measure
) -> Row | None:
    """One row, or None if no question of the group is judged by this measure in both runs."""
    pairs = [
        (before, after)
        for result in members
        if (before := baseline.scores.get(result.question_id, {}).get(measure.name)) is not None
        and (after := result.measures.get(measure.name)) is not None
    ]
    if not pairs:
        return None
    estimate = group.measures[measure.name]
    return Row(
        group.name,
        measure.name,
        _summed(measure, [before for before, _ in pairs]),
        _summed(measure, [after for _, after in pairs]),
        compare_pairs(pairs, higher_is_better=measure.higher_is_better),
        None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high),
    )


def _summed(measure: Measure, values: Sequence[float]) -> float:
    return median(values) if measure.statistic == "median" else math.fsum(values) / len(values)
