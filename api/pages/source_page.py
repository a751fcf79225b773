"""What the page of one document shows: printed lines with numbers, and paragraphs for reading.

Pure data from records, ready for a template that only loops. All offsets are code points of the stored
source, so nothing here is ever counted in UTF-16 units as a browser would.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.records import Block, BlockKind, Document, Paragraph

MAX_OFFSET = 999_999_999
"""The largest that `parse_chars` reads."""

_CHARS = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")

LineKind = BlockKind | str  # a block's kind, or "blank", or "other" for a line no document claims
Range = tuple[int, int]

KIND_NAMES = {
    "masthead": "报头",
    "byline": "署名",
    "title": "标题",
    "note": "附注",
    "heading": "小标题",
    "paragraph": "正文",
    "other": "其他",
    "blank": "空行",
}


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text, marked or not."""

    text: str
    marked: bool


@dataclass(frozen=True, slots=True)
class PrintedLine:
    """One line as printed.

    Attributes:
        number: From 1.
        kind: What stands on it.
        own: Whether it belongs to the document shown (and not to the rest of the page).
        segments: Its text, cut where a mark begins or ends.
        range_anchor: Id of the marked range that begins here, e.g. "L48-L83": lets a link to a range
            of lines find its place without script.
    """

    number: int
    kind: LineKind
    own: bool
    segments: tuple[Segment, ...]
    range_anchor: str | None


@dataclass(frozen=True, slots=True)
class ReadingParagraph:
    """One paragraph for reading, with the lines it stands on."""

    number: int
    heading: str | None
    segments: tuple[Segment, ...]
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class SourcePage:
    """Everything the template needs.

    Attributes:
        document: The document shown.
        first_line, last_line: Where it stands in its source.
        siblings: The other documents of the same source, in page order.
        lines: The whole source.
        paragraphs: The document's body.
    """

    document: Document
    first_line: int
    last_line: int
    siblings: tuple[Document, ...]
    lines: tuple[PrintedLine, ...]
    paragraphs: tuple[ReadingParagraph, ...]


def parse_chars(value: str | None, source_length: int) -> Range | None:
    """The `chars=START-END` of a link as a half-open range; None for anything that is not one."""
    found = _CHARS.fullmatch(value or "")
    if not found:
        return None
    start, end = int(found[1]), int(found[2])
    return (start, end) if start < end <= source_length else None


def source_page(document: Document, documents: Sequence[Document], marked: Range | None) -> SourcePage:
    """Lay out the page of `document`.

    Args:
        document: The one to show.
        documents: The whole corpus; those of the same source are told apart from it.
        marked: Source characters to mark.
    """
    same_source = [other for other in documents if other.source.sha256 == document.source.sha256]
    spans = [block.span for block in _blocks(document)]
    first_line, last_line = min(span.start_line for span in spans), max(span.end_line for span in spans)
    return SourcePage(
        document=document,
        first_line=first_line,
        last_line=last_line,
        siblings=tuple(other for other in same_source if other.document_id != document.document_id),
        lines=tuple(_printed_lines(document, same_source, (first_line, last_line), marked)),
        paragraphs=tuple(_reading_paragraphs(document.paragraphs, marked)),
    )


def _blocks(document: Document) -> Iterator[Block]:
    yield from document.typed_blocks
    for paragraph in document.paragraphs:
        yield paragraph.block


def _printed_lines(
    document: Document, same_source: Sequence[Document], own_lines: Range, marked: Range | None
) -> Iterator[PrintedLine]:
    claims: dict[int, tuple[BlockKind, bool]] = {}
    for other in same_source:
        own = other.document_id == document.document_id
        for block in _blocks(other):
            for number in range(block.span.start_line, block.span.end_line + 1):
                claims.setdefault(number, (block.kind, own))
    text = document.source.text
    range_anchor = _range_anchor(text, marked)
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        # An unclaimed line, such as a blank one between two paragraphs, belongs to what is around it.
        kind, own = claims.get(number, ("other", own_lines[0] < number < own_lines[1]))
        first = marked is not None and start <= marked[0] <= start + len(line)
        yield PrintedLine(
            number=number,
            kind=kind if line.strip() else "blank",
            own=own,
            segments=_segments(line, start, marked),
            range_anchor=range_anchor if first else None,
        )
        start += len(line) + 1


def _range_anchor(text: str, marked: Range | None) -> str | None:
    if marked is None:
        return None
    first = text.count("\n", 0, marked[0]) + 1
    last = text.count("\n", 0, marked[1] - 1) + 1
    return f"L{first}-L{last}" if last > first else None


def _reading_paragraphs(paragraphs: Sequence[Paragraph], marked: Range | None) -> Iterator[ReadingParagraph]:
    heading = ""
    for paragraph in paragraphs:
        offsets, span = paragraph.block.offsets, paragraph.block.span
        inside = (offsets.text_of(marked[0]), offsets.text_of(marked[1])) if marked else None
        yield ReadingParagraph(
            number=paragraph.number,
            heading=paragraph.heading if paragraph.heading != heading else None,
            segments=_segments(paragraph.text, 0, inside),
            start_line=span.start_line,
            end_line=span.end_line,
        )
        heading = paragraph.heading


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
