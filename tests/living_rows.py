"""Rows that come and go, kept the plain way: what `index.segments` must equal, built anew each time."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.lexical import LexicalIndex
from index.segments import IndexRows, LiveIndex, SegmentedTerms, SegmentedVectors
from index.vectors import VectorIndex
from tests.index_samples import unit_rows

DIM = 4
TERMS = "甲乙丙丁戊"

# Unit vectors whose products with each other are exact in any precision, so that scores tie, and others.
_TIED = [[1, 0, 0, 0], [0, 1, 0, 0], [-1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5], [0.5, -0.5, 0.5, 0.5]]
POOL: NDArray[np.float32] = np.vstack([np.array(_TIED, np.float32), unit_rows(11, DIM, 3)])


@dataclass(frozen=True)
class Row:
    """A row of either kind: places in `POOL` and terms. A chunk has no window."""

    vector: int
    window: int
    terms: tuple[str, ...]


@dataclass(frozen=True)
class Essay:
    """What is added and removed together."""

    chunks: tuple[Row, ...]
    sentences: tuple[Row, ...]


def index_rows(essays: Sequence[Essay]) -> IndexRows:
    """As `LiveIndex.extended` takes them."""
    chunks = [row for essay in essays for row in essay.chunks]
    sentences = [row for essay in essays for row in essay.sentences]
    return IndexRows(
        {
            "chunk": vectors([row.vector for row in chunks]),
            "sentence": vectors([row.vector for row in sentences]),
            "window": vectors([row.window for row in sentences]),
        },
        {"chunk": [row.terms for row in chunks], "sentence": [row.terms for row in sentences]},
    )


def vectors(places: Sequence[int]) -> NDArray[np.float32]:
    """These rows of the pool, shape (n, DIM)."""
    return POOL[np.array(places, dtype=np.int64)]


@dataclass(frozen=True)
class Shelf:
    """Essays in order of addition with the ordinals of their rows; a removed one is None there."""

    chunks: tuple[Row | None, ...] = ()
    sentences: tuple[Row | None, ...] = ()
    essays: tuple[tuple[Essay, range, range], ...] = ()

    def extended(self, essays: Sequence[Essay]) -> Shelf:
        chunks, sentences, placed = list(self.chunks), list(self.sentences), list(self.essays)
        for essay in essays:
            first = len(chunks), len(sentences)
            chunks += essay.chunks
            sentences += essay.sentences
            placed.append((essay, range(first[0], len(chunks)), range(first[1], len(sentences))))
        return Shelf(tuple(chunks), tuple(sentences), tuple(placed))

    def without(self, places: Collection[int]) -> Shelf:
        chunks, sentences = list(self.chunks), list(self.sentences)
        for place in places:
            for row in self.essays[place][1]:
                chunks[row] = None
            for row in self.essays[place][2]:
                sentences[row] = None
        left = tuple(entry for place, entry in enumerate(self.essays) if place not in places)
        return Shelf(tuple(chunks), tuple(sentences), left)

    def compacted(self) -> Shelf:
        return Shelf().extended([essay for essay, _, _ in self.essays])

    def ranges(self, places: Collection[int]) -> tuple[list[range], list[range]]:
        return [self.essays[place][1] for place in places], [self.essays[place][2] for place in places]


def compare(
    index: LiveIndex,
    shelf: Shelf,
    k: int,
    query: int,
    terms: Sequence[str],
    only: Collection[int] | None = None,
) -> None:
    """All five arms against the plain classes over the live rows; with `only`, of these essays alone."""
    shown = range(len(shelf.essays)) if only is None else only
    chunks, sentences = ({row for rows in part for row in rows} for part in shelf.ranges(shown))
    assert (index.chunks, index.sentences) == (len(shelf.chunks), len(shelf.sentences))
    vector = POOL[query]
    for arm, rows, field, seen in (
        (index.chunk_vectors, shelf.chunks, "vector", chunks),
        (index.sentence_vectors, shelf.sentences, "vector", sentences),
        (index.window_vectors, shelf.sentences, "window", sentences),
    ):
        compare_vectors(arm, [None if row is None else getattr(row, field) for row in rows], seen, vector, k)
    compare_terms(index.chunk_terms, terms_of(shelf.chunks), chunks, terms, k)
    compare_terms(index.sentence_terms, terms_of(shelf.sentences), sentences, terms, k)


def terms_of(rows: Sequence[Row | None]) -> list[Sequence[str] | None]:
    return [None if row is None else row.terms for row in rows]


def compare_vectors(
    arm: SegmentedVectors, rows: Sequence[int | None], shown: set[int], vector: NDArray[np.float32], k: int
) -> None:
    live = np.array([at for at, row in enumerate(rows) if row is not None], np.int64)
    matrix = vectors([row for row in rows if row is not None])
    plain = VectorIndex.build(matrix)
    order, values = plain.search(vector, live.size)
    expected = [(live[at], value) for at, value in zip(order, values, strict=True) if live[at] in shown][:k]
    found, scores = arm.search(vector, k)
    assert found.dtype == np.int64
    assert scores.dtype == np.float32
    assert list(zip(found, scores, strict=True)) == expected
    assert arm.scores(vector, live).tobytes() == plain.scores(vector, np.arange(live.size)).tobytes()
    # A second oracle, and of the moments: numpy.
    products = matrix.astype(np.float64) @ vector.astype(np.float64)
    np.testing.assert_allclose(arm.scores(vector, live), products, atol=1e-6)
    mean, std = (products.mean(), products.std()) if live.size else (0.0, 0.0)
    np.testing.assert_allclose(arm.background(vector), (mean, std), atol=1e-7)


def compare_terms(
    arm: SegmentedTerms, rows: Sequence[Sequence[str] | None], shown: set[int], terms: Sequence[str], k: int
) -> None:
    live = np.array([at for at, row in enumerate(rows) if row is not None], np.int64)
    plain = LexicalIndex.build([row for row in rows if row is not None])
    expected = np.zeros(len(rows), np.float32)
    expected[live] = plain.scores(terms)
    expected[[at for at in range(len(rows)) if at not in shown]] = 0
    assert arm.scores(terms).tobytes() == expected.tobytes()
    assert [arm.idf(term) for term in (*TERMS, "无")] == [plain.idf(term) for term in (*TERMS, "无")]
    best = sorted(np.flatnonzero(expected).tolist(), key=lambda at: (-expected[at], at))[:k]
    found, scores = arm.search(terms, k)
    assert (found.tolist(), scores.tolist()) == (best, expected[best].tolist())
