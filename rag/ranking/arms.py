"""What ranking needs of an index: the seams between `rag` and whatever stores the rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ordinals = npt.NDArray[np.int64]


class VectorArm(Protocol):
    """Exact inner-product search over unit vectors, one row per chunk or sentence."""

    def search(self, vector: Floats, k: int) -> tuple[Ordinals, Floats]:
        """The best `k` rows by (-score, ordinal)."""

    def scores(self, vector: Floats, ordinals: Ordinals) -> Floats:
        """Inner products of chosen rows, in the order asked."""

    def background(self, vector: Floats) -> tuple[float, float]:
        """Mean and standard deviation of the inner product over all rows."""


class LexicalArm(Protocol):
    """BM25 over index terms, one row per chunk or sentence."""

    def search(self, terms: Sequence[str], k: int) -> tuple[Ordinals, Floats]:
        """The best `k` rows with a score above 0, by (-score, ordinal)."""

    def scores(self, terms: Sequence[str]) -> Floats:
        """BM25 of every row."""

    def idf(self, term: str) -> float:
        """Inverse document frequency; the largest value for a term that occurs nowhere."""


class SearchIndex(Protocol):
    """The five arms over one corpus. A window is a sentence with its neighbours."""

    @property
    def chunk_vectors(self) -> VectorArm:
        """One row per chunk."""

    @property
    def sentence_vectors(self) -> VectorArm:
        """One row per sentence."""

    @property
    def window_vectors(self) -> VectorArm:
        """One row per sentence."""

    @property
    def chunk_terms(self) -> LexicalArm:
        """One row per chunk."""

    @property
    def sentence_terms(self) -> LexicalArm:
        """One row per sentence."""
