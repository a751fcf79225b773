"""The two views of a part of a source: printed lines with their numbers, and paragraphs for reading.

Both cut at the same characters, so that parts put one after the other make up the whole text in each view.
Which part is shown is decided elsewhere (`source_parts`).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from api.pages.source_parts import Part, Range
from rag.records import Block, BlockKind, Document, Paragraph, Source

LineKind = BlockKind | str
"""A block's kind; "blank"; "other" for a line no document claims; "removed" where one stood that is gone."""

KIND_NAMES = {
    "masthead": "报头",
    "byline": "署名",
    "title": "标题",
    "note": "附注",
    "heading": "小标题",
    "paragraph": "正文",
    "rule": "分隔线",
    "other": "其他",
    "blank": "空行",
    "removed": "已删除",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text, marked or not."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One line as printed, or a piece of one that is longer than a part.

    Attributes:
        number: From 1.
        kind: What stands on it.
        own: Whether it belongs to the document shown (and not to the rest of the page).
        segments: Its text, cut where a mark begins or ends.
        range_anchor: Id of the marked range that begins here, e.g. "L48-L83": lets a link to a range
            of lines find its place without script.
        continued: Whether it began in the part before.
    """

    number: int
    kind: LineKind
    own: bool
    segments: tuple[Segment, ...]
    range_anchor: str | None
    continued: bool = False


@dataclass(frozen=True, slots=True)
class ReadingParagraph:
    """One paragraph for reading, or the piece of it that stands in the part shown.

    Attributes:
        number: From 1 within the document.
        heading: The section heading above it, where it is another than above the paragraph before.
        segments: Its text, cut where a mark begins or ends.
        start_line, end_line: The lines that the whole of it stands on.
        continued: Whether it began in the part before.
    """

    number: int
    heading: str | None
    segments: tuple[Segment, ...]
    start_line: int
    end_line: int
    continued: bool = False


def _paragraphs_of(paragraphs: Sequence[Paragraph], part: Part) -> range:
    """Which of the paragraphs, in page order, have characters in the part."""
    first = bisect_right(paragraphs, part.start, key=lambda each: each.block.span.end_char)
    last = bisect_left(paragraphs, part.end, key=lambda each: each.block.span.start_char)
    return range(first, max(first, last))


def _blocks(document: Document, part: Part) -> Iterator[Block]:
    """The blocks of a document that may stand in the part."""
    yield from document.typed_blocks
    for index in _paragraphs_of(document.paragraphs, part):
        yield document.paragraphs[index].block


def printed_lines(
    document: Document, same_source: Sequence[Document], part: Part, own_lines: Range, marked: Range | None
) -> Iterator[PrintedLine]:
    """The lines of the part.

    Args:
        document: The one shown, which stands on `own_lines` (first and last, inclusive).
        same_source: It and the others of its source.
        part: What to show.
        own_lines: See above.
        marked: Source characters to mark.
    """
    text = document.source.text
    # The end of the part's last line is not the beginning of another line, but at the end of the source.
    ended = part.end < len(text) and text[part.end - 1] == "\n"
    lines = text[part.start : part.end - ended].split("\n")
    claims = _claims(document, same_source, part, range(part.first_line, part.first_line + len(lines)))
    range_anchor = _range_anchor(text, marked)
    start = part.start
    for number, line in enumerate(lines, part.first_line):
        # An unclaimed line, such as a blank one between two paragraphs, belongs to what is around it.
        kind, own = claims.get(number, ("other", own_lines[0] < number < own_lines[1]))
        first = marked is not None and start <= marked[0] <= start + len(line)
        yield PrintedLine(
            number=number,
            kind=kind if line.strip() else _kind_of_blank(document.source, start, start + len(line)),
            own=own,
            segments=_segments(line, start, marked),
            range_anchor=range_anchor if first else None,
            continued=start == part.start > 0 and text[start - 1] != "\n",
        )
        start += len(line) + 1


def _kind_of_blank(source: Source, start: int, end: int) -> LineKind:
    place = bisect_right(source.blanked, start, key=lambda each: each[1])
    return "removed" if place < len(source.blanked) and source.blanked[place][0] < end else "blank"


def _claims(
    document: Document, same_source: Sequence[Document], part: Part, lines: range
) -> dict[int, tuple[BlockKind, bool]]:
    """What stands on these lines, and whether it belongs to the document; unclaimed ones are left out."""
    claims: dict[int, tuple[BlockKind, bool]] = {}
    for other in same_source:
        own = other.document_id == document.document_id
        for block in _blocks(other, part):
            for number in range(max(block.span.start_line, lines.start), block.span.end_line + 1):
                if number >= lines.stop:
                    break
                claims.setdefault(number, (block.kind, own))
    return claims


def _range_anchor(text: str, marked: Range | None) -> str | None:
    if marked is None:
        return None
    first = text.count("\n", 0, marked[0]) + 1
    last = text.count("\n", 0, marked[1] - 1) + 1
    return f"L{first}-L{last}" if last > first else None


def reading_paragraphs(
    paragraphs: Sequence[Paragraph], part: Part, marked: Range | None
) -> Iterator[ReadingParagraph]:
    """What of these paragraphs, which are in page order, stands in the part."""
    for index in _paragraphs_of(paragraphs, part):
        paragraph = paragraphs[index]
        offsets, span = paragraph.block.offsets, paragraph.block.span
        inside = (offsets.text_of(marked[0]), offsets.text_of(marked[1])) if marked else None
        first, last = offsets.text_of(part.start), offsets.text_of(part.end)
        if first == last:  # of the paragraph's lines only white space is in this part
            continue
        heading_before = paragraphs[index - 1].heading if index else ""
        yield ReadingParagraph(
            number=paragraph.number,
            heading=paragraph.heading if paragraph.heading != heading_before else None,
            segments=_segments(paragraph.text[first:last], first, inside),
            start_line=span.start_line,
            end_line=span.end_line,
            continued=first > 0,
        )


def _segments(text: str, start: int, marked: Range | None) -> tuple[Segment, ...]:
    """`text`, whose first character has offset `start`, cut at the ends of the marked range."""
    if marked is None:
        return (Segment(text, marked=False),)
    first = min(max(marked[0] - start, 0), len(text))
    last = min(max(marked[1] - start, first), len(text))
    pieces = (
        Segment(text[:first], marked=False),
        Segment(text[first:last], marked=True),
        Segment(text[last:], marked=False),
    )
    return tuple(piece for piece in pieces if piece.text)
