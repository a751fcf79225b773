"""The seam for answer writers. A generator sees a question and numbered passages and gives a draft.

A draft is only a claim: each of its sentences names the passages it stands on, and
`rag.answering.citations` checks every one of them before a reader sees it. So a generator needs no
access to the index, cannot forge a citation, and may be anything from a rule to a language model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rag.question import Question
from rag.records import Passage, Sentence


@dataclass(frozen=True, slots=True)
class RankedSentence:
    """A candidate sentence.

    Attributes:
        sentence: The sentence.
        relevance: Estimated probability, 0-1, that it holds evidence for the question.
    """

    sentence: Sentence
    relevance: float


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a generator gets.

    Attributes:
        question: The question as searched.
        passages: Retrieved passages, best first; `passages[i].rank == i + 1` is their number.
        ranked: Candidate sentences, best first.
        named: Ids of the documents that the question names, in corpus order; may be empty.
        max_chars: How long the answer may be; a complete list may be longer.
    """

    question: Question
    passages: Sequence[Passage]
    ranked: Sequence[RankedSentence]
    named: Sequence[str]
    max_chars: int


@dataclass(frozen=True, slots=True)
class DraftSentence:
    """One claimed sentence.

    Attributes:
        text: The sentence, without marks.
        passages: Numbers of the passages it claims to stand on.
        sentence: The corpus sentence it repeats, when the generator knows (it is still checked).
    """

    text: str
    passages: tuple[int, ...] = ()
    sentence: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a generator gives back; no sentences means that it found nothing to say."""

    sentences: tuple[DraftSentence, ...]
    is_list: bool = False


class AnswerGenerator(Protocol):
    """Writes drafts."""

    @property
    def name(self) -> str:
        """The name by which it is chosen."""

    def generate(self, request: GenerationRequest) -> Draft:
        """Write a draft for one question. Same request, same draft."""
