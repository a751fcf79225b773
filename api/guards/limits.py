"""How much, how long, how many: header and body bytes, time to send a body, requests that compute at once.

Plain ASGI. The body is read whole before anything else happens, so a caller that sends slowly holds
a socket but never a place among those that compute.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

import anyio
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors.handling import error_response
from api.errors.shapes import path_below_root

GATE_KEY = "cewen.gate"


class _BodyTooLargeError(Exception):
    """The bytes received so far are more than the limit."""


@dataclass(frozen=True, slots=True)
class LargeBodies:
    """Another limit for requests that bring files.

    Attributes:
        applies: Whether a request, by its scope, is one of these.
        max_bytes: Of such a body.
        min_bytes_per_second: Each of its bytes that has come buys time at this rate, beyond the time that
            every body has.
    """

    applies: Callable[[Scope], bool]
    max_bytes: int
    min_bytes_per_second: float


class RequestLimitsMiddleware:
    """Refuse requests that are too large (413, 431) or sent too slowly (408), then hand on the whole body.

    Args:
        app: What comes next.
        max_header_bytes: Names and values of all headers together.
        max_body_bytes: The body; one byte more is refused without reading on.
        body_timeout_seconds: For the whole body, not for each part of it.
        larger_bodies: Another limit for some paths, e.g. where a caller sends the whole conversation; each
            as a regular expression for all of the path.
        files: Yet another for requests that bring files, which may take longer.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        max_header_bytes: int,
        max_body_bytes: int,
        body_timeout_seconds: float,
        larger_bodies: Mapping[str, int] | None = None,
        files: LargeBodies | None = None,
    ) -> None:
        self.app = app
        self.files = files
        self.max_header_bytes = max_header_bytes
        self.max_body_bytes = max_body_bytes
        patterns = (larger_bodies or {}).items()
        self.larger_bodies = [(re.compile(path, re.DOTALL), most) for path, most in patterns]
        self.body_timeout_seconds = body_timeout_seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse the request, or pass it on with its body read."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        header_bytes = sum(len(name) + len(value) for name, value in scope["headers"])
        if header_bytes > self.max_header_bytes:
            message = (
                f"请求头共 {header_bytes} 字节，最多 {self.max_header_bytes} 字节。请去掉过大的请求头后再发。"
            )
            await self._refuse("headers_too_large", message, scope, receive, send)
            return
        max_bytes, rate = self._allowed(scope)
        try:
            with anyio.fail_after(self.body_timeout_seconds) as allowance:
                body = await self._read_body(scope, receive, max_bytes, allowance, rate)
        except TimeoutError:
            message = f"请求体在 {self.body_timeout_seconds:g} 秒内没有发完。请检查网络，重新发送完整的请求。"
            if rate:
                message = f"请求体发得太慢，每秒不到 {rate:g} 字节。请检查网络，重新发送完整的请求。"
            await self._refuse("request_timeout", message, scope, receive, send)
        except _BodyTooLargeError:
            message = f"请求体超过 {max_bytes} 字节的上限。请缩短内容，或分几次发送。"
            await self._refuse("body_too_large", message, scope, receive, send)
        else:
            if body is not None:  # else the caller has gone, and nobody is left to answer
                replayed = _replay(body, receive)
                del body  # nobody but who takes it holds a body of megabytes
                await self.app(scope, replayed, send)

    def _allowed(self, scope: Scope) -> tuple[int, float]:
        """How large the body may be, and at which rate it earns more time (0: it does not)."""
        if self.files is not None and self.files.applies(scope):
            return self.files.max_bytes, self.files.min_bytes_per_second
        path = path_below_root(scope)
        larger = (most for pattern, most in self.larger_bodies if pattern.fullmatch(path))
        return next(larger, self.max_body_bytes), 0.0

    async def _read_body(
        self, scope: Scope, receive: Receive, max_bytes: int, allowance: anyio.CancelScope, rate: float
    ) -> bytes | None:
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > max_bytes:
            raise _BodyTooLargeError
        body = bytearray()
        first_deadline = allowance.deadline
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if len(body) > max_bytes:
                raise _BodyTooLargeError
            if rate:
                allowance.deadline = first_deadline + len(body) / rate
            if not message.get("more_body", False):
                return bytes(body)

    async def _refuse(self, code: str, message: str, scope: Scope, receive: Receive, send: Send) -> None:
        # The rest of the request is still on its way; over HTTP/1 only closing stops a server reading it.
        closing = {"Connection": "close"} if scope.get("http_version", "1.1").startswith("1") else {}
        response = error_response(scope, code, message, headers=closing)
        await response(scope, receive, send)


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body in one message, then whatever the server says next."""
    kept = [body]
    del body

    async def replayed() -> Message:
        if not kept:
            return await receive()
        return {"type": "http.request", "body": kept.pop(), "more_body": False}

    return replayed


class AdmissionGate:
    """A few callers compute at once and a few more wait a little; the rest are refused at once.

    Without it, twenty callers on two cores slow each other down until all of them time out.

    Args:
        max_concurrent: Callers inside at the same time.
        max_waiting: Callers that may wait, first come first served.
        wait_seconds: How long each may wait.

    Attributes:
        idle: Set while nobody is inside, for threads that work in the background.
    """

    def __init__(self, *, max_concurrent: int, max_waiting: int, wait_seconds: float) -> None:
        self.max_concurrent = max_concurrent
        self.max_waiting = max_waiting
        self.wait_seconds = wait_seconds
        self.waiting = 0
        self.idle = threading.Event()
        self.idle.set()
        self.refusal = f"同时到达的请求太多：已有 {max_concurrent} 个在计算，等候的也已到上限。请稍后再试。"
        self._places = anyio.Semaphore(max_concurrent)

    @property
    def in_use(self) -> int:
        """How many callers are inside."""
        return self.max_concurrent - self._places.value

    async def enter(self) -> bool:
        """Take a place, waiting for one if others may wait too; False if there is none in time."""
        try:
            self._places.acquire_nowait()
        except anyio.WouldBlock:
            if self.waiting >= self.max_waiting:
                return False
        else:
            self.idle.clear()
            return True
        self.waiting += 1
        entered = False
        try:
            with anyio.move_on_after(self.wait_seconds):
                await self._places.acquire()
                self.idle.clear()
                entered = True
        finally:
            self.waiting -= 1
        return entered

    def leave(self) -> None:
        """Give the place back."""
        self._places.release()
        if self.in_use == 0:
            self.idle.set()


class AdmissionGateMiddleware:
    """Put the paths that compute behind one gate, and refuse with 503 whom it does not let in.

    Where only some requests of a path compute, their handler finds the gate in the scope under `GATE_KEY`.

    Args:
        app: What comes next.
        paths: The paths that compute; others pass.
        max_concurrent, max_waiting, wait_seconds: Of the gate.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        paths: Collection[str],
        max_concurrent: int,
        max_waiting: int,
        wait_seconds: float,
    ) -> None:
        self.app = app
        self.paths = frozenset(paths)
        self.gate = AdmissionGate(
            max_concurrent=max_concurrent, max_waiting=max_waiting, wait_seconds=wait_seconds
        )

    @property
    def waiting(self) -> int:
        """How many requests wait for a place."""
        return self.gate.waiting

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on once there is a place for it, or refuse it."""
        if scope["type"] != "http" or path_below_root(scope) not in self.paths:
            scope[GATE_KEY] = self.gate
            await self.app(scope, receive, send)
            return
        if not await self.gate.enter():
            await error_response(scope, "overloaded", self.gate.refusal)(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            self.gate.leave()
