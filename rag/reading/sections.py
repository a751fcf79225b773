"""Cut a page into its documents and name the parts of each: masthead, byline, title, note, body.

Bylines divide a page; where there are none, author notes do. Titles are what stands outside the body
and is no note; whether this page prints them before the byline or after the note is decided for the page
as a whole, by which of the two neighbouring bodies shares more character pairs with each title.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from rag.reading.bylines import BULLETS, byline_authors, note_end, speaks_of_author
from rag.reading.layout import is_hard_wrapped
from rag.reading.lines import Line
from rag.reading.measure import measure_of, runs
from rag.reading.titles import is_folio, is_front_title, is_title, leading_title, text_of, titles_precede

_ITEM_MAX_EMS = 12.0
_ASKS_OR_CALLS = re.compile(r"[？！?!][”’」』]?$")


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
    """A page in parts.

    Attributes:
        hard_wrapped: Whether its lines are printed lines, in columns or set to one measure.
        measure: Width of a full line in ems if all are set to one; None for columns and ordinary text.
        masthead: Lines that belong to no document.
        sections: Its documents.
    """

    hard_wrapped: bool
    measure: float | None
    masthead: list[Line]
    sections: list[Section]


def cut_page(lines: Sequence[Line]) -> Page:
    """Cut the printed lines of a source into documents."""
    bylines = _find_bylines(lines)
    columns = is_hard_wrapped(lines)
    # A page with bylines that is set in columns is a newspaper's: it has habits of its own, and many widths.
    measure = None if columns and len(bylines) > 1 else measure_of(lines)
    masthead, sections = _cut_at_bylines(lines, bylines) if bylines else ([], _cut_at_notes(lines, measure))
    return Page(columns or measure is not None, measure, masthead, sections)


@dataclass(frozen=True)
class _Byline:
    """Lines `start` up to `end` name the authors of what follows."""

    start: int
    end: int
    authors: tuple[str, ...]


def _find_bylines(lines: Sequence[Line]) -> list[_Byline]:
    """The bylines of a page, in order; lines of names one below the other make one.

    A bullet that mostly opens lines that name nobody marks items or headings here, even before a name; and
    what has no text below it is an item of a list.
    """
    printed = [(i, line) for i, line in enumerate(lines) if not line.is_blank]
    named = {i: authors for i, line in printed if (authors := byline_authors(line.content))}
    bulleted = {i: line.content[0] for i, line in printed if line.content[0] in BULLETS}
    alone = {i: mark for i, mark in bulleted.items() if lines[i].content.count(mark) == 1}
    for mark in set(alone.values()):
        rows = [i for i in alone if alone[i] == mark and (i in named or lines[i].width <= _ITEM_MAX_EMS)]
        if rows and 2 * sum(i in named for i in rows) <= len(rows):
            named = {i: authors for i, authors in named.items() if alone.get(i) != mark}
    found: list[_Byline] = []
    names: list[str] = []
    first = 0
    for start, stop in itertools.pairwise([*sorted(named), len(lines)]):
        if not names:
            first = start
        names += named[start]
        below = lines[start + 1 : stop]
        if any(line.ends_sentence or line.width >= _ITEM_MAX_EMS for line in below):
            found.append(_Byline(first, start + 1, tuple(names)))
        if not all(line.is_blank for line in below):
            names = []
    return found


def _cut_at_bylines(lines: Sequence[Line], bylines: Sequence[_Byline]) -> tuple[list[Line], list[Section]]:
    """Masthead and documents of a page whose bylines divide it."""
    front = list(lines[: bylines[0].start])
    sections: list[Section] = []
    regions: list[_Region] = []
    ends = [*(byline.start for byline in bylines[1:]), len(lines)]
    for byline, stop in zip(bylines, ends, strict=True):
        names = [line for line in lines[byline.start : byline.end] if not line.is_blank]
        sections.append(Section(authors=byline.authors, byline=names))
        regions.append(_split_region(list(lines[byline.end : stop]), last=stop == len(lines)))
    leading = leading_title(front)
    _settle_doubtful(regions, leading)
    for section, region in zip(sections, regions, strict=True):
        section.body, section.note = region.body, region.note
    after_notes = [region.tail for region in regions]
    masthead, opening = _split_front(front, leading)
    if titles_precede(leading, after_notes, [region.body for region in regions]):
        candidates = [leading, *after_notes[:-1]]
        masthead = masthead + after_notes[-1]
    else:
        candidates = after_notes
        masthead = masthead + leading
    for section, title in zip(sections, candidates, strict=True):
        section.title = title
    if opening is not None:
        sections.insert(0, opening)
    return masthead + [line for region in regions for line in region.folio], sections


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
        tail = [line for line in after if not is_folio(line)]
        if is_title(tail) and (not last or speaks_of_author(text_of(note))):
            return _Region(region[:index], note, tail, [line for line in after if is_folio(line)])
    return _split_without_note(region, last=last)


def _split_without_note(region: list[Line], *, last: bool) -> _Region:
    """A block of its own below the last sentence is a title, for sure if it is no sentence itself."""
    printed = [line for line in region if not line.is_blank]
    folio: list[Line] = []
    while printed and is_folio(printed[-1]):
        folio.insert(0, printed.pop())
    body = region[: region.index(printed[-1]) + 1] if printed else []
    tail: list[Line] = []
    for line in reversed(body):
        if line.is_blank or (line.ends_sentence and (tail or not _ASKS_OR_CALLS.search(line.content))):
            break
        tail.insert(0, line)
    above = body[: len(body) - len(tail)]
    last_above = next((line for line in reversed(above) if not line.is_blank), None)
    asks = bool(tail) and tail[-1].ends_sentence
    if (
        last_above is None
        or not last_above.ends_sentence
        or not is_title(tail)
        or (asks and not above[-1].is_blank)
    ):
        return _Region(body, folio=folio)
    return _Region(above, tail=tail, folio=folio, doubtful=asks or last)


def _settle_doubtful(regions: Sequence[_Region], leading: Sequence[Line]) -> None:
    """Give a doubtful tail back to its body unless the page has a title about which there is no doubt."""
    sure = any(region.tail and not region.doubtful for region in regions[:-1])
    for region in regions:
        if region.doubtful and not (sure or (leading and region is not regions[-1])):
            region.body, region.tail = region.body + region.tail, []
    last = regions[-1]
    if last.doubtful and last.tail and leading:
        last.body, last.tail = last.body + last.tail, []


def _split_front(front: Sequence[Line], leading: Sequence[Line]) -> tuple[list[Line], Section | None]:
    """Masthead lines before the first byline, or the text without an author that stands there."""
    above = list(front[: front.index(leading[0])] if leading else front)
    if not any(line.ends_sentence and not is_folio(line) for line in above):
        return [line for line in above if not line.is_blank], None
    text = [line for line in above if not is_folio(line)]
    opening = Section()
    _take_front(opening, text)
    return [line for line in above if not line.is_blank and is_folio(line)], opening


def _cut_at_notes(lines: Sequence[Line], measure: float | None) -> list[Section]:
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
                and speaks_of_author(text_of(rest[index : end + 1]))
                and index
            ),
            None,
        )
        region = rest if cut is None else rest[: cut[0]]
        if cut is not None:
            section.note = rest[cut[0] : cut[1] + 1]
        rest = [] if cut is None else rest[cut[1] + 1 :]
        _take_front(section, region, measure)
        if section.body or section.note:
            sections.append(section)
    return sections


def _take_front(section: Section, region: list[Line], measure: float | None = None) -> None:
    """Take title and bare-name byline off the front of a document without a marked byline."""
    printed = [line for line in region if not line.is_blank]
    goes_on = measure is not None and bool(printed) and len(runs(printed[:3], measure)[0]) > 1
    if (
        len(printed) >= 2
        and not goes_on
        and is_front_title(printed[0], printed[1:], printed=measure is not None)
    ):
        section.title = [printed[0]]
        region = region[region.index(printed[0]) + 1 :]
        authors = byline_authors(printed[1].content, needs_mark=False)
        if authors and len(printed) > 2:
            section.authors, section.byline = authors, [printed[1]]
            region = region[region.index(printed[1]) + 1 :]
    section.body = region
