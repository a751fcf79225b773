"""The client for asyncio. `cewen.client` is the same without `await`, and where the methods are described.

It waits, retries and closes; what is sent stands in `requests`, what comes back in `replies` and `events`.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from contextlib import aclosing
from typing import Self

import httpx

from cewen.connection import DEFAULT_BASE_URL, DEFAULT_TIMEOUT_SECONDS, BaseClient, explaining_proxies
from cewen.envelopes import DocumentList, ExampleList, ReadyReply
from cewen.errors import CewenError
from cewen.events import AnswerReader
from cewen.models import (
    Answer,
    AnswerEvent,
    Document,
    DocumentDetail,
    SearchResult,
    Turn,
)
from cewen.replies import check_head, checked, parse, text_of
from cewen.requests import (
    DOCUMENTS,
    EXAMPLES,
    READY,
    Request,
    ask_request,
    document_request,
    search_request,
    source_request,
)
from cewen.retrying import may_pass


class AsyncClient(BaseClient):
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
    ) -> Answer:
        """Ask, and wait for the whole answer: see `Client.ask`."""
        request = ask_request(question, history, top_k, generator, explain=explain)
        return parse(Answer, await self._text(request))

    async def ask_json(
        self,
        question: str,
        *,
        history: Iterable[Turn] = (),
        top_k: int | None = None,
        generator: str | None = None,
        explain: bool = False,
    ) -> str:
        """As `ask`, but gives the body of the reply: see `Client.ask_json`."""
        request = ask_request(question, history, top_k, generator, explain=explain)
        return checked(Answer, await self._text(request))

    async def stream(
        self,
        question: str,
        *,
        history: Iterable[Turn] = (),
        top_k: int | None = None,
        generator: str | None = None,
        explain: bool = False,
    ) -> AsyncGenerator[AnswerEvent, None]:
        """Ask, and get the answer part by part: see `Client.stream`. Close the iterator with `aclosing`."""
        request = ask_request(question, history, top_k, generator, explain=explain, stream=True)
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
        self, query: str, *, top_k: int | None = None, score_threshold: float | None = None
    ) -> SearchResult:
        """Find passages, best first: see `Client.search`."""
        return parse(SearchResult, await self._text(search_request(query, top_k, score_threshold)))

    async def search_json(
        self, query: str, *, top_k: int | None = None, score_threshold: float | None = None
    ) -> str:
        """As `search`, but gives the body of the reply: see `Client.search_json`."""
        return checked(SearchResult, await self._text(search_request(query, top_k, score_threshold)))

    async def documents(self) -> tuple[Document, ...]:
        """All documents, in reading order."""
        return parse(DocumentList, await self._text(DOCUMENTS)).documents

    async def documents_json(self) -> str:
        """As `documents`, but gives the body of the reply: see `Client.documents_json`."""
        return checked(DocumentList, await self._text(DOCUMENTS))

    async def document(self, document_id: str) -> DocumentDetail:
        """One document with its paragraphs: see `Client.document`."""
        return parse(DocumentDetail, await self._text(document_request(document_id)))

    async def source(self, document_id: str) -> str:
        """The text a document stands in, exactly as stored: see `Client.source`."""
        return await self._text(source_request(document_id))

    async def examples(self) -> tuple[str, ...]:
        """Questions that the corpus answers; may be none."""
        return parse(ExampleList, await self._text(EXAMPLES)).questions

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
        attempts = self._attempts()
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
