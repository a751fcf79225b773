"""What a title looks like, what only furnishes the page, and where a page prints its titles."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.reading.bylines import BULLETS
from rag.reading.lines import Line

_TITLE_MAX_LINES = 3
_TITLE_MAX_EMS = 60.0
_CLEAN_TITLE_MAX_EMS = 40.0
_UNDECIDED = 0.1
_FOLIO = re.compile(
    r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|星期[一二三四五六日天]|第\s*\d+\s*[期版]|"
    r"责任编辑|责编|本版编辑|美术编辑|美编|校对|版式"
)


def is_title(lines: Sequence[Line]) -> bool:
    """Whether the lines are few and short enough for a title; true of no lines at all."""
    return len(lines) <= _TITLE_MAX_LINES and sum(line.width for line in lines) <= _TITLE_MAX_EMS


def is_folio(line: Line) -> bool:
    """Whether a line is furniture of the page: its date, issue, editors or section names."""
    if line.ends_sentence:
        return False
    return bool(_FOLIO.search(line.content)) or any(mark in line.content for mark in BULLETS)


def leading_title(front: Sequence[Line]) -> list[Line]:
    """The last block of lines before the first byline, if it can be a title."""
    block: list[Line] = []
    for line in reversed(front):
        if line.is_blank:
            if block:
                break
            continue
        if is_folio(line):
            break
        block.insert(0, line)
    return block if is_title(block) else []


def is_front_title(line: Line, rest: Sequence[Line], *, printed: bool = False) -> bool:
    """Whether a first line is a title: short, no sentence, and shorter than what it stands over.

    Args:
        line: The first line.
        rest: Those below it.
        printed: Whether they are printed lines, so that a full one need not end a sentence.
    """
    if line.content.startswith("#"):
        return True
    return (
        not line.ends_sentence
        and not line.content.endswith(("，", ",", "：", ":", "、"))
        and line.width <= _CLEAN_TITLE_MAX_EMS
        and any((printed or other.ends_sentence) and other.width > line.width for other in rest)
    )


def titles_precede(
    leading: Sequence[Line], after: Sequence[Sequence[Line]], bodies: Sequence[Sequence[Line]]
) -> bool:
    """Whether this page prints a title before its byline rather than after the previous note.

    Args:
        leading: What may be the title above the first byline.
        after: For each document what may be a title below it.
        bodies: For each document its body.
    """
    if not any(after[:-1]):
        return bool(leading)
    vote = _UNDECIDED * (bool(leading) - bool(after[-1]))
    for index, title in enumerate(after[:-1]):
        if title:
            vote += _shared(title, bodies[index + 1]) - _shared(title, bodies[index])
    if after[-1]:
        vote -= _shared(after[-1], bodies[-1])
    if leading:
        vote += _shared(leading, bodies[0])
    return vote > 0


def _shared(title: Sequence[Line], body: Sequence[Line]) -> float:
    """Share of the title's character pairs that the body contains, 0-1."""
    text = text_of(title)
    pairs = {text[i : i + 2] for i in range(len(text) - 1)}
    whole = text_of(body)
    return sum(pair in whole for pair in pairs) / max(1, len(pairs))


def text_of(lines: Sequence[Line]) -> str:
    """The text of some lines without white space."""
    return "".join("".join(line.text.split()) for line in lines)
