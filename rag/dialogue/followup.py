"""Resolve by rule a question that leans on the conversation ("那第二点呢？"): make it stand alone.

A question that stands alone is returned exactly as typed. Earlier follow-ups are resolved first, so that a
chain of them keeps its subject. What is returned is shown to the user as `resolved_question`.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.dialogue.antecedents import Exchange
from rag.dialogue.english import resolve_english
from rag.dialogue.leaning import lean_of
from rag.dialogue.phrase import Phrase
from rag.dialogue.rewriting import prefixed, resolved_text
from rag.records import Turn
from rag.text.folding import has_han

RESOLVED_MAX_CHARS = 400
TURNS_BACK = 6
_QUESTION_MAX_CHARS = 2000


def resolve_followup(question: str, history: Sequence[Turn]) -> str:
    """The question as it is to be searched.

    Args:
        question: As typed.
        history: The conversation before it, oldest first; the last `TURNS_BACK` user turns count.

    Returns:
        `question` itself if it stands alone or nothing before it says what it is about; else a question of
        at most `RESOLVED_MAX_CHARS` characters.
    """
    exchanges: list[Exchange] = []
    for asked, answer in _exchanges(history):
        exchanges.append(Exchange.of(_resolved(asked, exchanges), answer))
    return _resolved(question, exchanges)


def _exchanges(history: Sequence[Turn]) -> list[tuple[str, str]]:
    """The last questions, each with what the assistant said until the next."""
    found: list[tuple[str, str]] = []
    for turn in history:
        content = turn.content.strip()[:_QUESTION_MAX_CHARS]
        if turn.role == "user" and content:
            found.append((content, ""))
        elif turn.role == "assistant" and found:
            found[-1] = (found[-1][0], f"{found[-1][1]}\n{turn.content}".strip())
    return found[-TURNS_BACK:]


def _resolved(question: str, exchanges: list[Exchange]) -> str:
    if not exchanges or not question.strip():
        return question
    if not has_han(question):
        return _bounded(resolve_english(question, exchanges), question)
    phrase = Phrase.of(question)
    bare = phrase.bare()
    lean = lean_of(phrase, bare)
    if lean is None:
        return question
    made = resolved_text(lean, bare, exchanges)
    if made.rstrip("？") == bare.text:
        return question
    return _bounded(made or prefixed(question, exchanges), question)


def _bounded(resolved: str, question: str) -> str:
    """The resolved question if there is one; what is too long gives up its head, not what is asked."""
    if not resolved:
        return question
    return resolved if len(resolved) <= RESOLVED_MAX_CHARS else resolved[-RESOLVED_MAX_CHARS:]
