"""What `create_app` needs of this package, in one object: metrics, traces, and whether the service leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from starlette.middleware import Middleware

from api.fixed_library import as_library
from api.observing.draining import Leaving, LeavingMiddleware
from api.observing.engine import Recorder
from api.observing.library import ObservedLibrary
from api.observing.metrics import Metrics
from api.observing.middleware import ObservingMiddleware
from api.observing.tracing import open_tracing
from api.ports import Factory, LibraryFactory
from api.settings import ApiSettings


class Observing:
    """The observed side of one application; `app.state.observing` is it.

    Args:
        settings: Limits and switches.

    Attributes:
        metrics: What is counted.
        leaving: Whether new work is refused.

    Raises:
        ConfigError: If traces are wanted and the extra `otel` is not installed.
    """

    def __init__(self, settings: ApiSettings) -> None:
        self.metrics = Metrics()
        self.leaving = Leaving(settings.drain_seconds)
        self._tracing = open_tracing(settings.otlp_url)
        self._timeout_seconds = settings.request_timeout_seconds
        self._library: ObservedLibrary | None = None

    def around(self, factory: Factory, recorder: Recorder | None = None) -> LibraryFactory:
        """A factory of the same library, observed.

        Args:
            factory: Opens a library, or an engine.
            recorder: Is given every answer.
        """

        def opened() -> ObservedLibrary:
            self._library = ObservedLibrary(
                as_library(factory()),
                self.metrics,
                timeout_seconds=self._timeout_seconds,
                recorder=recorder,
            )
            return self._library

        return opened

    def settle(self) -> None:
        """Count the jobs that have ended since somebody looked."""
        if self._library is not None:
            self._library.settle()

    def counting(self) -> Middleware:
        """What belongs directly inside the request ids."""
        return Middleware(ObservingMiddleware, metrics=self.metrics, tracing=self._tracing)

    def refusing(self) -> Middleware:
        """What belongs before everything that could take long, or refuse for another reason."""
        return Middleware(LeavingMiddleware, leaving=self.leaving)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Until it is left; then what is still to be sent is sent, within a limit."""
        try:
            yield
        finally:
            if self._tracing is not None:
                await anyio.to_thread.run_sync(self._tracing.close)
