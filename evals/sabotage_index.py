"""Indexes that are broken on purpose: rows mistaken for others, a silent lexical arm, a silent dense arm.

They break what search runs on, below the engine, so everything above behaves as it would if the fault
were real: citations verify, the numbers agree, and only what is found is wrong.
"""

# ruff: noqa: ARG002 -- a silent arm keeps the signature of one that listens

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rag.ranking.arms import Floats, LexicalArm, Ordinals, SearchIndex, VectorArm


@dataclass(frozen=True)
class ArmSet:
    """Five arms, each replaceable."""

    chunk_vectors: VectorArm
    sentence_vectors: VectorArm
    window_vectors: VectorArm
    chunk_terms: LexicalArm
    sentence_terms: LexicalArm


class MirroredVectors:
    """Takes row i for row n - 1 - i, as an index whose ids were written in the wrong order.

    Args:
        inner: The healthy arm.
        rows: How many rows it has.
    """

    def __init__(self, inner: VectorArm, rows: int) -> None:
        self._inner = inner
        self._last = rows - 1

    def search(self, vector: Floats, k: int) -> tuple[Ordinals, Floats]:
        """The right scores for the wrong rows."""
        ordinals, scores = self._inner.search(vector, k)
        return self._last - ordinals, scores

    def scores(self, vector: Floats, ordinals: Ordinals) -> Floats:
        """The scores of the wrong rows."""
        return self._inner.scores(vector, self._last - ordinals)

    def background(self, vector: Floats) -> tuple[float, float]:
        """As the healthy arm: the rows are the same, only their names are not."""
        return self._inner.background(vector)


class MirroredTerms:
    """The same mistake in a lexical arm.

    Args:
        inner: The healthy arm.
        rows: How many rows it has.
    """

    def __init__(self, inner: LexicalArm, rows: int) -> None:
        self._inner = inner
        self._last = rows - 1

    def search(self, terms: Sequence[str], k: int) -> tuple[Ordinals, Floats]:
        """The right scores for the wrong rows."""
        ordinals, scores = self._inner.search(terms, k)
        return self._last - ordinals, scores

    def scores(self, terms: Sequence[str]) -> Floats:
        """The scores of the wrong rows."""
        return self._inner.scores(terms)[::-1]

    def idf(self, term: str) -> float:
        """As the healthy arm."""
        return self._inner.idf(term)


class SilentVectors:
    """Every row scores 0, as if the encoder had given nothing.

    Args:
        inner: The healthy arm.
    """

    def __init__(self, inner: VectorArm) -> None:
        self._inner = inner

    def search(self, vector: Floats, k: int) -> tuple[Ordinals, Floats]:
        """The first rows, because all tie."""
        count = len(self._inner.search(vector, k)[0])
        return np.arange(count, dtype=np.int64), np.zeros(count, np.float32)

    def scores(self, vector: Floats, ordinals: Ordinals) -> Floats:
        """Zeros."""
        return np.zeros(len(ordinals), np.float32)

    def background(self, vector: Floats) -> tuple[float, float]:
        """No mean, no spread."""
        return 0.0, 0.0


class SilentTerms:
    """No term stands anywhere, as with a tokeniser that makes one token of a clause.

    Args:
        inner: The healthy arm.
    """

    def __init__(self, inner: LexicalArm) -> None:
        self._inner = inner

    def search(self, terms: Sequence[str], k: int) -> tuple[Ordinals, Floats]:
        """Nothing."""
        return np.zeros(0, np.int64), np.zeros(0, np.float32)

    def scores(self, terms: Sequence[str]) -> Floats:
        """Zeros."""
        return np.zeros_like(self._inner.scores(terms))

    def idf(self, term: str) -> float:
        """What a term has that stands nowhere."""
        return self._inner.idf("\0")


def mirrored(index: SearchIndex, chunks: int, sentences: int) -> ArmSet:
    """Rows mistaken for others in all arms."""
    return ArmSet(
        MirroredVectors(index.chunk_vectors, chunks),
        MirroredVectors(index.sentence_vectors, sentences),
        MirroredVectors(index.window_vectors, sentences),
        MirroredTerms(index.chunk_terms, chunks),
        MirroredTerms(index.sentence_terms, sentences),
    )


def without_terms(index: SearchIndex) -> ArmSet:
    """The lexical arms silent."""
    return ArmSet(
        index.chunk_vectors,
        index.sentence_vectors,
        index.window_vectors,
        SilentTerms(index.chunk_terms),
        SilentTerms(index.sentence_terms),
    )


def without_vectors(index: SearchIndex) -> ArmSet:
    """The dense arms silent."""
    return ArmSet(
        SilentVectors(index.chunk_vectors),
        SilentVectors(index.sentence_vectors),
        SilentVectors(index.window_vectors),
        index.chunk_terms,
        index.sentence_terms,
    )
