from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.flat import fault
from index.vectors import VectorIndex
from rag.errors import EncoderError
from tests.index_samples import unit_rows

# Unit vectors of four coordinates whose products are exact in any precision: many real ties.
TIED = [
    [1, 0, 0, 0],
    [0, 1, 0, 0],
    [-1, 0, 0, 0],
    [0.5, 0.5, 0.5, 0.5],
    [0.5, -0.5, 0.5, 0.5],
    [-0.5, 0.5, 0.5, -0.5],
]


def oracle(rows: list[list[float]], query: list[float], k: int) -> list[tuple[int, float]]:
    """Brute force in Python: exact sums, rounded once to float32."""
    scores = [float(np.float32(math.fsum(a * b for a, b in zip(r, query, strict=True)))) for r in rows]
    return sorted(enumerate(scores), key=lambda pair: (-pair[1], pair[0]))[:k]


def found(index: VectorIndex, query: NDArray[np.float32], k: int) -> list[tuple[int, float]]:
    ordinals, scores = index.search(query, k)
    assert ordinals.dtype == np.int64
    assert scores.dtype == np.float32
    return list(zip(ordinals.tolist(), scores.tolist(), strict=True))


@given(st.lists(st.sampled_from(TIED), min_size=1, max_size=60), st.sampled_from(TIED), st.integers(0, 70))
def test_exact_ties_come_in_row_order(rows: list[list[float]], query: list[float], k: int) -> None:
    index = VectorIndex.build(np.array(rows, np.float32))
    assert found(index, np.array(query, np.float32), k) == oracle(rows, query, k)


@settings(max_examples=30)
@given(st.integers(1, 120), st.integers(1, 40), st.integers(0, 999), st.integers(1, 130))
def test_random_rows_equal_brute_force(count: int, dim: int, seed: int, k: int) -> None:
    rows, query = unit_rows(count, dim, seed), unit_rows(1, dim, seed + 1)[0]
    index = VectorIndex.build(rows)
    assert found(index, query, k) == oracle(rows.tolist(), query.tolist(), k)


@settings(max_examples=30)
@given(st.integers(1, 1500), st.integers(0, 99), st.sampled_from([0.01, 0.3, 0.9]), st.integers(0, 700))
def test_among_some_rows_it_finds_what_an_index_of_these_would(
    count: int, seed: int, part: float, k: int
) -> None:
    rows, query = unit_rows(count, 3, seed), unit_rows(1, 3, seed + 1)[0]
    rows[count // 2 :] = rows[0]  # a tie group larger than what is fetched
    among = np.random.default_rng(seed).random(count) < part
    ordinals, scores = VectorIndex.build(rows).search(query, k, among)
    expected, values = VectorIndex.build(rows[among]).search(query, k)
    assert ordinals.tolist() == np.flatnonzero(among)[expected].tolist()
    assert scores.tobytes() == values.tobytes()


@given(st.lists(st.integers(0, 9), min_size=1, max_size=5), st.data())
def test_joined_indexes_are_the_index_of_all_rows_or_of_those_kept(
    sizes: list[int], data: st.DataObject
) -> None:
    parts = [unit_rows(size, 3, at) for at, size in enumerate(sizes)]
    indexes = [VectorIndex.build(part) for part in parts]
    assert VectorIndex.joined(indexes).to_parts() == VectorIndex.build(np.concatenate(parts)).to_parts()
    masks = [
        data.draw(st.none() | st.lists(st.booleans(), min_size=size, max_size=size).map(np.array))
        for size in sizes
    ]
    masks = [mask if mask is None else mask.astype(np.bool_) for mask in masks]
    kept = [part if mask is None else part[mask] for part, mask in zip(parts, masks, strict=True)]
    found = VectorIndex.joined(indexes, masks)
    assert found.to_parts() == VectorIndex.build(np.concatenate(kept)).to_parts()


def test_indexes_of_different_dims_are_not_joined() -> None:
    for parts in ([], [VectorIndex.build(unit_rows(2, 3)), VectorIndex.build(unit_rows(2, 4))]):
        with pytest.raises(ValueError, match="expected one dim"):
            VectorIndex.joined(parts)


def test_by_hand() -> None:
    index = VectorIndex.build(np.array([[0, 1], [0.6, 0.8], [1, 0]], np.float32))
    ordinals, scores = index.search(np.array([0.8, 0.6], np.float32), 2)
    assert ordinals.tolist() == [1, 2]
    assert scores.tolist() == pytest.approx([0.96, 0.8], abs=1e-7)


def test_a_tie_group_far_larger_than_what_is_fetched_is_completed() -> None:
    rows = np.repeat(unit_rows(1, 48), 3000, axis=0)
    rows[2999] = -rows[2999]
    index = VectorIndex.build(rows)
    for k in (10, 200):  # FAISS keeps the best in a heap for small k and in a reservoir for large k
        ordinals, scores = index.search(rows[0], k)
        assert ordinals.tolist() == list(range(k))
        assert len(set(scores.tolist())) == 1
    assert index.search(rows[0], 3000)[0].tolist() == list(range(3000))


def test_equal_rows_score_equally_wherever_they_stand_and_whoever_stands_beside_them() -> None:
    rows = unit_rows(1001, 37)
    rows[[3, 500, 1000]] = rows[77]
    index, query = VectorIndex.build(rows), unit_rows(1, 37, 9)[0]
    alone = index.scores(query, np.array([77]))
    together = index.scores(query, np.arange(1001))
    assert {alone[0], *together[[3, 77, 500, 1000]].tolist()} == {alone[0]}


def test_rows_that_differ_in_the_last_bit_are_told_apart() -> None:
    row = np.array([0.6, 0.8], np.float32)
    rows = np.array([row, [np.nextafter(row[0], np.float32(1)), row[1]]], np.float32)
    assert VectorIndex.build(rows).search(np.array([1, 0], np.float32), 1)[0].tolist() == [1]


@pytest.mark.parametrize("seed", range(8))
def test_a_crowd_that_single_precision_cannot_order_is_ordered_right(seed: int) -> None:
    # Rows that differ in their last bits only: FAISS's own first k + 32 miss some of the best, and
    # its scores of those it returns are off by more than what separates them.
    random = np.random.default_rng(seed)
    rows = np.repeat(unit_rows(1, 48, seed), 600, axis=0)
    rows = np.nextafter(rows, rows + random.choice(np.array([-1, 0, 1], np.float32), size=rows.shape))
    query = rows[0] + 0.1 * unit_rows(1, 48, seed + 1000)[0]
    query /= np.sqrt((query**2).sum())
    index, everyone = VectorIndex.build(rows), oracle(rows.tolist(), query.tolist(), 600)
    for k in (1, 5, 33, 120):
        assert found(index, query, k) == everyone[:k]


@given(st.integers(1, 50), st.integers(0, 99))
def test_scores_agree_with_search_to_the_last_bit(count: int, seed: int) -> None:
    index = VectorIndex.build(unit_rows(count, 16, seed))
    query = unit_rows(1, 16, seed + 1)[0]
    ordinals, scores = index.search(query, count)
    assert index.scores(query, ordinals).tolist() == scores.tolist()


def test_scores_keep_the_order_asked_for_repeats_included() -> None:
    index = VectorIndex.build(np.array(TIED, np.float32))
    query = np.array([1, 0, 0, 0], np.float32)
    assert index.scores(query, np.array([3, 0, 2, 3])).tolist() == [0.5, 1.0, -1.0, 0.5]
    assert index.scores(query, np.array([], np.int64)).tolist() == []
    for ordinals in ([6], [-1]):
        with pytest.raises(ValueError, match="expected 0 to 5"):
            index.scores(query, np.array(ordinals))


def test_the_background_is_that_of_all_rows() -> None:
    rows, query = unit_rows(300, 12), unit_rows(1, 12, 5)[0]
    index = VectorIndex.build(rows)
    scores = index.scores(query, np.arange(300)).astype(np.float64)
    assert index.background(query) == pytest.approx((scores.mean(), scores.std()), abs=1e-7)


def test_no_rows_are_searched_without_complaint() -> None:
    index = VectorIndex.build(np.empty((0, 3), np.float32))
    query = np.array([1, 0, 0], np.float32)
    assert (index.count, index.dim) == (0, 3)
    assert found(index, query, 5) == []
    assert index.background(query) == (0.0, 0.0)
    assert VectorIndex.from_parts(index.to_parts()).count == 0


@pytest.mark.parametrize(
    ("vector", "message"),
    [
        (np.zeros(3, np.float32), r"float32 of shape \(3,\), expected float32 \(4,\)"),
        (np.zeros((1, 4), np.float32), r"shape \(1, 4\)"),
        (np.zeros(4), "float64"),
        (np.array([np.nan, 0, 0, 0], np.float32), "not finite"),
        (np.array([np.inf, 0, 0, 0], np.float32), "not finite"),
    ],
)
def test_an_unusable_query_is_refused(vector: NDArray[np.float32], message: str) -> None:
    index = VectorIndex.build(np.array(TIED, np.float32))
    for call in (
        lambda: index.search(vector, 1),
        lambda: index.scores(vector, np.array([0])),
        lambda: index.background(vector),
    ):
        with pytest.raises(ValueError, match=message):
            call()
    with pytest.raises(ValueError, match="k is -1"):
        index.search(np.array(TIED[0], np.float32), -1)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (np.eye(3), "float64"),
        (np.eye(3, dtype=np.float32)[0], r"形状是 \(3,\)"),
        (np.empty((2, 0), np.float32), r"\(2, 0\)"),
        (np.array([[1, 0], [0, 1.01]], np.float32), "1 行不是单位长度的有限值（第 1 行的长度是 1.0"),
        (np.array([[0, 0], [0, 1]], np.float32), "第 0 行的长度是 0.0"),
        (np.array([[np.nan, 0]], np.float32), "第 0 行的长度是 nan"),
        (np.array([[np.inf, 0]], np.float32), "第 0 行的长度是 inf"),
        (np.array([[3e38, 3e38]], np.float32), "第 0 行的长度是 inf"),
    ],
)
def test_rows_that_no_sound_encoder_gives_are_refused(rows: NDArray[np.float32], message: str) -> None:
    with pytest.raises(EncoderError, match=message):
        VectorIndex.build(rows)


def test_lengths_within_the_tolerance_pass() -> None:
    assert fault(np.array([[1.0009, 0], [0, 0.9991]], np.float32)) is None


def test_it_keeps_a_copy_of_the_rows() -> None:
    rows = np.asfortranarray(np.eye(4, dtype=np.float32))
    index = VectorIndex.build(rows)
    rows[:] = 0
    assert found(index, np.array([0, 0, 1, 0], np.float32), 1) == [(2, 1.0)]


def test_parts_come_back_as_the_same_index() -> None:
    kept = VectorIndex.build(unit_rows(90, 7))
    opened = VectorIndex.from_parts(kept.to_parts())
    query = unit_rows(1, 7, 3)[0]
    assert opened.to_parts() == kept.to_parts()
    assert found(opened, query, 20) == found(kept, query, 20)
    assert opened.background(query) == kept.background(query)


def test_parts_that_are_no_such_index_are_refused() -> None:
    import faiss

    parts = VectorIndex.build(unit_rows(9, 4)).to_parts()
    with pytest.raises(ValueError, match="FAISS 读不懂它"):
        VectorIndex.from_parts(parts | {"faiss": parts["faiss"][:-5]})
    other = faiss.IndexFlatL2(4)
    other.add(unit_rows(9, 4))
    with pytest.raises(ValueError, match="其中是 IndexFlatL2，应为 IndexFlatIP"):
        VectorIndex.from_parts(parts | {"faiss": faiss.serialize_index(other).tobytes()})
    long = faiss.IndexFlatIP(4)
    long.add(2 * unit_rows(9, 4))
    with pytest.raises(ValueError, match="9 行不是单位长度"):
        VectorIndex.from_parts(parts | {"faiss": faiss.serialize_index(long).tobytes()})
    with pytest.raises(ValueError, match="均值和协方差属于别的行"):
        VectorIndex.from_parts(parts | {"npz": VectorIndex.build(unit_rows(9, 4, 5)).to_parts()["npz"]})


def test_importing_the_package_loads_neither_faiss_nor_an_encoder() -> None:
    heavy = ("faiss", "torch", "bm25s", "langchain_text_splitters", "pydantic")
    code = f"import sys, index; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
