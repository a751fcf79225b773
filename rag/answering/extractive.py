"""The default generator: whole sentences of the corpus, verbatim, chosen by what the question asks for.

Nothing is written, only chosen. A list gets every item of the enumeration it stands in; a comparison the
best sentences of each side, under the name of who says so; anything else the most relevant sentences, as few
as are nearly as relevant as the best one. What is chosen from one paragraph stands in reading order.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from rag.answering.choosing import NEARLY, Choice
from rag.answering.generator import GenerationRequest, RankedSentence
from rag.answering.lists import wanted_enumeration
from rag.corpus import Corpus
from rag.question_patterns import ASKS_VOICE
from rag.records import Sentence
from rag.structure import Structure

EXTRACTIVE = "extractive"

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
            choice = Choice(request, self._corpus, self._structure)
            chosen = choice.of(self._sides(request) if several else [request.ranked[0]])
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
        floor = 0.0 if len(request.named) > 1 else 0.5 * NEARLY * request.ranked[0].relevance
        for found in request.ranked:
            if found.relevance < floor or len(sides) >= max(_SIDES, len(request.named)):
                break
            if len(request.named) < 2 or found.sentence.document_id in request.named:
                sides.setdefault(found.sentence.document_id, found)
        return list(sides.values())


def _closed(sentences: Sequence[Sentence]) -> bool:
    """Whether each ends with a mark that ends a sentence; else only a line end keeps it from the next."""
    return all(sentence.text.rstrip("”’」』）)】》\"'*_")[-1:] in "。！？!?…" for sentence in sentences)
