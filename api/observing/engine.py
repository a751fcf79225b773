"""The engine as every surface gets it: the same engine, counted, with a time after which it is told to stop.

All surfaces come through here, whole or streamed, so an answer is counted once and the limit is one for all.
The engine is told through `cancelled`, which it asks now and then; nothing is killed, so an answer that is
finished before it asks is given although it is late.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from time import monotonic, time_ns
from typing import Protocol

from api.observing.metrics import Metrics
from api.observing.requests import CURRENT, Answered
from api.ports import Engine, InTurn
from rag.errors import GeneratorError, UnavailableError
from rag.records import DEFAULT_COLLECTION, Answer, AnswerEvent, Document, Example, Passage, Turn

_CANCELLED = "generator_cancelled"


def _never() -> bool:
    return False


class _Limit:
    """Whether to stop: nobody waits any more, or it has taken too long."""

    def __init__(self, left: Callable[[], bool], seconds: float, clock: Callable[[], float]) -> None:
        self._left = left
        self._seconds = seconds
        self._clock = clock
        self._ends = clock() + seconds
        self._passed = False

    def __call__(self) -> bool:
        self._passed = self._passed or self._clock() >= self._ends
        return self._passed or self._left()

    @contextmanager
    def told(self) -> Iterator[None]:
        """Say of an answer that was stopped for the time that this was the reason.

        Raises:
            UnavailableError: With code `answer_timeout`.
        """
        try:
            yield
        except GeneratorError as error:
            if error.code != _CANCELLED or not self._passed:
                raise
            raise UnavailableError(
                f"作答超过了 {self._seconds:g} 秒的上限，已经中止。"
                "请稍后再试，或把问题问得更具体；维护者可调大 CEWEN_REQUEST_TIMEOUT_SECONDS。",
                code="answer_timeout",
            ) from error


class Recorder(Protocol):
    """Keeps answers, where that is wanted. It must be quick and never raise: the reader is still waiting."""

    def record(self, answer: Answer, *, question: str, collection: str, narrowed: bool) -> None:
        """Take note of an answer or abstention.

        Args:
            answer: As it is given.
            question: As it was asked.
            collection: Name of what was asked.
            narrowed: Whether it was asked of some of its documents only.
        """
        ...


class ObservedEngine:
    """An engine that is counted and limited in time.

    Args:
        engine: Does the work.
        metrics: Where its answers are counted.
        timeout_seconds: How long one answer may take.
        collection: Name of the collection that it answers from.
        narrowed: Whether it answers from some of its documents only.
        recorder: Is given every answer.
        clock: Seconds that only go forward.
    """

    def __init__(
        self,
        engine: Engine,
        metrics: Metrics,
        *,
        timeout_seconds: float,
        collection: str = DEFAULT_COLLECTION,
        narrowed: bool = False,
        recorder: Recorder | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._engine = engine
        self._metrics = metrics
        self._timeout_seconds = timeout_seconds
        self._collection = collection
        self._narrowed = narrowed
        self._recorder = recorder
        self._clock = clock

    @property
    def fingerprint(self) -> str:
        """Names corpus, index, model and settings."""
        return self._engine.fingerprint

    def ask(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        top_k: int = 8,
        generator: str | None = None,
        explain: bool = False,
        cancelled: Callable[[], bool] = _never,
    ) -> Answer:
        """As the engine has it.

        Raises:
            UnavailableError: With code `answer_timeout` if it took too long.
        """
        limit = _Limit(cancelled, self._timeout_seconds, self._clock)
        with limit.told():
            answer = self._engine.ask(
                question,
                history=history,
                top_k=top_k,
                generator=generator,
                explain=explain,
                cancelled=limit,
            )
        self._count(answer, question)
        return answer

    def stream(
        self,
        question: str,
        *,
        history: Sequence[Turn] = (),
        top_k: int = 8,
        generator: str | None = None,
        explain: bool = False,
        cancelled: Callable[[], bool] = _never,
    ) -> Iterator[AnswerEvent]:
        """As the engine has it; what is wrong with the request is raised at once.

        Raises:
            UnavailableError: With code `answer_timeout` if it took too long; mostly amid the events.
        """
        limit = _Limit(cancelled, self._timeout_seconds, self._clock)
        with limit.told():
            events = self._engine.stream(
                question,
                history=history,
                top_k=top_k,
                generator=generator,
                explain=explain,
                cancelled=limit,
            )
        return self._counted(question, events, limit)

    def _counted(self, question: str, events: Iterator[AnswerEvent], limit: _Limit) -> Iterator[AnswerEvent]:
        with limit.told():
            for event in events:
                if isinstance(event, Answer):
                    self._count(event, question)
                yield event

    def _count(self, answer: Answer, question: str) -> None:
        self._metrics.count_answer(answer)
        if self._recorder is not None:
            self._recorder.record(
                answer, question=question, collection=self._collection, narrowed=self._narrowed
            )
        if request := CURRENT.get():
            request.answers.append(Answered(time_ns(), answer.timings_ms))

    def search(
        self,
        query: str,
        *,
        top_k: int = 10,
        score_threshold: float | None = None,
        keep: Callable[[Passage], bool] | None = None,
        cancelled: Callable[[], bool] = _never,
    ) -> tuple[Passage, ...]:
        """As the engine has it.

        Raises:
            UnavailableError: With code `answer_timeout` if it took too long.
        """
        limit = _Limit(cancelled, self._timeout_seconds, self._clock)
        with limit.told():
            return self._engine.search(
                query, top_k=top_k, score_threshold=score_threshold, keep=keep, cancelled=limit
            )

    def examples(self, in_turn: InTurn = nullcontext) -> tuple[Example, ...]:
        """As the engine has it. What it asks itself for that is not counted."""
        return self._engine.examples(in_turn)

    def count_tokens(self, text: str) -> int:
        """As the engine has it."""
        return self._engine.count_tokens(text)

    def documents(self) -> tuple[Document, ...]:
        """As the engine has it."""
        return self._engine.documents()

    def document(self, document_id: str) -> Document:
        """As the engine has it."""
        return self._engine.document(document_id)
