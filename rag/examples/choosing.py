"""Which candidates become examples: those that the service answers from the very place they were made from.

The next one is always the best of what is left, less something for each example that its document or its
kind already has. So one corpus gives one list, spread over documents first and kinds second.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Sequence

from rag.corpus import Corpus
from rag.errors import CewenError
from rag.examples.candidates import Candidate, candidates
from rag.records import Answer
from rag.text.terms import pairs

Ask = Callable[[str], Answer]

WANTED = 6
MAX_ASKED = 24
"""It ends with so many found, or so many asked."""
_CONFIDENCE = 0.6
_COVERED = 0.5
_SAME_DOCUMENT, _SAME_KIND, _FAILED_DOCUMENT = 0.8, 0.4, 0.08
_AUTHORS = 1
_ALIKE = 0.4
_WORST = 0.86

_logger = logging.getLogger(__name__)


class Examples:
    """Examples of one corpus, made when first wanted and then kept. Safe to call from threads.

    Args:
        corpus: What they are drawn from.
        ask: Answers a question, without a language model.
    """

    def __init__(self, corpus: Corpus, ask: Ask) -> None:
        self._corpus = corpus
        self._ask = ask
        self._lock = threading.Lock()
        self._made: tuple[str, ...] | None = None

    def get(self) -> tuple[str, ...]:
        """The examples; callers that come while they are made wait for the same ones."""
        with self._lock:
            if self._made is None:
                try:
                    self._made = choose(candidates(self._corpus), self._ask)
                except Exception as error:  # a page must not fail for want of examples
                    _logger.error("no examples could be drawn from the corpus", exc_info=error)
                    self._made = ()
            return self._made


def choose(found: Sequence[Candidate], ask: Ask) -> tuple[str, ...]:
    """Ask the candidates that serve best until there are enough.

    Args:
        found: Candidates, best first.
        ask: Answers a question. One that raises a `CewenError` drops the candidate.
    """
    left = [candidate for candidate in found if candidate.score >= _WORST]
    documents: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    chosen: list[Candidate] = []
    for _ in range(MAX_ASKED):
        left = [
            candidate
            for candidate in left
            if not any(_alike(candidate, other) for other in chosen)
            and (candidate.kind != "author" or kinds["author"] < _AUTHORS)
        ]
        if not left or len(chosen) == WANTED:
            break
        best = max(
            left,
            key=lambda candidate: (
                candidate.score
                - _SAME_DOCUMENT * documents[candidate.document_id]
                - _FAILED_DOCUMENT * failed[candidate.document_id]
                - _SAME_KIND * kinds[candidate.kind]
            ),
        )
        left.remove(best)
        if _answered(best, ask):
            chosen.append(best)
            documents[best.document_id] += 1
            kinds[best.kind] += 1
        else:
            failed[best.document_id] += 1
    return tuple(candidate.question for candidate in chosen)


def _answered(candidate: Candidate, ask: Ask) -> bool:
    """Whether the service answers it, is sure, and cites most of the sentence that the answer stands in."""
    try:
        answer = ask(candidate.question)
    except CewenError:
        return False
    if answer.status != "answered" or answer.confidence < _CONFIDENCE:
        return False
    covered = max(
        (
            min(citation.end_char, candidate.end_char) - max(citation.start_char, candidate.start_char)
            for citation in answer.citations
            if citation.document_id == candidate.document_id
        ),
        default=0,
    )
    return covered >= _COVERED * (candidate.end_char - candidate.start_char)


def _alike(one: Candidate, other: Candidate) -> bool:
    """Whether two candidates stand in one sentence or share much of their wording."""
    if one.document_id == other.document_id and (
        one.start_char < other.end_char and other.start_char < one.end_char
    ):
        return True
    left, right = set(pairs(one.question)), set(pairs(other.question))
    return len(left & right) >= _ALIKE * max(1, min(len(left), len(right)))
