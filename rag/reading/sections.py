"""Cut a page into its documents and name the parts of each: masthead, byline, title, note, body.

Bylines divide a page; where there are none, author notes do. Titles are what stands outside the body
and is no note; whether this page prints them before the byline or after the note is decided for the page
as a whole, by which of the two neighbouring bodies shares more character pairs with each title.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.reading.bylines import BULLETS, byline_authors, note_end, speaks_of_author
from rag.reading.layout import is_hard_wrapped
from rag.reading.lines import Line

_TITLE_MAX_LINES = 3
_TITLE_MAX_EMS = 60.0
_CLEAN_TITLE_MAX_EMS = 40.0
_UNDECIDED = 0.1
_ASKS_OR_CALLS = re.compile(r"[？！?!][”’」』]?$")
_FOLIO = re.compile(
    r"\d{4}\s*年\s*\d{1,2}\s*月\s*\d{1,2}\s*日|星期[一二三四五六日天]|第\s*\d+\s*[期版]|"
    r"责任编辑|责编|本版编辑|美术编辑|美编|校对|版式"
)


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
    regions: list[_Region] = []
    for start, stop in zip(at, [*at[1:], len(lines)], strict=True):
        sections.append(Section(authors=bylines[start], byline=[lines[start]]))
        regions.append(_split_region(list(lines[start + 1 : stop]), last=stop == len(lines)))
    leading = _leading_title(front)
    _settle_doubtful(regions, leading)
    for section, region in zip(sections, regions, strict=True):
        section.body, section.note = region.body, region.note
    after_notes = [region.tail for region in regions]
    masthead = [line for line in front if not line.is_blank]
    if _titles_precede(leading, after_notes, sections):
        candidates = [leading, *after_notes[:-1]]
        masthead = [line for line in masthead if line not in leading] + after_notes[-1]
    else:
        candidates = after_notes
    for section, title in zip(sections, candidates, strict=True):
        section.title = title
    return Page(wrapped, masthead + [line for region in regions for line in region.folio], sections)


@dataclass
class _Region:
    """What stands between one byline and the next; `tail` may be a title of either neighbour.

    `doubtful` says that the tail may as well be the end of the body. `folio` holds running heads.
    """

    body: list[Line]
    note: list[Line] = field(default_factory=list)
    tail: list[Line] = field(default_factory=list)
    folio: list[Line] = field(default_factory=list)
    doubtful: bool = False


def _split_region(region: list[Line], *, last: bool) -> _Region:
    for index in range(len(region)):
        end = note_end(region, index)
        if end is None or (index and not region[index - 1].is_blank and not region[index - 1].ends_sentence):
            continue
        note, after = region[index : end + 1], [line for line in region[end + 1 :] if not line.is_blank]
        tail = [line for line in after if not _is_folio(line)]
        if _is_title(tail) and (not last or speaks_of_author(_text(note))):
            return _Region(region[:index], note, tail, [line for line in after if _is_folio(line)])
    return _split_without_note(region, last=last)


def _split_without_note(region: list[Line], *, last: bool) -> _Region:
    """A block of its own below the last sentence is a title, for sure if it is no sentence itself."""
    printed = [line for line in region if not line.is_blank]
    folio: list[Line] = []
    while printed and _is_folio(printed[-1]):
        folio.insert(0, printed.pop())
    body = region[: region.index(printed[-1]) + 1] if printed else []
    tail: list[Line] = []
    for line in reversed(body):
        if line.is_blank or len(tail) > _TITLE_MAX_LINES:
            break
        tail.insert(0, line)
    above = printed[: len(printed) - len(tail)]
    asks = bool(tail) and bool(_ASKS_OR_CALLS.search(tail[-1].content))
    if (
        not above
        or not above[-1].ends_sentence
        or not _is_title(tail)
        or any(line.ends_sentence for line in tail[:-1])
        or (tail[-1].ends_sentence and not asks)
    ):
        return _Region(body, folio=folio)
    return _Region(body[: body.index(tail[0])], tail=tail, folio=folio, doubtful=asks or last)


def _settle_doubtful(regions: Sequence[_Region], leading: Sequence[Line]) -> None:
    """Give a doubtful tail back to its body unless the page has a title about which there is no doubt."""
    sure = any(region.tail and not region.doubtful for region in regions[:-1])
    for region in regions:
        if region.doubtful and not (sure or (leading and region is not regions[-1])):
            region.body, region.tail = region.body + region.tail, []
    last = regions[-1]
    if last.doubtful and last.tail and leading:
        last.body, last.tail = last.body + last.tail, []


def _is_title(lines: Sequence[Line]) -> bool:
    """Whether the lines are few and short enough for a title; true of no lines at all."""
    return len(lines) <= _TITLE_MAX_LINES and sum(line.width for line in lines) <= _TITLE_MAX_EMS


def _is_folio(line: Line) -> bool:
    """Whether a line is furniture of the page: its date, issue, editors or section names."""
    return bool(_FOLIO.search(line.content)) or any(mark in line.content for mark in BULLETS)


def _leading_title(front: Sequence[Line]) -> list[Line]:
    """The last block of lines before the first byline, if it can be a title."""
    block: list[Line] = []
    for line in reversed(front):
        if line.is_blank:
            if block:
                break
            continue
        if _is_folio(line):
            break
        block.insert(0, line)
    return block if _is_title(block) else []


def _titles_precede(leading: list[Line], after: list[list[Line]], sections: Sequence[Section]) -> bool:
    """Whether this page prints a title before its byline rather than after the previous note."""
    if not any(after[:-1]):
        return bool(leading)
    vote = _UNDECIDED * (bool(leading) - bool(after[-1]))
    for index, title in enumerate(after[:-1]):
        if title:
            vote += _shared(title, sections[index + 1].body) - _shared(title, sections[index].body)
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
