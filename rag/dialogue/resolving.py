"""What is searched for: the question as typed, or completed from the conversation by rule or by a model.

A question that stands alone is never touched. One that leans on the conversation is completed by
`rag.dialogue.followup`; where a rewriter is configured it is asked first, and the rules stand behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rag.dialogue.followup import resolve_followup
from rag.records import Turn


class Rewritten(Protocol):
    """What a rewriter came to."""

    @property
    def question(self) -> str | None:
        """A question of its own, or None."""

    @property
    def problem(self) -> str | None:
        """Why there is none, as a code; None if nothing went wrong."""


class QuestionRewriter(Protocol):
    """Makes a follow-up a question of its own."""

    def rewrite(self, question: str, history: Sequence[Turn], *, cancelled: Callable[[], bool]) -> Rewritten:
        """Rewrite one question; never raises for a model's sake."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """The question that is searched.

    Attributes:
        text: The question.
        by: How it came about.
        problem: Why the rewriter was not heard, as a code; None if it was, or was not asked.
    """

    text: str
    by: Literal["typed", "rules", "model"]
    problem: str | None = None


class QuestionResolver:
    """Completes questions.

    Args:
        rewriter: Asked before the rules; None to go by the rules alone.
    """

    def __init__(self, rewriter: QuestionRewriter | None) -> None:
        self._rewriter = rewriter

    def resolve(self, question: str, history: Sequence[Turn], cancelled: Callable[[], bool]) -> Resolved:
        """The question to search for."""
        by_rule = resolve_followup(question, history)
        if by_rule == question:
            return Resolved(question, "typed")
        if self._rewriter is None:
            return Resolved(by_rule, "rules")
        rewritten = self._rewriter.rewrite(question, history, cancelled=cancelled)
        if rewritten.question is not None:
            return Resolved(rewritten.question, "model")
        return Resolved(by_rule, "rules", rewritten.problem)
