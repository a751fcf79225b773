"""One answer being written: a generator's text in, checked sentences out as they come, and what went wrong.

A generator may be slow, down, cut off in mid-stream or write what no passage supports. None of that reaches
a reader: what was checked stays, the extractive generator completes the answer, and `degraded` says why. The
same happens whether the answer is streamed or not, so both give the same text.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence

from rag.answering.gate import Checked, Gate
from rag.answering.generator import AnswerGenerator, GenerationRequest
from rag.answering.marks import MarkedSentence, MarkedTextReader
from rag.errors import GeneratorError
from rag.records import Degradation

NO_ANSWER = "generator_found_no_answer"
UNSUPPORTED = "generator_unsupported"
CANCELLED = "generator_cancelled"

_PATIENCE = 12
"""Characters that a generator may write for each one that an answer may have, before it is cut off."""

_log = logging.getLogger(__name__)


def left_alone() -> GeneratorError:
    """The error that says that nobody waits for the answer any more."""
    return GeneratorError("提问的一方已经离开，不再作答。", code=CANCELLED)


class AnswerWriting:
    """Runs one generator over one request.

    Args:
        request: What the generator sees.
        writer: The generator that was asked for.
        fallback: Writes where it fails; None if the writer is its own fallback.
        gate: Checks every sentence against the request's passages.
        name: What the writer is called here, if not by its own name.
        may_refuse: Whether the writer is believed if it says that the passages do not answer.
    """

    def __init__(
        self,
        request: GenerationRequest,
        writer: AnswerGenerator,
        fallback: AnswerGenerator | None,
        gate: Gate,
        *,
        name: str | None = None,
        may_refuse: bool = False,
    ) -> None:
        self._request = request
        self._writer = writer
        self._fallback = fallback
        self._gate = gate
        self._may_refuse = may_refuse
        self._name = name or writer.name
        self._reader = MarkedTextReader()
        self.degraded: Degradation | None = None
        self.generator = self._name

    @property
    def checked(self) -> Checked:
        """What has been admitted so far."""
        return self._gate.checked()

    def steps(self) -> Iterator[Checked]:
        """Write; after each piece that brought new sentences, all that has been admitted so far.

        Raises:
            GeneratorError: With code "generator_cancelled" if nobody waits any more.
        """
        failure: GeneratorError | None = None
        wrote = False
        try:
            for sentences in self._sentences(self._writer):
                wrote = True
                if self._admit(sentences):
                    yield self.checked
        except GeneratorError as error:
            failure = error
        except Exception as error:
            # A third party's code may raise anything; the answer must not depend on it. Ours may not.
            if self._fallback is None:
                raise
            _log.warning("generator %s raised %s", self._name, type(error).__name__)
            failure = GeneratorError(f"生成器 {self._name!r} 内部出错（{type(error).__name__}）。")
        if failure is not None:
            self._see_who_waits()
            # A sentence whose marks are there was finished before things went wrong.
            if self._admit([sentence for sentence in self._reader.close() if sentence.numbers]):
                wrote = True
                yield self.checked
        done = self._admitted if wrote else self._may_refuse
        if self._fallback is None or (failure is None and done):
            return
        self.degraded = self._degradation(failure, wrote=wrote)
        yield from self._complete(self._fallback)

    def _see_who_waits(self) -> None:
        if self._request.cancelled():
            raise left_alone()

    @property
    def _admitted(self) -> bool:
        return bool(self.checked.sentences)

    def _admit(self, sentences: Sequence[MarkedSentence]) -> bool:
        """Check sentences; whether any was admitted."""
        admitted = [self._gate.check(sentence) for sentence in sentences]
        return any(each is not None for each in admitted)

    def _sentences(self, writer: AnswerGenerator) -> Iterator[list[MarkedSentence]]:
        """The generator's text as sentences, those of one piece together; nothing for no text.

        Raises:
            GeneratorError: The generator's own, or "generator_cancelled", or if it does not come to an end.
        """
        self._reader = reader = MarkedTextReader()
        room = max(_PATIENCE * self._request.max_chars, 4_000)
        for piece in writer.generate(self._request):
            self._see_who_waits()
            room -= max(1, len(piece))
            sentences = reader.feed(piece)
            if piece.strip() or sentences:
                yield sentences
            if room < 0:
                raise GeneratorError("生成器写得太长，已经截断。", code="generator_incomplete")
        if last := reader.close():
            yield last

    def _complete(self, fallback: AnswerGenerator) -> Iterator[Checked]:
        if not self._admitted:
            self.generator = fallback.name
        for sentences in self._sentences(fallback):
            if self._admit(sentences):
                yield self.checked

    def _degradation(self, failure: GeneratorError | None, *, wrote: bool) -> Degradation:
        name = self._name
        if failure is not None:
            # Nobody has left (that was seen to above), whatever a plug-in says.
            code = failure.code if failure.code != CANCELLED else failure.default_code
            return Degradation(name, code, failure.message)
        if not wrote:
            return Degradation(name, NO_ANSWER, f"生成器 {name!r} 认为这些段落没有回答，改为摘录原文。")
        return Degradation(
            name, UNSUPPORTED, f"生成器 {name!r} 写的句子没有一句得到所引段落的支持，改为摘录原文。"
        )
