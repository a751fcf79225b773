"""Find enumerations in running text: "一是…二是…三是…", "首先…其次…最后…", bullets, and parallel openings.

A series is a list whose items are sentences or stretches of sentences. Three kinds are found by form alone:
marked series (an ordinal word opens each item's first sentence), bulleted series (the same bullet opens
consecutive paragraphs) and parallel series (the openings of consecutive paragraphs are built alike). Lists
inside one sentence need nothing: the sentence is the list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

_NUMERALS = "一二三四五六七八九十"
_N = f"[{_NUMERALS}]"
_FAMILIES: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("n-is", re.compile(rf"^({_N})(?:是|要|则|来|靠|看|在于)")),
    ("n-th", re.compile(rf"^第({_N}|\d{{1,2}})[，,、是个点步]?")),
    ("of-n", re.compile(rf"^其({_N})[，,是、]")),
    ("bracketed", re.compile(rf"^[（(]({_N}|\d{{1,2}})[)）]")),
    ("dotted", re.compile(rf"^({_N}|\d{{1,2}})[、.．](?!\d)")),
    ("circled", re.compile(r"^([①-⑩])")),
    ("first-last", re.compile(r"^(首先|其次|再次|再者|此外|最后|最终)")),
    ("one-side", re.compile(r"^(一方面|另一方面|再一方面)")),
)
_WORD_ORDER = {"首先": 1, "其次": 2, "再次": 3, "再者": 3, "此外": 4, "最后": 9, "最终": 9} | {
    "一方面": 1,
    "另一方面": 2,
    "再一方面": 3,
}
_BULLET = re.compile(r"\s*([-*+](?=\s)|[•·])\s*\w")
_MARKS = re.compile(r"[\W_]+")
_INLINE = re.compile(r"[^，。；：“”‘’（）()\s]{1,16}(?:[、，；][^，。；：“”‘’（）()\s]{1,16})+")
_INLINE_SEPARATORS = re.compile(r"[、，；]|和|与|及")
_PARALLEL_DICE = 0.19
_PARALLEL_MAX_CHARS = 60


@dataclass(frozen=True, slots=True)
class Series:
    """An enumeration.

    Attributes:
        lead: Position of the sentence that announces it, or None.
        items: For each item the half-open range of its sentences' positions; the first is its head.
        parallel: Whether it was found by parallel building rather than by ordinal words.
    """

    lead: int | None
    items: tuple[tuple[int, int], ...]
    parallel: bool = False


def item_mark(sentence: str) -> tuple[str, int] | None:
    """The (family, number) of the ordinal word that opens a sentence, or None."""
    opening = sentence.lstrip('“"「『 　')
    for family, pattern in _FAMILIES:
        found = pattern.match(opening)
        if found:
            return family, _value(found.group(1))
    return None


def _value(word: str) -> int:
    if word in _WORD_ORDER:
        return _WORD_ORDER[word]
    if word.isdecimal():
        return int(word)
    return "①②③④⑤⑥⑦⑧⑨⑩".index(word) + 1 if word in "①②③④⑤⑥⑦⑧⑨⑩" else _NUMERALS.index(word) + 1


def marked_series(sentences: Sequence[str]) -> list[Series]:
    """Marked series among consecutive sentences (of one paragraph, or the openings of paragraphs).

    A series starts at an item numbered 1, goes on with rising numbers of its family and needs two items.
    A lower-level series inside an item belongs to the item.
    """
    marks = [item_mark(sentence) for sentence in sentences]
    found: list[Series] = []
    for start, mark in enumerate(marks):
        if mark is None or mark[1] != 1:
            continue
        heads, last = [start], 1
        for position in range(start + 1, len(marks)):
            other = marks[position]
            if other is None or not _continues(mark[0], last, other):
                continue
            if other[1] <= last:
                break
            heads.append(position)
            last = other[1]
        if len(heads) >= 2:
            ends = [*heads[1:], _last_end(marks, heads[-1], mark[0])]
            lead = start - 1 if start else None
            found.append(Series(lead, tuple(zip(heads, ends, strict=True))))
    return found


def _continues(family: str, last: int, mark: tuple[str, int]) -> bool:
    """Whether a mark belongs to a series of `family` that has come to number `last` (首先…其次…第三…)."""
    return mark[0] == family or (family == "first-last" and mark == ("n-th", last + 1))


def _last_end(marks: Sequence[tuple[str, int] | None], head: int, family: str) -> int:
    """Where the last item ends: before the next item of its own or an outer series, or at the end."""
    inner: set[str] = set()
    for position in range(head + 1, len(marks)):
        mark = marks[position]
        if mark is None:
            continue
        if mark[0] == family or (mark[1] > 1 and mark[0] not in inner):
            return position
        inner.add(mark[0])
    return len(marks)


def bulleted_series(openings: Sequence[str]) -> list[tuple[int, int]]:
    """Runs of at least two consecutive paragraph openings with the same bullet: - * + (and a space), • or ·.

    Returns:
        Half-open ranges of positions in `openings`.
    """
    runs: list[tuple[int, int]] = []
    start = 0
    bullets = [found[1] if (found := _BULLET.match(opening)) else "" for opening in openings]
    for bullet, group in groupby(bullets):
        stop = start + len(list(group))
        if bullet and stop - start >= 2:
            runs.append((start, stop))
        start = stop
    return runs


def parallel_series(openings: Sequence[str]) -> list[tuple[int, int]]:
    """Runs of at least three consecutive paragraph openings that are built alike.

    Alike: neighbours share 2 L / (m + n) >= 0.19 of their characters in order (marks aside; L their longest
    common subsequence, m and n their lengths), and neither is long. Of unrelated sentences of an
    encyclopaedia one pair in a hundred shares as much, half of them 0.05.

    Returns:
        Half-open ranges of positions in `openings`.
    """
    runs: list[tuple[int, int]] = []
    start = 0
    for position in range(1, len(openings) + 1):
        if position < len(openings) and _alike(openings[position - 1], openings[position]):
            continue
        if position - start >= 3:
            runs.append((start, position))
        start = position
    return runs


def _alike(left: str, right: str) -> bool:
    left, right = _MARKS.sub("", left), _MARKS.sub("", right)
    if max(len(left), len(right)) > _PARALLEL_MAX_CHARS or min(len(left), len(right)) < 4:
        return False
    return 2 * common_subsequence(left, right) >= _PARALLEL_DICE * (len(left) + len(right))


def common_subsequence(left: str, right: str) -> int:
    """Length of the longest common subsequence (Wagner and Fischer 1974)."""
    row = [0] * (len(right) + 1)
    for char in left:
        diagonal = 0
        for column, other in enumerate(right, 1):
            diagonal, row[column] = (
                row[column],
                diagonal + 1 if char == other else max(row[column], row[column - 1]),
            )
    return row[-1]


def inline_counts(text: str) -> set[int]:
    """Lengths of the lists inside a sentence: things between 、 (or ，；) and a last 和/与/及."""
    counts: set[int] = set()
    for run in _INLINE.findall(text):
        for separators in ("[、]", "[，；、]"):
            parts = re.split(separators, run)
            if len(parts) > 1:
                counts.add(len(parts) + len(_INLINE_SEPARATORS.findall(parts[-1])))
                counts.add(len(parts))
    return counts
