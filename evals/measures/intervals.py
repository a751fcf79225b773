"""Exact binomial confidence intervals.

Clopper & Pearson 1934: with x successes in n trials and error a = 1 - confidence, the interval [L, U] is

    L = 0 if x = 0, else the p with P(X >= x | n, p) = a / 2
    U = 1 if x = n, else the p with P(X <= x | n, p) = a / 2       (X binomial with n, p)

With no error in 59 trials U of the one-sided 95 % interval is 1 - 0.05^(1/59) = 4.95 %.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import lru_cache

CONFIDENCE = 0.95
_STEPS = 60
_SLACK = 1e-9


@lru_cache(maxsize=4096)
def clopper_pearson(successes: int, trials: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The exact two-sided interval.

    Args:
        successes: 0 to `trials`.
        trials: At least 1.
        confidence: Between 0 and 1.

    Returns:
        (low, high) with 0 <= low <= successes / trials <= high <= 1.
    """
    if not 0 <= successes <= trials or trials < 1:
        raise ValueError(f"got {successes} successes in {trials} trials")
    tail = (1 - confidence) / 2
    low = 0.0 if successes == 0 else _root(lambda p: _upper_tail(successes, trials, p) - tail)
    high = 1.0 if successes == trials else _root(lambda p: tail - _lower_tail(successes, trials, p))
    return low, high


def mean_interval(values: Sequence[float]) -> tuple[float, float]:
    """An interval for the mean of scores between 0 and 1 (at least one).

    For scores of 0 and 1 it is Clopper & Pearson's. In between, the sum takes the place of the count,
    rounded down for the low end and up for the high end; no distribution on [0, 1] with a given mean
    has a larger variance than that of 0s and 1s, so the interval errs on the wide side.
    """
    total, count = math.fsum(values), len(values)
    low, _ = clopper_pearson(math.floor(total + _SLACK), count)
    _, high = clopper_pearson(math.ceil(total - _SLACK), count)
    return low, high


def _upper_tail(least: int, trials: int, p: float) -> float:
    return math.fsum(_terms(least, trials, trials, p))


def _lower_tail(most: int, trials: int, p: float) -> float:
    return math.fsum(_terms(0, most, trials, p))


def _terms(first: int, last: int, trials: int, p: float) -> list[float]:
    log_p, log_q = math.log(p), math.log1p(-p)
    whole = math.lgamma(trials + 1)
    return [
        math.exp(whole - math.lgamma(x + 1) - math.lgamma(trials - x + 1) + x * log_p + (trials - x) * log_q)
        for x in range(first, last + 1)
    ]


def _root(rising: Callable[[float], float]) -> float:
    """Where a rising function of p in (0, 1) crosses 0, by bisection."""
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2
