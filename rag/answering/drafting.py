"""What is said in reply to one question: from the page's typed parts, by a generator, or nothing.

Three ways, in this order: who wrote it and what it is called is read off the page; what the judge holds
for answered is written by the generator and checked; for the rest there is an abstention.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rag.answering.abstention import Abstention, abstain
from rag.answering.citations import SourceLinks
from rag.answering.gate import Checked, Gate
from rag.answering.generator import AnswerGenerator
from rag.answering.material import MaterialMaker
from rag.answering.rendering import answer_parts
from rag.answering.typed_lookup import TypedLookup
from rag.answering.writing import AnswerWriting
from rag.confidence.judge import Judgement
from rag.corpus import Corpus
from rag.question import Question
from rag.records import Answer, Degradation, Passage
from rag.retrieval import Retrieved
from rag.scope import Scope
from rag.structure import Structure

_RELATED = 3
_SURE = 0.9
"""Confidence from which "not answered" is not believed: a planted text may have told a model to say so."""
_TYPED_CONFIDENCE = 0.95
_MISSING_CONFIDENCE = 0.05
"""Confidence where a typed part of the page is asked for: it is printed there, or it is not."""


@dataclass
class AnswerDraft:
    """What answering one question has come to so far.

    Attributes:
        question: As asked.
        found: What search found.
        judgement: Whether that answers.
        generator: Who writes; at the end, who wrote.
        checked: The sentences that were admitted.
        abstention: Why nothing is said, if so.
        degraded: What went wrong with the generator, if anything did.
    """

    question: Question
    found: Retrieved
    judgement: Judgement
    generator: str
    checked: Checked = field(default_factory=lambda: Checked((), ()))
    abstention: Abstention | None = None
    degraded: Degradation | None = None

    @property
    def related(self) -> tuple[Passage, ...]:
        """The nearest passages, for an abstention."""
        return self.found.passages[:_RELATED]

    def answer(
        self,
        resolved_question: str,
        fingerprint: str,
        timings_ms: Mapping[str, float],
        explain: Mapping[str, Any] | None,
    ) -> Answer:
        """The finished answer."""
        said = self.abstention
        return Answer(
            answer_id=f"ans_{uuid.uuid4().hex}",
            status="abstained" if said else "answered",
            answer=said.text if said else "".join(answer_parts(self.checked)),
            reason=said.reason if said else None,
            confidence=self.judgement.confidence,
            sentences=self.checked.sentences,
            citations=self.checked.citations,
            related=self.related if said else (),
            resolved_question=resolved_question,
            generator=self.generator,
            fingerprint=fingerprint,
            timings_ms={stage: round(value, 2) for stage, value in timings_ms.items()},
            calibration=self.judgement.calibration,
            degraded=self.degraded,
            dropped=self.checked.dropped,
            explain=explain,
        )


class Drafter:
    """Makes drafts over one corpus.

    Args:
        corpus: The rows.
        lookup: Answers from typed parts.
        extractive: Writes where another generator fails.
        answer_max_chars: How long an answer may be.
        links: Lead to its documents.
        ever_answers: Whether anything may be answered at all.
    """

    def __init__(
        self,
        corpus: Corpus,
        lookup: TypedLookup,
        extractive: AnswerGenerator,
        *,
        answer_max_chars: int,
        links: SourceLinks,
        ever_answers: bool,
    ) -> None:
        self._corpus = corpus
        self._lookup = lookup
        self._extractive = extractive
        self._material = MaterialMaker(
            corpus, Structure(corpus), answer_max_chars=answer_max_chars, links=links
        )
        self._links = links
        self._ever_answers = ever_answers

    def steps(
        self,
        draft: AnswerDraft,
        scope: Scope,
        writer: AnswerGenerator,
        top_k: int,
        cancelled: Callable[[], bool],
    ) -> Iterator[Checked]:
        """All sentences admitted so far, whenever there are new ones; what else came of it, into `draft`.

        Raises:
            GeneratorError: If it was cancelled.
        """
        typed = self._lookup.find(draft.question, draft.found, scope, confident=draft.judgement.on_topic)
        if typed is not None and self._ever_answers:
            if typed.sentences:
                draft.judgement = replace(draft.judgement, confidence=_TYPED_CONFIDENCE)
                draft.generator = self._extractive.name  # read off the page: no other generator was asked
                yield self._lookup.cite(typed)
                return
            draft.judgement = replace(draft.judgement, confidence=_MISSING_CONFIDENCE)
            draft.abstention = Abstention("not_stated", typed.missing)
            return
        if draft.judgement.answerable and draft.found.passages:
            request = self._material.request(
                draft.question,
                draft.found,
                scope,
                top_k=top_k,
                cancelled=cancelled,
                logits=draft.judgement.logits,
            )
            writing = AnswerWriting(
                request,
                writer,
                None if writer is self._extractive else self._extractive,
                Gate(request.passages, self._corpus, links=self._links),
                name=draft.generator,
                may_refuse=draft.judgement.confidence < _SURE,
            )
            yield from writing.steps()
            draft.generator, draft.degraded = writing.generator, writing.degraded
            draft.checked = writing.checked
        if not draft.checked.sentences:
            draft.abstention = abstain(draft.question, draft.judgement, draft.related)
