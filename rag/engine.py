"""The engine: one question in, one cited answer or one honest abstention out, whole or as it is written.

It joins the stages and owns none of them, is immutable once it is built, and may be called from threads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from functools import partial
from time import perf_counter
from typing import Any

from rag.answering.citations import SourceLinks
from rag.answering.drafting import AnswerDraft, Drafter
from rag.answering.explaining import explanation
from rag.answering.extractive import EXTRACTIVE
from rag.answering.generator import AnswerGenerator, never
from rag.answering.rendering import answer_parts
from rag.answering.typed_lookup import TypedLookup
from rag.answering.writing import left_alone
from rag.confidence.judge import Judge
from rag.corpus import Corpus
from rag.dialogue.resolving import QuestionResolver, QuestionRewriter
from rag.errors import NotFoundError
from rag.examples.choosing import Drawn, Examples, InTurn
from rag.inputs import check_question
from rag.judging import QuestionJudging
from rag.question import Question, read_question
from rag.records import Answer, AnswerEvent, Calibration, CitationsKnown, Document, Passage, TextAdded, Turn
from rag.retrieval import Retrieved, Retriever
from rag.scope import Scope, ScopeFinder
from rag.searching import PassageSearch


@dataclass(frozen=True)
class EngineOptions:
    """Settings of the engine.

    Attributes:
        answer_max_chars: Longest answer in characters; a complete list may be longer.
        generator: Name of the default generator.
        described: All other settings that shape an answer, for the fingerprint.
    """

    answer_max_chars: int
    generator: str
    described: Mapping[str, Any]


class Engine:
    """Answers questions about one corpus.

    Args:
        corpus: The rows.
        retriever: Searches them.
        judge: Says whether they answer.
        generators: By name; `options.generator` and "extractive" must be among them.
        options: Settings.
        index_fingerprint: Names corpus, model and index.
        links: Lead to its documents.
        rewriter: Completes a question that leans on the conversation, where the rules alone are not wanted.
        count_tokens: How many tokens a text is; the encoder's own count.

    Attributes:
        judging: Judges a question without answering it.
    """

    def __init__(
        self,
        corpus: Corpus,
        retriever: Retriever,
        judge: Judge,
        generators: Mapping[str, AnswerGenerator],
        options: EngineOptions,
        *,
        index_fingerprint: str,
        links: SourceLinks,
        rewriter: QuestionRewriter | None = None,
        count_tokens: Callable[[str], int] = len,
    ) -> None:
        self._corpus = corpus
        self._retriever = retriever
        self._judge = judge
        self._generators = generators
        self._options = options
        self._resolver = QuestionResolver(rewriter)
        self.count_tokens = count_tokens
        self._scopes = ScopeFinder(corpus)
        self._lookup = TypedLookup(corpus, links=links)
        self._examples = Examples(corpus)
        self.judging = QuestionJudging(self._resolver, retriever, self._scopes, self._lookup, judge)
        self._passages = PassageSearch(retriever, self._scopes, self._lookup, judge)
        self._drafter = Drafter(
            corpus,
            self._lookup,
            generators[EXTRACTIVE],
            answer_max_chars=options.answer_max_chars,
            links=links,
            ever_answers=judge.ever_answers,
        )
        settings = [index_fingerprint, judge.described, asdict(options) | {"public_url": ""}]
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
        cancelled: Callable[[], bool] = never,
    ) -> Answer:
        """Answer a question.

        Args:
            question: As typed, 1-2000 characters.
            history: The conversation so far, oldest first.
            top_k: How many passages of the search the generator sees, from 1.
            generator: Which generator to use instead of the default.
            explain: Whether to say how the answer came about.
            cancelled: Whether nobody waits any more.

        Raises:
            InputError: If the question is empty, too long or not text.
            NotFoundError: If there is no such generator (code "generator_not_found").
            GeneratorError: If it was cancelled (code "generator_cancelled").
        """
        events = self.stream(
            question,
            history=history,
            top_k=top_k,
            generator=generator,
            explain=explain,
            cancelled=cancelled,
        )
        (answer,) = [event for event in events if isinstance(event, Answer)]
        return answer

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        top_k: int = 8,
        generator: str | None = None,
        explain: bool = False,
        cancelled: Callable[[], bool] = never,
    ) -> Iterator[AnswerEvent]:
        """Answer a question part by part; see `ask`.

        What is wrong with the request is raised at once, not when the first event is asked for.

        Returns:
            Citations before the text that marks them, each part of the text once it is checked, and last the
            same `Answer` that `ask` gives (its id and timings aside).
        """
        name = generator or self._options.generator
        writer = self._generator(name)
        asked = check_question(question)
        return self._stream(asked, history, top_k, name, writer, cancelled, explain=explain)

    def _stream(
        self,
        question: str,
        history: Sequence[Turn],
        top_k: int,
        name: str,
        writer: AnswerGenerator,
        cancelled: Callable[[], bool],
        *,
        explain: bool,
    ) -> Iterator[AnswerEvent]:
        started = perf_counter()
        resolved = self._resolver.resolve(question, history, cancelled)
        if cancelled():
            raise left_alone()
        read = read_question(resolved.text)
        found, scope = self._retrieve(read)
        if cancelled():
            raise left_alone()
        judged_at = perf_counter()
        judgement = self._judge.judge(read, found)
        timings = found.timings_ms | {"judge": 1e3 * (perf_counter() - judged_at)}
        draft = AnswerDraft(read, found, judgement, name)
        written_at = perf_counter()
        sent = 0
        for checked in self._drafter.steps(draft, scope, writer, top_k, cancelled):
            if checked.citations != draft.checked.citations or not sent:
                yield CitationsKnown(checked.citations)
            draft.checked = checked
            yield from map(TextAdded, answer_parts(checked, sent), checked.sentences[sent:])
            sent = len(checked.sentences)
        if draft.abstention is not None:
            yield CitationsKnown(())
            yield TextAdded(draft.abstention.text)
        timings |= {"write": 1e3 * (perf_counter() - written_at), "total": 1e3 * (perf_counter() - started)}
        told = explanation(resolved, draft, top_k) if explain else None
        yield draft.answer(resolved.text, self.fingerprint, timings, told)

    def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        score_threshold: float | None = None,
        keep: Callable[[Passage], bool] | None = None,
        cancelled: Callable[[], bool] = never,
    ) -> tuple[Passage, ...]:
        """The most relevant passages, best first; see `rag.searching`."""
        return self._passages.search(
            query, top_k=top_k, score_threshold=score_threshold, keep=keep, cancelled=cancelled
        )

    def examples(self, in_turn: InTurn = nullcontext) -> Drawn:
        """A few questions that this corpus answers, of several kinds and documents; none if none is fit.

        The first call asks them all, each `in_turn`, which takes seconds; callers meanwhile wait for it.
        """
        return self._examples.get(partial(self.ask, generator=EXTRACTIVE), in_turn)

    @property
    def calibration(self) -> Calibration:
        """What the confidence of its answers rests on."""
        return self._judge.calibration

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

    def _generator(self, name: str) -> AnswerGenerator:
        if name not in self._generators:
            raise NotFoundError(
                f"没有名为 {name[:40]!r} 的生成器，可用的有：{'、'.join(sorted(self._generators))}。",
                code="generator_not_found",
            )
        return self._generators[name]

    def _retrieve(self, question: Question) -> tuple[Retrieved, Scope]:
        scope = self._scopes.find(question.text)
        return self._retriever.retrieve(question, scope), scope
