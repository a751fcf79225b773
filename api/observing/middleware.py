"""Counts, logs and traces every request once its reply has been sent. Plain ASGI.

It stands directly inside the request ids, so that refusals by any other middleware are counted too.
"""

from __future__ import annotations

import logging
from time import perf_counter, time_ns
from typing import TYPE_CHECKING

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors.handling import REFUSALS_KEY, request_id_of
from api.errors.shapes import path_below_root
from api.observing.metrics import Metrics
from api.observing.requests import CURRENT, PROBES, ObservedRequest, method_of, surface_of, template_of

if TYPE_CHECKING:
    from api.observing.tracing import Tracing

_access = logging.getLogger("api.access")

_GONE = 499
"""For a caller that left before anything was sent; no reply has this status. The number is nginx's."""


class ObservingMiddleware:
    """Observe requests.

    Args:
        app: What comes next.
        metrics: Where they are counted.
        tracing: Where they are traced, if anywhere.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics, tracing: Tracing | None = None) -> None:
        self.app = app
        self._metrics = metrics
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note what becomes of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        # Before it is passed on: a mounted application changes the path's meaning.
        observed = ObservedRequest(request_id_of(scope), surface_of(path_below_root(scope)))
        scope[REFUSALS_KEY] = observed.refusals
        status = _GONE

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        token = CURRENT.set(observed)
        under_way = self._metrics.in_progress.labels(observed.surface)
        under_way.inc()
        started_ns, started = time_ns(), perf_counter()
        try:
            await self.app(scope, receive, send_and_note)
        finally:
            under_way.dec()
            self._finish(scope, observed, status, started_ns, perf_counter() - started)
            CURRENT.reset(token)

    def _finish(
        self, scope: Scope, observed: ObservedRequest, status: int, started_ns: int, seconds: float
    ) -> None:
        method, template = method_of(scope), template_of(scope)
        self._metrics.count_request(observed.surface, method, status, seconds)
        for code in observed.refusals:
            self._metrics.count_refusal(code)
        _access.log(
            logging.DEBUG if observed.surface == PROBES else logging.INFO,
            '"%s %s HTTP/%s" %d, %.1f ms, request %s',
            method,
            template,
            scope.get("http_version", "1.1"),
            status,
            seconds * 1e3,
            observed.request_id,
            extra={
                "access": {
                    "surface": observed.surface,
                    "method": method,
                    "path": template,
                    "status": status,
                    "duration_ms": round(seconds * 1e3, 1),
                }
            },
        )
        if self._tracing is not None:
            self._tracing.record(observed, method, template, status, started_ns, int(seconds * 1e9))
