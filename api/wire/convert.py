"""Records to published JSON models: the one place where a field of ours gets its public name.

Every field is written out, so adding one to a record publishes nothing by accident.
"""

from __future__ import annotations

from api.wire.filter_schemas import FiltersIn
from api.wire.schemas import (
    AnswerSentenceOut,
    AskReply,
    CitationOut,
    DegradationOut,
    DocumentDetailOut,
    DocumentOut,
    HitOut,
    ParagraphOut,
)
from rag.metadata import Filters, check_filters
from rag.records import (
    DEFAULT_COLLECTION,
    Answer,
    AnswerSentence,
    Citation,
    Degradation,
    Document,
    Paragraph,
    Passage,
)


def filters_of(sent: FiltersIn | None) -> Filters | None:
    """The filters of a request; None if it has none.

    Raises:
        InputError: With code `invalid_filters`.
    """
    if sent is None:
        return None
    filters = check_filters(
        document_ids=sent.document_ids,
        titles=sent.titles,
        authors=sent.authors,
        tags=sent.tags,
        date_from=sent.date_from,
        date_to=sent.date_to,
        source_url=sent.source_url,
        names=sent.names,
    )
    return None if filters.is_empty else filters


def ask_reply(answer: Answer, collection: str = DEFAULT_COLLECTION) -> AskReply:
    """The body of an answer from a collection.

    `explain` is left unset, not null, unless the answer carries one.
    """
    reply = AskReply(
        id=answer.answer_id,
        status=answer.status,
        answer=answer.answer,
        reason=answer.reason,
        confidence=answer.confidence,
        sentences=[_sentence(sentence) for sentence in answer.sentences],
        citations=[citation_out(citation) for citation in answer.citations],
        related=[hit(passage) for passage in answer.related],
        resolved_question=answer.resolved_question,
        generator=answer.generator,
        collection=collection,
        fingerprint=answer.fingerprint,
        timings_ms=dict(answer.timings_ms),
        calibration=answer.calibration,
        degraded=_degradation(answer.degraded) if answer.degraded else None,
    )
    return reply if answer.explain is None else reply.model_copy(update={"explain": dict(answer.explain)})


def hit(passage: Passage) -> HitOut:
    """A passage as search returns it."""
    chunk, document = passage.chunk, passage.document
    return HitOut(
        rank=passage.rank,
        score=passage.score,
        document_id=document.document_id,
        chunk_id=chunk.chunk_id,
        title=document.label,
        authors=list(document.authors),
        text=chunk.text,
        paragraph=chunk.paragraph,
        start_char=chunk.span.start_char,
        end_char=chunk.span.end_char,
        start_line=chunk.span.start_line,
        end_line=chunk.span.end_line,
        url=passage.url,
    )


def document_out(document: Document) -> DocumentOut:
    """A document without its text."""
    metadata = document.source.metadata
    return DocumentOut(
        id=document.document_id,
        source_id=document.source.source_id,
        name=document.source.name,
        title=document.title,
        label=document.label,
        authors=list(document.authors),
        affiliation=document.affiliation,
        date=metadata.date,
        source_url=metadata.source_url,
        tags=list(metadata.tags),
        source_sha256=document.source.sha256,
    )


def document_detail(document: Document) -> DocumentDetailOut:
    """A document with its paragraphs."""
    return DocumentDetailOut(
        **document_out(document).model_dump(),
        paragraphs=[_paragraph(paragraph) for paragraph in document.paragraphs],
    )


def _degradation(degraded: Degradation) -> DegradationOut:
    return DegradationOut(generator=degraded.generator, code=degraded.code, message=degraded.message)


def _sentence(sentence: AnswerSentence) -> AnswerSentenceOut:
    return AnswerSentenceOut(text=sentence.text, citations=list(sentence.citations), match=sentence.match)


def citation_out(citation: Citation) -> CitationOut:
    """A citation as answers carry it."""
    return CitationOut(
        number=citation.number,
        document_id=citation.document_id,
        title=citation.title,
        authors=list(citation.authors),
        paragraph=citation.paragraph,
        start_char=citation.start_char,
        end_char=citation.end_char,
        start_line=citation.start_line,
        end_line=citation.end_line,
        quote=citation.quote,
        source_sha256=citation.source_sha256,
        match=citation.match,
        url=citation.url,
        score=citation.score,
    )


def _paragraph(paragraph: Paragraph) -> ParagraphOut:
    span = paragraph.block.span
    return ParagraphOut(
        number=paragraph.number,
        text=paragraph.text,
        start_char=span.start_char,
        end_char=span.end_char,
        start_line=span.start_line,
        end_line=span.end_line,
    )
