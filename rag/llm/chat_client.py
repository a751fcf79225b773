"""Ask a chat endpoint and get its text piece by piece: deadlines, retries, limits, cancelling.

Deliberately small: one request shape (messages in, text out), no tools, no cookies, no redirects, nothing
from the environment. A client has no state but its options, so one serves any number of threads.
"""

from __future__ import annotations

import json
import random as random_module
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Protocol

from rag.llm.endpoint import Endpoint, Head, Received
from rag.llm.exchange import Exchange
from rag.llm.faults import fault, fault_of_status, may_retry, translate, vendor_errors
from rag.llm.options import ChatOptions
from rag.llm.replies import Delta, ReplyReader
from rag.llm.retrying import RETRIED_STATUSES, RetryableError, backoff_seconds, retry_after_seconds
from rag.llm.thinking import ThinkFilter
from rag.llm.waits import Waits

Message = dict[str, str]
TextStream = Generator[str, None, None]
_SLEEP_SLICE_SECONDS = 0.05


class ChatStream(Protocol):
    """What the generator and the rewriter need of a client."""

    def stream(self, messages: Sequence[Message], *, cancelled: Callable[[], bool]) -> TextStream:
        """See `ChatClient.stream`."""


class ChatClient:
    """A client of one endpoint and one model.

    Args:
        options: Address, model, limits.
        clock: Seconds that only go up.
        wall_clock: Seconds since 1970, to read a `Retry-After` date.
        sleep: Waits that many seconds.
        random: Draws from [0, 1).

    Raises:
        GeneratorError: With code `generator_refused` if the address of the endpoint or proxy is unusable.
    """

    def __init__(
        self,
        options: ChatOptions,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall_clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
        random: Callable[[], float] = random_module.random,
    ) -> None:
        self._options = options
        self._clock, self._wall_clock, self._sleep, self._random = clock, wall_clock, sleep, random
        self._endpoint = Endpoint(options)

    def stream(self, messages: Sequence[Message], *, cancelled: Callable[[], bool]) -> TextStream:
        """The model's answer, piece by piece, without the thinking it may open with.

        Nothing is sent before the first piece is asked for. Closing the iterator closes the connection.

        Args:
            messages: `{"role": ..., "content": ...}` each, in order.
            cancelled: Whether nobody waits any more; asked about 20 times a second.

        Raises:
            GeneratorError: With one of the codes of `rag.llm.faults`; what came before still counts.
        """
        waits = Waits(self._options, self._clock, cancelled)
        body = self._body(messages)
        for attempt in range(self._options.max_retries + 1):
            try:
                yield from self._attempt(body, waits)
                return
            except RetryableError as failed:
                self._pause(failed, attempt, waits)

    def _body(self, messages: Sequence[Message]) -> bytes:
        request = {
            "model": self._options.model,
            "messages": list(messages),
            "stream": True,
            "max_tokens": self._options.max_tokens,
            "temperature": self._options.temperature,
        }
        return json.dumps(request, ensure_ascii=False).encode("utf-8", "replace")

    def _attempt(self, body: bytes, waits: Waits) -> Iterator[str]:
        """One request.

        Raises:
            RetryableError: If it failed before its reply began and may be made again.
            GeneratorError: If it failed otherwise.
        """
        waits.enter("connect")
        replying = False

        def connected() -> None:
            waits.enter("first_token")

        try:
            with closing(
                Exchange[Received](lambda put: self._endpoint.post(body, put, connected))
            ) as exchange:
                head = exchange.take(waits.check)
                replying = True
                self._check_head(head)
                yield from _texts(self._deltas(exchange, waits), waits)
        except vendor_errors() as error:
            translated = translate(error, replying=replying)
            if may_retry(error):
                raise RetryableError(translated) from error
            raise translated from error

    def _check_head(self, head: Received | None) -> None:
        if not isinstance(head, Head):
            raise fault("generator_incomplete")
        refusal = fault_of_status(head.status)
        if refusal is not None:
            if head.status in RETRIED_STATUSES:
                asked = retry_after_seconds(head.headers.get("retry-after"), self._wall_clock())
                raise RetryableError(refusal, asked)
            raise refusal
        # A few packed bytes can unpack to gigabytes, and we asked for none: so nothing is ever unpacked, and
        # the limit on bytes holds for what is read and for what it means.
        if head.headers.get("content-encoding", "identity").strip().lower() not in ("identity", ""):
            raise fault("generator_invalid_reply", "回复经过压缩，而请求的是不压缩")

    def _deltas(self, exchange: Exchange[Received], waits: Waits) -> Iterator[Delta]:
        options = self._options
        reader = ReplyReader(max_bytes=options.max_bytes, max_line_bytes=options.max_line_bytes)
        while (chunk := exchange.take(waits.check)) is not None:
            if isinstance(chunk, bytes):
                yield from reader.feed(chunk)
        yield from reader.finish()

    def _pause(self, failed: RetryableError, attempt: int, waits: Waits) -> None:
        """Wait before the next attempt.

        Raises:
            GeneratorError: If there is to be none, or the wait was cancelled.
        """
        seconds = failed.retry_after
        if seconds is None:
            seconds = backoff_seconds(attempt, self._random)
        if attempt >= self._options.max_retries or seconds >= waits.left():
            raise failed.error from failed.__cause__
        waits.enter("idle")
        while seconds > 0:
            part = min(seconds, _SLEEP_SLICE_SECONDS)
            self._sleep(part)
            seconds -= part
            waits.enter("idle")  # this wait has no limit of its own, only the total one
            waits.check()


def _texts(deltas: Iterator[Delta], waits: Waits) -> Iterator[str]:
    """The text to be shown; returns only if the answer is whole."""
    thinking = ThinkFilter()
    for delta in deltas:
        shown = thinking.feed(delta.text) + (thinking.finish() if delta.ended else "")
        if shown:
            yield shown
        if delta.cut_off:
            raise fault("generator_incomplete", delta.cut_off)
        if delta.ended:
            return
        if delta.alive:
            waits.enter("idle")  # after the reader is done with the piece: its time is not the model's
    raise fault("generator_incomplete", "连接在答完之前结束")
