"""Which sentences answer a question that asks for one thing: the best, and what belongs to them.

Few rather than many: a sentence of another passage must be nearly as relevant as the best one and more than
hardly relevant at all; a neighbour in the same passage less so where a way, a reason, a meaning or a stance
is asked for. What states nothing (`rag.answering.leads`) is replaced by what it leads to, be it a whole list.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag.answering.contradicting import asks_stance, negates, says_no
from rag.answering.generator import GenerationRequest, RankedSentence
from rag.answering.leads import Leads, announces, asks, asks_for_name
from rag.corpus import Corpus
from rag.ranking.asked_units import amount_test, names_dimension
from rag.records import Sentence
from rag.structure import Structure
from rag.text.definitions import asked_term, defines
from rag.text.enumeration import item_mark
from rag.text.folding import fold

NEARLY = 0.4
"""A further sentence is taken if it is at least this share as relevant as the best one."""
_WEAK, _MOST_BESIDE_WEAK = 0.1, 2
_POOL = 8
_MAX_SENTENCES = 6
_HEAD_CHARS, _FEW_CHARS = 30, 14
_NEIGHBOUR_KINDS = ("how", "why", "definition")
_REASON = re.compile("因为|由于|原因|缘故|为了|以免|以防|否则|免得|所以|因此|怕")
_NEIGHBOUR, _NEIGHBOUR_CHUNK_CHARS = 0.2, 200
_HAVING_WHAT = re.compile(
    r"有(?:什么|哪些|哪几[个种点样]|啥)(?:样的)?([\u4e00-\u9fff]{2,4}?)[啊呀呢]?[?。!]*$"
)


class Choice:
    """Sentences being chosen for one request.

    Args:
        request: The question and what may be cited.
        corpus: The rows.
        structure: Its enumerations.
    """

    def __init__(self, request: GenerationRequest, corpus: Corpus, structure: Structure) -> None:
        self._request = request
        self._corpus = corpus
        self._structure = structure
        self._leads = Leads(corpus)
        self._citable = {passage.chunk.ordinal for passage in request.passages}
        self._wants_name = asks_for_name(request.question)
        self._room = request.max_chars
        self.chosen: list[Sentence] = []

    def of(self, first: Sequence[RankedSentence]) -> list[Sentence]:
        """`first`, then the next best while they are nearly as relevant and there is room; in order."""
        top = self._request.ranked[0].relevance
        near = [found for found in self._request.ranked[:_POOL] if found.relevance >= NEARLY * top]
        stating = self._stating(near)
        first = first if len(first) > 1 else stating[:1] or self._naming(first[0]) or first
        homes = {found.sentence.chunk_ordinal for found in first}
        for found in first:
            self._take_all(found.sentence)
        beside = 0
        for found in near:
            elsewhere = found.sentence.chunk_ordinal not in homes
            padding = elsewhere and (
                (top < _WEAK and beside >= _MOST_BESIDE_WEAK) or (stating and found not in stating)
            )
            if found not in first and not padding:
                beside += self._take_all(found.sentence) and elsewhere
        self._take_neighbours()
        return self._in_order()

    def _stating(self, near: Sequence[RankedSentence]) -> list[RankedSentence]:
        """Those that state an amount of the dimension that is asked for; none if none is named."""
        question = self._request.question
        if question.kind != "number" or not names_dimension(question.folded):
            return []
        states = amount_test(question.folded)
        return [
            found for found in near if states(fold(found.sentence.text)) or self._leads.heads(found.sentence)
        ]

    def _naming(self, best: RankedSentence) -> list[RankedSentence]:
        """Where "有什么X" is asked and the best sentence lacks X: the one beside it that says what X is."""
        found = _HAVING_WHAT.search(self._request.question.folded)
        noun = found[1] if found else ""
        if not noun or noun in fold(best.sentence.text):
            return []
        says = re.compile(f"{re.escape(noun)}(?:主要|就)?(?:是|在于|有|为|包括|:)")
        return [
            other
            for other in self._request.ranked
            if other.sentence.chunk_ordinal == best.sentence.chunk_ordinal
            and other.relevance >= _NEIGHBOUR * best.relevance
            and says.search(fold(other.sentence.text))
        ][:1]

    def _take_all(self, sentence: Sentence) -> bool:
        """Take a sentence, or what it leads to, and its body; whether anything was taken."""
        before = len(self.chosen)
        for one in self._led_to(sentence) if self._says_nothing(sentence) else self._with_body(sentence):
            self._take(one)
        return len(self.chosen) > before

    def _led_to(self, sentence: Sentence) -> list[Sentence]:
        """What a sentence that states nothing leads to, unless some is chosen; itself if nothing is."""
        followed = self._following(sentence) if self._worth_following(sentence) else []
        if followed and announces(followed[-1].text):
            more = self._following(followed[-1])
            followed = [*(followed[:-1] if more else followed), *more]
        below = [one for one in followed if one.paragraph != sentence.paragraph]
        places = {(one.document_id, one.paragraph) for one in self.chosen}
        if any((one.document_id, one.paragraph) in places for one in below):
            return []
        return followed or ([] if self.chosen else [sentence])

    def _following(self, sentence: Sentence) -> list[Sentence]:
        """The list that a sentence announces, or else what follows it up to one full sentence."""
        followed = self._leads.led_to(sentence)
        for enumeration in self._structure.of_sentence(sentence.ordinal):
            announced = sentence.ordinal in enumeration.announcers
            if followed and announced and enumeration.heads[0] == followed[0].ordinal:
                items = [self._corpus.sentences[row] for item in enumeration.items for row in item]
                if len(items) <= _MAX_SENTENCES and sum(len(one.text) for one in items) <= self._room:
                    return items
                return [self._corpus.sentences[row] for row in enumeration.heads]
        return followed

    def _take(self, sentence: Sentence) -> None:
        new = all(sentence.ordinal != other.ordinal for other in self.chosen)
        fits = not self.chosen or len(sentence.text) <= self._room
        if new and fits and len(self.chosen) < _MAX_SENTENCES and sentence.chunk_ordinal in self._citable:
            self.chosen.append(sentence)
            self._room -= len(sentence.text)

    def _says_nothing(self, sentence: Sentence) -> bool:
        text = sentence.text
        if announces(text) and len(text) <= _FEW_CHARS and self._leads.below(sentence) is not None:
            return True
        return asks(text) or (not self._wants_name and self._leads.is_label(sentence))

    def _worth_following(self, sentence: Sentence) -> bool:
        """Whether what stands below is led to: a bare line may be a name under what stands above."""
        return self._leads.heads(sentence) or sentence.ordinal == self._request.ranked[0].sentence.ordinal

    def _with_body(self, sentence: Sentence) -> list[Sentence]:
        return [sentence, *self._body_of(sentence)]

    def _body_of(self, sentence: Sentence) -> list[Sentence]:
        """What follows a sentence that says little by itself: up to one full sentence.

        Such are short openings of a list's items ("二是……。"), sentences of a few words, and what ends in a
        colon, which all of a list may follow.
        """
        if announces(sentence.text) and self._leads.below(sentence) is not None:
            return self._following(sentence)
        if len(sentence.text) <= _FEW_CHARS:
            return [one for one in self._leads.led_to(sentence) if one.paragraph == sentence.paragraph]
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

    def _take_neighbours(self) -> None:
        """Of a short passage also what stands next to the chosen and is somewhat relevant."""
        top = self._request.ranked[0]
        if not self.chosen or not self._wants_neighbours():
            return
        home = [r for r in self._request.ranked if r.sentence.chunk_ordinal == top.sentence.chunk_ordinal]
        if sum(len(found.sentence.text) for found in home) > _NEIGHBOUR_CHUNK_CHARS:
            return
        for found in sorted(home, key=lambda found: found.sentence.ordinal):
            row = found.sentence.ordinal
            near = any(abs(row - other.ordinal) == 1 for other in self.chosen)
            empty = asks(found.sentence.text) or announces(found.sentence.text)
            if near and found.relevance >= _NEIGHBOUR * top.relevance and not empty:
                self._take(found.sentence)

    def _wants_neighbours(self) -> bool:
        """Whether what is asked for is seldom all in one sentence, and the chosen do not clearly hold it."""
        question = self._request.question
        said = [fold(sentence.text) for sentence in self.chosen]
        if asks_stance(question):
            return not any(says_no(text) for text in said)
        if question.kind == "why":
            return not any(_REASON.search(text) for text in said)
        term = asked_term(question.folded)
        if term is not None and any(defines(text, term) for text in said):
            return False
        return question.kind in _NEIGHBOUR_KINDS

    def _in_order(self) -> list[Sentence]:
        ordered = reading_order(self.chosen)
        denial = self._denial()
        if denial is None:
            return ordered
        if denial not in ordered:
            ordered = [*ordered[: _MAX_SENTENCES - 1]]
        return [denial, *(one for one in ordered if one is not denial)]

    def _denial(self) -> Sentence | None:
        """The sentence of the best passage that denies what the question takes for granted."""
        top = self._request.ranked[0].sentence
        rows = self._corpus.sentences_of_chunk.get(top.chunk_ordinal, ())
        for row in rows:
            sentence = self._corpus.sentences[row]
            if negates(sentence.text, self._request.question):
                return sentence
        return None


def reading_order(chosen: Sequence[Sentence]) -> list[Sentence]:
    """Documents by their first appearance, then paragraphs by theirs, sentences as they stand in them."""
    documents: dict[str, int] = {}
    places: dict[tuple[str, int], int] = {}
    for sentence in chosen:
        documents.setdefault(sentence.document_id, len(documents))
        places.setdefault((sentence.document_id, sentence.paragraph), len(places))
    return sorted(
        chosen, key=lambda s: (documents[s.document_id], places[(s.document_id, s.paragraph)], s.ordinal)
    )
