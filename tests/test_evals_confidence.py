"""What is measured of `confidence`, and latency: against hand arithmetic, scikit-learn and numpy."""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.measures.calibration import Bin, expected_calibration_error, reliability
from evals.measures.discrimination import auroc, auroc_interval
from evals.measures.latency import percentile
from evals.measures.risk_coverage import RiskPoint, area_under_risk_coverage, risk_coverage

metrics = importlib.import_module("sklearn.metrics")

tenths = st.integers(0, 10).map(lambda tenth: tenth / 10)
forecasts = st.lists(st.tuples(tenths, st.booleans()), min_size=1, max_size=40)


def test_auroc_by_hand() -> None:
    # Pairs: 0.9 beats both, 0.4 ties one (half) and loses one: 2.5 of 4.
    assert auroc([0.9, 0.4], [0.4, 0.6]) == 2.5 / 4


@given(st.lists(tenths, min_size=1, max_size=20), st.lists(tenths, min_size=1, max_size=20))
def test_auroc_is_scikit_learns(positive: list[float], negative: list[float]) -> None:
    labels = [1] * len(positive) + [0] * len(negative)
    expected = metrics.roc_auc_score(labels, positive + negative)
    assert auroc(positive, negative) == pytest.approx(expected, abs=1e-12)


def test_auroc_interval_by_hand() -> None:
    # A = 0.75, m = n = 2: Q1 = 0.6, Q2 = 1.125 / 1.75; SE^2 = (0.1875 + 0.0375 + (Q2 - 0.5625)) / 4.
    error = math.sqrt((0.1875 + (0.6 - 0.5625) + (1.125 / 1.75 - 0.5625)) / 4)
    low, high = auroc_interval(0.75, 2, 2)
    assert low == pytest.approx(0.75 - 1.959964 * error, abs=1e-6)
    assert high == 1.0
    assert auroc_interval(1.0, 5, 5) == (1.0, 1.0)


def test_calibration_by_hand() -> None:
    confidences, true = [0.05, 0.95, 1.0, 0.91], [False, True, True, False]
    first, last = reliability(confidences, true)
    assert first == Bin(0.0, 0.1, 1, 0.05, 0.0)
    assert (last.low, last.high, last.count) == (0.9, 1.0, 3)
    assert (last.confidence, last.accuracy) == pytest.approx((2.86 / 3, 2 / 3))
    assert expected_calibration_error(confidences, true) == pytest.approx(0.25 * 0.05 + 0.75 * (0.86 / 3))


@given(forecasts)
def test_calibration_is_what_counting_gives(rows: list[tuple[float, bool]]) -> None:
    confidences, true = [row[0] for row in rows], [row[1] for row in rows]
    total = 0.0
    for bin_number in range(10):
        inside = [
            row for row in rows if round(row[0] * 10) == bin_number or (bin_number == 9 and row[0] == 1.0)
        ]
        if inside:
            gap = sum(row[1] for row in inside) / len(inside) - sum(row[0] for row in inside) / len(inside)
            total += len(inside) / len(rows) * abs(gap)
    # Tenths sit on the borders of bins, where 0.3 * 10 may fall short of 3: nudge them inside.
    nudged = [min(value + 1e-9, 1.0) for value in confidences]
    assert expected_calibration_error(nudged, true) == pytest.approx(total, abs=1e-8)


def test_risk_coverage_by_hand() -> None:
    # By falling confidence: right, wrong and right tied, wrong.
    points = risk_coverage([0.9, 0.5, 0.5, 0.1], [False, True, False, True])
    assert points == (RiskPoint(0.9, 0.25, 0.0), RiskPoint(0.5, 0.75, 1 / 3), RiskPoint(0.1, 1.0, 0.5))
    area = area_under_risk_coverage([0.9, 0.5, 0.5, 0.1], [False, True, False, True])
    assert area == pytest.approx((0 + 1 / 3 + 1 / 3 + 1 / 2) / 4)


@given(forecasts)
def test_risk_coverage_is_what_counting_at_each_threshold_gives(rows: list[tuple[float, bool]]) -> None:
    confidences, wrong = [row[0] for row in rows], [row[1] for row in rows]
    for point in risk_coverage(confidences, wrong):
        covered = [flag for confidence, flag in rows if confidence >= point.threshold]
        assert point.coverage == len(covered) / len(rows)
        assert point.risk == sum(covered) / len(covered)
    risks = []
    for confidence, _ in rows:
        covered = [flag for other, flag in rows if other >= confidence]
        risks.append(sum(covered) / len(covered))
    assert area_under_risk_coverage(confidences, wrong) == pytest.approx(sum(risks) / len(risks), abs=1e-12)


def test_percentile_by_hand() -> None:
    assert percentile([30.0, 10.0, 20.0, 40.0], 0.5) == 25.0
    assert percentile([7.0], 0.95) == 7.0


@given(
    st.lists(st.floats(0, 1e6, allow_nan=False), min_size=1, max_size=30),
    st.sampled_from([0.0, 0.5, 0.9, 0.95, 1.0]),
)
def test_percentile_is_numpys(times: list[float], share: float) -> None:
    assert percentile(times, share) == pytest.approx(float(np.percentile(times, 100 * share)), rel=1e-9)
