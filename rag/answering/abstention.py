"""Say honestly that the corpus does not say: why, what it never writes, and what it does have nearby."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rag.confidence.judge import Judgement
from rag.question import Question
from rag.records import Passage, Reason
from rag.text.folding import fold

_NEAR_CHARS = 40
_NAMED_WORDS = 2


@dataclass(frozen=True, slots=True)
class Abstention:
    """No answer.

    Attributes:
        reason: Why.
        text: One to three Chinese sentences for a reader; no marks, because nothing is claimed.
    """

    reason: Reason
    text: str


def abstain(question: Question, judgement: Judgement, related: Sequence[Passage]) -> Abstention:
    """The abstention for a question that was judged not to be answered.

    Args:
        question: As asked.
        judgement: What the judge said.
        related: The nearest passages, best first; none if there was no document to search.
    """
    if not related:
        return Abstention("off_topic", "没有可以查找的文章，无法据此回答。请先添加文章，或放宽筛选条件。")
    reason = abstention_reason(question, judgement, related)
    return Abstention(reason, _text(reason, judgement, related))


def abstention_reason(question: Question, judgement: Judgement, related: Sequence[Passage]) -> Reason:
    """Why there is no answer.

    `too_vague`: the question has no word that could be looked for. `off_topic`: nothing in the corpus is near
    what it is about. `false_premise`: its subject is there, and it takes for granted what no passage says: it
    asks for the reasons of something that the nearest passage does not name in full, or what is said to be
    done is a word that the corpus never writes.
    `not_stated`: the subject is there, the answer is not.
    """
    if not question.words:
        return "too_vague"
    if not judgement.on_topic:
        return "off_topic"
    wording = judgement.wording
    if question.kind == "why":
        nearest = fold(related[0].chunk.text)
        presumes = not all(word in nearest for word in wording.words)
    else:
        presumes = question.kind not in ("number", "date") and any(
            verb in judgement.absent for verb in wording.verbs
        )
    return "false_premise" if presumes else "not_stated"


def _text(reason: Reason, judgement: Judgement, related: Sequence[Passage]) -> str:
    openings = {
        "too_vague": "这个问题太笼统，看不出要在文章里找什么。请补充一两个关键词。",
        "off_topic": "文章没有谈到这个话题，无法据此回答。",
        "not_stated": "点名的文章没有说明这一点。"
        if judgement.is_named
        else "文章谈到了相关内容，但没有说明这一点。",
        "false_premise": "文章谈到了相关内容，但找不到问题里这个说法的依据，因此无法回答。",
    }
    text = openings[reason]
    if reason not in ("not_stated", "false_premise"):
        return text
    missing = judgement.absent[:_NAMED_WORDS]
    if missing:
        text += f"全文没有出现{'、'.join(f'“{word}”' for word in missing)}。"
    near = related[0]
    words, span = near.chunk.text.strip(), near.chunk.span
    opening = words[:_NEAR_CHARS] + ("…" if len(words) > _NEAR_CHARS else "")
    lines = f"{span.start_line}–{span.end_line}" if span.end_line > span.start_line else f"{span.start_line}"
    return text + (
        f"最接近的内容在《{near.document.label}》第 {near.chunk.paragraph} 段（第 {lines} 行）：“{opening}”。"
    )
