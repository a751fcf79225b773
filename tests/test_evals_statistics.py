"""Intervals and paired tests, against hand arithmetic, brute force and SciPy."""

from __future__ import annotations

import importlib
import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.measures.intervals import clopper_pearson, mean_interval
from evals.measures.paired import Paired, compare_pairs, sign_test

stats = importlib.import_module("scipy.stats")

counts = st.integers(1, 300).flatmap(lambda trials: st.tuples(st.integers(0, trials), st.just(trials)))


def test_no_error_in_59_is_the_least_that_supports_five_per_cent() -> None:
    # One-sided 95 % is two-sided 90 %: 1 - 0.05^(1/n).
    assert clopper_pearson(0, 59, 0.90)[1] == pytest.approx(1 - 0.05 ** (1 / 59), abs=1e-12)
    assert clopper_pearson(0, 59, 0.90)[1] < 0.05 < clopper_pearson(0, 58, 0.90)[1]


def test_one_of_two_by_hand() -> None:
    # Low: 1 - (1 - p)^2 = 0.025; high: 1 - p^2 = 0.025.
    low, high = clopper_pearson(1, 2)
    assert low == pytest.approx(1 - math.sqrt(0.975), abs=1e-12)
    assert high == pytest.approx(math.sqrt(0.975), abs=1e-12)


@given(counts, st.sampled_from([0.90, 0.95, 0.99]))
def test_equal_to_scipy(count: tuple[int, int], confidence: float) -> None:
    successes, trials = count
    expected = stats.binomtest(successes, trials).proportion_ci(confidence, method="exact")
    assert clopper_pearson(successes, trials, confidence) == pytest.approx(
        (expected.low, expected.high), abs=1e-9
    )


@pytest.mark.parametrize(("successes", "trials"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts_are_refused(successes: int, trials: int) -> None:
    with pytest.raises(ValueError, match="successes in"):
        clopper_pearson(successes, trials)


def test_an_interval_of_fractions_rounds_outward() -> None:
    values = [1.0, 0.5, 1 / 3, 0.0]  # sum 1.83: between 1 and 2 of 4
    assert mean_interval(values) == (clopper_pearson(1, 4)[0], clopper_pearson(2, 4)[1])
    assert mean_interval([1 / 3] * 3) == clopper_pearson(1, 3)


def test_sign_test_by_hand() -> None:
    assert sign_test(0, 5) == 2 / 2**5
    assert sign_test(1, 7) == 2 * (1 + 8) / 2**8
    assert sign_test(0, 0) == sign_test(3, 3) == 1.0


@given(st.integers(0, 60), st.integers(0, 60))
def test_sign_test_is_scipys_binomial_test(better: int, worse: int) -> None:
    expected = stats.binomtest(worse, better + worse).pvalue if better + worse else 1.0
    assert sign_test(better, worse) == pytest.approx(expected, rel=1e-12)


@given(st.integers(0, 5), st.integers(0, 5))
def test_sign_test_is_what_flipping_every_coin_gives(better: int, worse: int) -> None:
    flips = list(itertools.product((0, 1), repeat=better + worse))
    extreme = [abs(2 * sum(flip) - len(flip)) >= abs(better - worse) for flip in flips]
    assert sign_test(better, worse) == pytest.approx(sum(extreme) / len(flips), rel=1e-12)


def test_pairs_are_counted_the_right_way_round() -> None:
    pairs = [(0.0, 1.0), (0.5, 0.25), (1.0, 1.0)]
    assert compare_pairs(pairs) == Paired(1, 1, 1, 1.0)
    up = [(0.0, 1.0)] * 6
    assert compare_pairs(up) == Paired(6, 0, 0, 2 / 64)
    assert compare_pairs(up, higher_is_better=False) == Paired(0, 6, 0, 2 / 64)
