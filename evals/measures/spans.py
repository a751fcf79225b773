"""When a passage holds a gold span: the relevance judgement under every retrieval measure.

A hit [a, b) of source S holds a span whose non-white characters stand at offsets O of S iff

    |{o in O : a <= o < b}| >= |O| / 2

Half and not all, so that a chunk border inside a sentence does not make both chunks wrong; at least
half, so that of two disjoint chunks a span of odd length is held by exactly one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

Offsets = Sequence[int]
"""Offsets of a span's non-white characters, ascending, at least one."""


def share_inside(offsets: Offsets, start_char: int, end_char: int) -> float:
    """The share, 0-1, of a span's characters that stand in [start_char, end_char)."""
    inside = bisect_left(offsets, end_char) - bisect_left(offsets, start_char)
    return max(inside, 0) / len(offsets)


def holds(offsets: Offsets, start_char: int, end_char: int) -> bool:
    """Whether the range holds the span: at least half of its characters."""
    return 2 * share_inside(offsets, start_char, end_char) >= 1
