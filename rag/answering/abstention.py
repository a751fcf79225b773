"""Say honestly that the corpus does not say: when, why, and what it does have nearby."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.generator import RankedSentence
from rag.question import Question
from rag.ranking.features import KIND_TESTS, without_numbers_of
from rag.records import Passage, Reason
from rag.text.folding import fold

LACKING_CONFIDENCE = 0.05
"""Highest confidence in an answer that lacks the kind of thing asked for."""

_LOOKED_AT = 3
_NEAR_CHARS = 40


def lacks_asked_kind(question: Question, ranked: Sequence[RankedSentence]) -> bool:
    """Whether a number or date is asked for and none of the most relevant sentences states one.

    A number that the question itself names is no answer. Looked at are the first three sentences.
    """
    test = KIND_TESTS.get(question.kind)
    if test is None or question.is_foreign:
        return False
    best = [fold(found.sentence.text) for found in ranked[:_LOOKED_AT]]
    return not any(test(without_numbers_of(text, question)) for text in best)


def abstention_reason(question: Question, *, on_topic: bool) -> Reason:
    """Why there is no answer.

    `too_vague`: the question has no word that could be looked for. `off_topic`: nothing in the corpus is
    near what it is about. `false_premise`: a question for reasons whose subject is there, but
    no passage says that the thing it presumes is so. `not_stated`: the subject is there, the answer is not.
    """
    if not question.words:
        return "too_vague"
    if not on_topic:
        return "off_topic"
    return "false_premise" if question.kind == "why" else "not_stated"


def abstention_text(reason: Reason, related: Sequence[Passage]) -> str:
    """One or two Chinese sentences for a reader; no marks, because nothing is claimed."""
    openings = {
        "too_vague": "这个问题太笼统，看不出要在文章里找什么。请补充一两个关键词。",
        "off_topic": "文章没有谈到这个话题，无法据此回答。",
        "not_stated": "文章谈到了相关内容，但没有说明这一点。",
        "false_premise": "文章里找不到这个说法成立的依据，因此无法回答原因。",
    }
    text = openings[reason]
    if related and reason in ("not_stated", "false_premise"):
        near = related[0]
        opening = near.chunk.text.strip()[:_NEAR_CHARS]
        text += (
            f"最接近的内容在《{near.document.label}》第 {near.chunk.paragraph} 段"
            f"（第 {near.chunk.span.start_line}–{near.chunk.span.end_line} 行）：“{opening}…”。"
        )
    return text
