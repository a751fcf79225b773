from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.order import best


@given(
    st.lists(st.sampled_from([-1.0, 0.0, 0.25, 0.5, 1.0]), max_size=30),
    st.integers(0, 40),
    st.randoms(use_true_random=False),
)
def test_it_sorts_by_score_then_ordinal_and_cuts_at_k(scores: list[float], k: int, random: Random) -> None:
    ordinals = random.sample(range(100), len(scores))
    found, values = best(np.array(ordinals, np.int64), np.array(scores, np.float32), k)
    expected = sorted(zip(ordinals, scores, strict=True), key=lambda pair: (-pair[1], pair[0]))[:k]
    assert list(zip(found.tolist(), values.tolist(), strict=True)) == expected


def test_a_tie_at_the_cut_falls_by_ordinal() -> None:
    found, _ = best(np.array([9, 3, 7, 1], np.int64), np.array([0.5, 0.5, 0.5, 0.1], np.float32), 2)
    assert found.tolist() == [3, 7]


def test_a_negative_k_is_refused() -> None:
    with pytest.raises(ValueError, match="k is -1, expected 0 or more"):
        best(np.array([0], np.int64), np.array([1.0], np.float32), -1)
