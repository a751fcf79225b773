"""Judging as a surface of its own: how sure the judge is of a question, without writing an answer."""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.generator import never
from rag.answering.typed_lookup import TypedLookup
from rag.confidence.correction import Basis
from rag.confidence.judge import Judge, Judgement
from rag.dialogue.resolving import QuestionResolver
from rag.inputs import check_question
from rag.question import read_question
from rag.records import Turn
from rag.retrieval import Retriever
from rag.scope import ScopeFinder


class QuestionJudging:
    """Judges questions as the engine does before it writes.

    Args:
        resolver: Completes a question from the conversation.
        retriever: Searches the corpus.
        scopes: Finds the documents that a question names.
        lookup: Finds typed parts.
        judge: Judges.
    """

    def __init__(
        self,
        resolver: QuestionResolver,
        retriever: Retriever,
        scopes: ScopeFinder,
        lookup: TypedLookup,
        judge: Judge,
    ) -> None:
        self._resolver = resolver
        self._retriever = retriever
        self._scopes = scopes
        self._lookup = lookup
        self._judge = judge

    @property
    def basis(self) -> Basis:
        """The fitted model that judges, before any correction."""
        return self._judge.basis

    def judge(self, question: str, history: Sequence[Turn] = ()) -> Judgement | None:
        """What the judge says of a question.

        Args:
            question: As typed, 1-2000 characters.
            history: The conversation so far, oldest first.

        Returns:
            None where it is not the judge's business: typed parts of the page answer, or deny.

        Raises:
            InputError: If the question is empty, too long or not text.
        """
        resolved = self._resolver.resolve(check_question(question), history, never)
        read = read_question(resolved.text)
        scope = self._scopes.find(read.text)
        found = self._retriever.retrieve(read, scope)
        judgement = self._judge.judge(read, found)
        if self._lookup.find(read, found, scope, confident=judgement.on_topic) is not None:
            return None
        return judgement
