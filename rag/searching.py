"""Search as a surface of its own: the passages nearest to a query, without an answer.

Typed parts of the page (an author asked for, a title) come first, as they do in answers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain

from rag.answering.typed_lookup import TypedLookup
from rag.confidence.judge import Judge
from rag.inputs import check_question
from rag.question import read_question
from rag.records import Passage
from rag.retrieval import Retriever
from rag.scope import ScopeFinder


class PassageSearch:
    """Finds passages.

    Args:
        retriever: Searches the corpus.
        scopes: Finds the documents that a query names.
        lookup: Finds typed parts.
        judge: Whether the query is on the corpus' subjects at all.
    """

    def __init__(self, retriever: Retriever, scopes: ScopeFinder, lookup: TypedLookup, judge: Judge) -> None:
        self._retriever = retriever
        self._scopes = scopes
        self._lookup = lookup
        self._judge = judge

    def search(
        self,
        query: str,
        *,
        top_k: int,
        score_threshold: float | None,
        keep: Callable[[Passage], bool] | None,
    ) -> tuple[Passage, ...]:
        """The most relevant passages, best first.

        Args:
            query: What to look for, 1-2000 characters.
            top_k: At most so many, from 1.
            score_threshold: Only those scoring at least that.
            keep: Only those for which it says yes; others do not count towards `top_k`. Where few do, more of
                the corpus is looked at, in the end all of it.

        Returns:
            Ranked from 1 without gaps.
        """
        read = read_question(check_question(query))
        scope = self._scopes.find(read.text)
        rounds = self._retriever.widening(read, scope)
        found = next(rounds)
        typed = self._lookup.find(read, found, scope, confident=self._judge.on_topic(found))
        first = self._lookup.passages(typed) if typed else []
        passages: list[Passage] = []
        for wider in chain((found,), rounds):
            passages = [one for one in (*first, *wider.passages) if keep is None or keep(one)]
            if len(passages) >= top_k:
                break
        threshold = score_threshold or 0.0
        return tuple(
            replace(passage, rank=rank)
            for rank, passage in enumerate(passages[:top_k], 1)
            if passage.score >= threshold
        )
