"""The default generator: whole sentences of the corpus, verbatim, chosen by what the question asks for.

A fact gets the one sentence that states it; a list gets every item of the enumeration it stands in; an
explanation gets the few sentences of the item or paragraph that explain. Nothing is written, only chosen.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.generator import Draft, DraftSentence, GenerationRequest, RankedSentence
from rag.corpus import Corpus
from rag.records import Sentence
from rag.structure import Enumeration, Structure
from rag.text.enumeration import item_mark
from rag.text.terms import content_words

_LIST_POOL = 8
_EXPLAIN_SENTENCES = 3
_EXPLAIN_SHARE = 0.35
_HEAD_CHARS = 30
_SECOND_SHARE = 0.3


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
        """Choose the sentences that answer, in reading order where they belong together."""
        if not request.ranked:
            return Draft(())
        kind = request.question.kind
        if kind in ("list", "how", "definition", "other") and (wanted := self._enumeration(request)):
            return _draft([self._corpus.sentences[head] for head in wanted.heads], is_list=True)
        if kind == "comparison":
            return _draft(self._compare(request))
        if kind in ("how", "why", "definition", "other", "list"):
            return _draft(self._explain(request))
        return _draft(self._fact(request))

    # Lists

    def _enumeration(self, request: GenerationRequest) -> Enumeration | None:
        """The enumeration that the question asks for, if the evidence points at one."""
        question = request.question
        if question.kind != "list" and question.count is None:
            return None
        relevance = {found.sentence.ordinal: found.relevance for found in request.ranked}
        top = request.ranked[0].relevance
        best: tuple[float, Enumeration] | None = None
        for found in request.ranked[:_LIST_POOL]:
            for enumeration in self._structure.of_sentence.get(found.sentence.ordinal, ()):
                value = self._list_value(enumeration, found, relevance, question.count)
                if best is None or value > best[0]:
                    best = (value, enumeration)
        return best[1] if best and best[0] >= 0.5 * top else None

    def _list_value(
        self, enumeration: Enumeration, found: RankedSentence, relevance: dict[int, float], count: int | None
    ) -> float:
        """How well an enumeration fits: relevance of what announces and opens its items."""
        heads = [relevance.get(head, 0.0) for head in enumeration.heads]
        lead = relevance.get(enumeration.lead, 0.0) if enumeration.lead is not None else 0.0
        is_head = found.sentence.ordinal in enumeration.heads or found.sentence.ordinal == enumeration.lead
        value = max(
            lead, sum(heads) / len(heads), 0.8 * found.relevance if is_head else 0.4 * found.relevance
        )
        if count is not None:
            value *= 1.3 if count == len(enumeration.items) else 0.4
        return value

    # Facts, explanations, comparisons

    def _fact(self, request: GenerationRequest) -> list[Sentence]:
        """The best sentence; a second one only if it covers words of the question that the first lacks."""
        first = request.ranked[0]
        chosen = [first.sentence]
        wanted = set(request.question.words)
        missing = wanted - set(content_words(first.sentence.text))
        for found in request.ranked[1:4]:
            gained = missing & set(content_words(found.sentence.text))
            if len(gained) >= 2 and found.relevance >= _SECOND_SHARE * first.relevance:
                chosen.append(found.sentence)
                break
        return self._within(chosen, request.max_chars)

    def _explain(self, request: GenerationRequest) -> list[Sentence]:
        """The best sentence, and the best of its item or neighbourhood, in reading order."""
        first = request.ranked[0]
        item = self._structure.item_of(first.sentence.ordinal)
        near = {o for o in item if abs(o - first.sentence.ordinal) <= 4} | self._neighbours(first.sentence)
        relevance = {found.sentence.ordinal: found.relevance for found in request.ranked}
        ranked = sorted(near - {first.sentence.ordinal}, key=lambda o: (-relevance.get(o, 0.0), o))
        chosen = [first.sentence]
        if self._needs_body(first.sentence) and len(item) > 1 and item[0] == first.sentence.ordinal:
            ranked = [*item[1:3], *(o for o in ranked if o not in item[1:3])]
            chosen.append(self._corpus.sentences[ranked.pop(0)])
        for ordinal in ranked:
            if len(chosen) >= _EXPLAIN_SENTENCES:
                break
            if relevance.get(ordinal, 0.0) >= _EXPLAIN_SHARE * first.relevance:
                chosen.append(self._corpus.sentences[ordinal])
        return self._in_order(self._within(chosen, request.max_chars))

    def _compare(self, request: GenerationRequest) -> list[Sentence]:
        """The best sentence of each of the two best documents; of one document, its two best."""
        first = request.ranked[0]
        for found in request.ranked[1:40]:
            if found.sentence.document_id != first.sentence.document_id:
                if found.relevance >= _SECOND_SHARE * first.relevance:
                    return self._in_order([first.sentence, found.sentence])
                break
        return self._explain(request)

    def _neighbours(self, sentence: Sentence) -> set[int]:
        rows = self._corpus.sentences_of_paragraph[(sentence.document_id, sentence.paragraph)]
        return {o for o in rows if abs(o - sentence.ordinal) <= 2}

    def _needs_body(self, sentence: Sentence) -> bool:
        """Whether a sentence is a heading-like opening ("二是…。") that says little by itself."""
        return len(sentence.text) <= _HEAD_CHARS and item_mark(sentence.text) is not None

    def _within(self, sentences: Sequence[Sentence], max_chars: int) -> list[Sentence]:
        kept: list[Sentence] = []
        for sentence in sentences:
            if kept and sum(len(s.text) for s in kept) + len(sentence.text) > max_chars:
                continue
            kept.append(sentence)
        return kept

    def _in_order(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        return sorted(sentences, key=lambda sentence: sentence.ordinal)


def _draft(sentences: Sequence[Sentence], *, is_list: bool = False) -> Draft:
    return Draft(tuple(DraftSentence(s.text, sentence=s) for s in sentences), is_list)
