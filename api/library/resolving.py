"""What became of a cited place: is it there unchanged, was the document replaced, or removed?

Never other text: a place counts as current only if the text is the very one that was cited.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice

from api.library_records import CitationClaim, Resolution
from index.store import Removal
from rag.answering.citations import SourceLinks
from rag.reading.lines import LineTable
from rag.records import Document, Source, SourceSpan

FindDocument = Callable[[str], Document | None]
"""The live document of an id."""
FindRemoval = Callable[[str], Removal | None]
"""What is known of a document that was removed."""

_MAX_SUCCESSORS = 100


def resolve(
    claim: CitationClaim, document: FindDocument, removal: FindRemoval, *, links: SourceLinks
) -> Resolution | None:
    """What became of a cited place in one collection; None if it never knew the document.

    Args:
        claim: What was cited.
        document: Finds what is there.
        removal: Finds what was.
        links: Lead to the documents of that collection.
    """
    if live := document(claim.document_id):
        return _in_live(claim, live, links)
    gone = removal(claim.document_id)
    if gone is None:
        return None
    if claim.source_sha256 and claim.source_sha256 != gone.source_sha256:
        return Resolution("unknown", claim.document_id, _OTHER_TEXT)
    successors = _successors(gone, document, removal)
    if not successors:
        return Resolution("removed", claim.document_id, "所引的文档已经删除。")
    ids = tuple(one.document_id for one in successors)
    # A text is searched once, however many documents stand in it.
    for successor in {one.source.sha256: one for one in reversed(successors)}.values():
        found = find_words(successor.source.text, claim.quote or "")
        if found:
            message = "所引的文档已被新的文档替换；引文的文字在新文档里一字不差，位置如下。"
            its_own = [one for one in successors if one.source.sha256 == successor.source.sha256]
            holder = _holder(its_own, found)
            return _at(claim, holder, found, links, "changed", message, ids)
    return Resolution("changed", claim.document_id, "所引的文档已被新的文档替换。", replaced_by=ids)


def resolve_among(
    claim: CitationClaim, places: Iterable[tuple[FindDocument, FindRemoval, SourceLinks]]
) -> Resolution:
    """What became of a cited place in several collections: what says most of it, the first if equal.

    Args:
        claim: What was cited.
        places: For each collection what finds its documents and removals, and leads to its documents.
    """
    found: Resolution | None = None
    texts: set[str] = set()
    for document, removal, links in places:
        if live := document(claim.document_id):
            texts.add(live.source.sha256)
        elif gone := removal(claim.document_id):
            texts.add(gone.source_sha256)
        here = resolve(claim, document, removal, links=links)
        found = here if found is None else better(found, here)
    if found is None:
        return Resolution("unknown", claim.document_id, _NOT_KNOWN)
    if len(texts) > 1 and not (claim.source_sha256 or claim.quote):
        # Libraries from before such ids were refused may know two texts by one.
        return Resolution("unknown", claim.document_id, _TWO_TEXTS)
    return found


_RANK = ("current", "changed", "removed", "unknown")


def better(one: Resolution, other: Resolution | None) -> Resolution:
    """Of what two collections know of a place, what says more; the first if both say as much."""
    if other is None:
        return one
    if one.status == other.status == "unknown":
        return other
    return min(one, other, key=lambda known: _RANK.index(known.status))


_NOT_KNOWN = "这里不知道有过这个编号的文档（或者它已随整个文库一起删去）。请核对 document_id。"
_TWO_TEXTS = "这个编号有过两份不同的原文，不知所引的是哪一份。请带上 source_sha256 或 quote。"
_OTHER_TEXT = "这个编号的文档，原文与所引的不是同一份。请核对 source_sha256。"


def find_words(text: str, quote: str) -> tuple[int, int] | None:
    """Where `quote` first stands in `text`, white space aside: a half-open range; None if nowhere.

    From its first to its last character that is not white space; None for a quote that has none.
    """
    wanted = "".join(quote.split())
    if not wanted:
        return None
    start = "".join(text.split()).find(wanted)
    if start < 0:
        return None
    inked = (place for place, char in enumerate(text) if not char.isspace())
    first = next(islice(inked, start, None))
    rest = len(wanted) - 1
    last = next(islice(inked, rest - 1, None)) if rest else first
    return first, last + 1


def _in_live(claim: CitationClaim, live: Document, links: SourceLinks) -> Resolution:
    source = live.source
    if claim.source_sha256 and claim.source_sha256 != source.sha256:
        return Resolution("unknown", claim.document_id, _OTHER_TEXT)
    if claim.end_char > len(source.text):
        message = f"所引的区间超出原文，原文共 {len(source.text)} 个字符。请核对 start_char 和 end_char。"
        return Resolution("unknown", claim.document_id, message)
    if any(start < claim.end_char and claim.start_char < end for start, end in source.blanked):
        return Resolution("removed", claim.document_id, "所引的区间里是同一份文稿的另一篇文档，已经删除。")
    words = source.text[claim.start_char : claim.end_char]
    if claim.quote is not None and "".join(words.split()) != "".join(claim.quote.split()):
        message = "原文的这个区间写的不是所引的文字。请核对 start_char、end_char 和 quote。"
        return Resolution("unknown", claim.document_id, message)
    place = (claim.start_char, claim.end_char)
    return _at(claim, live, place, links, "current", "原文未变，引文仍在原处。", ())


def _at(
    claim: CitationClaim,
    document: Document,
    place: tuple[int, int],
    links: SourceLinks,
    status: str,
    message: str,
    replaced_by: tuple[str, ...],
) -> Resolution:
    span = _span(document.source, place)
    return Resolution(
        "current" if status == "current" else "changed",
        claim.document_id,
        message,
        replaced_by=replaced_by,
        found_in=document.document_id,
        start_char=span.start_char,
        end_char=span.end_char,
        start_line=span.start_line,
        end_line=span.end_line,
        quote=document.source.text[span.start_char : span.end_char],
        url=links.to(document.document_id, span),
    )


def _holder(documents: Sequence[Document], place: tuple[int, int]) -> Document:
    """Of the documents of one text the one in which a place stands; the first if it is in none."""
    for document in documents:
        blocks = (*document.typed_blocks, *(paragraph.block for paragraph in document.paragraphs))
        if any(block.span.start_char < place[1] and place[0] < block.span.end_char for block in blocks):
            return document
    return documents[0]


def _span(source: Source, place: tuple[int, int]) -> SourceSpan:
    return LineTable(source.text).span(*place)


def _successors(gone: Removal, document: FindDocument, removal: FindRemoval) -> list[Document]:
    """The live documents at the end of a chain of replacements, nearest first, each once."""
    found: dict[str, Document] = {}
    seen = {gone.document_id}
    waiting = list(gone.replaced_by)
    while waiting and len(seen) < _MAX_SUCCESSORS:
        document_id = waiting.pop(0)
        if document_id in seen:
            continue
        seen.add(document_id)
        if live := document(document_id):
            found[document_id] = live
        elif later := removal(document_id):
            waiting += later.replaced_by
    return list(found.values())
