"""Tell hard-wrapped print from ordinary text, and give each line's column width.

Ordinary text has one paragraph a line: nearly every line ends a sentence. A printed column has lines of
about the same width that end wherever the column does. So have poems, lists and tables, but those end their
lines where the sense does: at a mark, or nowhere near one. Nothing here knows bylines or titles. Pages that
are set to one width, with headings and tables between their prose, are the business of `rag.reading.measure`.

Thresholds were measured on ten newspaper pages and 400 generated ones, against ten texts with a table
beside a paragraph and 391 generated lists that had all been taken for columns:

| share of the broken lines | newspapers | generated | not columns |
|---|---|---|---|
| without any mark (at most 0.5) | 0.03-0.13 | 0.02-0.24 | tables 0.75-1.0 |
| that fill their column (at least 0.65) | 0.93-0.97 | 0.79-0.99 | lists 0-0.62 |

A third is the share of all lines that are half as wide again as their column: 0-0.004 in columns, where a
paragraph stands beside the rows of a table it is one of so many lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from statistics import median

from rag.reading.lines import Line
from rag.reading.openings import has_own_mark

_MAX_COLUMN_EMS = 60.0
_NEIGHBOURS = 3
_FILLING = 0.65
_OVER, _MOST_OVER = 1.5, 0.03
_SQUEEZED_EMS = 1.5
_SHORT_EMS = 2.5
_ENDS_IN_CLAUSE_MARK = re.compile(r"[，、；：,;:][”’」』）)]*$")
_SENTENCE_INSIDE = re.compile(r"[。！？!?][”’」』）)]*(?=.)|\.[\"')\]]*(?= +[A-Z“\"])")
_MARK_INSIDE = re.compile(r"[，、；：。！？](?=.)|[,;:!?.](?= )")
_MARK = re.compile(r"[，、；：。！？,;:!?.]")
_LIST_MARK = re.compile(
    r"(?:\d{1,3}|[一二三四五六七八九十]{1,3}|[A-Za-z])[.．、)）]|[（(].{1,3}[)）]|[①-⑳•·*+-]\s?|[问答][:：]"
)


def is_hard_wrapped(lines: Sequence[Line]) -> bool:
    """Whether `lines` look like a column of print rather than one paragraph a line.

    True if at least half of the lines break off inside a sentence, at widths that agree (seven in ten of
    the broken lines lie within a quarter of the median of their neighbours, 65 % leave no more room than the
    beginning of the next line and 2.5 ems, and at most 3 % of all lines are half as wide again as their
    column), and do so regardless of the sense: mostly not at a mark, while marks stand in most of them and at
    least one sentence's end stands inside a line.
    """
    printed = [line for line in lines if not line.is_blank]
    broken = [i for i, line in enumerate(printed[:-1]) if not line.ends_sentence]
    if len(printed) < 4 or len(broken) < max(3, 0.5 * len(printed)):
        return False
    if not _breaks_regardless([printed[i] for i in broken], printed):
        return False
    even = filling = 0
    columns = [column_width(printed, i) for i in range(len(printed))]
    if sum(line.width > _OVER * columns[i] for i, line in enumerate(printed)) > _MOST_OVER * len(printed):
        return False
    for i in broken:
        near = [
            printed[j].width for j in range(max(0, i - _NEIGHBOURS), min(len(printed), i + _NEIGHBOURS + 1))
        ]
        column = median(near)
        even += 4.0 <= column <= _MAX_COLUMN_EMS and 0.75 * column <= printed[i].width <= 1.25 * column
        room = columns[i] - printed[i].width
        filling += -_SQUEEZED_EMS <= room < printed[i + 1].opening_width + _SHORT_EMS
    return even >= 0.7 * len(broken) and filling >= _FILLING * len(broken)


def _breaks_regardless(broken: Sequence[Line], printed: Sequence[Line]) -> bool:
    unmarked = sum(not _MARK.search(line.content) for line in broken)
    at_marks = sum(bool(_ENDS_IN_CLAUSE_MARK.search(line.content)) for line in broken)
    listed = sum(bool(_LIST_MARK.match(line.content)) or has_own_mark(line.content) for line in printed)
    marks = sum(len(_MARK_INSIDE.findall(line.content)) for line in printed)
    sentences = sum(bool(_SENTENCE_INSIDE.search(line.content)) for line in printed)
    return (
        2 * unmarked <= len(broken)
        and 2 * at_marks <= len(broken)
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
