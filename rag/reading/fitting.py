"""How well printed lines fit a column: what justified setting tells about where paragraphs begin.

A typesetter fills every line of a paragraph but the last: the next piece that cannot be parted would not
have fitted. So a line that goes on leaves a room r = W - w (W the column's width, w the line's own) with

    0 <= r < piece      or, where punctuation is squeezed,      -s <= r < 0

where `piece` is the least the next line could begin with (a character or Latin word with the marks that
must not be parted from it; GB/T 15834, JIS X 4051) and s is what its punctuation can give. A last line
shows by a larger r; an opening line, where the extractor dropped the indent, by an r larger by two ems.
W is never printed: it is what makes the lines near by fit best.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rag.reading.lines import Line

OPENING_QUOTES = ("“", "‘", "「", "『")
_WORST = 4.0
_HAD_ROOM = 2.0
_STRETCHED = 0.1
_SHARED = 0.2
_SQUEEZED = 1.0
_STEP = 0.5
_MOST_LINES = 6
_ELSEWHERE = 0.25
_ELSEWHERE_CAP = 1.0
"""What the lines of another column can say at most: widths change from column to column."""


@dataclass(frozen=True, slots=True)
class Witness:
    """A line that goes on, as evidence of its column's width.

    Attributes:
        line: The line.
        piece: Least width in ems that the next line could begin with.
        column: 0 if no blank line parts it from the line asked about; else -1 above and 1 below it.
    """

    line: Line
    piece: float
    column: int = 0

    def misfit(self, width: float) -> float:
        """How badly the line fits a column of `width` ems, from 0 (well) to 4 (not at all)."""
        room = width - self.line.width
        if room >= self.piece:
            return min(_WORST, _HAD_ROOM + room - self.piece)
        if room >= 0:
            return _STRETCHED * room
        if -room > self.line.width - self.line.squeezed_width:
            return _WORST
        shared = min(-room, self.line.shared_width)
        return _SHARED * shared + _SQUEEZED * (-room - shared)


def least_misfit(witnesses: Sequence[Witness], also: Callable[[float], float]) -> float:
    """The sum of the witnesses' misfits and of `also` in the column width that makes it least."""
    low = min((witness.line.squeezed_width for witness in witnesses), default=0.0)
    high = max((witness.line.width + witness.piece for witness in witnesses), default=0.0)
    sums: list[float] = []
    for step in range(int((high - low) / _STEP) + 5):
        width = low + _STEP * step
        said = {-1: 0.0, 0: 0.0, 1: 0.0}
        for witness in witnesses:
            said[witness.column] += witness.misfit(width)
        above, below = (min(_ELSEWHERE_CAP, _ELSEWHERE * said[column]) for column in (-1, 1))
        sums.append(said[0] + above + below + also(width))
    return min(sums)


def witnesses(lines: Sequence[Line], index: int, step: int, *, far: bool = False) -> list[Witness]:
    """Lines that go on, above (`step` -1) or below (`step` 1) line `index`, nearest first.

    A line after a gap that follows a sentence may open a paragraph and so is no witness.

    Args:
        lines: Body lines of one document.
        index: The line asked about.
        step: Direction.
        far: Whether a gap parts `index` itself from the line that is really asked about.
    """
    found: list[Witness] = []
    column = step if far else 0
    last = index
    for i in range(index + step, len(lines) if step > 0 else -1, step):
        if len(found) == _MOST_LINES:
            break
        if lines[i].is_blank:
            continue
        if abs(i - last) > 1 and not _is_stray_gap(lines, min(i, last), max(i, last)):
            column = step
        last = i
        piece = piece_after(lines, i)
        if piece is not None and not _may_open(lines, i):
            found.append(Witness(lines[i], piece, column))
    return found


def _is_stray_gap(lines: Sequence[Line], before: int, after: int) -> bool:
    """Whether a gap inside a sentence is the kind that extractors put before a quotation mark."""
    return not lines[before].ends_sentence and lines[after].content.startswith(OPENING_QUOTES)


def _may_open(lines: Sequence[Line], index: int) -> bool:
    if lines[index].is_indented or index == 0:
        return True
    above = index - 1
    while above > 0 and lines[above].is_blank:
        above -= 1
    return above < index - 1 and (lines[above].is_blank or lines[above].ends_sentence)


def piece_after(lines: Sequence[Line], index: int) -> float | None:
    """Least width in ems that the printed line after `index` could begin with, if the text goes on there."""
    for i in range(index + 1, len(lines)):
        if not lines[i].is_blank:
            goes_on = i == index + 1 or not lines[index].ends_sentence
            return lines[i].opening_width if goes_on else None
    return None
