"""The seam for answer writers. A generator sees a question and numbered passages and gives text with marks.

What it writes is only a claim: `rag.answering.marks` cuts it into sentences, `rag.answering.gate` checks
every one of them against the passages, and nothing else reaches a reader. So a generator needs no access to
the index, cannot forge a citation, and may be anything from a rule to a language model.

A third party's generator is found through the entry-point group `cewen.generators`; see
`rag.answering.plugins`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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


def never() -> bool:
    """Nobody cancels."""
    return False


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """What a generator gets.

    Attributes:
        question: The question as searched.
        passages: Numbered passages: `passages[i].rank == i + 1` is what a mark `[n]` names. First the most
            relevant ones, best first; then those that complete a list of which one of them is a part.
        ranked: Candidate sentences of these passages, best first.
        named: Ids of the documents that the question names, in corpus order; may be empty.
        max_chars: How long the answer may be; a complete list may be longer.
        cancelled: Whether nobody waits for the answer any more; to be asked now and then by a slow generator.
    """

    question: Question
    passages: Sequence[Passage]
    ranked: Sequence[RankedSentence]
    named: Sequence[str]
    max_chars: int
    cancelled: Callable[[], bool] = never


class AnswerGenerator(Protocol):
    """Writes answers.

    The text is plain; after a sentence stand the numbers of the passages that support it, as `[1]` or
    `[1][3]`. A line end ends a sentence too. A sentence that repeats a passage word for word needs nothing
    else; any other one must hold no number, name or quotation that its passages lack.
    """

    @property
    def name(self) -> str:
        """The name by which it is chosen."""

    def generate(self, request: GenerationRequest) -> Iterator[str]:
        """Give the text piece by piece, cut anywhere; no text at all says that the passages do not answer.

        Raises:
            GeneratorError: If it cannot go on; what was given before still counts.
        """
