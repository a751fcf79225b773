"""The default generator: whole sentences of the corpus, verbatim, chosen by what the question asks for.

Nothing is written, only chosen. A list gets every item of the enumeration it stands in; a comparison the
best sentences of each side; anything else the most relevant sentences, as few as are nearly as relevant
as the best one. What is chosen from one paragraph stands in reading order.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.generator import Draft, DraftSentence, GenerationRequest, RankedSentence
from rag.answering.lists import wanted_enumeration
from rag.corpus import Corpus
from rag.records import Sentence
from rag.structure import Structure
from rag.text.enumeration import item_mark

_NEARLY = 0.4
"""A further sentence is taken if it is at least this share as relevant as the best one."""
_POOL = 8
_MAX_SENTENCES = 6
_HEAD_CHARS = 30
_SIDES = 3


class ExtractiveGenerator:
    """Chooses sentences.

    Args:
        corpus: The rows.
        structure: Its enumerations.
    """

    name = "extractive"

    def __init__(self, corpus: Corpus, structure: Structure) -> None:
        self._corpus = corpus
        self._structure = structure

    def generate(self, request: GenerationRequest) -> Draft:
        """Choose the sentences that answer."""
        if not request.ranked:
            return Draft(())
        question = request.question
        if question.kind == "list" or question.count is not None:
            enumeration = wanted_enumeration(request.ranked, self._structure, question.count)
            if enumeration is not None:
                return _draft([self._corpus.sentences[head] for head in enumeration.heads], is_list=True)
        several = question.kind == "comparison" or len(request.named) > 1
        first = self._sides(request) if several else [request.ranked[0]]
        return _draft(self._fill(first, request))

    def _sides(self, request: GenerationRequest) -> list[RankedSentence]:
        """The best sentence of each document that is named, or else that has one among the best."""
        sides: dict[str, RankedSentence] = {}
        floor = 0.0 if len(request.named) > 1 else 0.5 * _NEARLY * request.ranked[0].relevance
        for found in request.ranked:
            if found.relevance < floor or len(sides) >= _SIDES:
                break
            if len(request.named) < 2 or found.sentence.document_id in request.named:
                sides.setdefault(found.sentence.document_id, found)
        return list(sides.values())

    def _fill(self, first: Sequence[RankedSentence], request: GenerationRequest) -> list[Sentence]:
        """`first`, then the next best while they are nearly as relevant and there is room."""
        chosen: list[Sentence] = []
        room = request.max_chars
        for found in [*first, *request.ranked[:_POOL]]:
            if found not in first and found.relevance < _NEARLY * request.ranked[0].relevance:
                break
            for sentence in (found.sentence, *self._body_of(found.sentence)):
                new = all(sentence.ordinal != other.ordinal for other in chosen)
                if new and len(chosen) < _MAX_SENTENCES and (not chosen or len(sentence.text) <= room):
                    chosen.append(sentence)
                    room -= len(sentence.text)
        return _reading_order(chosen)

    def _body_of(self, sentence: Sentence) -> list[Sentence]:
        """What follows a short opening ("二是……。") that only names its item: up to one full sentence."""
        if len(sentence.text) > _HEAD_CHARS or item_mark(sentence.text) is None:
            return []
        item = self._structure.item_of(sentence.ordinal)
        if item[0] != sentence.ordinal:
            return []
        body: list[Sentence] = []
        for ordinal in item[1:]:
            body.append(self._corpus.sentences[ordinal])
            if len(body[-1].text) > _HEAD_CHARS:
                break
        return body


def _reading_order(chosen: Sequence[Sentence]) -> list[Sentence]:
    """Paragraphs by their first appearance, sentences of a paragraph as they stand in it."""
    places: dict[tuple[str, int], int] = {}
    for sentence in chosen:
        places.setdefault((sentence.document_id, sentence.paragraph), len(places))
    return sorted(chosen, key=lambda s: (places[(s.document_id, s.paragraph)], s.ordinal))


def _draft(sentences: Sequence[Sentence], *, is_list: bool = False) -> Draft:
    return Draft(tuple(DraftSentence(s.text, sentence=s) for s in sentences), is_list)
