"""Group the body lines of one document into paragraphs and section headings.

In ordinary text a line is a paragraph. In a printed column a blank line may be the end of a paragraph,
the end of a column, or an accident of extraction, so the decision is made from print habits:

1. a line that breaks off inside a sentence goes on after any gap;
2. a line that ends a sentence well before the column's edge ends its paragraph;
3. if it ends a sentence *at* the edge, look at the next line: a paragraph opens with an indent, and
   where the extractor dropped the spaces the line still is about two ems short. How short, is
   measured on the paragraph openings that rules 1 and 2 have made certain;
4. where a page never breaks a sentence over a gap its blank lines can be trusted as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from statistics import median

from rag.reading.layout import column_width
from rag.reading.lines import Line

_SHORT_EMS = 2.5
_VERY_SHORT = 0.75
_INDENT_FOUND_EMS = 1.0

Group = tuple[list[Line], bool]
"""Lines of a paragraph (blank ones inside included), and whether it is a section heading instead."""


def group_clean(lines: Sequence[Line]) -> list[Group]:
    """One group a printed line; a Markdown heading (`# …`) is a heading."""
    return [([line], line.content.startswith("#")) for line in lines if not line.is_blank]


def group_wrapped(lines: Sequence[Line]) -> list[Group]:
    """Groups of the lines of a printed column, in order."""
    printed = [i for i, line in enumerate(lines) if not line.is_blank]
    if not printed:
        return []
    indent = _dropped_indent(lines, printed)
    gaps_break_sentences = any(
        b - a > 1 and not lines[a].ends_sentence for a, b in itertools.pairwise(printed)
    )
    groups: list[Group] = []
    first = printed[0]
    for before, after in itertools.pairwise(printed):
        if _starts_paragraph(lines, before, after, indent, trust_gaps=not gaps_break_sentences):
            groups.append(_group(lines, first, before))
            first = after
    groups.append(_group(lines, first, printed[-1]))
    return groups


def _group(lines: Sequence[Line], first: int, last: int) -> Group:
    only = lines[first]
    heading = (
        first == last and not only.ends_sentence and only.width < _VERY_SHORT * column_width(lines, first)
    )
    return list(lines[first : last + 1]), heading


def _starts_paragraph(
    lines: Sequence[Line], before: int, after: int, indent: float, *, trust_gaps: bool
) -> bool:
    """Whether the printed line `after` opens a paragraph, `before` being the printed line above it."""
    if lines[after].is_indented and lines[before].ends_sentence:
        return True
    gap = after - before > 1
    shortfall = column_width(lines, before) - lines[before].width
    if not lines[before].ends_sentence:
        # A heading stands alone between gaps and far from the column's edge.
        return (gap and _is_heading(lines, before)) or (gap and _is_heading(lines, after) and trust_gaps)
    if not gap:
        return lines[before].width < _VERY_SHORT * column_width(lines, before) and shortfall > _SHORT_EMS
    if trust_gaps or shortfall >= _SHORT_EMS or _is_heading(lines, after):
        return True
    return indent >= _INDENT_FOUND_EMS and _missing(lines, after) >= indent / 2


def _is_heading(lines: Sequence[Line], index: int) -> bool:
    line = lines[index]
    alone = (index == 0 or lines[index - 1].is_blank) and (
        index + 1 == len(lines) or lines[index + 1].is_blank
    )
    return alone and not line.ends_sentence and line.width < _VERY_SHORT * column_width(lines, index)


def _missing(lines: Sequence[Line], index: int) -> float:
    """How much shorter line `index` is than the lines that follow it without a gap, in ems."""
    following: list[float] = []
    for line in lines[index + 1 : index + 5]:
        if line.is_blank:
            break
        following.append(line.width)
    if len(following) > 1:
        following.sort()
        return following[len(following) // 2] - lines[index].width
    return column_width(lines, index) - lines[index].width


def _dropped_indent(lines: Sequence[Line], printed: Sequence[int]) -> float:
    """By how much certain paragraph openings are short, in ems (0 if there are none)."""
    openings = [printed[0]]
    for before, after in itertools.pairwise(printed):
        ended = lines[before].ends_sentence
        if ended and after - before > 1 and column_width(lines, before) - lines[before].width >= _SHORT_EMS:
            openings.append(after)
    missing = [_missing(lines, index) for index in openings if not lines[index].is_indented]
    return median(missing) if missing else 0.0
