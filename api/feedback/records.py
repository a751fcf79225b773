"""What is kept: a reader's verdict on an answer, and, where that is switched on, the question it answered."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from rag.records import Answer, Reason, Status

Verdict = Literal["up", "down"]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)

StoredReason = Reason | Literal["filtered"]
"""Why nothing was answered; "filtered": it was asked of some documents only; nothing is known of the rest."""

MAX_NOTE_CHARS = 2_000
ANSWER_ID = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""The form of the ids that replies carry; which of them we have given is not known once they are given."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """One reader's word on one answer; the latest holds.

    Attributes:
        feedback_id: Names it; stays when the verdict is changed.
        answer_id: The `id` of the reply.
        note: In the reader's words; "" for none.
        recorded_at: UTC, ISO 8601.
    """

    feedback_id: str
    answer_id: str
    verdict: Verdict
    note: str
    recorded_at: str


@dataclass(frozen=True, slots=True)
class StoredQuestion:
    """A question and what came of it, without the answer's text.

    Attributes:
        answer_id: The `id` of the reply.
        asked_at: UTC, ISO 8601.
        collection: Which corpus was asked.
        question: As it was asked.
        resolved: Completed from the conversation.
        reason: Why nothing was answered; None if it was.
        documents: Ids of the documents cited, each once, in order.
    """

    answer_id: str
    asked_at: str
    collection: str
    question: str
    resolved: str
    status: Status
    reason: StoredReason | None
    confidence: float
    generator: str
    documents: tuple[str, ...]

    @classmethod
    def of(cls, answer: Answer, *, question: str, collection: str, narrowed: bool = False) -> StoredQuestion:
        """What is kept of an answer that has just been given."""
        cited = dict.fromkeys(citation.document_id for citation in answer.citations)
        return cls(
            answer_id=answer.answer_id,
            asked_at=now(),
            collection=collection,
            question=question,
            resolved=answer.resolved_question,
            status=answer.status,
            reason="filtered" if narrowed and answer.status == "abstained" else answer.reason,
            confidence=answer.confidence,
            generator=answer.generator,
            documents=tuple(cited),
        )


def is_answer_id(text: str) -> bool:
    """Whether `text` has the form of an answer's id."""
    return re.fullmatch(ANSWER_ID, text) is not None


def now() -> str:
    """This moment, UTC, ISO 8601, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")
