"""Fitting a correction for one collection: against scikit-learn, scipy, and the evaluation's measures."""

from __future__ import annotations

import importlib
import math
import random
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.calibration import _SigmoidCalibration  # its name is private; the method is Platt's
from sklearn.metrics import brier_score_loss, log_loss

from evals.measures.calibration import expected_calibration_error
from rag.confidence.calibrating import (
    FOLDS,
    LEAST_EACH,
    Labelled,
    calibrate,
    corrected,
    fit_platt,
    folds_of,
    scores,
)
from rag.confidence.correction import Basis
from rag.confidence.model import ConfidenceModel, logistic

MODEL = ConfidenceModel("words", np.array([1.0]), 0.0, ((0.1, 0.8), (0.3, 0.6), (0.5, 0.4), (0.8, 0.2)))
minimize = importlib.import_module("scipy.optimize").minimize
LABELS = st.lists(st.tuples(st.floats(-6, 6), st.booleans()), min_size=2, max_size=60).filter(
    lambda rows: 0 < sum(label for _, label in rows) < len(rows)
)


def basis_at(rate: float = 0.5) -> Basis:
    return Basis(MODEL, None, MODEL.threshold(rate), rate)


def drawn(count: int, *, slope: float = 1.0, offset: float = 0.0, seed: int = 3) -> list[Labelled]:
    """Questions of whom a share of 1 / (1 + exp(-(slope * logit + offset))) is answerable."""
    generator = random.Random(seed)  # noqa: S311 -- the same for the same number
    found = []
    for _ in range(count):
        logit = generator.gauss(0, 2)
        chance = 1 / (1 + math.exp(-(slope * logit + offset)))
        found.append(Labelled(logit, generator.random() < chance))
    return found


def platt_cost(
    at: Sequence[float], rows: Sequence[tuple[float, bool]], spreads: tuple[float, float]
) -> float:
    """The sum that is made small, written out question by question."""
    slope, offset = at
    yes = sum(label for _, label in rows)
    total = (slope - 1) ** 2 / (2 * spreads[0] ** 2) + offset**2 / (2 * spreads[1] ** 2)
    for logit, label in rows:
        target = (yes + 1) / (yes + 2) if label else 1 / (len(rows) - yes + 2)
        p = 1 / (1 + math.exp(-(slope * logit + offset)))
        total -= target * math.log(p) + (1 - target) * math.log(1 - p)
    return total


@settings(deadline=None, max_examples=40)
@given(LABELS)
def test_the_fit_is_where_scipy_finds_the_least(rows: list[tuple[float, bool]]) -> None:
    spreads = (0.5, 1.0)
    slope, offset = fit_platt([z for z, _ in rows], [label for _, label in rows])
    least = minimize(
        platt_cost, (1.0, 0.0), (rows, spreads), method="L-BFGS-B", bounds=[(0.05, None), (None, None)]
    )
    assert platt_cost((slope, offset), rows, spreads) <= least.fun + 1e-6
    assert (slope, offset) == pytest.approx(tuple(least.x), abs=2e-3)


@pytest.mark.parametrize("seed", range(5))
def test_without_a_prior_it_is_scikit_learns(seed: int) -> None:
    rows = drawn(80, slope=0.7, offset=-0.4, seed=seed)
    theirs = _SigmoidCalibration().fit(
        np.array([one.logit for one in rows]), np.array([one.answerable for one in rows])
    )
    ours = fit_platt(
        [one.logit for one in rows],
        [one.answerable for one in rows],
        slope_spread=math.inf,
        offset_spread=math.inf,
    )
    assert ours == pytest.approx((-theirs.a_, -theirs.b_), abs=2e-3)  # they write exp(a z + b)


def test_it_finds_what_the_questions_were_drawn_with() -> None:
    rows = drawn(4000, slope=0.6, offset=0.8)
    slope, offset = fit_platt([one.logit for one in rows], [one.answerable for one in rows])
    assert (slope, offset) == pytest.approx((0.6, 0.8), abs=0.1)


def test_few_questions_change_little_and_more_change_more() -> None:
    moved = []
    for count in (10, 100, 1000):
        logits, labels = [0.0] * count, [True] * (4 * count // 5) + [False] * (count // 5)
        slope, offset = fit_platt(logits, labels)
        assert slope == 1.0  # all logits are 0: nothing is said of it
        moved.append(offset)
    assert 0 < moved[0] < moved[1] < moved[2] < math.log(4)
    assert moved[2] == pytest.approx(math.log(4), abs=0.02)


@given(LABELS)
def test_the_slope_stays_above_0_whatever_the_labels(rows: list[tuple[float, bool]]) -> None:
    slope, offset = fit_platt([z for z, _ in rows], [label for _, label in rows])
    assert slope >= 0.05
    assert math.isfinite(offset)


def test_labels_against_the_model_end_at_the_least_slope() -> None:
    logits = [place / 10 for place in range(-30, 30)] * 4
    assert fit_platt(logits, [z < 0 for z in logits])[0] == 0.05


@given(LABELS, st.randoms(use_true_random=False))
def test_the_order_of_questions_does_not_matter(rows: list[tuple[float, bool]], rnd: random.Random) -> None:
    shuffled = rows.copy()
    rnd.shuffle(shuffled)
    fits = [fit_platt([z for z, _ in some], [label for _, label in some]) for some in (rows, shuffled)]
    assert fits[0] == pytest.approx(fits[1], abs=2e-6)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_scores_are_those_of_others(rows: list[tuple[int, bool, bool]]) -> None:
    said = [value / 10_000 for value, _, _ in rows]
    answered, truth = [row[1] for row in rows], [row[2] for row in rows]
    found = scores(said, answered, truth)
    assert found.brier == pytest.approx(brier_score_loss(truth, said, pos_label=True), abs=1e-6)
    clipped = np.clip(said, 1e-4, 1 - 1e-4)
    assert found.log_loss == pytest.approx(log_loss(truth, clipped, labels=[False, True]), abs=1e-6)
    assert found.calibration_error == pytest.approx(expected_calibration_error(said, truth), abs=1e-6)
    assert found.false_answers == len([1 for a, t in zip(answered, truth, strict=True) if a and not t])
    assert found.missed_answers == len([1 for a, t in zip(answered, truth, strict=True) if t and not a])


def test_folds_have_as_many_of_each_kind() -> None:
    labelled = drawn(153)
    folds = folds_of(labelled)
    assert folds == folds_of(labelled)
    for kind in (True, False):
        counts = [
            sum(at == fold and one.answerable is kind for one, at in zip(labelled, folds, strict=True))
            for fold in range(FOLDS)
        ]
        assert max(counts) - min(counts) <= 1


def test_a_collection_on_which_the_model_is_too_modest_is_helped() -> None:
    outcome = calibrate(basis_at(), drawn(300, offset=2.0))
    assert outcome.helps
    assert outcome.correction.offset > 0.5
    for name in ("brier", "log_loss", "calibration_error"):
        assert getattr(outcome.after, name) < getattr(outcome.before, name), name
    assert outcome.answerable + outcome.unanswerable == 300


def test_no_question_is_judged_by_what_was_made_from_it() -> None:
    labelled = drawn(120, slope=0.5, offset=1.0)
    folds = folds_of(labelled)
    said, answered = [], []
    for one, fold in zip(labelled, folds, strict=True):
        others = [other for other, at in zip(labelled, folds, strict=True) if at != fold]
        made = corrected(basis_at(), others)
        said.append(made.confidence(one.logit))
        answered.append(logistic(one.logit) >= made.threshold(basis_at()))
    assert calibrate(basis_at(), labelled).after == scores(
        said, answered, [one.answerable for one in labelled]
    )


def test_labels_by_chance_are_found_to_make_it_worse_or_no_better_than_nothing() -> None:
    # The model is right, and there is little to go by: a correction is noise.
    outcomes = [calibrate(basis_at(), drawn(60, seed=seed)) for seed in range(12)]
    assert any(not outcome.helps for outcome in outcomes)


@pytest.mark.parametrize("missing", [True, False])
def test_it_takes_enough_of_each_kind(missing: bool) -> None:
    few = [Labelled(0.5, missing)] * (LEAST_EACH - 1) + [Labelled(0.5, not missing)] * 50
    with pytest.raises(ValueError, match="of each kind"):
        calibrate(basis_at(), few)
    assert calibrate(basis_at(), [*few, Labelled(0.5, missing)]).correction.slope > 0


@pytest.mark.parametrize(("rate", "threshold"), [(0.0, math.inf), (1.0, 0.0)])
def test_the_ends_of_the_setting_stay_what_they_are(rate: float, threshold: float) -> None:
    outcome = calibrate(basis_at(rate), drawn(100))
    assert (outcome.threshold_before, outcome.threshold_after) == (threshold, threshold)
    all_false = (outcome.unanswerable, 0) if rate else (0, outcome.answerable)
    assert (outcome.after.false_answers, outcome.after.missed_answers) == all_false
