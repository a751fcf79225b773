"""Group the body lines of one document into paragraphs and section headings.

In ordinary text a line is a paragraph. In a printed column a blank line may be the end of a paragraph,
the end of a column, or an accident of extraction, so the decision is made from print habits:

1. a line that breaks off inside a sentence goes on after any gap;
2. a line that ends a sentence and had room for more ends its paragraph (`rag.reading.fitting`);
3. if it ends a sentence *at* the edge, look at the next line: a paragraph opens with an indent, and
   where the extractor dropped the spaces the line still leaves two ems unused. Whether a page drops
   its indents is measured on the paragraph openings that rules 1 and 2 have made certain, and what
   the widths leave open is decided by how often this page ends columns and paragraphs;
4. where a page never breaks a sentence over a gap its blank lines can be trusted as they are.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.reading.fitting import OPENING_QUOTES, Witness, least_misfit, piece_after, witnesses
from rag.reading.layout import column_width
from rag.reading.lines import Line
from rag.reading.measure import is_heading, runs
from rag.records import BlockKind

_INDENT_EMS = 2.0
_VERY_SHORT = 0.75
"""A line narrower than this share of its column can be a heading."""
_SHORT_EMS = 2.5
_MUCH_ROOM = 2.0
_ODDS = 0.25
"""What a unit of log odds counts beside a unit of misfit."""
_MOST_ODDS = 2.0
_SELDOM = 3.0
"""Log odds against a paragraph of one line, and against one that ends with a semicolon."""
_SENTENCES_THAT_QUOTE = 4.0
"""How much likelier a line that opens with a quotation mark follows a sentence's end than another line."""

_RULE = re.compile(r"[|:+\-=*_~\s─═]{3,}")

Group = tuple[list[Line], BlockKind]
"""Lines of a paragraph, a section heading or a rule (blank ones inside included), and which of them it is."""


@dataclass(frozen=True, slots=True)
class Habits:
    """How a page is printed, measured on all of its documents.

    Attributes:
        gaps_part: Whether a blank line always parts paragraphs.
        keeps_indent: Whether paragraph openings still have their white space.
        drops_indent: Whether they have lost it and leave two ems unused.
        odds, odds_at_quote: Logarithm of how much likelier it is that a gap after a full line that ends a
            sentence parts two paragraphs than that it does not; at a line that opens with a quotation
            mark, before which extractors leave stray gaps, it is another one.
    """

    gaps_part: bool
    keeps_indent: bool
    drops_indent: bool
    odds: float
    odds_at_quote: float


def group_clean(lines: Sequence[Line]) -> list[Group]:
    """One group a printed line; `# …` is a heading, a line of strokes (`|---|`) a rule."""
    return [([line], _kind_of(line.content)) for line in lines if not line.is_blank]


def _kind_of(content: str) -> BlockKind:
    if content.startswith("#"):
        return "heading"
    return "rule" if _RULE.fullmatch(content) else "paragraph"


def group_set(lines: Sequence[Line], measure: float) -> list[Group]:
    """Groups of the lines of a page that is set to one measure (`rag.reading.measure`), in order."""
    found = runs([line for line in lines if not line.is_blank], measure)
    groups: list[Group] = []
    for before, run, after in zip([None, *found], found, [*found[1:], None], strict=False):
        heads = is_heading(before, run, after, measure)
        groups.append((run, "heading" if heads else _kind_of(run[0].content)))
    return groups


def page_habits(bodies: Sequence[Sequence[Line]]) -> Habits:
    """Measure the habits of a page on the body lines of its documents."""
    kept = printed_lines = ended = 0
    ems = flush = indented = 0.0
    broken, openings = [0, 0], [0, 0]
    for lines in bodies:
        printed = [i for i, line in enumerate(lines) if not line.is_blank]
        ems += sum(lines[i].width for i in printed)
        printed_lines += len(printed)
        for a, b in itertools.pairwise(printed):
            if b - a == 1:
                ended += lines[a].ends_sentence
            elif not lines[a].ends_sentence:
                broken[_opens_quoting(lines[b])] += 1
        for index in _certain_openings(lines, printed):
            openings[_opens_quoting(lines[index])] += 1
            kept += lines[index].is_indented
            if not lines[index].is_indented:
                flush += _opening_misfit(lines, index, 0.0)
                indented += _opening_misfit(lines, index, _INDENT_EMS)
    full_and_ended = (ended + 1) / (printed_lines + 1)
    by_chance = printed_lines / max(1.0, ems)  # one place in a line of so many ems is its edge
    odds = [
        math.log(
            (openings[kind] + 0.5) * by_chance / ((broken[kind] + 0.5) * min(1.0, rate * full_and_ended))
        )
        for kind, rate in ((0, 1.0), (1, _SENTENCES_THAT_QUOTE))
    ]
    return Habits(
        gaps_part=not any(broken),
        keeps_indent=kept * 2 > sum(openings),
        drops_indent=kept * 2 <= sum(openings) and indented < flush,
        odds=max(-_MOST_ODDS, min(_MOST_ODDS, odds[0])),
        odds_at_quote=max(-_MOST_ODDS, min(_MOST_ODDS, odds[1])),
    )


def _opens_quoting(line: Line) -> bool:
    return line.content.startswith(OPENING_QUOTES)


def _certain_openings(lines: Sequence[Line], printed: Sequence[int]) -> list[int]:
    """Lines that open a paragraph without doubt: the first, and those after a gap and a short line."""
    sure = [
        b
        for a, b in itertools.pairwise(printed)
        if b - a > 1
        and lines[a].ends_sentence
        and lines[a].width < column_width(lines, a) - _SHORT_EMS - lines[b].opening_width
    ]
    return [*printed[:1], *sure]


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
    groups.append((list(lines[first : printed[-1] + 1]), "paragraph"))
    return groups


def _group(lines: Sequence[Line], first: int, last: int) -> Group:
    only = lines[first]
    short = only.width < _VERY_SHORT * column_width(lines, first)
    heads = first == last and short and not only.ends_sentence
    return list(lines[first : last + 1]), "heading" if heads else "paragraph"


def _starts_paragraph(lines: Sequence[Line], first: int, before: int, after: int, habits: Habits) -> bool:
    """Whether line `after` opens a paragraph.

    Args:
        lines: Body lines of one document.
        first: Where the paragraph so far opens.
        before: The printed line above `after`.
        after: The line asked about.
        habits: How the page is printed.
    """
    gap = after - before > 1
    if lines[after].is_indented and (lines[before].ends_sentence or habits.keeps_indent):
        return True
    if gap and (_is_heading(lines, before, habits) or _is_heading(lines, after, habits)):
        return True
    if not lines[before].ends_sentence:
        return False
    if not gap:
        shortfall = column_width(lines, before) - lines[before].width
        return lines[before].width < _VERY_SHORT * column_width(lines, before) and shortfall > _SHORT_EMS
    return _gap_parts(lines, first, before, after, habits)


def _gap_parts(lines: Sequence[Line], first: int, before: int, after: int, habits: Habits) -> bool:
    """Whether the gap between a line that ends a sentence and the next parts two paragraphs."""
    if habits.keeps_indent:
        return _room_left(lines, first, before, after, indent=_INDENT_EMS) > _MUCH_ROOM
    if not habits.drops_indent:
        return habits.gaps_part or _room_left(lines, first, before, after, indent=0.0) > 0
    odds = habits.odds_at_quote if _opens_quoting(lines[after]) else habits.odds
    if piece_after(lines, after) is None or lines[before].content.endswith(("；", ";")):
        odds -= _SELDOM
    room = _room_left(lines, first, before, after, indent=_INDENT_EMS)
    return room + _indent_left(lines, after) + _ODDS * odds > 0


def _indent_left(lines: Sequence[Line], index: int) -> float:
    """Evidence that a line has lost an indent: how badly it fits its column otherwise."""
    return _opening_misfit(lines, index, 0.0) - _opening_misfit(lines, index, _INDENT_EMS)


def _room_left(lines: Sequence[Line], first: int, before: int, after: int, *, indent: float) -> float:
    """Evidence that line `before` is a paragraph's last: how badly it fits its column as one that goes on.

    Lines of its own column are asked and, for what they are worth, those of the column of `after`.
    """
    near = [*witnesses(lines, before, -1), *witnesses(lines, after, 1, far=True)]
    line = Witness(lines[before], lines[after].opening_width)
    lost = indent if before == first else 0.0
    goes_on = least_misfit(near, lambda width: line.misfit(width - lost))
    ends = least_misfit(near, lambda width: _misfit_as_last(line, width - lost))
    return goes_on - ends


def _misfit_as_last(line: Witness, width: float) -> float:
    return 0.0 if line.line.width <= width else line.misfit(width)


def _opening_misfit(lines: Sequence[Line], index: int, indent: float) -> float:
    """How badly line `index` fits its column if it has lost an indent of so many ems."""
    near = [*witnesses(lines, index, 1), *witnesses(lines, index, -1)]
    piece = piece_after(lines, index)
    line = Witness(lines[index], piece or 0.0)
    if piece is None:
        return least_misfit(near, lambda width: _misfit_as_last(line, width - indent))
    return least_misfit(near, lambda width: line.misfit(width - indent))


def _is_heading(lines: Sequence[Line], index: int, habits: Habits) -> bool:
    """Whether a line stands alone between gaps, short, no sentence, and over the opening of a paragraph."""
    line = lines[index]
    alone = (index == 0 or lines[index - 1].is_blank) and (
        index + 1 == len(lines) or lines[index + 1].is_blank
    )
    if not alone or line.ends_sentence or line.width >= _VERY_SHORT * column_width(lines, index):
        return False
    below = next((i for i in range(index + 1, len(lines)) if not lines[i].is_blank), None)
    if habits.gaps_part or below is None or lines[below].is_indented:
        return True
    return habits.drops_indent and _indent_left(lines, below) > 0
