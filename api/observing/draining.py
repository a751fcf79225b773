"""How the service leaves: first it says that it is not ready, then it finishes what it accepted.

From the signal on every request but health and metrics is refused (503 `shutting_down`), `/readyz` too, so
that whoever distributes requests sends them elsewhere. What was accepted before is not touched; what is not
done when the time is over is told so in the same words. When the listener closes and how long the rest may
take is decided by whoever runs the server (`api.cli.serve`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors.handling import error_response
from api.errors.shapes import path_below_root
from api.observing.requests import HEALTH_PATH, METRICS_PATH

_MESSAGE = "服务正在关闭，不再接受新的请求；已经接受的会答完。请按 Retry-After 稍后再试。"


class Leaving:
    """Whether the service is leaving, and whether its doors may be closed yet.

    Args:
        drain_seconds: From the signal to the closing of the listener.
        clock: Seconds that only go forward.
    """

    def __init__(self, drain_seconds: float = 0.0, clock: Callable[[], float] = monotonic) -> None:
        self._drain_seconds = drain_seconds
        self._clock = clock
        self._begun_at: float | None = None

    @property
    def begun(self) -> bool:
        """Whether new work is refused."""
        return self._begun_at is not None

    @property
    def drained(self) -> bool:
        """Whether the listener may be closed; True also if nobody asked to leave."""
        return self._begun_at is None or self._clock() - self._begun_at >= self._drain_seconds

    def begin(self) -> None:
        """Refuse new work from now on; asked again, close the listener without waiting longer."""
        if self.begun:
            self._drain_seconds = 0.0
        else:
            self._begun_at = self._clock()


class LeavingMiddleware:
    """Refuse new work while the service leaves.

    Args:
        app: What comes next.
        leaving: Says whether it does.
    """

    def __init__(self, app: ASGIApp, *, leaving: Leaving) -> None:
        self.app = app
        self._leaving = leaving

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        exempt = scope["type"] != "http" or path_below_root(scope) in {HEALTH_PATH, METRICS_PATH}
        if (exempt or not self._leaving.begun) and not await self._is_cut_off(scope, receive, send):
            return
        # A caller that keeps its connection would otherwise go on asking the one that leaves.
        closing = {"Connection": "close"} if scope.get("http_version", "1.1").startswith("1") else {}
        response = error_response(scope, "shutting_down", _MESSAGE, headers=closing)
        await response(scope, receive, send)

    async def _is_cut_off(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Pass a request on; whether its time ran out while the service left, before a reply had begun."""
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if started or task is None or not self._leaving.begun or scope["type"] != "http":
                raise
            # Whoever runs the server ends what is left by this; nobody inside asked for it. Passed on, it
            # would be a bare 500 and a traceback.
            task.uncancel()
            return True
        return False
