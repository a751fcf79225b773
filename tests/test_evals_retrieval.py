from __future__ import annotations

import importlib
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.measures.retrieval import (
    complete_at,
    items_of,
    ndcg_at,
    recall_at,
    reciprocal_rank,
    success_at,
)
from evals.measures.spans import holds, share_inside

F = frozenset
NOTHING: frozenset[int] = frozenset()

rankings = st.integers(1, 4).flatmap(
    lambda needed: st.tuples(
        st.lists(st.frozensets(st.integers(0, needed - 1), max_size=needed), max_size=12), st.just(needed)
    )
)


def test_recall_by_hand() -> None:
    # Three pieces; the hits hold {}, {0}, {0, 2}.
    held = [NOTHING, F({0}), F({0, 2})]
    assert [recall_at(held, 3, k) for k in (1, 2, 3, 10)] == [0, 1 / 3, 2 / 3, 2 / 3]
    assert [complete_at(held, 2, k) for k in (2, 3)] == [0.0, 1.0]


def test_success_by_hand() -> None:
    held = [frozenset[int](), frozenset({1}), frozenset({0, 1})]
    assert [success_at(held, k) for k in (1, 2, 3)] == [0.0, 1.0, 1.0]
    assert success_at([], 5) == 0.0


def test_reciprocal_rank_by_hand() -> None:
    held = [NOTHING, NOTHING, F({1}), F({0})]
    assert reciprocal_rank(held, 10) == 1 / 3
    assert reciprocal_rank(held, 2) == 0.0


def test_ndcg_by_hand() -> None:
    # One piece at rank 3: (1 / log2 4) / (1 / log2 2) = 1 / 2.
    assert ndcg_at([NOTHING, NOTHING, F({0})], 1, 10) == 0.5
    # Two pieces at ranks 1 and 3: (1 + 1/2) / (1 + 1 / log2 3).
    expected = (1 + 0.5) / (1 + 1 / math.log2(3))
    assert ndcg_at([F({0}), NOTHING, F({1})], 2, 10) == pytest.approx(expected, rel=1e-12)
    # One hit that holds both is as good as two hits.
    assert ndcg_at([F({0, 1})], 2, 10) == ndcg_at([F({1}), F({0})], 2, 10) == 1.0


def test_the_same_piece_twice_earns_nothing() -> None:
    assert items_of([F({0}), F({0}), F({0, 1})]) == [0, None, 1]
    assert ndcg_at([F({0}), F({0})], 2, 10) == ndcg_at([F({0}), NOTHING], 2, 10)


def test_no_hits_score_nothing() -> None:
    assert [recall_at([], 1, 5), complete_at([], 1, 5), reciprocal_rank([], 10), ndcg_at([], 1, 10)] == [
        0
    ] * 4


@given(rankings, st.integers(1, 10))
def test_ndcg_is_scikit_learns(ranking: tuple[list[frozenset[int]], int], k: int) -> None:
    held, needed = ranking
    items = items_of(held)
    found = {item for item in items if item is not None}
    # scikit-learn ranks a fixed set of items; the pieces that were never found stand behind the cut-off.
    gains = [float(item is not None) for item in items] + [0.0] * (k + 1) + [1.0] * (needed - len(found))
    scores = [-float(place) for place in range(len(gains))]
    expected = importlib.import_module("sklearn.metrics").ndcg_score(
        np.array([gains]), np.array([scores]), k=k
    )
    assert ndcg_at(held, needed, k) == pytest.approx(expected, abs=1e-12)


@given(rankings, st.integers(1, 12))
def test_recall_and_rank_are_what_counting_gives(ranking: tuple[list[frozenset[int]], int], k: int) -> None:
    held, needed = ranking
    found = [piece for piece in range(needed) if any(piece in hit for hit in held[:k])]
    assert recall_at(held, needed, k) == len(found) / needed
    assert complete_at(held, needed, k) == (len(found) == needed)
    ranks = [rank for rank in range(1, min(k, len(held)) + 1) if held[rank - 1]]
    assert reciprocal_rank(held, k) == (1 / min(ranks) if ranks else 0)


@given(
    st.sets(st.integers(0, 40), min_size=1, max_size=12).map(sorted), st.integers(0, 40), st.integers(0, 40)
)
def test_share_inside_is_what_counting_gives(offsets: list[int], start: int, end: int) -> None:
    inside = sum(start <= offset < end for offset in offsets)
    assert share_inside(offsets, start, end) == inside / len(offsets)
    assert holds(offsets, start, end) == (2 * inside >= len(offsets))


def test_a_span_cut_by_a_chunk_border_is_held_by_the_larger_part() -> None:
    offsets = [10, 11, 12, 14, 15]  # white space at 13
    assert (holds(offsets, 0, 13), holds(offsets, 13, 20)) == (True, False)
    assert (holds(offsets, 0, 12), holds(offsets, 12, 20)) == (False, True)


def test_a_span_cut_in_halves_is_held_by_both() -> None:
    assert holds([1, 2, 3, 4], 0, 3)
    assert holds([1, 2, 3, 4], 3, 9)
