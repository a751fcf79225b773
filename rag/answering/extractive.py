"""The default generator: whole sentences of the corpus, verbatim, chosen by what the question asks for.

Nothing is written, only chosen. A list gets every item of the enumeration it stands in; a comparison the
best sentences of each side, under the name of who says so; anything else the most relevant sentences, as few
as are nearly as relevant as the best one. What is chosen from one paragraph stands in reading order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rag.answering.generator import GenerationRequest, RankedSentence
from rag.answering.lists import wanted_enumeration
from rag.corpus import Corpus
from rag.question_patterns import ASKS_VOICE
from rag.records import Sentence
from rag.structure import Structure
from rag.text.enumeration import item_mark

EXTRACTIVE = "extractive"

_NEARLY = 0.4
"""A further sentence is taken if it is at least this share as relevant as the best one."""
_POOL = 8
_MAX_SENTENCES = 6
_HEAD_CHARS = 30
_FEW_CHARS, _ENOUGH_CHARS = 14, 20
_SIDES = 3


class ExtractiveGenerator:
    """Chooses sentences.

    Args:
        corpus: The rows.
        structure: Its enumerations.
    """

    name = EXTRACTIVE

    def __init__(self, corpus: Corpus, structure: Structure) -> None:
        self._corpus = corpus
        self._structure = structure

    def generate(self, request: GenerationRequest) -> Iterator[str]:
        """Choose the sentences that answer; all of the text comes in one piece."""
        if not request.ranked:
            return
        numbers = {passage.chunk.ordinal: passage.rank for passage in request.passages}
        enumeration = self._enumeration(request)
        if enumeration:
            chosen, break_lines = enumeration, True
        else:
            several = request.question.kind == "comparison" or len(request.named) > 1
            chosen = self._fill(self._sides(request) if several else [request.ranked[0]], request)
            break_lines = False
        known = [sentence for sentence in chosen if sentence.chunk_ordinal in numbers]
        voiced = ASKS_VOICE.search(request.question.folded) is not None
        yield self._text(known, numbers, break_lines=break_lines, voiced=voiced)

    def _enumeration(self, request: GenerationRequest) -> list[Sentence]:
        """The items of the list that is asked for, or nothing."""
        question = request.question
        if question.kind != "list" and question.count is None:
            return []
        enumeration = wanted_enumeration(request.ranked, self._structure, question.count)
        return [self._corpus.sentences[head] for head in enumeration.heads] if enumeration else []

    def _text(
        self, sentences: Sequence[Sentence], numbers: dict[int, int], *, break_lines: bool, voiced: bool
    ) -> str:
        """Sentences with marks; under the printed authors where several speak or `voiced` asks who does."""
        parts = [list(group) for _, group in groupby(sentences, key=lambda s: s.document_id)]
        voices = {self._corpus.document_by_id[part[0].document_id].printed_authors for part in parts}
        lines: list[str] = []
        for part in parts:
            authors = self._corpus.document_by_id[part[0].document_id].printed_authors
            if (voiced or len(voices) > 1) and authors:
                lines.append(f"{'、'.join(authors)}：[{numbers[part[0].chunk_ordinal]}]")
            said = [f"{sentence.text}[{numbers[sentence.chunk_ordinal]}]" for sentence in part]
            lines += said if break_lines or not _closed(part) else ["".join(said)]
        return "\n".join(lines)

    def _sides(self, request: GenerationRequest) -> list[RankedSentence]:
        """The best sentence of each document that is named, or else that has one among the best."""
        sides: dict[str, RankedSentence] = {}
        floor = 0.0 if len(request.named) > 1 else 0.5 * _NEARLY * request.ranked[0].relevance
        for found in request.ranked:
            if found.relevance < floor or len(sides) >= max(_SIDES, len(request.named)):
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
        """What follows a sentence that says little by itself: up to one full sentence.

        Such are short openings of a list's items ("二是……。"), questions that the text goes on to answer, and
        sentences of a few words.
        """
        if sentence.text.rstrip("”’」』）)").endswith(("？", "?")) or len(sentence.text) <= _FEW_CHARS:
            return self._following(sentence)
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

    def _following(self, sentence: Sentence) -> list[Sentence]:
        """The next sentence of the paragraph and, while that is short, the one after it."""
        body: list[Sentence] = []
        for ordinal in range(sentence.ordinal + 1, min(sentence.ordinal + 4, len(self._corpus.sentences))):
            other = self._corpus.sentences[ordinal]
            if (other.document_id, other.paragraph) != (sentence.document_id, sentence.paragraph):
                break
            body.append(other)
            if len(other.text) > _ENOUGH_CHARS:
                break
        return body


def _closed(sentences: Sequence[Sentence]) -> bool:
    """Whether each ends with a mark that ends a sentence; else only a line end keeps it from the next."""
    return all(sentence.text.rstrip("”’」』）)】》\"'")[-1:] in "。！？!?…" for sentence in sentences)


def _reading_order(chosen: Sequence[Sentence]) -> list[Sentence]:
    """Documents by their first appearance, then paragraphs by theirs, sentences as they stand in them."""
    documents: dict[str, int] = {}
    places: dict[tuple[str, int], int] = {}
    for sentence in chosen:
        documents.setdefault(sentence.document_id, len(documents))
        places.setdefault((sentence.document_id, sentence.paragraph), len(places))
    return sorted(
        chosen, key=lambda s: (documents[s.document_id], places[(s.document_id, s.paragraph)], s.ordinal)
    )
