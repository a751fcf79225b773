"""BM25 over lists of terms: which rows share a question's words, and how telling those words are.

For a query's distinct terms t and a row D,

    score(D) = sum_t idf(t) * tf / (tf + k1 * (1 - b + b * |D| / avgdl))
    idf(t)   = ln(1 + (N - df + 0.5) / (df + 0.5))

tf: how often t occurs in D; |D|: number of terms in D, avgdl: its mean over the rows; N: number of
rows; df: how many of them hold t. This is Lucene's variant since version 8, without the constant
factor k1 + 1, and with exact row lengths (Robertson and Zaragoza, The Probabilistic Relevance
Framework: BM25 and Beyond, 2009; Kamphuis et al., Which BM25 Do You Mean?, ECIR 2020).

Written here rather than taken from `bm25s`, which the tests use as an independent oracle: that
package numbers its terms in the order of a set, so by the process's hash seed; keeps idf and tf part
only multiplied together; adds them in the order of the question's words, in single precision; loads
from paths, not from bytes that were verified; and raises on an empty question. Here the
stored bytes depend on the rows' terms alone, and a score on the *set* of query terms alone.

Not here: how text becomes terms, and what to make of a score.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from index.order import Ranking, best
from index.postings import Postings
from rag.errors import ConfigError

DEFAULT_K1 = 1.2
DEFAULT_B = 0.75


class LexicalIndex:
    """BM25 over the terms of all rows; immutable, safe to search from several threads.

    Args:
        postings: The rows' terms.
        k1: How late repetition saturates, at least 0.
        b: How much long rows are held back, 0 to 1.

    Raises:
        ConfigError: If k1 or b is out of range.
    """

    def __init__(self, postings: Postings, *, k1: float = DEFAULT_K1, b: float = DEFAULT_B) -> None:
        check_parameters(k1, b)
        self._postings = postings
        self._numbers = {term: number for number, term in enumerate(postings.vocabulary)}
        lengths = postings.lengths
        self._norms = norms_of(lengths, int(lengths.sum(dtype=np.int64)), self.count, k1=k1, b=b)

    @classmethod
    def build(
        cls, terms: Sequence[Sequence[str]], *, k1: float = DEFAULT_K1, b: float = DEFAULT_B
    ) -> LexicalIndex:
        """Index the rows' terms.

        Args:
            terms: One list of terms for each row, repetitions included; it may be empty.
            k1: See the class.
            b: See the class.

        Raises:
            TypeError: If a row is a string, whose "terms" would be its characters.
            ConfigError: If k1 or b is out of range.
        """
        return cls(Postings.build(terms), k1=k1, b=b)

    @classmethod
    def from_parts(
        cls, parts: Mapping[str, bytes], *, k1: float = DEFAULT_K1, b: float = DEFAULT_B
    ) -> LexicalIndex:
        """Read back what `to_parts` gave.

        Raises:
            ValueError: If the bytes are no postings or contradict each other.
            ConfigError: If k1 or b is out of range.
        """
        return cls(Postings.from_parts(parts), k1=k1, b=b)

    def to_parts(self) -> dict[str, bytes]:
        """What is stored, as bytes by file suffix. k1 and b are not: they are set at each opening."""
        return self._postings.to_parts()

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self._postings.lengths.size)

    def idf(self, term: str) -> float:
        """How telling a term is: ln(1 + (N − df + 0.5) / (df + 0.5)), above 0; df is 0 for an unseen term."""
        number = self._numbers.get(term)
        rows = 0 if number is None else self._postings.of_term(number)[0].size
        return idf_of(self.count, rows)

    def scores(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every row.

        Args:
            terms: The query's terms in any order; repeated ones count once, unknown ones not at all.

        Returns:
            float32, shape (count,), at least 0; all zeros for no terms.

        Raises:
            TypeError: If `terms` is a string.
        """
        if isinstance(terms, str):
            raise TypeError("terms is a str, expected a list of str")
        total = np.zeros(self.count)
        # In one fixed order, so that the sum's last bit does not depend on the order of words.
        for number in sorted({self._numbers[term] for term in terms if term in self._numbers}):
            rows, tf = self._postings.of_term(number)
            total[rows] += idf_of(self.count, rows.size) * tf / (tf + self._norms[rows])
        return total.astype(np.float32)

    def search(self, terms: Sequence[str], k: int) -> Ranking:
        """The k best rows among those that score above 0.

        Args:
            terms: As for `scores`.
            k: How many at most, 0 or more.

        Returns:
            Ordinals (int64) and scores (float32, above 0), by (−score, ordinal); often fewer than k.

        Raises:
            TypeError: If `terms` is a string.
            ValueError: If k is negative.
        """
        scores = self.scores(terms)
        found = np.flatnonzero(scores > 0)
        return best(found, scores[found], k)


def check_parameters(k1: float, b: float) -> None:
    """Refuse k1 and b out of range.

    Raises:
        ConfigError: If k1 is not at least 0 or b not within 0 to 1.
    """
    if not (math.isfinite(k1) and k1 >= 0):
        raise ConfigError(f"BM25 的 k1 是 {k1!r}，应为不小于 0 的数。请改正设置。")
    if not 0 <= b <= 1:
        raise ConfigError(f"BM25 的 b 是 {b!r}，应在 0 到 1 之间。请改正设置。")


def idf_of(count: int, df: int) -> float:
    """The idf of a term that `df` of `count` rows hold."""
    return math.log1p((count - df + 0.5) / (df + 0.5))


def norms_of(
    lengths: NDArray[np.int32], total_length: int, count: int, *, k1: float, b: float
) -> NDArray[np.float64]:
    """k1 (1 - b + b |D| / avgdl) of each row.

    Args:
        lengths: |D|, one a row: of all rows or of some.
        total_length: The sum of |D| over all rows.
        count: Number of all rows.
        k1: See the class.
        b: See the class.
    """
    # Where no row has a term there is nothing to weigh, and any average will do.
    average = total_length / max(count, 1) or 1.0
    return np.asarray(k1 * (1 - b + b * lengths / average), dtype=np.float64)
