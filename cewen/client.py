"""The client. `cewen.async_client` is the same with `await`; what they do not do themselves they share.

It waits, retries and closes; what is sent stands in `requests`, what comes back in `replies` and `events`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from typing import Self

import httpx

from cewen.connection import DEFAULT_BASE_URL, DEFAULT_TIMEOUT_SECONDS, explaining_proxies
from cewen.document_calls import DocumentCalls
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


class Client(DocumentCalls):
    """A client of one service. May be used by several threads at once; close it, or use it in a `with`.

    A proxy of the environment (HTTP_PROXY, HTTPS_PROXY, NO_PROXY) is used, but never for this machine itself.
    Redirects are not followed. Every method may raise:

    - ConnectionFailedError: no connection, too slow, or broken off;
    - InvalidReplyError: what came is not a reply of Cewen;
    - ServiceError, by its subclass: the service says that it will not or cannot.

    Args:
        base_url: http or https, host, and a path if the service has one; a slash at the end does not matter.
        api_key: Sent as a bearer token; visible ASCII. It is shown nowhere.
        timeout: Seconds, above 0, that the service may stay silent (for connecting: 10 at most).
        max_retries: 0-10. How often a call that failed for lack of a connection or with 429, 502, 503 or 504
            is made again.
        transport: An httpx transport to use in place of the network.
        sleep: Waits that many seconds between attempts.

    Raises:
        ConfigError: If one of these, or a proxy of the environment, cannot be used.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_BASE_URL,
        *,
        api_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT_SECONDS,
        max_retries: int = 2,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        super().__init__(base_url, timeout, max_retries)
        self._sleep = sleep
        options = self._http_options(api_key)
        with explaining_proxies():
            self._http = httpx.Client(transport=transport, **options)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections. May be called again; other calls must not follow."""
        self._http.close()

    def ask(
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
        """Ask, and wait for the whole answer. An abstention is an answer.

        Args:
            question: 1-2000 characters.
            history: The conversation so far, oldest first.
            top_k: 1-50; how many passages the answer may rest on at most. None: the service's default.
            generator: Who writes the answer. None: the service's default.
            explain: Whether raw scores come with it.
            collection: Which is asked. None: "default".
            filters: Only documents that match.
        """
        request = ask_request(
            question, history, top_k, generator, explain=explain, collection=collection, filters=filters
        )
        return parse(Answer, self._text(request))

    def ask_json(
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
        """As `ask`, but gives the body of the reply, unchanged; that it is an answer has been checked."""
        request = ask_request(
            question, history, top_k, generator, explain=explain, collection=collection, filters=filters
        )
        return checked(Answer, self._text(request))

    def stream(
        self,
        question: str,
        *,
        history: Iterable[Turn] = (),
        top_k: int | None = None,
        generator: str | None = None,
        explain: bool = False,
        collection: str | None = None,
        filters: FiltersLike | None = None,
    ) -> Generator[AnswerEvent, None, None]:
        """As `ask`, but part by part: `CitationsKnown`, `TextAdded`, and last the whole `Answer`.

        Nothing is sent before the first event is asked for, and nothing is retried after it has come. Closing
        the iterator closes the connection, which ends the work on the server.
        """
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
                with closing(self._events(request)) as events:
                    for event in events:
                        begun = True
                        yield event
                return
            except CewenError as error:
                seconds = None if begun else attempts.seconds_before_next(error)
                if seconds is None:
                    raise
            self._sleep(seconds)

    def search(
        self,
        query: str,
        *,
        top_k: int | None = None,
        score_threshold: float | None = None,
        collection: str | None = None,
        filters: FiltersLike | None = None,
    ) -> SearchResult:
        """Find passages, best first.

        Args:
            query: 1-2000 characters.
            top_k: 1-50. None: the service's default.
            score_threshold: 0-1; only passages of at least this `score`. None: all.
            collection: As for `ask`.
            filters: As for `ask`.
        """
        request = search_request(query, top_k, score_threshold, collection=collection, filters=filters)
        return parse(SearchResult, self._text(request))

    def search_json(
        self,
        query: str,
        *,
        top_k: int | None = None,
        score_threshold: float | None = None,
        collection: str | None = None,
        filters: FiltersLike | None = None,
    ) -> str:
        """As `search`, but gives the body of the reply, unchanged; that it is a result has been checked."""
        request = search_request(query, top_k, score_threshold, collection=collection, filters=filters)
        return checked(SearchResult, self._text(request))

    def ready(self) -> bool:
        """Whether the service can answer now: False if it is not reached, opening or busy. Asked once.

        Raises:
            CewenError: If it can be reached but is no service, or refuses the key.
        """
        try:
            parse(ReadyReply, self._once(READY))
        except CewenError as error:
            if may_pass(error):
                return False
            raise
        return True

    def _text(self, request: Request) -> str:
        attempts = self._attempts(repeatable=request.repeatable)
        while True:
            try:
                return self._once(request)
            except CewenError as error:
                seconds = attempts.seconds_before_next(error)
                if seconds is None:
                    raise
            self._sleep(seconds)

    def _once(self, request: Request) -> str:
        with self._translating():
            response = self._http.request(
                request.method, self._base_url + request.path, content=request.body, headers=request.headers
            )
        return text_of(request, response.status_code, response.headers, response.content)

    def _events(self, request: Request) -> Generator[AnswerEvent, None, None]:
        reader = AnswerReader()
        with (
            self._translating(),
            self._http.stream(
                request.method, self._base_url + request.path, content=request.body, headers=request.headers
            ) as response,
        ):
            body = b"" if response.status_code == 200 else response.read()
            check_head(request, response.status_code, response.headers, body)
            for chunk in response.iter_bytes():
                yield from reader.feed(chunk)
                if reader.done:
                    return
        reader.finish()
