"""Both clients behind one synchronous face, so that one test holds for both, and servers to point them at."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, cast

import httpx

from api.app import create_app
from cewen import AnswerEvent, AsyncClient, Client
from tests.api_fakes import FakeEngine, FakeLibrary
from tests.evals_server import serving_app
from tests.llm_server import Script, replying

Kind = Literal["sync", "async"]
KINDS: tuple[Kind, ...] = ("sync", "async")
ANSWERED, ABSTAINED = "清晨熄灯", "明年茶价"
KEY = "sk-0123456789"

# asyncio closes a socket in a later turn of its loop, which stands still between the calls made here.
_LAST_TURNS = 4

Handler = Callable[[httpx.Request], httpx.Response]


class _Awaited:
    """An asynchronous client whose methods can be called without `await`."""

    def __init__(self, client: AsyncClient, runner: asyncio.Runner) -> None:
        self._client = client
        self._runner = runner

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._client, name)
        if not asyncio.iscoroutinefunction(member):
            return member

        def call(*args: Any, **options: Any) -> Any:
            return self._runner.run(member(*args, **options))

        return call

    def __repr__(self) -> str:
        return repr(self._client)

    def stream(self, *args: Any, **options: Any) -> Generator[AnswerEvent, None, None]:
        events = self._client.stream(*args, **options)
        try:
            while True:
                try:
                    event = self._runner.run(_next(events))
                except StopAsyncIteration:
                    return
                yield event
        finally:
            self._runner.run(_close(events))


async def _next(events: Any) -> Any:
    try:
        return await anext(events)
    except StopAsyncIteration:
        # Raised as it is, a coroutine may not end with it.
        raise _Ended from None


async def _close(events: Any) -> None:
    await events.aclose()
    for _ in range(_LAST_TURNS):
        await asyncio.sleep(0)


class _Ended(StopAsyncIteration):
    pass


@dataclass
class Opener:
    """Opens clients of one kind, which wait no real time between attempts, and closes them at the end.

    Attributes:
        kind: Which.
        waits: Seconds that they would have waited, in order.
    """

    kind: Kind
    waits: list[float] = field(default_factory=list)
    stack: ExitStack = field(default_factory=ExitStack)

    def __call__(self, base_url: str = "http://127.0.0.1:8000", **options: Any) -> Client:
        if self.kind == "sync":
            return self.stack.enter_context(Client(base_url, sleep=self.waits.append, **options))
        runner = self.stack.enter_context(asyncio.Runner())
        client = AsyncClient(base_url, sleep=self._sleep, **options)
        self.stack.callback(lambda: runner.run(client.aclose()))
        return cast("Client", _Awaited(client, runner))

    def handled(self, handler: Handler, **options: Any) -> Client:
        """A client whose requests a function answers."""
        return self(transport=httpx.MockTransport(handler), **options)

    async def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)


@contextmanager
def opener(kind: Kind) -> Iterator[Opener]:
    opened = Opener(kind)
    with opened.stack:
        yield opened


@contextmanager
def serving_engine(engine: FakeEngine | None = None) -> Iterator[str]:
    """The base URL of the real app over a fake engine, behind a real socket."""
    app = create_app(lambda: engine or FakeEngine())
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(10)
        yield url


@contextmanager
def serving_library(library: FakeLibrary) -> Iterator[str]:
    """The base URL of the real app over a library in memory, behind a real socket."""
    app = create_app(lambda: library)
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(10)
        yield url


def json_reply(body: str, *, status: str = "200 OK", **headers: str) -> Script:
    return replying(body, status=status, content_type="application/json", **headers)


def page_reply(status: str = "200 OK", **headers: str) -> Script:
    """What a proxy sends in the service's place, with something in it that nobody may see again."""
    return replying("<html>机密问题</html>", status=status, content_type="text/html", **headers)


def error_body(code: str, kind: str, message: str = "现在不行，请稍后再试。") -> str:
    return f'{{"error": {{"type": "{kind}", "code": "{code}", "message": "{message}", "request_id": "r-1"}}}}'
