"""Make citations and check them: nothing reaches a reader that the stored source does not hold.

The rule of the contract: with all white space removed, `source[start_char:end_char]` equals the quote.
It is checked here on the finished citation against the untouched source text, whoever wrote the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from rag.errors import CitationError
from rag.records import DEFAULT_COLLECTION, Block, Citation, Document, Match, Sentence, SourceSpan
from rag.text.folding import squeeze


@dataclass(frozen=True, slots=True)
class SourceLinks:
    """Makes the links that open the documents of one collection.

    Attributes:
        public_url: What they begin with; "" for relative ones.
        collection: Whose documents they open. One text may be in several, each telling another title of it.
    """

    public_url: str = ""
    collection: str = DEFAULT_COLLECTION

    def to(self, document_id: str, span: SourceSpan) -> str:
        """Link that opens the source page at the span's lines with its characters marked."""
        first, last = span.start_line, span.end_line
        lines = f"L{first}" if first == last else f"L{first}-L{last}"
        chosen = "" if self.collection == DEFAULT_COLLECTION else f"&collection={self.collection}"
        path = f"/documents/{document_id}?chars={span.start_char}-{span.end_char}{chosen}#{lines}"
        return self.public_url.rstrip("/") + path


def cite_sentence(
    number: int,
    sentence: Sentence,
    document: Document,
    *,
    score: float,
    links: SourceLinks,
    match: Match = "exact",
) -> Citation:
    """A checked citation of a whole sentence.

    Raises:
        CitationError: If the sentence is not what the source holds at its offsets.
    """
    return _checked(number, sentence.text, sentence.span, sentence.paragraph, document, score, links, match)


def cite_block(
    number: int, block: Block, document: Document, *, score: float, links: SourceLinks
) -> Citation:
    """A checked citation of a title, byline or note (paragraph 0).

    Raises:
        CitationError: If the block is not what the source holds at its offsets.
    """
    return _checked(number, block.text, block.span, 0, document, score, links, "exact")


def _checked(
    number: int,
    quote: str,
    span: SourceSpan,
    paragraph: int,
    document: Document,
    score: float,
    links: SourceLinks,
    match: Match,
) -> Citation:
    citation = Citation(
        number=number,
        document_id=document.document_id,
        title=document.label,
        authors=document.authors,
        paragraph=paragraph,
        start_char=span.start_char,
        end_char=span.end_char,
        start_line=span.start_line,
        end_line=span.end_line,
        quote=quote,
        source_sha256=document.source.sha256,
        match=match,
        url=links.to(document.document_id, span),
        score=score,
    )
    verify(citation, document.source.text)
    return citation


def verify(citation: Citation, source_text: str) -> None:
    """Check one citation against the stored source text.

    Raises:
        CitationError: If characters or lines do not hold the quote.
    """
    held = source_text[citation.start_char : citation.end_char]
    if not squeeze(citation.quote) or squeeze(held) != squeeze(citation.quote):
        raise CitationError(
            f"引用 [{citation.number}] 与原文第 {citation.start_char}–{citation.end_char} 字不符，已拒绝。"
        )
    # Counted anew rather than asked of the reader's line table, so that the two check each other.
    first = source_text.count("\n", 0, citation.start_char) + 1
    last = first + held.count("\n")
    if (first, last) != (citation.start_line, citation.end_line):
        raise CitationError(
            f"引用 [{citation.number}] 的行号 {citation.start_line}–{citation.end_line} 与原文"
            f"（{first}–{last}）不符，已拒绝显示。"
        )
