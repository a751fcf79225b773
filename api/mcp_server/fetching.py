"""What the tool `fetch` gives: a document, or the stretch of one that a passage or a citation is."""

from __future__ import annotations

import re
from collections.abc import Callable

from api.library_records import COLLECTION_NAME, DOCUMENT_ID
from api.mcp_server.shapes import FetchArguments, FetchedText
from api.pages.links import Linker
from api.ports import Library
from rag.answering.citations import SourceLinks
from rag.errors import NotFoundError
from rag.inputs import excerpt
from rag.records import DEFAULT_COLLECTION, Block, Document, SourceSpan

_RANGE = re.compile(r"(.{1,128}):([0-9]{1,12})-([0-9]{1,12})", re.DOTALL)


def fetch(library: Library, asked: FetchArguments, link: Linker, _: Callable[[], bool]) -> FetchedText:
    """The text of the id that was asked for, whatever collection holds it; `asked.collection` is tried first.

    Raises:
        NotFoundError: With code `passage_not_found`.
    """
    chosen = asked.collection if asked.collection and COLLECTION_NAME.fullmatch(asked.collection) else None
    links = SourceLinks("", chosen or DEFAULT_COLLECTION)
    if document := _held(library, asked.id, chosen):
        return _whole(document, links, link)
    found = _RANGE.fullmatch(asked.id)
    if found and (document := _held(library, found[1], chosen)):
        part = _part(asked.id, document, (int(found[2]), int(found[3])), links, link)
        if part:
            return part
    raise NotFoundError(
        f"没有编号为{excerpt(asked.id)}的段落或文档。请用 search 返回的 id，或答案里的 document_id。",
        code="passage_not_found",
    )


def _held(library: Library, identifier: str, collection: str | None) -> Document | None:
    """The document of that id, whatever collection holds it; what cannot be an id is not looked for."""
    if not DOCUMENT_ID.fullmatch(identifier):
        return None
    try:
        return library.engine_holding(identifier, collection).document(identifier)
    except NotFoundError:
        return None


def _whole(document: Document, links: SourceLinks, link: Linker) -> FetchedText:
    blocks = [paragraph.block for paragraph in document.paragraphs] or list(document.typed_blocks)
    first, last = blocks[0].span, blocks[-1].span
    span = SourceSpan(first.start_char, last.end_char, first.start_line, last.end_line)
    text = "\n\n".join(block.text for block in blocks)
    url = link(links.to(document.document_id, span))
    return _fetched(document.document_id, document, text, span, url)


def _part(
    identifier: str, document: Document, place: tuple[int, int], links: SourceLinks, link: Linker
) -> FetchedText | None:
    """The characters of the source from the first to the second, where they are a stretch of one block.

    A passage is one, and so is a citation's quote.
    """
    start, end = place
    numbered = [(paragraph.number, paragraph.block) for paragraph in document.paragraphs]
    for number, block in [*numbered, *((0, block) for block in document.typed_blocks)]:
        if block.span.start_char <= start < end <= block.span.end_char:
            first, last = block.offsets.text_of(start), block.offsets.text_of(end)
            if first < last and block.offsets.source_range(first, last) == (start, end):
                span = _span_of(document, block, start, end)
                url = link(links.to(document.document_id, span))
                return _fetched(identifier, document, block.text[first:last], span, url, paragraph=number)
    return None


def _span_of(document: Document, block: Block, start: int, end: int) -> SourceSpan:
    source, line, origin = document.source.text, block.span.start_line, block.span.start_char
    first = line + source.count("\n", origin, start)
    return SourceSpan(start, end, first, first + source.count("\n", start, end))


def _fetched(
    identifier: str,
    document: Document,
    text: str,
    span: SourceSpan,
    url: str,
    *,
    paragraph: int | None = None,
) -> FetchedText:
    metadata = {"document_id": document.document_id, "authors": "、".join(document.authors)}
    if paragraph is not None:
        metadata["paragraph"] = str(paragraph)
    metadata |= {
        "start_line": str(span.start_line),
        "end_line": str(span.end_line),
        "start_char": str(span.start_char),
        "end_char": str(span.end_char),
        "source_sha256": document.source.sha256,
    }
    return FetchedText(id=identifier, title=document.label, text=text, url=url, metadata=metadata)
