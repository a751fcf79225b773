"""Which row holds which term how often: what is stored of a lexical index. No weights, no search.

The arrays and their bytes depend on the rows' terms alone, not on any order of building.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.arrays import pack, unpack

_ARRAYS = {"starts": (np.int64, 1), "rows": (np.int32, 1), "counts": (np.int32, 1), "lengths": (np.int32, 1)}


@dataclass(frozen=True, slots=True, eq=False)
class Postings:
    """Postings in the order of terms, then rows.

    Attributes:
        vocabulary: Distinct terms in code-point order; a term's place is its number.
        starts: int64, shape (terms + 1,): term i's postings are `starts[i]` to `starts[i + 1]`.
        rows: int32, one a posting: row ordinals, ascending within a term.
        counts: int32, one a posting: how often the term occurs in that row, at least 1.
        lengths: int32, one a row: how many terms it has, repetitions included.
    """

    vocabulary: tuple[str, ...]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.int32]
    lengths: NDArray[np.int32]

    @classmethod
    def build(cls, terms: Sequence[Sequence[str]]) -> Postings:
        """Count the rows' terms.

        Args:
            terms: One list of terms for each row, repetitions included; it may be empty.

        Raises:
            TypeError: If a row is a string, whose "terms" would be its characters.
        """
        if any(isinstance(row, str) for row in terms):
            raise TypeError("a row of terms is a str, expected a list of str")
        vocabulary = sorted({term for row in terms for term in row})
        numbers = {term: number for number, term in enumerate(vocabulary)}
        lengths = np.array([len(row) for row in terms], dtype=np.int32)
        flat = np.array([numbers[term] for row in terms for term in row], dtype=np.int64)
        row_of = np.repeat(np.arange(len(terms), dtype=np.int64), lengths)
        # One integer for each (term, row); sorted, they are the postings in order.
        keys, counts = np.unique(flat * max(len(terms), 1) + row_of, return_counts=True)
        term_of, rows = np.divmod(keys, max(len(terms), 1))
        starts = np.searchsorted(term_of, np.arange(len(vocabulary) + 1))
        return cls(
            tuple(vocabulary),
            starts.astype(np.int64),
            rows.astype(np.int32),
            counts.astype(np.int32),
            lengths,
        )

    @classmethod
    def from_parts(cls, parts: Mapping[str, bytes]) -> Postings:
        """Read back what `to_parts` gave.

        Raises:
            ValueError: If the bytes are no postings or contradict each other.
        """
        vocabulary = json.loads(parts["json"])
        if not isinstance(vocabulary, list) or not all(isinstance(term, str) for term in vocabulary):
            raise ValueError("词表不是字符串列表")
        postings = cls(tuple(vocabulary), **unpack(parts["npz"], _ARRAYS))
        problem = postings.fault()
        if problem:
            raise ValueError(problem)
        return postings

    def to_parts(self) -> dict[str, bytes]:
        """As bytes by file suffix: `json` the vocabulary, `npz` the arrays."""
        vocabulary = json.dumps(self.vocabulary, ensure_ascii=False, indent=0)
        return {"json": vocabulary.encode(), "npz": pack({name: getattr(self, name) for name in _ARRAYS})}

    def fault(self) -> str | None:
        """What contradicts the description of the attributes, in Chinese; None if nothing does."""
        starts, rows, counts, lengths = self.starts, self.rows, self.counts, self.lengths
        if any(a >= b for a, b in itertools.pairwise(self.vocabulary)):
            return "词表没有按码位严格升序"
        ends = (starts[0], starts[-1]) if starts.size else None
        if starts.size != len(self.vocabulary) + 1 or ends != (0, rows.size) or (np.diff(starts) < 1).any():
            return f"{len(self.vocabulary)} 个词、{rows.size} 条记录与分界不符"
        if counts.size != rows.size or (counts < 1).any() or ((rows < 0) | (rows >= lengths.size)).any():
            return f"有次数与记录不符，或行号超出 {lengths.size} 行"
        same_term = np.ones(rows.size, dtype=bool)
        same_term[starts[:-1]] = False
        if (np.diff(rows)[same_term[1:]] < 1).any():
            return "同一个词的行号没有严格升序"
        if not np.array_equal(np.bincount(rows, weights=counts, minlength=lengths.size), lengths):
            return "每行的词数与记录不符"
        return None
