"""Calibrating one collection: from labelled questions to a correction, and whether it is any good.

The correction is Platt's (1999): with z the model's logit, p = 1 / (1 + exp(-(a z + b))), the least of

    - sum_i [t_i log p_i + (1 - t_i) log(1 - p_i)]  +  (a - 1)^2 / (2 s_a^2)  +  b^2 / (2 s_b^2),   a >= 0.05

Targets t are smoothed as he does, which keeps a few clean examples from making it sure: (N+ + 1) / (N+ + 2)
for N+ answerable questions, 1 / (N- + 2) for N- others. The last two terms are a normal prior around
"change nothing" (a = 1, b = 0), s_a = 0.5, s_b = 1: at 15 questions of each kind it holds back about a fifth
of what they say of b, at 100 of each a thirtieth. The sum is convex, the minimum unique.

What is reported comes from five-fold cross-validation, each fold with as many questions of either kind as
the others: correction and threshold are made from four folds and judged on the fifth. The draw is fixed. The
figures are of questions mixed as the labelled ones are.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from rag.confidence.correction import Basis, Correction
from rag.confidence.model import logistic

Floats = npt.NDArray[np.float64]

LEAST_EACH = 15
"""Questions of each kind that it takes."""
FOLDS = 5
SLOPE_SPREAD, OFFSET_SPREAD = 0.5, 1.0
"""Standard deviations of the prior."""
_LEAST_SLOPE = 0.05
_SEED = 19
_BINS = 10
_LOGIT_CAP = 30.0
_DECIMALS = 6
_ROUNDS = 100
_TINY = 1e-12
_LEAST_LOSS_CONFIDENCE = 1e-4
"""Confidences have four decimals: one of 0 is no claim to know, and must not cost infinitely much."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question that was judged.

    Attributes:
        logit: What the fitted model says of it, uncorrected.
        answerable: What a person says.
    """

    logit: float
    answerable: bool

    @property
    def confidence(self) -> float:
        """The uncorrected probability, 0-1."""
        return logistic(self.logit)


@dataclass(frozen=True, slots=True)
class Scores:
    """How confidences do.

    Attributes:
        brier: Mean squared error, 0-1 (Brier 1950).
        log_loss: Mean of -log of what was said of what came true, in nats.
        calibration_error: Expected calibration error in ten bins of equal width, 0-1.
        false_answers: How many unanswerable questions were held for answered.
        missed_answers: How many answerable ones were not.
    """

    brier: float
    log_loss: float
    calibration_error: float
    false_answers: int
    missed_answers: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What calibrating gives.

    Attributes:
        correction: Fitted on all questions.
        answerable, unanswerable: How many questions of each kind.
        before: The fitted model as it is.
        after: Corrections, each on questions that it was not made from.
        threshold_before, threshold_after: Least confidence that is answered, as shown; infinite for never.
    """

    correction: Correction
    answerable: int
    unanswerable: int
    before: Scores
    after: Scores
    threshold_before: float
    threshold_after: float

    @property
    def helps(self) -> bool:
        """Whether probabilities are no worse for it on questions that it was not made from."""
        return self.after.brier <= self.before.brier


def calibrate(basis: Basis, labelled: Sequence[Labelled]) -> Outcome:
    """Fit a correction, and cross-validate it.

    Args:
        basis: The model that judged them.
        labelled: At least `LEAST_EACH` of each kind.

    Raises:
        ValueError: If there are fewer.
    """
    counts = [sum(one.answerable is kind for one in labelled) for kind in (True, False)]
    if min(counts) < LEAST_EACH:
        raise ValueError(f"{counts} questions; it takes {LEAST_EACH} of each kind")
    correction = corrected(basis, labelled)
    folds = folds_of(labelled)
    after: list[float] = [0.0] * len(labelled)
    answered = [False] * len(labelled)
    for fold in range(FOLDS):
        made = corrected(basis, [one for one, at in zip(labelled, folds, strict=True) if at != fold])
        threshold = made.threshold(basis)
        for place, one in enumerate(labelled):
            if folds[place] == fold:
                after[place] = made.confidence(one.logit)
                answered[place] = one.confidence >= threshold
    before = [one.confidence for one in labelled]
    truth = [one.answerable for one in labelled]
    chosen = correction.threshold(basis)
    shown = min(max(chosen, _TINY), 1 - _TINY)
    return Outcome(
        correction=correction,
        answerable=counts[0],
        unanswerable=counts[1],
        before=scores(before, [each >= basis.threshold for each in before], truth),
        after=scores(after, answered, truth),
        threshold_before=basis.threshold,
        threshold_after=chosen
        if chosen in {0.0, math.inf}
        else correction.confidence(math.log(shown / (1 - shown))),
    )


def corrected(basis: Basis, labelled: Iterable[Labelled]) -> Correction:
    """The correction that questions of both kinds give."""
    labelled = list(labelled)
    slope, offset = fit_platt([one.logit for one in labelled], [one.answerable for one in labelled])
    return Correction(
        basis.model.name,
        basis.digest,
        slope,
        offset,
        tuple(sorted(one.confidence for one in labelled if not one.answerable)),
    )


def folds_of(labelled: Sequence[Labelled]) -> list[int]:
    """For each question its fold, from 0: questions of each kind dealt out in a fixed random order."""
    generator = random.Random(_SEED)  # noqa: S311 -- a fixed draw, not a secret
    folds = [0] * len(labelled)
    for kind in (True, False):
        places = [place for place, one in enumerate(labelled) if one.answerable is kind]
        generator.shuffle(places)
        for turn, place in enumerate(places):
            folds[place] = turn % FOLDS
    return folds


def scores(confidences: Sequence[float], answered: Sequence[bool], truth: Sequence[bool]) -> Scores:
    """How confidences and decisions do on at least one question."""
    said, true = np.array(confidences, np.float64), np.array(truth, np.float64)
    clipped = np.clip(said, _LEAST_LOSS_CONFIDENCE, 1 - _LEAST_LOSS_CONFIDENCE)
    loss = -(true * np.log(clipped) + (1 - true) * np.log(1 - clipped))
    bins = np.minimum((said * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, true - said, _BINS)
    pairs = list(zip(answered, truth, strict=True))
    return Scores(
        brier=round(float(np.mean((said - true) ** 2)), _DECIMALS),
        log_loss=round(float(np.mean(loss)), _DECIMALS),
        calibration_error=round(float(np.abs(gaps).sum() / len(said)), _DECIMALS),
        false_answers=sum(given and not right for given, right in pairs),
        missed_answers=sum(right and not given for given, right in pairs),
    )


def fit_platt(
    logits: Sequence[float],
    answerable: Sequence[bool],
    *,
    slope_spread: float = SLOPE_SPREAD,
    offset_spread: float = OFFSET_SPREAD,
) -> tuple[float, float]:
    """Slope and offset of Platt's correction under the prior; see this module.

    Args:
        logits: What is corrected.
        answerable: The labels.
        slope_spread: Standard deviation of the prior of the slope; infinite for none.
        offset_spread: The same of the offset.

    Returns:
        Rounded, so that the last bits of a sum cannot decide.
    """
    z = np.clip(np.array(logits, np.float64), -_LOGIT_CAP, _LOGIT_CAP)
    label = np.array(answerable, bool)
    yes, no = int(label.sum()), int((~label).sum())
    targets = np.where(label, (yes + 1) / (yes + 2), 1 / (no + 2))
    design = np.stack([z, np.ones_like(z)], axis=1)
    precision = np.array([slope_spread, offset_spread]) ** -2.0
    free = _least(design, targets, precision, np.array([1.0, 0.0]), np.zeros_like(z))
    if free[0] < _LEAST_SLOPE:  # of a convex sum, the least under a bound that it breaks lies on the bound
        offset = _least(design[:, 1:], targets, precision[1:], np.zeros(1), _LEAST_SLOPE * z)[0]
        free = np.array([_LEAST_SLOPE, offset])
    return round(float(free[0]), _DECIMALS), round(float(free[1]), _DECIMALS)


def _least(design: Floats, targets: Floats, precision: Floats, centre: Floats, fixed: Floats) -> Floats:
    """Newton's method with halved steps; the penalty pulls to `centre`, `fixed` is added to the logit."""

    def cost(at: Floats) -> float:
        logit = design @ at + fixed
        return float(np.sum(np.logaddexp(0, logit) - targets * logit) + 0.5 * precision @ (at - centre) ** 2)

    at = centre.copy()
    for _ in range(_ROUNDS):
        expected = 1 / (1 + np.exp(-(design @ at + fixed)))
        gradient = design.T @ (expected - targets) + precision * (at - centre)
        curvature = (design.T * (expected * (1 - expected))) @ design + np.diag(precision + _TINY)
        step = np.linalg.solve(curvature, gradient)
        here, size = cost(at), 1.0
        while size > _TINY and cost(at - size * step) > here:
            size /= 2
        if size <= _TINY or float(np.abs(step).max()) < _TINY:
            break
        at = at - size * step
    return at
