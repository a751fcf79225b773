"""The engine: one question in, one cited answer or one honest abstention out.

It joins the stages and owns none of them. It is built once by the assembly point, is immutable after
that, and may be called from several threads.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from time import perf_counter
from typing import Any

from rag.answering.abstention import (
    LACKING_CONFIDENCE,
    abstention_reason,
    abstention_text,
    lacks_asked_kind,
)
from rag.answering.gate import Checked, check_draft
from rag.answering.generator import AnswerGenerator, Draft, GenerationRequest
from rag.answering.typed_lookup import TypedLookup
from rag.corpus import Corpus
from rag.errors import NotFoundError
from rag.followup import resolve_followup
from rag.inputs import check_question
from rag.question import Question, read_question
from rag.records import Answer, AnswerSentence, Document, Passage, Reason, Turn
from rag.retrieval import Retrieved, Retriever
from rag.scope import Scope, ScopeFinder

_RELATED = 3
# On the corpus's subject: it could nearly be answered, or most of its words stand in one place.
_NEAR_CONFIDENCE, _NEAR_PEAK = 0.1, 0.6
_TYPED_CONFIDENCE = 0.95
_NOTHING = Checked((), (), ())


@dataclass(frozen=True)
class EngineOptions:
    """Settings of the engine.

    Attributes:
        answer_threshold: Abstain below this confidence, 0-1; 0 always answers, 1 never.
        answer_max_chars: Longest answer in characters; a complete list may be longer.
        candidates_per_arm: How many rows each arm contributes.
        generator: Name of the default generator.
        public_url: Prefix of links; "" for relative ones.
    """

    answer_threshold: float
    answer_max_chars: int
    candidates_per_arm: int
    generator: str
    public_url: str


@dataclass(frozen=True)
class _Outcome:
    """What answering came to, before it is put into an `Answer`."""

    checked: Checked
    reason: Reason | None
    message: str
    confidence: float
    is_list: bool = False


class Engine:
    """Answers questions about one corpus.

    Args:
        corpus: The rows.
        retriever: Searches them.
        generators: By name; `options.generator` must be among them.
        options: Settings.
        index_fingerprint: Names corpus, model and index.
        model_provenance: What the ranking weights were fitted on; goes into the fingerprint.
    """

    def __init__(
        self,
        corpus: Corpus,
        retriever: Retriever,
        generators: Mapping[str, AnswerGenerator],
        options: EngineOptions,
        *,
        index_fingerprint: str,
        model_provenance: dict[str, Any],
    ) -> None:
        self._corpus = corpus
        self._retriever = retriever
        self._generators = generators
        self._options = options
        self._scopes = ScopeFinder(corpus)
        self._lookup = TypedLookup(corpus, threshold=options.answer_threshold, public_url=options.public_url)
        settings = [index_fingerprint, model_provenance, asdict(replace(options, public_url=""))]
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True, ensure_ascii=False).encode()).hexdigest()
        self.fingerprint = f"{index_fingerprint}-{digest[:8]}"

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        top_k: int = 8,
        generator: str | None = None,
        explain: bool = False,
    ) -> Answer:
        """Answer a question.

        Args:
            question: As typed, 1-2000 characters.
            history: The conversation so far, oldest first.
            top_k: How many passages the generator sees, from 1.
            generator: Which generator to use instead of the default.
            explain: Whether to say how the answer came about.

        Raises:
            InputError: If the question is empty, too long or not text.
            NotFoundError: If there is no such generator (code "generator_not_found").
        """
        started = perf_counter()
        writer = self._generator(generator)
        resolved = resolve_followup(check_question(question), history)
        read = read_question(resolved)
        found, scope = self._retrieve(read)
        outcome = self._typed(read, found, scope) or self._generated(read, found, scope, writer, top_k)
        total = 1e3 * (perf_counter() - started)
        timings = found.timings_ms | {"total": total}
        related = found.passages[:_RELATED] if outcome.reason else ()
        return Answer(
            answer_id=f"ans_{uuid.uuid4().hex}",
            status="abstained" if outcome.reason else "answered",
            answer=outcome.message or _marked(outcome.checked.sentences, is_list=outcome.is_list),
            reason=outcome.reason,
            confidence=outcome.confidence,
            sentences=outcome.checked.sentences,
            citations=outcome.checked.citations,
            related=related,
            resolved_question=resolved,
            generator=writer.name,
            fingerprint=self.fingerprint,
            timings_ms={stage: round(value, 2) for stage, value in timings.items()},
            explain=_explanation(read, found, outcome, top_k) if explain else None,
        )

    def search(
        self, query: str, *, top_k: int = 10, score_threshold: float | None = None
    ) -> tuple[Passage, ...]:
        """The most relevant passages, best first; `score_threshold` keeps those scoring at least that."""
        read = read_question(check_question(query))
        found, scope = self._retrieve(read)
        typed = self._lookup.find(read, found, scope)
        first = self._lookup.passages(typed) if typed else []
        rest = [replace(passage, rank=passage.rank + len(first)) for passage in found.passages]
        threshold = score_threshold or 0.0
        return tuple(passage for passage in [*first, *rest][:top_k] if passage.score >= threshold)

    def documents(self) -> tuple[Document, ...]:
        """All documents, in corpus order."""
        return self._corpus.documents

    def document(self, document_id: str) -> Document:
        """One document.

        Raises:
            NotFoundError: If there is none of that id (code "document_not_found").
        """
        try:
            return self._corpus.document_by_id[document_id]
        except KeyError:
            raise NotFoundError(
                f"没有编号为 {document_id[:40]!r} 的文章。可用 GET /v1/documents 查看全部编号。",
                code="document_not_found",
            ) from None

    def _generator(self, name: str | None) -> AnswerGenerator:
        wanted = name or self._options.generator
        if wanted not in self._generators:
            raise NotFoundError(
                f"没有名为 {wanted[:40]!r} 的生成器，可用的有：{'、'.join(sorted(self._generators))}。",
                code="generator_not_found",
            )
        return self._generators[wanted]

    def _retrieve(self, question: Question) -> tuple[Retrieved, Scope]:
        scope = self._scopes.find(question.text)
        searched = (
            question
            if scope.rest == question.text
            else replace(read_question(scope.rest), kind=question.kind)
        )
        return self._retriever.retrieve(searched, scope), scope

    def _typed(self, question: Question, found: Retrieved, scope: Scope) -> _Outcome | None:
        """The answer from a document's typed parts, if that is what the question asks for."""
        typed = self._lookup.find(question, found, scope)
        if typed is None or self._options.answer_threshold >= 1:
            return None
        if not typed.sentences:
            return _Outcome(_NOTHING, "not_stated", typed.missing, LACKING_CONFIDENCE)
        confidence = max(found.confidence, _TYPED_CONFIDENCE)
        return _Outcome(self._lookup.cite(typed), None, "", confidence, len(typed.sentences) > 1)

    def _generated(
        self, question: Question, found: Retrieved, scope: Scope, writer: AnswerGenerator, top_k: int
    ) -> _Outcome:
        draft = Draft(())
        threshold = self._options.answer_threshold
        confidence = found.confidence
        if lacks_asked_kind(question, found.ranked):
            confidence = min(confidence, LACKING_CONFIDENCE)
        if found.ranked and threshold < 1 and confidence >= threshold:
            request = GenerationRequest(
                question,
                found.passages[:top_k],
                found.ranked,
                scope.document_ids,
                self._options.answer_max_chars,
            )
            draft = writer.generate(request)
        checked = check_draft(draft, found.passages, self._corpus, public_url=self._options.public_url)
        if checked.sentences:
            return _Outcome(checked, None, "", confidence, draft.is_list)
        near = found.confidence >= min(threshold, _NEAR_CONFIDENCE) or found.lexical_peak >= _NEAR_PEAK
        reason = abstention_reason(question, on_topic=near)
        message = abstention_text(reason, found.passages[:_RELATED])
        return _Outcome(checked, reason, message, confidence)


def _marked(sentences: Sequence[AnswerSentence], *, is_list: bool) -> str:
    """The answer's text with `[n]` after each sentence; the items of a list stand on lines of their own."""
    marked = [sentence.text + "".join(f"[{n}]" for n in sentence.citations) for sentence in sentences]
    return ("\n" if is_list else "").join(marked)


def _explanation(question: Question, found: Retrieved, outcome: _Outcome, top_k: int) -> dict[str, Any]:
    return {
        "kind": question.kind,
        "metadata": question.metadata,
        "words": list(question.words),
        "lacking": [*found.lacking.figures, *found.lacking.nouns],
        "lexical_peak": round(found.lexical_peak, 4),
        "passages": [
            {"rank": p.rank, "score": p.score, "chunk_id": p.chunk.chunk_id, "raw": dict(p.raw)}
            for p in found.passages[:top_k]
        ],
        "verdicts": list(outcome.checked.verdicts),
    }
