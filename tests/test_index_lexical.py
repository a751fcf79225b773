from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.lexical import LexicalIndex
from rag.errors import ConfigError

ROWS = [["城市", "治理", "城市"], ["治理"], [], ["社区", "治理", "数据", "数据"]]

rows_of_terms = st.lists(st.lists(st.sampled_from("甲乙丙丁戊"), max_size=8), max_size=12)
query_terms = st.lists(st.sampled_from("甲乙丙丁戊己"), max_size=6)


def bm25(rows: list[list[str]], terms: list[str], k1: float, b: float) -> list[float]:
    """Straight from the formula, with nothing but dictionaries."""
    average = sum(map(len, rows)) / len(rows) if rows else 0
    scores: list[float] = []
    for row in rows:
        tf, score = Counter(row), 0.0
        for term in set(terms):
            if tf[term]:
                df = sum(term in other for other in rows)
                idf = math.log(1 + (len(rows) - df + 0.5) / (df + 0.5))
                score += idf * tf[term] / (tf[term] + k1 * (1 - b + b * len(row) / average))
        scores.append(score)
    return scores


def test_by_hand() -> None:
    # N = 2, df = 1: idf = ln(1 + 1.5 / 1.5) = ln 2. With k1 = 1 and b = 0 the tf part is 2 / (2 + 1).
    index = LexicalIndex.build([["甲", "甲"], ["乙"]], k1=1.0, b=0.0)
    assert index.idf("甲") == pytest.approx(math.log(2), rel=1e-15)
    assert index.scores(["甲"]).tolist() == [np.float32(math.log(2) * 2 / 3), 0.0]


def test_by_hand_with_lengths() -> None:
    # 城市: N = 4, df = 1, idf = ln(1 + 3.5 / 1.5); tf 2 in a row of 3 terms, average 8 / 4 = 2.
    expected = math.log(1 + 3.5 / 1.5) * 2 / (2 + 1.2 * (0.25 + 0.75 * 3 / 2))
    assert LexicalIndex.build(ROWS).scores(["城市"])[0] == np.float32(expected)


@given(
    rows_of_terms, query_terms, st.sampled_from([0.0, 0.9, 1.2, 2.0]), st.sampled_from([0.0, 0.4, 0.75, 1.0])
)
def test_equal_to_the_formula(rows: list[list[str]], terms: list[str], k1: float, b: float) -> None:
    found = LexicalIndex.build(rows, k1=k1, b=b).scores(terms)
    assert found.dtype == np.float32
    assert found.tolist() == pytest.approx(bm25(rows, terms, k1, b), rel=1e-6)


@given(rows_of_terms, query_terms, st.integers(0, 15))
def test_search_is_scores_above_zero_in_total_order(rows: list[list[str]], terms: list[str], k: int) -> None:
    index = LexicalIndex.build(rows)
    scores = index.scores(terms).tolist()
    expected = sorted(
        ((row, score) for row, score in enumerate(scores) if score > 0), key=lambda pair: (-pair[1], pair[0])
    )[:k]
    ordinals, values = index.search(terms, k)
    assert ordinals.dtype == np.int64
    assert list(zip(ordinals.tolist(), values.tolist(), strict=True)) == expected


def test_equal_to_bm25s() -> None:
    import bm25s

    random = np.random.default_rng(5)
    words = [f"词{i}" for i in range(60)]
    rows = [random.choice(words, size=random.integers(1, 40)).tolist() for _ in range(200)]
    other = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
    other.index(rows, show_progress=False)
    index = LexicalIndex.build(rows)
    for _ in range(20):
        terms = random.choice(words, size=5, replace=False).tolist()
        np.testing.assert_allclose(index.scores(terms), other.get_scores(terms), rtol=1e-5, atol=1e-6)


def test_ties_come_in_row_order() -> None:
    index = LexicalIndex.build([["乙"], ["甲"], ["乙"], ["甲"], ["甲"]])
    assert index.search(["甲"], 2)[0].tolist() == [1, 3]
    assert index.search(["甲"], 99)[0].tolist() == [1, 3, 4]


def test_repeated_and_unknown_terms_change_nothing_nor_does_their_order() -> None:
    index = LexicalIndex.build(ROWS)
    once = index.scores(["治理", "城市", "数据"])
    assert once.tobytes() == index.scores(["数据", "城市", "治理", "城市", "没有", "", "治理"]).tobytes()


@pytest.mark.parametrize("terms", [[], ["没有"], [""]])
def test_nothing_known_scores_zero_and_finds_nothing(terms: list[str]) -> None:
    index = LexicalIndex.build(ROWS)
    assert index.scores(terms).tolist() == [0.0] * 4
    assert index.search(terms, 3)[0].tolist() == []


def test_idf_falls_with_frequency_stays_above_zero_and_is_largest_for_the_unseen() -> None:
    index = LexicalIndex.build(ROWS)
    assert index.idf("没有") == pytest.approx(math.log(1 + 4.5 / 0.5))
    assert index.idf("没有") > index.idf("城市") > index.idf("治理") > 0


@pytest.mark.parametrize("rows", [[], [[]], [[], []]])
def test_rows_without_terms_are_fine(rows: list[list[str]]) -> None:
    index = LexicalIndex.build(rows)
    assert index.count == len(rows)
    assert index.scores(["甲"]).tolist() == [0.0] * len(rows)
    assert LexicalIndex.from_parts(index.to_parts()).to_parts() == index.to_parts()


def test_parts_come_back_as_the_same_index_with_other_parameters_if_wanted() -> None:
    kept = LexicalIndex.build(ROWS)
    opened = LexicalIndex.from_parts(kept.to_parts())
    assert opened.scores(["治理", "数据"]).tobytes() == kept.scores(["治理", "数据"]).tobytes()
    flat = LexicalIndex.from_parts(kept.to_parts(), k1=0.0, b=0.0)
    assert flat.scores(["数据"])[3] == np.float32(flat.idf("数据"))


@pytest.mark.parametrize(
    ("k1", "b", "message"),
    [
        (-0.1, 0.5, "k1 是 -0.1"),
        (math.nan, 0.5, "k1 是 nan"),
        (1.2, 1.1, "b 是 1.1"),
        (1.2, math.nan, "b 是 nan"),
    ],
)
def test_parameters_out_of_range_are_refused(k1: float, b: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LexicalIndex.build(ROWS, k1=k1, b=b)


def test_a_string_is_not_a_list_of_terms() -> None:
    index = LexicalIndex.build(ROWS)
    with pytest.raises(TypeError, match="terms is a str"):
        index.search("城市", 1)
    with pytest.raises(TypeError, match="row of terms is a str"):
        LexicalIndex.build(["城市治理"])
