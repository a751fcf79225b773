"""Was a printed line full? What a justified column tells about where its paragraphs begin.

A typesetter fills each line of a paragraph but the last: the next piece that cannot be parted would not have
fitted. So every line that goes on gives bounds for the width W of its column,

    squeezed(line) <= W < natural(line) + piece(next line)

where `squeezed` counts punctuation half (it may be set so), `natural` counts it whole, and `piece` is what
the next line could not begin with less of: a character or Latin word with the punctuation that must follow
or precede it (the rules of JIS X 4051 and GB/T 15834 for line starts and ends). The width that most lines
near by agree on is the column's. Against it a last line shows by being shorter than it need have been, and
an opening line, where the extractor dropped the two-em indent, by having filled only the rest.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.reading.lines import Line

_NEAR_LINES = 6
_STEP = 0.5
_FADING = 0.05

Width = tuple[float, float]
"""The least and the greatest column width, in ems, that the lines looked at agree on."""


def next_printed(lines: Sequence[Line], index: int) -> int | None:
    """Index of the next line after `index` that is not blank."""
    return next((i for i in range(index + 1, len(lines)) if not lines[i].is_blank), None)


def width_above(lines: Sequence[Line], first: int, index: int) -> Width | None:
    """Column width at line `index`, from the lines above it in the paragraph that opens at `first`.

    Lines of the same column (no blank line between) are asked first; None if there are none at all.
    """
    above = [i for i in range(first + 1, index) if not lines[i].is_blank][-_NEAR_LINES:]
    same = [i for i in above if not any(line.is_blank for line in lines[i:index])]
    return fitted_width(lines, (same if len(same) > 1 else above)[::-1])


def width_below(lines: Sequence[Line], index: int) -> Width | None:
    """Column width at line `index`, from the lines that follow it without a gap; None if there are none."""
    below: list[int] = []
    for i in range(index + 1, min(index + 1 + _NEAR_LINES, len(lines) - 1)):
        if lines[i].is_blank or (lines[i + 1].is_blank and lines[i].ends_sentence):
            break
        below.append(i)
    return fitted_width(lines, below)


def fitted_width(lines: Sequence[Line], indexes: Sequence[int]) -> Width | None:
    """The range of widths within the bounds of most of these lines, the first ones counting a little more."""
    bounds = [
        (lines[i].squeezed_width, lines[i].width + lines[after].opening_width, 1.0 - _FADING * nth)
        for nth, i in enumerate(indexes)
        if (after := next_printed(lines, i)) is not None
    ]
    if not bounds:
        return None
    low, high = min(bound[0] for bound in bounds), max(bound[1] for bound in bounds)
    tried = [low + _STEP * n for n in range(int((high - low) / _STEP) + 1)]
    votes = [sum(weight for a, b, weight in bounds if a <= width < b) for width in tried]
    best = max(votes)
    start = votes.index(best)
    stop = start
    while stop + 1 < len(votes) and votes[stop + 1] == best:
        stop += 1
    return tried[start], tried[stop]
