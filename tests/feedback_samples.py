"""Answers and stored questions for the tests of feedback."""

from __future__ import annotations

from dataclasses import replace

from api.feedback.records import StoredQuestion
from rag.records import Answer, Citation

CITATION = Citation(1, "d-1", "灯塔", (), 1, 0, 2, 1, 1, "灯塔", "0" * 64, "exact", "/d", 0.5)
ANSWER = Answer(
    answer_id="ans_1",
    status="answered",
    answer="灯塔高三十二米。[1]",
    reason=None,
    confidence=0.75,
    sentences=(),
    citations=(CITATION, replace(CITATION, number=2, document_id="d-2"), replace(CITATION, number=3)),
    related=(),
    resolved_question="灯塔有多高？",
    generator="extractive",
    fingerprint="f",
    timings_ms={},
)


def question(number: int, text: str, *, day: int = 1, **changes: object) -> StoredQuestion:
    """An abstention on this question, unless the changes say otherwise."""
    asked = StoredQuestion(
        answer_id=f"ans_{number}",
        asked_at=f"2026-03-{day:02}T08:00:00+00:00",
        collection="default",
        question=text,
        resolved=text,
        status="abstained",
        reason="not_stated",
        confidence=0.1,
        generator="extractive",
        documents=(),
    )
    return replace(asked, **changes)  # type: ignore[arg-type]
