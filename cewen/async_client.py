"""The client for asyncio. `cewen.client` is the same without `await`, and where the methods are described.

It waits, retries and closes; what is sent stands in `requests`, what comes back in `replies` and `events`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Self

import httpx

from cewen.async_document_calls import AsyncDocumentCalls
from cewen.connection import DEFAULT_BASE_URL, DEFAULT_TIMEOUT_SECONDS, explaining_proxies
from cewen.envelopes import ReadyReply
from cewen.errors import CewenError
from cewen.events import AnswerReader
from cewen.models import (
    Answer,
    AnswerEvent,
    SearchResult,
    Turn,
)
from cewen.replies import check_head, checked, parse, text_of
from cewen.requests import (
    READY,
    FiltersLike,
    Request,
    ask_request,
    search_request,
)
from cewen.retrying import may_pass


class AsyncClient(AsyncDocumentCalls):
    """As `Client`, in one event loop of asyncio; close it with `aclose`, or use it in an `async with`.

    Args:
        base_url: As `Client`.
        api_key: As `Client`.
        timeout: As `Client`.
        max_retries: As `Client`.
        transport: An httpx transport to use in place of the network.
        sleep: Waits that many seconds between attempts.

    Raises:
        ConfigError: As `Client`.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_BASE_URL,
        *,
        api_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        max_retries: int = 2,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        super().__init__(base_url, timeout, max_retries)
        self._sleep = sleep
        options = self._http_options(api_key)
        with explaining_proxies():
            self._http = httpx.AsyncClient(transport=transport, **options)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections. May be called again; other calls must not follow."""
        await self._http.aclose()

    async def ask(
        self,
        question: str,
        *,
        history: Iterable[Turn] = (),
        top_k: int | None = None,
        generator: str | None = None,
        explain: bool = False,
        collection: str | None = None,
        filters: FiltersLike | None = None,
    ) -> Answer:
        """Ask, and wait for the whole answer: see `Client.ask`."""
        request = ask_request(
            question, history, top_k, generator, explain=explain, collection=collection, filters=filters
        )
        return parse(Answer, await self._text(request))

    async def ask_json(
        self,
        question: str,
        *,
        history: Iterable[Turn] = (),
        top_k: int | None = None,
        generator: str | None = None,
        explain: bool = False,
        collection: str | None = None,
        filters: FiltersLike | None = None,
    ) -> str:
        """As `ask`, but gives the body of the reply: see `Client.ask_json`."""
        request = ask_request(
            question, history, top_k, generator, explain=explain, collection=collection, filters=filters
        )
        return checked(Answer, await self._text(request))

    async def stream(
        self,
        question: str,
        *,
        history: Iterable[Turn] = (),
        top_k: int | None = None,
        generator: str | None = None,
        explain: bool = False,
        collection: str | None = None,
        filters: FiltersLike | None = None,
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Ask, and get the answer part by part: see `Client.stream`. Close the iterator with `aclosing`."""
        request = ask_request(
            question,
            history,
            top_k,
            generator,
            explain=explain,
            collection=collection,
            filters=filters,
            stream=True,
        )
        attempts = self._attempts()
        begun = False
        while True:
            try:
                async with aclosing(self._events(request)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except CewenError as error:
                seconds = None if begun else attempts.seconds_before_next(error)
                if seconds is None:
                    raise
            await self._sleep(seconds)

    async def search(
        self,
        query: str,
        *,
        top_k: int | None = None,
        score_threshold: float | None = None,
        collection: str | None = None,
        filters: FiltersLike | None = None,
    ) -> SearchResult:
        """Find passages, best first: see `Client.search`."""
        request = search_request(query, top_k, score_threshold, collection=collection, filters=filters)
        return parse(SearchResult, await self._text(request))

    async def search_json(
        self,
        query: str,
        *,
        top_k: int | None = None,
        score_threshold: float | None = None,
        collection: str | None = None,
        filters: FiltersLike | None = None,
    ) -> str:
        """As `search`, but gives the body of the reply: see `Client.search_json`."""
        request = search_request(query, top_k, score_threshold, collection=collection, filters=filters)
        return checked(SearchResult, await self._text(request))

    async def ready(self) -> bool:
        """Whether the service can answer now: see `Client.ready`."""
        try:
            parse(ReadyReply, await self._once(READY))
        except CewenError as error:
            if may_pass(error):
                return False
            raise
        return True

    async def _text(self, request: Request) -> str:
        attempts = self._attempts(repeatable=request.repeatable)
        while True:
            try:
                return await self._once(request)
            except CewenError as error:
                seconds = attempts.seconds_before_next(error)
                if seconds is None:
                    raise
            await self._sleep(seconds)

    async def _once(self, request: Request) -> str:
        with self._translating():
            response = await self._http.request(
                request.method, self._base_url + request.path, content=request.body, headers=request.headers
            )
        return text_of(request, response.status_code, response.headers, response.content)

    async def _events(self, request: Request) -> AsyncGenerator[AnswerEvent, None]:
        reader = AnswerReader()
        with self._translating():
            async with self._http.stream(
                request.method, self._base_url + request.path, content=request.body, headers=request.headers
            ) as response:
                body = b"" if response.status_code == 200 else await response.aread()
                check_head(request, response.status_code, response.headers, body)
                async for chunk in response.aiter_bytes():
                    for event in reader.feed(chunk):
                        yield event
                    if reader.done:
                        return
        reader.finish()
