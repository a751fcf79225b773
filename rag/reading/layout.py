"""Tell hard-wrapped print from ordinary text, and give each line's column width.

Ordinary text has one paragraph a line: nearly every line ends a sentence. A printed column has lines of
about the same width that end wherever the column does. So have poems, lists and tables, but those end their
lines where the sense does: at a mark, or nowhere near one. Nothing here knows bylines or titles.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from rag.reading.lines import Line

_MAX_COLUMN_EMS = 60.0
_NEIGHBOURS = 3
_ENDS_IN_CLAUSE_MARK = re.compile(r"[，、；：,;:][”’」』）)]*$")
_SENTENCE_INSIDE = re.compile(r"[。！？!?][”’」』）)]*(?=.)|\.[\"')\]]*(?= +[A-Z“\"])")
_MARK_INSIDE = re.compile(r"[，、；：。！？](?=.)|[,;:!?.](?= )")
_LIST_MARK = re.compile(
    r"(?:\d{1,3}|[一二三四五六七八九十]{1,3}|[A-Za-z])[.．、)）]|[（(].{1,3}[)）]|[①-⑳•·*+-]\s?|[问答][:：]"
)


def is_hard_wrapped(lines: Sequence[Line]) -> bool:
    """Whether `lines` look like a column of print rather than one paragraph a line.

    True if at least half of the lines break off inside a sentence, at widths that agree (seven in ten of
    the broken lines lie within a quarter of the median of their neighbours), and do so regardless of the
    sense: mostly not at a mark, while marks and at least one sentence's end stand inside lines.
    """
    printed = [line for line in lines if not line.is_blank]
    broken = [i for i, line in enumerate(printed[:-1]) if not line.ends_sentence]
    if len(printed) < 4 or len(broken) < max(3, 0.5 * len(printed)):
        return False
    if not _breaks_regardless([printed[i] for i in broken], printed):
        return False
    even = 0
    for i in broken:
        near = [
            printed[j].width for j in range(max(0, i - _NEIGHBOURS), min(len(printed), i + _NEIGHBOURS + 1))
        ]
        column = median(near)
        even += 4.0 <= column <= _MAX_COLUMN_EMS and 0.75 * column <= printed[i].width <= 1.25 * column
    return even >= 0.7 * len(broken)


def _breaks_regardless(broken: Sequence[Line], printed: Sequence[Line]) -> bool:
    at_marks = sum(bool(_ENDS_IN_CLAUSE_MARK.search(line.content)) for line in broken)
    listed = sum(bool(_LIST_MARK.match(line.content)) for line in printed)
    marks = sum(len(_MARK_INSIDE.findall(line.content)) for line in printed)
    sentences = sum(bool(_SENTENCE_INSIDE.search(line.content)) for line in printed)
    return (
        2 * at_marks <= len(broken)
        and 2 * listed <= len(printed)
        and 4 * marks >= len(printed)
        and (sentences > 0 or (len(printed) < 8 and printed[-1].ends_sentence))
    )


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
