"""Group the body lines of one document into paragraphs and section headings.

In ordinary text a line is a paragraph. In a printed column a blank line may be the end of a paragraph,
the end of a column, or an accident of extraction, so the decision is made from print habits:

1. a line that breaks off inside a sentence goes on after any gap;
2. a line that ends a sentence and had room for more ends its paragraph (`rag.reading.fitting`);
3. if it ends a sentence *at* the edge, look at the next line: a paragraph opens with an indent, and
   where the extractor dropped the spaces the line still leaves two ems unused. Whether a page drops
   its indents is measured on the paragraph openings that rules 1 and 2 have made certain;
4. where a page never breaks a sentence over a gap its blank lines can be trusted as they are.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from rag.reading.fitting import Width, next_printed, width_above, width_below
from rag.reading.layout import column_width
from rag.reading.lines import Line

_INDENT_EMS = 2.0
_SHORT_EMS = 2.5
_VERY_SHORT = 0.75

Group = tuple[list[Line], bool]
"""Lines of a paragraph (blank ones inside included), and whether it is a section heading instead."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a page is printed, measured on all of its documents.

    Attributes:
        gaps_part: Whether a blank line always parts paragraphs.
        drops_indent: Whether paragraph openings leave two ems unused.
    """

    gaps_part: bool
    drops_indent: bool


def group_clean(lines: Sequence[Line]) -> list[Group]:
    """One group a printed line; a Markdown heading (`# …`) is a heading."""
    return [([line], line.content.startswith("#")) for line in lines if not line.is_blank]


def page_habits(bodies: Sequence[Sequence[Line]]) -> Habits:
    """Measure the habits of a page on the body lines of its documents."""
    broken, short, openings = 0, 0, 0
    for lines in bodies:
        printed = [i for i, line in enumerate(lines) if not line.is_blank]
        broken += sum(b - a > 1 and not lines[a].ends_sentence for a, b in itertools.pairwise(printed))
        for index in _certain_openings(lines, printed):
            width = width_below(lines, index)
            if width and not lines[index].is_indented:
                openings += 1
                short += _could_be_indented(lines, index, width) and not _fills(lines, index, width)
    return Habits(gaps_part=not broken, drops_indent=short * 2 > openings)


def _certain_openings(lines: Sequence[Line], printed: Sequence[int]) -> list[int]:
    """Lines that open a paragraph without doubt: the first, and those after a gap and a short line."""
    return printed[:1] + [
        b
        for a, b in itertools.pairwise(printed)
        if b - a > 1
        and lines[a].ends_sentence
        and lines[a].width < column_width(lines, a) - _SHORT_EMS - lines[b].opening_width
    ]


def group_wrapped(lines: Sequence[Line], habits: Habits) -> list[Group]:
    """Groups of the lines of a printed column, in order."""
    printed = [i for i, line in enumerate(lines) if not line.is_blank]
    if not printed:
        return []
    groups: list[Group] = []
    first = printed[0]
    for before, after in itertools.pairwise(printed):
        if _starts_paragraph(lines, first, before, after, habits):
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


def _starts_paragraph(lines: Sequence[Line], first: int, before: int, after: int, habits: Habits) -> bool:
    """Whether line `after` opens a paragraph.

    Args:
        lines: Body lines of one document.
        first: Where the paragraph so far opens.
        before: The printed line above `after`.
        after: The line asked about.
        habits: How the page is printed.
    """
    if lines[after].is_indented and lines[before].ends_sentence:
        return True
    gap = after - before > 1
    if not lines[before].ends_sentence:
        # A heading stands alone between gaps and far from the column's edge.
        return (gap and _is_heading(lines, before)) or (
            gap and _is_heading(lines, after) and habits.gaps_part
        )
    if not gap:
        shortfall = column_width(lines, before) - lines[before].width
        return lines[before].width < _VERY_SHORT * column_width(lines, before) and shortfall > _SHORT_EMS
    if _is_heading(lines, after) or (habits.gaps_part and not habits.drops_indent):
        return True
    return _had_room(lines, first, before, after, habits) or (
        habits.drops_indent and _opens_indented(lines, first, before, after)
    )


def _had_room(lines: Sequence[Line], first: int, before: int, after: int, habits: Habits) -> bool:
    """Whether the beginning of line `after` would have fitted on line `before`."""
    width = width_above(lines, first, before) or width_below(lines, after)
    low = width[0] if width else column_width(lines, before)
    indent = _INDENT_EMS if habits.drops_indent and before == first else 0.0
    return lines[before].width + indent + lines[after].opening_width <= low


def _opens_indented(lines: Sequence[Line], first: int, before: int, after: int) -> bool:
    """Whether line `after` leaves the two ems of an indent unused."""
    width = width_below(lines, after)
    if width is None:
        above = width_above(lines, first, before)
        return above is not None and False
    if not _could_be_indented(lines, after, width):
        return False
    if not _fills(lines, after, width):
        return True
    return lines[after].width <= (width[0] + width[1] - _INDENT_EMS) / 2


def _could_be_indented(lines: Sequence[Line], index: int, width: Width) -> bool:
    return lines[index].squeezed_width <= width[1] - _INDENT_EMS


def _fills(lines: Sequence[Line], index: int, width: Width) -> bool:
    """Whether a line that goes on fills a column of this width without any indent."""
    after = next_printed(lines, index)
    return after is None or lines[index].width + lines[after].opening_width > width[0]


def _is_heading(lines: Sequence[Line], index: int) -> bool:
    line = lines[index]
    alone = (index == 0 or lines[index - 1].is_blank) and (
        index + 1 == len(lines) or lines[index + 1].is_blank
    )
    return alone and not line.ends_sentence and line.width < _VERY_SHORT * column_width(lines, index)
