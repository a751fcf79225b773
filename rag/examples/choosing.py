"""Which candidates become examples: those that the service answers from the very place they were made from.

The next one is always the best of what is left, less something for each example that its document or its
kind already has. So one corpus gives one list, spread over documents first and kinds second.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property

from rag.corpus import Corpus
from rag.errors import CewenError
from rag.examples.candidates import Candidate, candidates
from rag.records import Answer, Example
from rag.text.terms import pairs

Ask = Callable[[str], Answer]
Drawn = tuple[Example, ...]
InTurn = Callable[[], AbstractContextManager[object]]
"""Entered for a piece of work."""

WANTED = 6
MAX_ASKED = 24
"""It ends with so many found, or so many asked."""
_CONFIDENCE = 0.6
_COVERED = 0.5
_SAME_DOCUMENT, _SAME_KIND, _FAILED_DOCUMENT = 0.8, 0.4, 0.08
_AUTHORS = 1
_ALIKE = 0.4
_WORST = 0.86
RETRY_SECONDS = 60.0
"""How long after a failure nothing is tried."""

_logger = logging.getLogger(__name__)


class Examples:
    """Examples of one corpus, made when first wanted and then kept. Safe to call from threads.

    Args:
        corpus: What they are drawn from.
    """

    def __init__(self, corpus: Corpus) -> None:
        self._corpus = corpus
        self._lock = threading.Lock()
        self._made: Drawn | None = None
        self._failed_at: float | None = None

    def get(self, ask: Ask, in_turn: InTurn = nullcontext) -> Drawn:
        """The examples; callers that come while they are made wait for the same ones.

        None if they cannot be made; a later call tries again, but not within `RETRY_SECONDS`.

        Args:
            ask: Answers a question, without a language model. It is not kept: an engine that its examples
                held would be a circle, and outlive its library.
            in_turn: Is entered for each piece of work, such as a question that is tried; may wait for others.
        """
        with self._lock:
            if self._made is not None:
                return self._made
            if self._failed_at is not None and time.monotonic() - self._failed_at < RETRY_SECONDS:
                return ()
            try:
                self._made = self._drawn(ask, in_turn)
            except Exception as error:  # a page must not fail for want of examples
                _logger.error("no examples could be drawn from the corpus", exc_info=error)
            self._failed_at = time.monotonic()
            return self._made or ()

    def _drawn(self, ask: Ask, in_turn: InTurn) -> Drawn:
        """The examples.

        Raises:
            CewenError: If there are none and some question could not be asked: perhaps it can be later.
        """
        failures: list[CewenError] = []

        def tried(question: str) -> Answer:
            try:
                with in_turn():
                    return ask(question)
            except CewenError as error:
                failures.append(error)
                raise

        with in_turn():
            found = candidates(self._corpus)
        made = choose(found, tried)
        if failures and not made:
            raise failures[0]
        return made


class _Row:
    """A candidate that is left, its wording taken apart once."""

    def __init__(self, candidate: Candidate) -> None:
        self.candidate = candidate

    @cached_property
    def wording(self) -> frozenset[str]:
        """The character pairs of its question."""
        return frozenset(pairs(self.candidate.question))


def choose(found: Sequence[Candidate], ask: Ask) -> Drawn:
    """Ask the candidates that serve best until there are enough.

    Args:
        found: Candidates, best first.
        ask: Answers a question. One that raises a `CewenError` drops the candidate.
    """
    left = [_Row(candidate) for candidate in found if candidate.score >= _WORST]
    documents: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    chosen: list[Candidate] = []
    for _ in range(MAX_ASKED):
        if not left or len(chosen) == WANTED:
            break
        row = max(
            left,
            key=lambda row: (
                row.candidate.score
                - _SAME_DOCUMENT * documents[row.candidate.document_id]
                - _FAILED_DOCUMENT * failed[row.candidate.document_id]
                - _SAME_KIND * kinds[row.candidate.kind]
            ),
        )
        left.remove(row)
        best = row.candidate
        if not _answered(best, ask):
            failed[best.document_id] += 1
            continue
        chosen.append(best)
        documents[best.document_id] += 1
        kinds[best.kind] += 1
        enough_authors = kinds["author"] >= _AUTHORS
        # Those like the ones chosen before are gone already.
        left = [
            other
            for other in left
            if not (enough_authors and other.candidate.kind == "author") and not _alike(row, other)
        ]
    return tuple(Example(candidate.question, candidate.document_id) for candidate in chosen)


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


def _alike(one: _Row, other: _Row) -> bool:
    """Whether two candidates stand in one sentence or share much of their wording."""
    this, that = one.candidate, other.candidate
    if this.document_id == that.document_id and (
        this.start_char < that.end_char and that.start_char < this.end_char
    ):
        return True
    left, right = one.wording, other.wording
    return len(left & right) >= _ALIKE * max(1, min(len(left), len(right)))
