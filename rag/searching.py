"""Search as a surface of its own: the passages nearest to a query, without an answer.

Typed parts of the page (an author asked for, a title) come first, as they do in answers.

The work is bounded whatever a filter lets through: the corpus is ranked twice at most, and the filter is
asked at most once about each passage, in the order of relevance and only until there are enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import chain, islice

from rag.answering.generator import never
from rag.answering.typed_lookup import TypedLookup
from rag.answering.writing import left_alone
from rag.confidence.judge import Judge
from rag.inputs import check_question
from rag.question import read_question
from rag.records import Passage
from rag.retrieval import Retriever
from rag.scope import ScopeFinder

_CHECK_EVERY = 100
"""After how many questions to a filter to see whether anybody waits: a slow one takes milliseconds each."""


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
        cancelled: Callable[[], bool] = never,
    ) -> tuple[Passage, ...]:
        """The most relevant passages, best first.

        Args:
            query: What to look for, 1-2000 characters.
            top_k: At most so many, from 1.
            score_threshold: Only those scoring at least that.
            keep: Only those for which it says yes; others do not count towards `top_k`. Where too few of the
                usual candidates do, all of the corpus is ranked. It must not go by the rank, which is given
                at the end.
            cancelled: Whether nobody waits any more; asked before each ranking and now and then between.

        Returns:
            Ranked from 1 without gaps.

        Raises:
            GeneratorError: If it was cancelled (code "generator_cancelled").
        """
        read = read_question(check_question(query))
        scope = self._scopes.find(read.text)
        _see_who_waits(cancelled)
        rounds = self._retriever.widening(read, scope)
        found = next(rounds)
        typed = self._lookup.find(read, found, scope, confident=self._judge.on_topic(found))
        first = self._lookup.passages(typed) if typed else []
        is_kept = _Asking(keep, cancelled) if keep else None
        passages: list[Passage] = []
        for wider in chain((found,), rounds):
            # `filter` asks one by one: nothing is asked about what comes after the last that is wanted.
            passages = list(islice(filter(is_kept, (*first, *wider.passages)), top_k))
            if len(passages) >= top_k:
                break
            _see_who_waits(cancelled)
        threshold = score_threshold or 0.0
        return tuple(
            replace(passage, rank=rank)
            for rank, passage in enumerate(passages, 1)
            if passage.score >= threshold
        )


class _Asking:
    """A filter that remembers what it said: the second ranking begins with what the first one had."""

    def __init__(self, keep: Callable[[Passage], bool], cancelled: Callable[[], bool]) -> None:
        self._keep = keep
        self._cancelled = cancelled
        self._said: dict[tuple[int, str], bool] = {}

    def __call__(self, passage: Passage) -> bool:
        place = passage.chunk.ordinal, passage.chunk.chunk_id  # a typed part has no row and no ordinal
        if place not in self._said:
            if len(self._said) % _CHECK_EVERY == 0:
                _see_who_waits(self._cancelled)
            self._said[place] = self._keep(passage)
        return self._said[place]


def _see_who_waits(cancelled: Callable[[], bool]) -> None:
    if cancelled():
        raise left_alone()
