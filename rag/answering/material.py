"""What a generator gets to see: the best passages, and those without which a list in them would be cut off.

A question for "the four measures" finds two of them by meaning; the other two stand in passages that no
search ranks high. Whoever writes the answer must see the whole list, and may cite nothing that is not here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from rag.answering.citations import SourceLinks
from rag.answering.generator import GenerationRequest, RankedSentence
from rag.answering.leads import Leads
from rag.confidence.model import logistic
from rag.corpus import Corpus
from rag.question import Question
from rag.records import Passage
from rag.retrieval import Retrieved
from rag.scope import Scope
from rag.structure import Structure

_POOL = 8
"""Sentences whose lists are completed."""
_MAX_COMPANIONS = 16
_SIDES = 3
_READER_WEIGHT, _LOGIT_CUT = 0.2, 4.0


def preferred(ranked: Sequence[RankedSentence], logits: Mapping[int, float]) -> list[RankedSentence]:
    """Sentences in the order in which they are likely to answer: by relevance and by what the reader said.

        logit(r') = logit(r) + w * l        r the relevance, l the reader's logit of the passage, cut at +-4

    A passage that was not read counts as the worst that was. Search keeps its own order and scores.

    Args:
        ranked: Best first.
        logits: The reader's logit by chunk ordinal; empty if nothing was read.
    """
    if not logits:
        return list(ranked)
    worst = min(logits.values())
    moved = [
        RankedSentence(
            found.sentence, _moved(found.relevance, logits.get(found.sentence.chunk_ordinal, worst))
        )
        for found in ranked
    ]
    return sorted(moved, key=lambda found: (-found.relevance, found.sentence.ordinal))


def _moved(relevance: float, logit: float) -> float:
    odds = min(max(relevance, 1e-4), 1 - 1e-4)
    cut = max(-_LOGIT_CUT, min(_LOGIT_CUT, logit))
    return logistic(math.log(odds / (1 - odds)) + _READER_WEIGHT * cut)


class MaterialMaker:
    """Puts requests together.

    Args:
        corpus: The rows.
        structure: Its enumerations.
        answer_max_chars: How long an answer may be.
        links: Lead to its documents.
    """

    def __init__(
        self, corpus: Corpus, structure: Structure, *, answer_max_chars: int, links: SourceLinks
    ) -> None:
        self._corpus = corpus
        self._structure = structure
        self._leads = Leads(corpus)
        self._max_chars = answer_max_chars
        self._links = links

    def request(
        self,
        question: Question,
        found: Retrieved,
        scope: Scope,
        *,
        top_k: int,
        cancelled: Callable[[], bool],
        logits: Sequence[float] = (),
    ) -> GenerationRequest:
        """The request for one question.

        Args:
            question: As searched.
            found: What search found; at least one passage.
            scope: The documents that the question names.
            top_k: How many passages search gives, from 1; what completes a list comes on top of them.
            cancelled: Whether nobody waits any more.
            logits: What the reader said of the first passages of the search.
        """
        passages = self._passages(question, found, scope, top_k)
        seen = {passage.chunk.ordinal for passage in passages}
        ranked = [ranked for ranked in found.ranked if ranked.sentence.chunk_ordinal in seen]
        if question.kind != "comparison" and len(scope.document_ids) < 2:  # there every side has its say
            ranked = preferred(
                ranked, {p.chunk.ordinal: x for p, x in zip(found.passages, logits, strict=False)}
            )
        return GenerationRequest(question, passages, ranked, scope.document_ids, self._max_chars, cancelled)

    def _passages(self, question: Question, found: Retrieved, scope: Scope, top_k: int) -> Sequence[Passage]:
        chosen = {passage.chunk.ordinal: passage for passage in found.passages[:top_k]}
        known = {passage.chunk.ordinal: passage for passage in found.passages}
        companions = [
            *self._other_sides(question, found, scope),
            *self._rest_of_lists(found, chosen),
            *self._led_to(found, chosen),
        ]
        for ordinal in companions:
            chosen.setdefault(ordinal, known.get(ordinal) or self._unranked(ordinal))
        return [replace(passage, rank=rank) for rank, passage in enumerate(chosen.values(), 1)]

    def _other_sides(self, question: Question, found: Retrieved, scope: Scope) -> list[int]:
        """Chunks with the best sentence of each document that a comparison is about."""
        if question.kind != "comparison" and len(scope.document_ids) < 2:
            return []
        sides: dict[str, int] = {}
        for ranked in found.ranked:
            sentence = ranked.sentence
            if len(scope.document_ids) < 2 or sentence.document_id in scope.document_ids:
                sides.setdefault(sentence.document_id, sentence.chunk_ordinal)
        return list(sides.values())[: max(_SIDES, len(scope.document_ids))]

    def _rest_of_lists(self, found: Retrieved, chosen: dict[int, Passage]) -> list[int]:
        """Chunks of the lists that the best sentences lead or belong to, shorter lists first."""
        near = [ranked for ranked in found.ranked if ranked.sentence.chunk_ordinal in chosen][:_POOL]
        wanted: dict[int, None] = {}
        for ranked in near:
            for enumeration in self._structure.of_sentence(ranked.sentence.ordinal):
                rows = [ordinal for item in enumeration.items for ordinal in item[:2]]
                chunks = {self._corpus.sentences[row].chunk_ordinal for row in rows} - chosen.keys()
                if len(wanted.keys() | chunks) <= _MAX_COMPANIONS:
                    wanted.update(dict.fromkeys(sorted(chunks)))
        return list(wanted)

    def _led_to(self, found: Retrieved, chosen: dict[int, Passage]) -> list[int]:
        """Chunks below a question or a heading among the best sentences: what it leads to."""
        near = [ranked.sentence for ranked in found.ranked if ranked.sentence.chunk_ordinal in chosen][:_POOL]
        wanted: dict[int, None] = {}
        for sentence in near:
            below = (
                self._leads.below(sentence)
                if self._leads.heads(sentence) or self._leads.is_label(sentence)
                else None
            )
            if below is not None:
                wanted.setdefault(below.chunk_ordinal)
        return list(wanted)

    def _unranked(self, ordinal: int) -> Passage:
        """A chunk that no arm of the search brought up: no evidence speaks for it by itself."""
        chunk = self._corpus.chunks[ordinal]
        url = self._links.to(chunk.document_id, chunk.span)
        return Passage(0, 0.0, chunk, self._corpus.document_by_id[chunk.document_id], url)
