"""What is added to an index: vectors and terms of the rows of one or several documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.layout import TERM_KINDS, VECTOR_KINDS

ROWS_OF = {"chunk": "chunk", "sentence": "sentence", "window": "sentence"}
"""For each kind of vectors the kind of terms that has the same rows."""


@dataclass(frozen=True, slots=True, eq=False)
class IndexRows:
    """Rows in order; row i of each kind becomes the i-th new row of that kind.

    Attributes:
        vectors: For each of `VECTOR_KINDS` float32, shape (rows, dim), rows of length 1; chunks have one
            row each, sentences one row each in "sentence" and in "window".
        terms: For each of `TERM_KINDS` the rows' terms, repetitions included.

    Raises:
        ValueError: If kinds are missing or unknown, or the numbers of rows do not agree.
    """

    vectors: Mapping[str, NDArray[np.float32]]
    terms: Mapping[str, Sequence[Sequence[str]]]

    def __post_init__(self) -> None:
        counts = {kind: len(rows) for kind, rows in self.terms.items()}
        check_counts({kind: len(rows) for kind, rows in self.vectors.items()}, counts)

    @property
    def chunks(self) -> int:
        """Number of chunk rows."""
        return len(self.terms["chunk"])

    @property
    def sentences(self) -> int:
        """Number of sentence rows."""
        return len(self.terms["sentence"])


def check_counts(vectors: Mapping[str, int], terms: Mapping[str, int]) -> None:
    """Refuse kinds that are missing or unknown, and numbers of rows that do not agree.

    Raises:
        ValueError: If there are such.
    """
    if set(vectors) != set(VECTOR_KINDS) or set(terms) != set(TERM_KINDS):
        raise ValueError(
            f"vectors of {sorted(vectors)} and terms of {sorted(terms)}, "
            f"expected {VECTOR_KINDS} and {TERM_KINDS}"
        )
    for kind, count in vectors.items():
        if count != terms[ROWS_OF[kind]]:
            raise ValueError(f"{count} {kind} vectors, expected {terms[ROWS_OF[kind]]} as there are terms")
