"""The client. `cewen.async_client` is the same with `await`; what they do not do themselves they share.

It waits, retries and closes; what is sent stands in `requests`, what comes back in `replies` and `events`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
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


class Client(BaseClient):
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
    ) -> Answer:
        """Ask, and wait for the whole answer. An abstention is an answer.

        Args:
            question: 1-2000 characters.
            history: The conversation so far, oldest first.
            top_k: 1-50; how many passages the answer may rest on at most. None: the service's default.
            generator: Who writes the answer. None: the service's default.
            explain: Whether raw scores come with it.
        """
        request = ask_request(question, history, top_k, generator, explain=explain)
        return parse(Answer, self._text(request))

    def ask_json(
        self,
        question: str,
        *,
        history: Iterable[Turn] = (),
        top_k: int | None = None,
        generator: str | None = None,
        explain: bool = False,
    ) -> str:
        """As `ask`, but gives the body of the reply, unchanged; that it is an answer has been checked."""
        request = ask_request(question, history, top_k, generator, explain=explain)
        return checked(Answer, self._text(request))

    def stream(
        self,
        question: str,
        *,
        history: Iterable[Turn] = (),
        top_k: int | None = None,
        generator: str | None = None,
        explain: bool = False,
    ) -> Generator[AnswerEvent, None, None]:
        """As `ask`, but part by part: `CitationsKnown`, `TextAdded`, and last the whole `Answer`.

        Nothing is sent before the first event is asked for, and nothing is retried after it has come. Closing
        the iterator closes the connection, which ends the work on the server.
        """
        request = ask_request(question, history, top_k, generator, explain=explain, stream=True)
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
        self, query: str, *, top_k: int | None = None, score_threshold: float | None = None
    ) -> SearchResult:
        """Find passages, best first.

        Args:
            query: 1-2000 characters.
            top_k: 1-50. None: the service's default.
            score_threshold: 0-1; only passages of at least this `score`. None: all.
        """
        return parse(SearchResult, self._text(search_request(query, top_k, score_threshold)))

    def search_json(
        self, query: str, *, top_k: int | None = None, score_threshold: float | None = None
    ) -> str:
        """As `search`, but gives the body of the reply, unchanged; that it is a result has been checked."""
        return checked(SearchResult, self._text(search_request(query, top_k, score_threshold)))

    def documents(self) -> tuple[Document, ...]:
        """All documents, in reading order."""
        return parse(DocumentList, self._text(DOCUMENTS)).documents

    def documents_json(self) -> str:
        """As `documents`, but gives the body of the reply, unchanged; that it is a list has been checked."""
        return checked(DocumentList, self._text(DOCUMENTS))

    def document(self, document_id: str) -> DocumentDetail:
        """One document with its paragraphs.

        Raises:
            NotFoundError: If there is none of this id.
        """
        return parse(DocumentDetail, self._text(document_request(document_id)))

    def source(self, document_id: str) -> str:
        """The text that a document stands in, exactly as stored; offsets of citations count in it.

        Raises:
            NotFoundError: If there is no document of this id.
        """
        return self._text(source_request(document_id))

    def examples(self) -> tuple[str, ...]:
        """Questions that the corpus answers; may be none."""
        return parse(ExampleList, self._text(EXAMPLES)).questions

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
        attempts = self._attempts()
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
