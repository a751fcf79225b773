from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.background import Background
from tests.index_samples import unit_rows


def test_by_hand() -> None:
    # Scores of q = (1, 0) against the rows: 1, 0, 0.6. Mean 1.6/3, mean of squares 1.36/3.
    rows = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
    mean, std = Background.of(rows).of_scores(np.array([1, 0], np.float32))
    assert mean == pytest.approx(1.6 / 3, abs=1e-7)
    assert std == pytest.approx((1.36 / 3 - (1.6 / 3) ** 2) ** 0.5, abs=1e-7)


@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 99))
def test_equal_to_mean_and_std_over_all_rows(count: int, dim: int, seed: int) -> None:
    rows, query = unit_rows(count, dim, seed), unit_rows(1, dim, seed + 1)[0]
    scores = rows.astype(np.float64) @ query.astype(np.float64)
    mean, std = Background.of(rows).of_scores(query)
    assert mean == pytest.approx(float(scores.mean()), abs=1e-12)
    assert std == pytest.approx(float(scores.std()), abs=1e-7)  # a square root of nearly 0 halves the digits


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(1, 6))
def test_blocks_have_the_moments_of_their_rows(sizes: list[int], dim: int) -> None:
    blocks = [unit_rows(size, dim, at) for at, size in enumerate(sizes)]
    found = Background.of_blocks(lambda: blocks, dim)
    expected = Background.of(np.concatenate([unit_rows(0, dim), *blocks]))
    np.testing.assert_allclose(found.mean, expected.mean, atol=1e-15)
    np.testing.assert_allclose(found.covariance, expected.covariance, atol=1e-15)
    assert np.array_equal(found.covariance, found.covariance.T)


def test_many_blocks_of_crowded_rows_keep_their_digits() -> None:
    # Like a real encoder's: every row close to one direction, so the variance is small.
    centre = unit_rows(1, 24, 7)[0]
    rows = centre + 0.05 * unit_rows(10_000, 24, 8)
    rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    scores = rows.astype(np.float64) @ centre.astype(np.float64)
    mean, std = Background.of(rows).of_scores(centre)
    assert mean == pytest.approx(float(scores.mean()), rel=1e-12)
    assert std == pytest.approx(float(scores.std()), rel=1e-9)


def test_one_row_repeated_has_no_spread_and_no_rows_have_neither() -> None:
    rows = np.repeat(unit_rows(1, 6), 5, axis=0)
    assert Background.of(rows).of_scores(rows[0])[1] == pytest.approx(0.0, abs=1e-7)
    assert Background.of(np.empty((0, 6), np.float32)).of_scores(rows[0]) == (0.0, 0.0)


def test_bytes_come_back_to_the_last_bit() -> None:
    rows = unit_rows(30, 5)
    kept = Background.of(rows)
    found = Background.from_bytes(kept.to_bytes(), rows)
    assert found.to_bytes() == kept.to_bytes()


def test_moments_of_other_rows_are_refused() -> None:
    rows = unit_rows(30, 5)
    data = Background.of(unit_rows(30, 5, seed=1)).to_bytes()
    with pytest.raises(ValueError, match="均值和协方差属于别的行"):
        Background.from_bytes(data, rows)
    with pytest.raises(ValueError, match="均值是 4 维，应为 5 维"):
        Background.from_bytes(Background.of(unit_rows(30, 4)).to_bytes(), rows)
    own = Background.of(rows)
    for covariance in (
        2 * own.covariance,
        np.triu(own.covariance, 1) + own.covariance,
        own.covariance * np.nan,
    ):
        with pytest.raises(ValueError, match="均值和协方差属于别的行"):
            Background.from_bytes(Background(own.mean, covariance).to_bytes(), rows)
