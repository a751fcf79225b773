"""Which row holds which term how often: what is stored of a lexical index. No weights, no search.

The arrays and their bytes depend on the rows' terms alone, not on any order of building.
"""

from __future__ import annotations

import itertools
import json
import operator
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from index.arrays import pack, unpack

_ARRAYS = {"starts": (np.int64, 1), "rows": (np.int32, 1), "counts": (np.int32, 1), "lengths": (np.int32, 1)}

_BLOCK = 1 << 20
"""So many postings are widened at once: larger arrays are fresh memory each time, which costs more."""


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
        # Numbered as they come, then in code-point order: each occurrence costs one look-up, and no list.
        seen: defaultdict[str, int] = defaultdict()
        seen.default_factory = seen.__len__
        lengths = np.fromiter(map(len, terms), np.int32, len(terms))
        total = int(lengths.sum(dtype=np.int64))
        as_seen = np.fromiter(map(seen.__getitem__, chain.from_iterable(terms)), np.int64, total)
        vocabulary = sorted(seen)
        number_of = np.empty(len(seen), np.int64)
        number_of[np.fromiter(map(seen.__getitem__, vocabulary), np.int64, len(seen))] = np.arange(len(seen))
        flat = number_of[as_seen]
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
    def merged(cls, parts: Sequence[Postings]) -> Postings:
        """The postings of all rows of the parts, one part after the other: what `build` gives for them."""
        every = sorted(itertools.chain.from_iterable(part.vocabulary for part in parts))
        vocabulary = tuple(dict.fromkeys(every))  # sorted runs: sorting merges them, and order stays
        numbers = dict(zip(vocabulary, itertools.count(), strict=False))
        places = [np.array([numbers[term] for term in part.vocabulary], dtype=np.int64) for part in parts]
        starts = np.zeros(len(vocabulary) + 1, dtype=np.int64)
        for part, place in zip(parts, places, strict=True):
            starts[place + 1] += np.diff(part.starts)
        np.cumsum(starts, out=starts)
        rows, counts = np.empty((2, int(starts[-1])), dtype=np.int32)
        free = starts[:-1].copy()  # where each term's next posting goes
        first_row = 0
        for part, place in zip(parts, places, strict=True):
            held = np.diff(part.starts)
            to = np.repeat(free[place] - part.starts[:-1], held) + np.arange(part.rows.size)
            rows[to] = part.rows + np.int32(first_row)
            counts[to] = part.counts
            free[place] += held
            first_row += part.lengths.size
        lengths = np.concatenate([np.empty(0, np.int32), *(part.lengths for part in parts)])
        return cls(vocabulary, starts, rows, counts, lengths)

    def kept(self, mask: NDArray[np.bool_]) -> Postings:
        """The postings of some rows, numbered anew in the same order: what `build` gives for them.

        Args:
            mask: Which rows to keep, shape (rows,).
        """
        number = np.cumsum(mask, dtype=np.int32) - np.int32(1)
        stays = mask[self.rows]
        before = np.concatenate([[0], np.cumsum(stays, dtype=np.int64)])
        starts = before[self.starts]
        occurs = np.diff(starts) > 0
        return Postings(
            tuple(itertools.compress(self.vocabulary, occurs.tolist())),
            np.concatenate([[0], starts[1:][occurs]]).astype(np.int64),
            number[self.rows[stays]],
            self.counts[stays],
            self.lengths[mask],
        )

    @classmethod
    def from_parts(cls, parts: Mapping[str, bytes]) -> Postings:
        """Read back what `to_parts` gave.

        Raises:
            ValueError: If the bytes are no postings or contradict each other.
        """
        vocabulary = json.loads(parts["json"])
        if not isinstance(vocabulary, list) or not set(map(type, vocabulary)) <= {str}:
            raise ValueError("词表不是字符串列表")
        postings = cls(tuple(vocabulary), **unpack(parts["npz"], _ARRAYS))
        problem = postings.fault()
        if problem:
            raise ValueError(problem)
        return postings

    def to_parts(self) -> dict[str, bytes]:
        """As bytes by file suffix: `json` the vocabulary, `npz` the arrays."""
        # As with `indent=0`, a term a line, for which Python's encoder is not the quick one.
        inside = json.dumps(self.vocabulary, ensure_ascii=False, separators=(",\n", ":"))[1:-1]
        vocabulary = f"[\n{inside}\n]" if inside else "[]"
        return {"json": vocabulary.encode(), "npz": pack({name: getattr(self, name) for name in _ARRAYS})}

    def of_term(self, number: int) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
        """The rows that hold a term, ascending, and how often each does; views, shape (rows with it,)."""
        here = slice(int(self.starts[number]), int(self.starts[number + 1]))
        return self.rows[here], self.counts[here]

    def fault(self) -> str | None:
        """What contradicts the description of the attributes, in Chinese; None if nothing does."""
        starts, rows, counts, lengths = self.starts, self.rows, self.counts, self.lengths
        if not all(map(operator.lt, self.vocabulary, itertools.islice(self.vocabulary, 1, None))):
            return "词表没有按码位严格升序"
        ends = (starts[0], starts[-1]) if starts.size else None
        if starts.size != len(self.vocabulary) + 1 or ends != (0, rows.size) or (np.diff(starts) < 1).any():
            return f"{len(self.vocabulary)} 个词、{rows.size} 条记录与分界不符"
        # Least and largest values rather than a mark for each of many million postings.
        within = not rows.size or (rows.min() >= 0 and rows.max() < lengths.size)
        if counts.size != rows.size or (counts.size and counts.min() < 1) or not within:
            return f"有次数与记录不符，或行号超出 {lengths.size} 行"
        falls = rows[1:] <= rows[:-1]
        falls[starts[1:-1] - 1] = False  # from one term to the next they may
        if falls.any():
            return "同一个词的行号没有严格升序"
        held = np.zeros(lengths.size)
        for at in range(0, rows.size, _BLOCK):  # made wide beforehand: `bincount` takes ten times as long
            block = slice(at, at + _BLOCK)
            held += np.bincount(rows[block].astype(np.int64), counts[block].astype(np.float64), lengths.size)
        if not np.array_equal(held, lengths):
            return "每行的词数与记录不符"
        return None
