"""Pages whose lines are all set to one measure: what a PDF, a letter or a hard-wrapped file looks like.

The measure is the width of a full line. A line that goes on in the next one is full: what opens the next
line would not have fitted any more. Everything else ends where its own sense does: headings, last lines,
rows of a table, items, verses. So only full lines are joined to what follows, and such a page may hold
anything beside its prose. Newspaper columns, whose widths change, are told by `rag.reading.layout`.

Measured on 2,000 generated pages that no threshold was chosen on (news set to 14 measures from 16 to 52 ems,
with and without indents and gaps, between headings, tables, lists, verses or questions): 0.96 are recognised
(rulebooks 0.91, of few lines), 0.99 of their sentences and 0.97 of their paragraphs are read whole, and 0.99
of their rows, verses and headings and 0.94 of their items stay by themselves. Ordinary texts with a sentence
a line that are taken for print, by this test or that for columns (in brackets: by the latter alone, before
there was this one): with all end marks 0 of 1,687 (0); without one in ten 5 of 1,657 (0); without four in ten
31 of 1,696 (34); without any 0 of 1,728 (4).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

from rag.reading.lines import Line
from rag.reading.openings import has_own_mark, is_opening, ordinal_of

_LEAST_EMS, _MOST_EMS = 12.0, 62.0
_WINDOW_EMS = 2.5
"""Within how much of each other full lines end."""
_SLACK_EMS = 1.0
_INDENT_EMS = 2.0
_MOST_LEAD_EMS = 4.0
"""More white space than that before a line centres it or sets it to the right."""
_LIST_INDENT_EMS = 6.0
_SHORT = 0.75
"""A line narrower than this share of the measure can be a heading."""
_FEWEST = 3
"""Fewer prove nothing: with two, 22 of those 1,657 texts are taken for such a page."""
_MOST_OVER, _MOST_LOOSE, _LEAST_CARRIED = 0.03, 0.2, 0.75
_ENDS_IN_CLAUSE_MARK = re.compile(r"[，、；：,;:][”’」』）)]*$")
_MARK = re.compile(r"[，、；：。！？,;:!?.]")
_CELLS = re.compile(r"[\u3400-\u9fff]\s+(?=[\u3400-\u9fff\d])")
_RULE = re.compile(r"[|:+\-=*_~\s─═]{3,}")

Run = list[Line]
"""Printed lines that are read as one."""


def measure_of(lines: Sequence[Line]) -> float | None:
    """The measure in ems, 12 to 65, or None if the lines are not set to one.

    They are if at most 3 % are wider; if at least three lines that break off are full, and three quarters of
    those lead to a line that ends a sentence; if lines that break off before they are full, though wider than
    0.75 of the measure, come to a fifth of those at most; and if the full ones break regardless of the sense:
    half of them hold a mark, and not more than half (of few, two) end with one.
    """
    printed = [line for line in lines if not line.is_blank]
    broken = [line for line in printed[:-1] if not line.ends_sentence]
    commonest = _commonest(map(_extent, broken)) if len(broken) >= _FEWEST else None
    if commonest is None:
        return None
    measure = _widest(printed, commonest)
    if sum(line.squeezed_width > measure for line in printed) > _MOST_OVER * len(printed):
        return None
    full: list[Line] = []
    carried = 0
    for run in runs(printed, measure):
        unfinished = [line for line in run[:-1] if not line.ends_sentence]
        full += unfinished
        carried += len(unfinished) * run[-1].ends_sentence
    held = {line.number for line in full}
    loose = sum(line.number not in held and _is_loose(line, measure) for line in broken)
    marked = sum(bool(_MARK.search(line.content)) for line in full)
    at_marks = sum(bool(_ENDS_IN_CLAUSE_MARK.search(line.content)) for line in full)
    fits = (
        carried >= max(_FEWEST, _LEAST_CARRIED * len(full))
        and loose <= _MOST_LOOSE * len(full)
        and 2 * marked >= len(full)
        and at_marks <= max(len(full) // 2, min(len(full) - 1, 2))
    )
    return measure if fits else None


def _commonest(widths: Iterable[float]) -> float | None:
    """The upper end of the 2.5 ems that hold most of the widths; the widest such."""
    halves = Counter(round(2 * width) for width in widths if _LEAST_EMS <= width <= _MOST_EMS)
    if not halves:
        return None
    back = range(round(2 * _WINDOW_EMS) + 1)
    held = {top: sum(halves[top - step] for step in back) for top in halves}
    return max(halves, key=lambda top: (held[top], top)) / 2


def _widest(printed: Sequence[Line], commonest: float) -> float:
    """The widest line of the column; in paragraphs of two lines those that lost an indent are commonest."""
    widths = (line.width - line.shared_width for line in printed)
    return max([commonest, *(width for width in widths if width <= commonest + _INDENT_EMS + _SLACK_EMS)])


def _is_loose(line: Line, measure: float) -> bool:
    wide = line.width >= _SHORT * measure
    return wide and bool(_MARK.search(line.content)) and not has_own_mark(line.content)


def runs(printed: Iterable[Line], measure: float) -> list[Run]:
    """Printed lines in runs that are read as one, in order.

    Args:
        printed: Lines, none of them blank.
        measure: Width of a full line, in ems.
    """
    ahead = list(printed)
    setting = _Setting(ahead, measure)
    found: list[Run] = []
    for line, following in zip(ahead, [*ahead[1:], None], strict=False):
        if found and setting.goes_on(found[-1], line, following):
            found[-1].append(line)
        else:
            found.append([line])
        setting.note(found[-1])
    return found


def is_heading(before: Run | None, run: Run, after: Run | None, measure: float) -> bool:
    """Whether a run is the heading of what follows.

    It is a short line that ends no sentence, over prose or over the number of a smaller part; and it is
    numbered, or stands alone, holds no mark, and what follows has half a line at least.
    """
    if after is None or not _is_short(run, measure):
        return False
    numbers = ordinal_of(run[0].content), ordinal_of(after[0].content)
    parts = all(number is not None and number.form == "part" for number in numbers)
    if _is_short(after, measure) and not parts:
        return False
    if numbers[0] is not None:
        return True
    prose = len(after) > 1 or 2 * _extent(after[0]) >= measure
    return prose and not _MARK.search(run[0].content) and (before is None or not _is_short(before, measure))


def _is_short(run: Run, measure: float) -> bool:
    line = run[0]
    return len(run) == 1 and not line.ends_sentence and line.width < _SHORT * measure


def _extent(line: Line) -> float:
    """Where a line ends, in ems from the left edge; for one that is centred or set to the right its width."""
    return line.spaced_width + (line.lead if line.lead <= _MOST_LEAD_EMS else 0.0)


class _Setting:
    """How the lines of a page follow each other; asked from the first line to the last."""

    def __init__(self, printed: Sequence[Line], measure: float) -> None:
        self._measure = measure
        self._counted: dict[str, int] = {}
        self._widest = 0.0
        self._indent = _INDENT_EMS if self._drops_indent(printed) else 0.0

    def note(self, run: Run) -> None:
        """Note what a run has come to: the number that it opens with, its widest line."""
        extent = _extent(run[-1])
        self._widest = extent if len(run) == 1 else max(self._widest, extent)
        ordinal = ordinal_of(run[0].content) if len(run) == 1 else None
        if ordinal:
            self._counted[ordinal.form] = ordinal.number

    def goes_on(self, run: Run, below: Line, following: Line | None) -> bool:
        """Whether the run noted last goes on in the line below it."""
        above = run[-1]
        if has_own_mark(below.content) or run[0].content[0] in "#|" or _are_rows(above, below):
            return False
        if above.ends_sentence:
            return self._goes_on_after_sentence(run, below, following)
        ordinal = ordinal_of(below.content)
        # A number at the beginning of a line may be part of a sentence, unless it is the one that is due.
        if ordinal and self._counted.get(ordinal.form) == ordinal.number - 1:
            return False
        hangs = len(run) == 1 and is_opening(above.content)
        if not hangs and below.lead > above.lead + _SLACK_EMS:
            return False
        return self._is_full(above, below, _SLACK_EMS + self._lost(run)) or self._item_goes_on(run, below)

    def _goes_on_after_sentence(self, run: Run, below: Line, following: Line | None) -> bool:
        above = run[-1]
        indented = below.lead >= _INDENT_EMS and not (len(run) > 1 and above.lead >= below.lead)
        return (
            below.number == above.number + 1
            and not indented
            and not is_opening(below.content)
            and self._room(above) < below.opening_width + self._lost(run)
            and not (following is not None and self._lacks_indent(below, following))
        )

    def _lost(self, run: Run) -> float:
        """How much of an indent the last line of a run may have lost."""
        return self._indent if len(run) == 1 and not run[0].lead else 0.0

    def _room(self, line: Line) -> float:
        return self._measure - _extent(line)

    def _is_full(self, above: Line, below: Line, slack: float) -> bool:
        """Whether what opens `below` would not have fitted into `above`, with `slack` ems less."""
        # White space and marks give way: a line may be set wider than the measure by so much.
        give = above.spaced_width - above.squeezed_width + 0.5
        return -give <= self._room(above) < below.opening_width + slack

    def _lacks_indent(self, line: Line, following: Line) -> bool:
        """Whether a line that goes on leaves the room of a lost indent."""
        return (
            self._indent > 0
            and not line.ends_sentence
            and not is_opening(following.content)
            and not self._is_full(line, following, 0.0)
            and self._is_full(line, following, _SLACK_EMS + _INDENT_EMS)
        )

    def _item_goes_on(self, run: Run, below: Line) -> bool:
        """Whether an item whose lines are shorter, all alike, goes on in the line below it."""
        above, widest = run[-1], self._widest
        return (
            is_opening(run[0].content)
            and not is_opening(below.content)
            and bool(_MARK.search(above.content))
            and self._measure - widest <= _LIST_INDENT_EMS
            and widest - _extent(above) < below.opening_width + _SLACK_EMS
            and _extent(below) <= widest + _SLACK_EMS
            and (below.ends_sentence or widest - _extent(below) <= _WINDOW_EMS)
        )

    def _drops_indent(self, printed: Sequence[Line]) -> bool:
        """Whether lines that open a paragraph without an indent mostly leave the room of one."""
        flush = short = 0
        before: Line | None = None
        for line, following in pairwise(printed):
            opens = before is None or self._room(before) >= line.opening_width + _INDENT_EMS + _SLACK_EMS
            before = line
            if not opens or line.lead or line.ends_sentence or is_opening(following.content):
                continue
            if self._is_full(line, following, 0.0):
                flush += self._room(line) < _INDENT_EMS
            else:
                short += self._is_full(line, following, _INDENT_EMS)
        return short > flush


def _are_rows(above: Line, below: Line) -> bool:
    """Whether two lines are rows of a table, or one is its rule."""
    if _RULE.fullmatch(above.content):
        return True
    cells = _CELLS.search(above.content) and _CELLS.search(below.content)
    return bool(cells) and not (_MARK.search(above.content) or _MARK.search(below.content))
