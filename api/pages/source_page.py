"""What the page of one document shows: where it stands, what else is in its source, and the two views.

Pure data from records, ready for a template that only loops. All offsets are code points of the stored
source, so nothing here is ever counted in UTF-16 units as a browser would. Of a very long source both views
show the same part, and nothing here costs more than that part but for a look at each document of the source.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from api.pages.source_parts import SIZES, Part, Range, Sizes, Wanted, part_of
from api.pages.source_views import PrintedLine, ReadingParagraph, printed_lines, reading_paragraphs
from rag.records import Document, SourceSpan

MAX_OFFSET = 999_999_999
"""The largest that `parse_chars` reads."""

MAX_SIBLINGS = 20
"""How many other documents of the same source a page links to: those that stand nearest."""

_CHARS = re.compile(r"([0-9]{1,9})-([0-9]{1,9})")
_LINE = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class SourcePage:
    """Everything the template needs.

    Attributes:
        document: The document shown.
        first_line, last_line: Where it stands in its source.
        part: What of the source is shown.
        siblings: Other documents of the same source, in page order; the nearest `MAX_SIBLINGS` of them.
        sibling_count: How many there are.
        lines: The lines of the part; there is at least one.
        paragraphs: What of the document's body stands in the part.
    """

    document: Document
    first_line: int
    last_line: int
    part: Part
    siblings: tuple[Document, ...]
    sibling_count: int
    lines: tuple[PrintedLine, ...]
    paragraphs: tuple[ReadingParagraph, ...]


def parse_chars(value: str | None, source_length: int) -> Range | None:
    """The `chars=START-END` of a link as a half-open range; None for anything that is not one."""
    found = _CHARS.fullmatch(value or "")
    if not found:
        return None
    start, end = int(found[1]), int(found[2])
    return (start, end) if start < end <= source_length else None


def parse_line(value: str | None) -> int | None:
    """A line number, from 1; None for anything that is not one."""
    return (int(value) or None) if value and _LINE.fullmatch(value) else None


def source_page(
    document: Document,
    documents: Sequence[Document],
    marked: Range | None,
    *,
    part: Range | None = None,
    line: int | None = None,
    sizes: Sizes = SIZES,
) -> SourcePage:
    """Lay out the page of `document`.

    Args:
        document: The one to show.
        documents: The whole corpus; those of the same source are told apart from it.
        marked: Source characters to mark, and to show if nothing else is asked for.
        part: The source characters to show, where the source is too long to be shown whole.
        line: A line to show in their place, from 1.
        sizes: What is too long, and how long a part is.
    """
    same_source = [other for other in documents if other.source.sha256 == document.source.sha256]
    extent = _extent(document)
    wanted = Wanted(part, line, marked, extent.start_char, extent.start_line)
    shown = part_of(document.source.text, wanted, sizes)
    others = [other for other in same_source if other.document_id != document.document_id]
    return SourcePage(
        document=document,
        first_line=extent.start_line,
        last_line=extent.end_line,
        part=shown,
        siblings=tuple(_nearest(others, extent)),
        sibling_count=len(others),
        lines=tuple(
            printed_lines(document, same_source, shown, (extent.start_line, extent.end_line), marked)
        ),
        paragraphs=tuple(reading_paragraphs(document.paragraphs, shown, marked)),
    )


def _extent(document: Document) -> SourceSpan:
    """From the first line of a document to its last; its body is in the order of the page."""
    spans = [block.span for block in document.typed_blocks]
    ends = (*document.paragraphs[:1], *document.paragraphs[-1:])
    spans += [paragraph.block.span for paragraph in ends]
    return SourceSpan(
        start_char=min(span.start_char for span in spans),
        end_char=max(span.end_char for span in spans),
        start_line=min(span.start_line for span in spans),
        end_line=max(span.end_line for span in spans),
    )


def _nearest(others: Sequence[Document], extent: SourceSpan) -> Sequence[Document]:
    if len(others) <= MAX_SIBLINGS:
        return others
    before = sum(_extent(other).start_char < extent.start_char for other in others)
    first = min(max(before - MAX_SIBLINGS // 2, 0), len(others) - MAX_SIBLINGS)
    return others[first : first + MAX_SIBLINGS]
