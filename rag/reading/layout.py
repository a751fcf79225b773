"""Tell hard-wrapped print from ordinary text, and give each line's column width.

Ordinary text has one paragraph a line: nearly every line ends a sentence. A printed column has lines of
about the same width that end wherever the column does. Nothing here knows bylines or titles.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from rag.reading.lines import Line

_MAX_COLUMN_EMS = 60.0
_NEIGHBOURS = 3


def is_hard_wrapped(lines: Sequence[Line]) -> bool:
    """Whether `lines` look like a column of print rather than one paragraph a line.

    True if at least half of the lines break off inside a sentence, at widths that agree: seven in ten of
    the broken lines lie within a quarter of the median of their neighbours.
    """
    printed = [line for line in lines if not line.is_blank]
    broken = [i for i, line in enumerate(printed[:-1]) if not line.ends_sentence]
    if len(printed) < 4 or len(broken) < max(3, 0.5 * len(printed)):
        return False
    even = 0
    for i in broken:
        near = [
            printed[j].width for j in range(max(0, i - _NEIGHBOURS), min(len(printed), i + _NEIGHBOURS + 1))
        ]
        column = median(near)
        even += 4.0 <= column <= _MAX_COLUMN_EMS and 0.75 * column <= printed[i].width <= 1.25 * column
    return even >= 0.7 * len(broken)


def column_width(lines: Sequence[Line], index: int) -> float:
    """Local column width at line `index`: the upper quartile of the widths printed around it.

    Paragraph ends and indented beginnings only make lines shorter, so the upper quartile is steadier
    than the median.
    """
    widths: list[float] = []
    for step in (-1, 1):
        position, found = index, 0
        while found < _NEIGHBOURS + 1:
            if not 0 <= position < len(lines):
                break
            if not lines[position].is_blank and (position != index or step == 1):
                widths.append(lines[position].width)
                found += 1
            position += step
    widths.sort()
    return widths[min(len(widths) - 1, (3 * len(widths)) // 4)]
