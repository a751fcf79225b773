"""What stands above a paragraph and says what it is about: a section's line, a question, a table's head.

A row of a table names no column, an answer does not repeat its question. So they are searched and read
together with what stands above them. It is never part of a quote. Headings of Markdown are not among
it: on a handbook that no fit has seen they cost two of seventeen right answers and brought none elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.records import Chunk, Document, Paragraph

_MAX_CHARS = 60
"""Longest context of one kind, in code points."""
_TABLE_ROWS, _SECTION_PARAGRAPHS = 200, 12
"""How far above a paragraph the head of its table, or a line that heads it, is looked for."""
_CELL_GAP = re.compile(r"\S(?: {2,}|\t+|　+)(?=\S)")
_SECTION_CHARS = 24
_SECTION = re.compile(
    r"[【〖［\[][^】〗］\]]+[】〗］\]]"
    r"|第[零〇一二三四五六七八九十百\d]+[章节編编篇部][^。，；：！？,;:!?|]*"
    r"|(?:[一二三四五六七八九十]+[、.．]|\d{1,2}(?:\.\d{1,2})*[、.．]?\s)[^。，；：！？,;:!?|\d]*"
)


def context_of(document: Document, paragraph: int) -> str:
    """The context of a paragraph; "" where there is none.

    Args:
        document: Where it stands.
        paragraph: Its number, from 1.
    """
    place = paragraph - 1
    here = document.paragraphs[place]
    parts = [_section(document.paragraphs, place), _table_head(document.paragraphs, place)]
    if place and is_question(document.paragraphs[place - 1].text) and not is_question(here.text):
        parts.append(document.paragraphs[place - 1].text)
    return " ".join(part[:_MAX_CHARS] for part in parts if part)


def in_context(document: Document, chunk: Chunk) -> str:
    """The text of a chunk below its context."""
    context = context_of(document, chunk.paragraph)
    return f"{context} {chunk.text}" if context else chunk.text


def is_question(text: str) -> bool:
    """Whether a paragraph or a sentence ends as a question."""
    return text.rstrip("”’」』）)】》\"' 　").endswith(("？", "?"))


def is_table_row(text: str) -> bool:
    """Whether a paragraph is a row of a table: between bars, or three cells and more with wide gaps."""
    return text.startswith("|") or len(_CELL_GAP.findall(text[:200])) >= 2


def is_table_head(paragraphs: Sequence[Paragraph], place: int) -> bool:
    """Whether a paragraph is the first row of a table of two rows or more between bars.

    Args:
        paragraphs: All of a document.
        place: Which one, from 0.
    """
    near = [paragraphs[i].text[:1] if 0 <= i < len(paragraphs) else "" for i in (place - 1, place, place + 1)]
    return near[0] != "|" and near[1:] == ["|", "|"]


def _table_head(paragraphs: Sequence[Paragraph], place: int) -> str:
    """The first row of the table in which a row stands; "" for that row itself, far below it, elsewhere."""
    if not is_table_row(paragraphs[place].text):
        return ""
    first = place
    while first and place - first < _TABLE_ROWS and is_table_row(paragraphs[first - 1].text):
        first -= 1
    if first and is_table_row(paragraphs[first - 1].text):
        return ""  # some row far down, whose head is not in sight
    return paragraphs[first].text if first < place else ""


def _section(paragraphs: Sequence[Paragraph], place: int) -> str:
    """The nearest line above that heads a section by its form: numbered or in brackets, and no sentence."""
    heading = paragraphs[place].heading
    for above in range(place - 1, max(-1, place - 1 - _SECTION_PARAGRAPHS), -1):
        text = paragraphs[above].text
        if paragraphs[above].heading != heading:
            break
        if len(text) <= _SECTION_CHARS and _SECTION.fullmatch(text):
            return text
    return ""
