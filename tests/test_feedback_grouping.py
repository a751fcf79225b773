"""Average-linkage groups: against SciPy, against the definition, and what holds for all of them."""

from __future__ import annotations

import importlib
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.feedback.grouping import THRESHOLD, grouped
from rag.encoding.encoder import SentenceTransformerEncoder

hierarchy = importlib.import_module("scipy.cluster.hierarchy")
Rows = npt.NDArray[np.float32]


def unit_rows(seed: int, count: int, dimension: int = 5) -> Rows:
    """Rows around few centres, so that there is something to group."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(max(1, count // 4), dimension))
    rows = centres[random.integers(0, len(centres), count)] + random.normal(
        scale=0.3, size=(count, dimension)
    )
    units: Rows = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return units


def by_definition(vectors: Rows, threshold: float) -> list[list[int]]:
    """Join the most similar two, comparing all pairs of rows, as long as two reach the threshold."""
    rows = vectors.astype(np.float64)
    groups = [[row] for row in range(len(rows))]
    while len(groups) > 1:
        average, one, other = max(
            (float(np.mean([[rows[i] @ rows[j] for j in two] for i in first])), -a, -b)
            for (a, first), (b, two) in combinations(enumerate(groups), 2)
        )
        if average < threshold:
            break
        groups[-one] += groups.pop(-other)
    return sorted(sorted(group) for group in groups)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("threshold", [0.5, 0.8, 0.93])
def test_the_groups_are_those_of_the_definition(seed: int, threshold: float) -> None:
    vectors = unit_rows(seed, 14)
    assert grouped(vectors, threshold) == by_definition(vectors, threshold)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.3, 0.7, 0.9])
def test_the_groups_are_those_of_scipy(seed: int, threshold: float) -> None:
    vectors = unit_rows(seed, 200, 8)
    rows = vectors.astype(np.float64)
    distances = 1 - (rows @ rows.T)[np.triu_indices(len(rows), 1)]
    labels = hierarchy.fcluster(hierarchy.linkage(distances, "average"), 1 - threshold, "distance")
    expected: dict[int, list[int]] = {}
    for row, label in enumerate(labels):
        expected.setdefault(int(label), []).append(row)
    assert grouped(vectors, threshold) == list(expected.values())


@given(st.integers(0, 2**32), st.integers(0, 30), st.floats(-1, 1))
def test_every_row_is_in_one_group_and_the_order_is_fixed(seed: int, count: int, threshold: float) -> None:
    vectors = unit_rows(seed, count) if count else np.empty((0, 5), np.float32)
    groups = grouped(vectors, threshold)
    assert sorted(row for group in groups for row in group) == list(range(count))
    assert [group[0] for group in groups] == sorted(group[0] for group in groups)
    assert all(group == sorted(group) for group in groups)
    assert groups == grouped(vectors, threshold)


@given(st.integers(0, 2**32), st.lists(st.integers(0, 3), min_size=1, max_size=40))
def test_equal_rows_go_together_however_many(seed: int, which: list[int]) -> None:
    """Ties everywhere: the chain must neither go in circles nor part what is the same."""
    vectors = unit_rows(seed, 4)[which]
    groups = grouped(vectors, 0.999_999)
    assert all(sum(row in group for group in groups) == 1 for row in range(len(which)))
    of = {row: number for number, group in enumerate(groups) for row in group}
    for one, other in combinations(range(len(which)), 2):
        if which[one] == which[other]:
            assert of[one] == of[other]


def test_with_the_bundled_encoder(bundled_encoder: SentenceTransformerEncoder) -> None:
    questions = [
        "灯塔是哪一年建成的？",
        "火锅底料怎么炒？",
        "灯塔是哪年建成的呢？",
        "茶叶什么时候采？",
        "请问燈塔是哪一年建成的？",
        "怎么炒火锅底料？",
    ]
    assert grouped(bundled_encoder.encode_queries(questions), THRESHOLD) == [[0, 2, 4], [1, 5], [3]]
