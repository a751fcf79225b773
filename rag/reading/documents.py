"""Read one source into its documents: the entry point of this package, and the way back.

`read_documents` gives documents for retrieval and `Layout` keeps every character of the page: what each
block holds and, as gaps, the white space between. `unreflow` puts the page together again from the
layout alone; that it equals the source is tested on this reader's own and on generated pages.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from rag.labels import without_turning
from rag.reading.joining import join_lines
from rag.reading.lines import Line, LineTable
from rag.reading.paragraphs import Group, group_clean, group_set, group_wrapped, page_habits
from rag.reading.sections import Page, Section, cut_page
from rag.records import Block, BlockKind, Document, Paragraph, Source

_LABEL_CHARS = 18


@dataclass(frozen=True, slots=True)
class Layout:
    """All of a source, typed.

    Attributes:
        blocks: Every block, in source order; together with `gaps` they hold each source character once.
        gaps: (source offset, white space that stands there), ascending.
        hard_wrapped: Whether the source was read as a printed column.
    """

    blocks: tuple[Block, ...]
    gaps: tuple[tuple[int, str], ...]
    hard_wrapped: bool


def read_documents(source: Source) -> tuple[Document, ...]:
    """The documents of a source, in page order (one without a body is left out).

    What its uploader says of a source is said of its one document, and goes before what is printed. Where
    there are several, the title is that of the whole, and the authors are those of whom the page names none.
    """
    return _read(source)[0]


def read_page(source: Source) -> tuple[tuple[Document, ...], Layout]:
    """Documents and layout of a source."""
    documents, blocks, hard_wrapped = _read(source)
    return documents, Layout(tuple(blocks), _gaps(source.text, blocks), hard_wrapped)


def _read(source: Source) -> tuple[tuple[Document, ...], list[Block], bool]:
    table = LineTable(source.text)
    page = cut_page(table.lines)
    blocks: list[Block] = [_typed("masthead", [line], table) for line in page.masthead]
    documents: list[Document] = []
    group = _grouping(page)
    for section in page.sections:
        typed, body = _typed_blocks(section, table), _body_blocks(group(section.body), table, page)
        blocks += [*typed, *body]
        if any(block.kind == "paragraph" for block in body):
            documents.append(document_of(source, len(documents) + 1, section.authors, typed, body))
    blocks.sort(key=lambda block: block.span.start_char)
    alone = len(documents) == 1
    return tuple(as_shown(document, alone=alone) for document in documents), blocks, page.hard_wrapped


def unreflow(layout: Layout) -> str:
    """The source text, from its layout."""
    placed: dict[int, str] = {}
    for block in layout.blocks:
        placed.update((block.offsets.source_of(i), char) for i, char in enumerate(block.text))
    for offset, white in layout.gaps:
        placed.update((offset + i, char) for i, char in enumerate(white))
    return "".join(placed[offset] for offset in sorted(placed))


def _gaps(text: str, blocks: Sequence[Block]) -> tuple[tuple[int, str], ...]:
    """Runs of source characters that no block shows as they are (a folded line end counts as such)."""
    shown = bytearray(len(text))
    for block in blocks:
        for index, char in enumerate(block.text):
            offset = block.offsets.source_of(index)
            shown[offset] = text[offset] == char
    gaps: list[tuple[int, str]] = []
    start: int | None = None
    for offset in range(len(text) + 1):
        if offset < len(text) and not shown[offset]:
            start = offset if start is None else start
        elif start is not None:
            gaps.append((start, text[start:offset]))
            start = None
    return tuple(gaps)


def _typed(kind: BlockKind, lines: Sequence[Line], table: LineTable) -> Block:
    return join_lines(kind, lines, table, keep_spaces=True, close_up=kind != "byline")


def _typed_blocks(section: Section, table: LineTable) -> list[Block]:
    parts: list[tuple[BlockKind, list[Line]]] = [("title", section.title), ("byline", section.byline)]
    typed = [_typed(kind, lines, table) for kind, lines in parts if lines]
    if section.note:
        typed.append(join_lines("note", section.note, table))
    return typed


def _grouping(page: Page) -> Callable[[Sequence[Line]], list[Group]]:
    """How the body lines of this page are grouped."""
    if page.measure is not None:
        return partial(group_set, measure=page.measure)
    if page.hard_wrapped:
        return partial(group_wrapped, habits=page_habits([section.body for section in page.sections]))
    return group_clean


def _body_blocks(groups: Sequence[Group], table: LineTable, page: Page) -> list[Block]:
    """The body of a document, block by block.

    In columns white space comes of justification. Elsewhere it is the writer's, as between the cells of a
    row; only where lines were joined a letter-spaced one is closed up.
    """
    columns = page.hard_wrapped and page.measure is None
    return [
        join_lines(
            kind,
            lines,
            table,
            keep_spaces=not columns,
            close_up=columns or (page.measure is not None and len(lines) > 1),
        )
        for lines, kind in groups
    ]


def document_of(
    source: Source, number: int, authors: tuple[str, ...], typed: Sequence[Block], body: Sequence[Block]
) -> Document:
    """A document as its page prints it.

    Args:
        source: Where it stands.
        number: From 1 within the source.
        authors: Those of its byline.
        typed: Its title, byline and note.
        body: Headings and paragraphs in source order, at least one paragraph.
    """
    texts = {block.kind: block.text for block in typed}
    printed = texts.get("title", "").lstrip("# ").strip() or None
    title = without_turning(_in_one_line(printed)).strip() or None if printed else None
    note = texts.get("note")
    paragraphs: list[Paragraph] = []
    heading = ""
    for block in body:
        if block.kind == "heading":
            heading = block.text.lstrip("# ")
        elif block.kind == "paragraph":
            paragraphs.append(Paragraph(len(paragraphs) + 1, block, heading))
    return Document(
        document_id=f"{source.source_id}-{number}",
        source=source,
        title=title,
        label=title or _label(authors, paragraphs[0].text),
        authors=authors,
        affiliation=note[1:-1].strip() if note else None,
        typed_blocks=(*typed, *(block for block in body if block.kind != "paragraph")),
        paragraphs=tuple(paragraphs),
        printed_title=printed,
        printed_authors=authors,
    )


def as_shown(document: Document, *, alone: bool) -> Document:
    """A document as its uploader wants it shown; see `read_documents`.

    Args:
        document: As its page prints it.
        alone: Whether it is the only one of its source.
    """
    given = document.source.metadata
    if alone:
        title, authors = given.title or document.title, given.authors or document.authors
    else:
        title, authors = document.title, document.authors or given.authors
    if (title, authors) == (document.title, document.authors):
        return document
    label = title or _label(authors, document.paragraphs[0].text)
    return replace(document, title=title, label=label, authors=authors)


def _in_one_line(text: str) -> str:
    """A line of a source may hold what ends lines elsewhere: above all a carriage return."""
    return " ".join(piece for piece in text.splitlines() if piece.strip())


def _label(authors: Sequence[str], opening: str) -> str:
    """A display label for a document without a title: its authors and opening words."""
    opening = " ".join(opening.split(maxsplit=_LABEL_CHARS))
    words = opening if len(opening) <= _LABEL_CHARS else opening[:_LABEL_CHARS].rstrip("，、；：,;: ") + "…"
    return without_turning(f"{'、'.join(authors)}：{words}" if authors else words)
