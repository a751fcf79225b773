"""Answers that take their time: given up when the caller leaves, or sent part by part as server-sent events.

The engine is synchronous and works in a thread; here it is joined to the event loop. Our own events are
those of `rag.records.AnswerEvent` in the published form: `citations`, `delta`, at last `done` (or `error`,
in the shape of every error). The data of `done` is the body of the same request without `stream`. Other
formats hand in events of their own.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import anyio
import anyio.from_thread
import anyio.to_thread
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.errors.handling import error_body
from api.wire.convert import ask_reply, citation_out
from rag.records import DEFAULT_COLLECTION, Answer, AnswerEvent, CitationsKnown

PING_SECONDS = 15.0
"""Silence after which a comment is sent, so that nothing in between takes the connection for dead."""

_BUFFERED_EVENTS = 64
# JSON may hold these as they are, but readers that cut lines as Python's `splitlines` does end one there.
_LINE_ENDS = str.maketrans({"\x85": "\\u0085", "\u2028": "\\u2028", "\u2029": "\\u2029"})

Found = TypeVar("Found")

OPENING_COMMENT = b": answering\n\n"

StartEvents = Callable[[Callable[[], bool]], Iterator[bytes]]
"""Starts an answer, each event as it goes over the wire; is given what says that the caller has left."""


async def whole_answer(ask: Callable[[Callable[[], bool]], Found], request: Request) -> Found:
    """An answer, or passages, computed in a thread, told to stop if the caller leaves before it is there."""
    left = threading.Event()

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        left.set()

    # Not raised inside the task group, which would wrap it into a group of exceptions.
    result: list[Found | Exception] = []
    try:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(watch)
            try:
                result.append(await anyio.to_thread.run_sync(ask, left.is_set, abandon_on_cancel=True))
            except Exception as error:  # noqa: BLE001 -- raised again below
                result.append(error)
            tasks.cancel_scope.cancel()
    finally:
        left.set()
    (outcome,) = result
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def sent_event(data: str, name: str | None = None) -> bytes:
    """One event as it goes over the wire.

    Args:
        data: JSON, in one line.
        name: What our own events are called by.
    """
    return format_sse_event(event=name, data_str=data.translate(_LINE_ENDS))


def error_event(body: dict[str, Any]) -> bytes:
    """Our own `error` event."""
    return sent_event(json.dumps(body, ensure_ascii=False), "error")


class EventStreamResponse(Response):
    """The events of one answer as `text/event-stream`.

    Args:
        events: Starts the answer; is given what says that the caller has left. What it raises at once is
            the request's fault and never gets here, so it must not be a generator function itself.
        tell_error: An event for an exception that came up later, from the body of the error.
        opening: Sent at once, before there is an answer; by default a comment, which clients skip.
        ping_seconds: Silence after which a comment is sent.
    """

    media_type = "text/event-stream"

    def __init__(
        self,
        events: StartEvents,
        *,
        tell_error: Callable[[dict[str, Any]], bytes] = error_event,
        opening: bytes = OPENING_COMMENT,
        ping_seconds: float = PING_SECONDS,
    ) -> None:
        self._left = threading.Event()
        self._events = events(self._left.is_set)
        self._tell_error = tell_error
        self._opening = opening
        self._ping_seconds = ping_seconds
        self.status_code = 200
        self.background = None
        self.body = b""
        self.init_headers({"Cache-Control": "no-store", "X-Accel-Buffering": "no"})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send events until the answer is whole or the caller has left."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        await send({"type": "http.response.body", "body": self._opening, "more_body": True})
        inlet, outlet = anyio.create_memory_object_stream[bytes](_BUFFERED_EVENTS)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._watch, receive, tasks.cancel_scope)
            tasks.start_soon(anyio.to_thread.run_sync, self._produce, inlet, scope)
            try:
                await self._forward(outlet, send)
            finally:
                # Before the group waits for the thread, which must neither go on nor wait for room.
                self._left.set()
                outlet.close()
                inlet.close()  # where the caller left before the thread began, nothing else does
            tasks.cancel_scope.cancel()

    async def _watch(self, receive: Receive, scope: anyio.CancelScope) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._left.set()
        scope.cancel()

    async def _forward(self, outlet: MemoryObjectReceiveStream[bytes], send: Send) -> None:
        while True:
            part = KEEPALIVE_COMMENT
            with anyio.move_on_after(self._ping_seconds):
                try:
                    part = await outlet.receive()
                except anyio.EndOfStream:
                    break
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _produce(self, inlet: MemoryObjectSendStream[bytes], scope: Scope) -> None:
        """Run the engine in this thread, each event handed to the loop."""
        try:
            for event in self._events:
                if self._left.is_set():
                    return
                anyio.from_thread.run(inlet.send, event)
        except Exception as error:  # noqa: BLE001 -- a stream that began can only end with an event
            if self._left.is_set():
                return  # whatever it was, it broke off because nobody listens
            anyio.from_thread.run(inlet.send, self._tell_error(error_body(scope, error)))
        finally:
            anyio.from_thread.run_sync(inlet.close)


def encode_event(event: AnswerEvent, collection: str = DEFAULT_COLLECTION) -> bytes:
    """An event of an answer from a collection, in our own form."""
    if isinstance(event, Answer):
        # As FastAPI writes the body of the same request without `stream`.
        return sent_event(ask_reply(event, collection).model_dump_json(exclude_unset=True), "done")
    if isinstance(event, CitationsKnown):
        citations = [citation_out(citation).model_dump() for citation in event.citations]
        return sent_event(json.dumps({"citations": citations}, ensure_ascii=False), "citations")
    # A source may itself say "[1]": which marks at the end of the text are ours is told beside it.
    marks = {"citations": event.sentence.citations} if event.sentence and event.sentence.citations else {}
    return sent_event(json.dumps({"text": event.text} | marks, ensure_ascii=False), "delta")
