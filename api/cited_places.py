"""What stands at a cited place of a document, and whether it is what was cited."""

from __future__ import annotations

from api.library_records import CitationClaim, Resolution
from rag.answering.citations import SourceLinks
from rag.records import Document, SourceSpan


def place_of(document: Document, claim: CitationClaim, *, public_url: str = "") -> Resolution:
    """What stands in a document at a cited place, and whether it is what was cited.

    Args:
        document: The one that was cited.
        claim: The citation.
        public_url: Before the link.

    Returns:
        "current" with the words and their place, or "unknown" if the document never said so.
    """
    source = document.source
    start, end = claim.start_char, claim.end_char
    if not 0 <= start < end <= len(source.text):
        return unknown_place(
            claim, f"这篇文档的源文件有 {len(source.text)} 个字符，没有 {start} 到 {end} 的区间。"
        )
    if claim.source_sha256 not in (None, source.sha256):
        return unknown_place(claim, "source_sha256 与这个编号的文档不符，引文不是从它来的。")
    text = source.text[start:end]
    if claim.quote is not None and _bare(claim.quote) != _bare(text):
        return unknown_place(claim, "这篇文档的这个区间里不是这段引文。")
    first = source.text.count("\n", 0, start) + 1
    span = SourceSpan(start, end, first, first + source.text.count("\n", start, end - 1))
    return Resolution(
        status="current",
        document_id=claim.document_id,
        message="引文仍在原处，一字未改。",
        found_in=claim.document_id,
        start_char=start,
        end_char=end,
        start_line=span.start_line,
        end_line=span.end_line,
        quote=_as_read(document, start, end),
        url=SourceLinks(public_url).to(document.document_id, span),
    )


def _as_read(document: Document, start: int, end: int) -> str:
    """The words in reading form where they stand in one block, else as printed."""
    blocks = [*document.typed_blocks, *(paragraph.block for paragraph in document.paragraphs)]
    for block in blocks:
        if block.span.start_char <= start and end <= block.span.end_char:
            return block.text[block.offsets.text_of(start) : block.offsets.text_of(end)]
    return document.source.text[start:end]


def _bare(text: str) -> str:
    return "".join(text.split())


def unknown_place(claim: CitationClaim, message: str) -> Resolution:
    """What is said of a place that never was, or never said so."""
    return Resolution("unknown", claim.document_id, message)
