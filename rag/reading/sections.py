"""Cut a page into its documents and name the parts of each: masthead, byline, title, note, body.

Bylines divide a page; where there are none, author notes do. Titles are what stands outside the body
and is no note; whether this page prints them before the byline or after the note is decided for the page
as a whole, by which of the two neighbouring bodies shares more character pairs with each title.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.reading.bylines import BULLETS, byline_authors, note_end, speaks_of_author
from rag.reading.layout import is_hard_wrapped
from rag.reading.lines import Line

_TITLE_MAX_LINES = 3
_TITLE_MAX_EMS = 60.0
_CLEAN_TITLE_MAX_EMS = 40.0


@dataclass
class Section:
    """The lines of one document while a page is being cut up."""

    authors: tuple[str, ...] = ()
    byline: list[Line] = field(default_factory=list)
    title: list[Line] = field(default_factory=list)
    body: list[Line] = field(default_factory=list)
    note: list[Line] = field(default_factory=list)


@dataclass
class Page:
    """A page in parts. `masthead` holds lines that belong to no document."""

    hard_wrapped: bool
    masthead: list[Line]
    sections: list[Section]


def cut_page(lines: Sequence[Line]) -> Page:
    """Cut the printed lines of a source into documents."""
    wrapped = is_hard_wrapped(lines)
    bylines = {i: authors for i, line in enumerate(lines) if (authors := _byline(lines, i))}
    if bylines:
        return _cut_at_bylines(lines, bylines, wrapped)
    return _cut_at_notes(lines, wrapped)


def _byline(lines: Sequence[Line], index: int) -> tuple[str, ...]:
    return () if lines[index].is_blank else byline_authors(lines[index].content)


def _cut_at_bylines(lines: Sequence[Line], bylines: dict[int, tuple[str, ...]], wrapped: bool) -> Page:
    at = sorted(bylines)
    front = list(lines[: at[0]])
    sections: list[Section] = []
    after_notes: list[list[Line]] = []
    for start, stop in zip(at, [*at[1:], len(lines)], strict=True):
        section = Section(authors=bylines[start], byline=[lines[start]])
        region = list(lines[start + 1 : stop])
        section.body, section.note, tail = _split_region(region, last=stop == len(lines))
        sections.append(section)
        after_notes.append(tail)
    leading = _leading_title(front)
    masthead = [line for line in front if not line.is_blank]
    if _titles_precede(leading, after_notes, sections):
        candidates = [leading, *after_notes[:-1]]
        masthead = [line for line in masthead if line not in leading] + after_notes[-1]
    else:
        candidates = after_notes
    for section, title in zip(sections, candidates, strict=True):
        section.title = title
    return Page(wrapped, masthead, sections)


def _split_region(region: list[Line], *, last: bool) -> tuple[list[Line], list[Line], list[Line]]:
    """Body, note and trailing title of the lines between one byline and the next."""
    for index in range(len(region)):
        end = note_end(region, index)
        if end is None or (index and not region[index - 1].is_blank and not region[index - 1].ends_sentence):
            continue
        note, tail = region[index : end + 1], [line for line in region[end + 1 :] if not line.is_blank]
        if _is_title(tail) and (not last or speaks_of_author(_text(note))):
            return region[:index], note, tail
    if last:
        return region, [], []
    tail = []
    for line in reversed(region):
        if line.is_blank:
            if tail:
                break
            continue
        if line.ends_sentence:
            break
        tail.insert(0, line)
    if tail and _is_title(tail):
        first = region.index(tail[0])
        above = [line for line in region[:first] if not line.is_blank]
        if above and above[-1].ends_sentence:
            return region[:first], [], tail
    return region, [], []


def _is_title(lines: Sequence[Line]) -> bool:
    """Whether the lines are few and short enough for a title; true of no lines at all."""
    return len(lines) <= _TITLE_MAX_LINES and sum(line.width for line in lines) <= _TITLE_MAX_EMS


def _leading_title(front: Sequence[Line]) -> list[Line]:
    """The last block of lines before the first byline, if it can be a title."""
    block: list[Line] = []
    for line in reversed(front):
        if line.is_blank:
            if block:
                break
            continue
        block.insert(0, line)
    looks_set = any(line.content.count(mark) for line in block for mark in BULLETS)
    return block if block and _is_title(block) and not looks_set else []


def _titles_precede(leading: list[Line], after: list[list[Line]], sections: Sequence[Section]) -> bool:
    """Whether this page prints a title before its byline rather than after the previous note."""
    vote = 0.0
    for index, title in enumerate(after[:-1]):
        if title:
            vote += _shared(title, sections[index + 1].body) - _shared(title, sections[index].body)
    if not any(after[:-1]):
        return bool(leading)
    if after[-1]:
        vote -= _shared(after[-1], sections[-1].body)
    if leading:
        vote += _shared(leading, sections[0].body)
    return vote > 0


def _shared(title: Sequence[Line], body: Sequence[Line]) -> float:
    """Share of the title's character pairs that the body contains, 0-1."""
    text = _text(title)
    pairs = {text[i : i + 2] for i in range(len(text) - 1)}
    whole = _text(body)
    return sum(pair in whole for pair in pairs) / max(1, len(pairs))


def _text(lines: Sequence[Line]) -> str:
    return "".join("".join(line.text.split()) for line in lines)


def _cut_at_notes(lines: Sequence[Line], wrapped: bool) -> Page:
    """A page without bylines: each author note closes a document; without notes there is one."""
    sections: list[Section] = []
    rest = list(lines)
    while rest:
        section = Section()
        cut = next(
            (
                (index, end)
                for index in range(len(rest))
                if (end := note_end(rest, index)) is not None
                and speaks_of_author(_text(rest[index : end + 1]))
                and index
            ),
            None,
        )
        region = rest if cut is None else rest[: cut[0]]
        if cut is not None:
            section.note = rest[cut[0] : cut[1] + 1]
        rest = [] if cut is None else rest[cut[1] + 1 :]
        _take_front(section, region)
        if section.body or section.note:
            sections.append(section)
    return Page(wrapped, [], sections)


def _take_front(section: Section, region: list[Line]) -> None:
    """Take title and bare-name byline off the front of a document without a marked byline."""
    printed = [line for line in region if not line.is_blank]
    if len(printed) >= 2 and _is_front_title(printed[0], printed[1:]):
        section.title = [printed[0]]
        region = region[region.index(printed[0]) + 1 :]
        authors = byline_authors(printed[1].content, needs_mark=False)
        if authors and len(printed) > 2:
            section.authors, section.byline = authors, [printed[1]]
            region = region[region.index(printed[1]) + 1 :]
    section.body = region


def _is_front_title(line: Line, rest: Sequence[Line]) -> bool:
    """Whether a first line is a title: short, no sentence, and shorter than what it stands over."""
    if line.content.startswith("#"):
        return True
    return (
        not line.ends_sentence
        and not line.content.endswith(("，", ",", "：", ":", "、"))
        and line.width <= _CLEAN_TITLE_MAX_EMS
        and any(other.ends_sentence and other.width > line.width for other in rest)
    )
