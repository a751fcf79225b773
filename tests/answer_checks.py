"""What must hold of every answer, whoever wrote it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from rag.records import Answer, AnswerEvent, CitationsKnown, Source, SourceSpan, TextAdded
from tests.span_checks import check_span


def check_citations(answer: Answer, sources: Iterable[Source]) -> None:
    """Every sentence is cited, every citation is used, and every quote stands in its source."""
    texts = {source.sha256: source.text for source in sources}
    assert [citation.number for citation in answer.citations] == list(range(1, len(answer.citations) + 1))
    assert all(sentence.citations for sentence in answer.sentences)
    used = {number for sentence in answer.sentences for number in sentence.citations}
    assert used == {citation.number for citation in answer.citations}
    for citation in answer.citations:
        span = SourceSpan(citation.start_char, citation.end_char, citation.start_line, citation.end_line)
        check_span(citation.quote, span, texts[citation.source_sha256])


def check_stream(events: Sequence[AnswerEvent]) -> Answer:
    """The answer that a stream ends with, once its parts are seen to be that answer and in order."""
    *parts, answer = events
    assert isinstance(answer, Answer)
    text, known = "", 0
    for event in parts:
        if isinstance(event, CitationsKnown):
            assert event.citations == answer.citations[: len(event.citations)]
            assert len(event.citations) >= known
            known = len(event.citations)
        else:
            assert isinstance(event, TextAdded)
            assert all(f"[{number}]" not in event.text for number in range(known + 1, 100))
            text += event.text
    assert isinstance(parts[0], CitationsKnown)
    assert text == answer.answer
    return answer


def same(answer: Answer) -> Answer:
    """The answer without what differs each time."""
    return replace(answer, answer_id="", timings_ms={})
