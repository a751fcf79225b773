"""Both clients against servers and connections that fail: what is raised, and what is retried."""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Iterator

import httpx
import pytest

from cewen import (
    Answer,
    AsyncClient,
    AuthenticationError,
    CewenError,
    CitationsKnown,
    Client,
    ConnectionFailedError,
    InvalidReplyError,
    NotFoundError,
    OverloadedError,
    ServerError,
    TextAdded,
)
from tests.client_driver import (
    KEY,
    KINDS,
    Opener,
    error_body,
    json_reply,
    opener,
    page_reply,
)
from tests.llm_server import STREAM_HEAD, ChatServer, Script, hanging, hanging_up, refusing, replying, serving

LIMIT_SECONDS = 10.0
QUESTION = "机密问题"
SEARCHED = '{"hits": [], "fingerprint": "f"}'
ABSTAINED = (
    '{"id": "a", "status": "abstained", "answer": "没有。", "reason": "not_stated", "confidence": 0.1, '
    '"sentences": [], "citations": [], "related": [], "resolved_question": "?", "generator": "extractive", '
    '"fingerprint": "f", "timings_ms": {"total": 1}, "calibration": "general", "degraded": null}'
)
CITATIONS = 'event: citations\ndata: {"citations": []}\n\n'
DELTA = 'event: delta\ndata: {"text": "没有。"}\n\n'
DONE = f"event: done\ndata: {ABSTAINED}\n\n"
BUSY = json_reply(error_body("overloaded", "unavailable"), status="503 Service Unavailable", Retry_After="7")
CUT_BODY = hanging_up(
    f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 999\r\n\r\n{SEARCHED}"
)


@pytest.fixture(params=KINDS)
def open_client(request: pytest.FixtureRequest) -> Iterator[Opener]:
    with opener(request.param) as opened:
        yield opened


def at(server: ChatServer) -> str:
    return f"http://127.0.0.1:{server.port}"


def failure(client: Client) -> CewenError:
    with pytest.raises(CewenError) as caught:
        client.search(QUESTION)
    return caught.value


# Whole replies.


def test_a_busy_service_is_asked_again_after_the_wait_it_asks_for(open_client: Opener) -> None:
    with serving(BUSY, BUSY, json_reply(SEARCHED)) as server:
        assert open_client(at(server)).search(QUESTION).hits == ()
        assert len(server.requests) == 3
        assert {request.body for request in server.requests} == {f'{{"query": "{QUESTION}"}}'.encode()}
    assert all(7 <= waited <= 8 for waited in open_client.waits)
    assert len(open_client.waits) == 2


def test_it_is_not_asked_for_ever(open_client: Opener) -> None:
    with serving(BUSY) as server:
        error = failure(open_client(at(server), max_retries=1))
        assert (type(error), error.code, error.status, error.retry_after) == (
            OverloadedError,
            "overloaded",
            503,
            7.0,
        )
        assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("script", "kind", "code", "attempts"),
    [
        (page_reply("502 Bad Gateway"), ServerError, "http_502", 3),
        (page_reply("429 Too Many Requests"), OverloadedError, "http_429", 3),
        (page_reply("503 Service Unavailable", Retry_After="3600"), OverloadedError, "http_503", 1),
        (page_reply("404 Not Found"), InvalidReplyError, "invalid_reply", 1),
        (page_reply("302 Found", Location="http://192.0.2.1/"), InvalidReplyError, "invalid_reply", 1),
        (page_reply(), InvalidReplyError, "invalid_reply", 1),
        (json_reply('{"hits": 1}'), InvalidReplyError, "invalid_reply", 1),
        (json_reply(SEARCHED, Content_Encoding="gzip"), InvalidReplyError, "invalid_reply", 1),
        (
            json_reply(error_body("internal_error", "internal"), status="500 X"),
            ServerError,
            "internal_error",
            1,
        ),
        (json_reply(error_body("not_found", "not_found"), status="404 X"), NotFoundError, "not_found", 1),
        (hanging_up(), ConnectionFailedError, "incomplete_reply", 3),
        (hanging_up("SSH-2.0-OpenSSH\r\n"), ConnectionFailedError, "incomplete_reply", 3),
        (CUT_BODY, ConnectionFailedError, "incomplete_reply", 3),
    ],
)
def test_faults(
    open_client: Opener, script: Script, kind: type[CewenError], code: str, attempts: int
) -> None:
    with serving(script) as server:
        error = failure(open_client(at(server)))
        assert (type(error), error.code) == (kind, code)
        assert len(server.requests) == attempts
    assert QUESTION not in str(error)


def test_nobody_listens(open_client: Opener) -> None:
    with refusing() as address:
        client = open_client(address.removesuffix("/v1"))
        error = failure(client)
        assert (type(error), error.code) == (ConnectionFailedError, "connection_failed")
        assert client.base_url in error.message
        assert len(open_client.waits) == 2
        assert client.ready() is False
        assert len(open_client.waits) == 2


def test_a_silent_service_is_given_up_and_not_asked_again(open_client: Opener) -> None:
    with serving(hanging()) as server:
        client = open_client(at(server), timeout=0.5)
        error = failure(client)
        assert (type(error), error.code) == (ConnectionFailedError, "timeout")
        assert "0.5" in error.message
        assert len(server.requests) == 1
        assert client.ready() is False


def test_ready_says_what_is_no_service_at_all(open_client: Opener) -> None:
    refused = json_reply(error_body("api_key_invalid", "authentication"), status="401 Unauthorized")
    with serving(page_reply("503 X"), page_reply(), refused) as server:
        client = open_client(at(server))
        assert client.ready() is False
        with pytest.raises(InvalidReplyError):
            client.ready()
        with pytest.raises(AuthenticationError):
            client.ready()
        assert len(server.requests) == 3


# Streams.


def test_a_stream_of_odd_but_lawful_form(open_client: Opener) -> None:
    body = (
        f": ping\r\rid: 1\n{CITATIONS}event: later\ndata: x\n\n{DELTA}".replace("\n", "\r\n") + DONE + "rest"
    )
    with serving(replying(body)) as server:
        known, text, answer = open_client(at(server)).stream(QUESTION)
    assert isinstance(known, CitationsKnown)
    assert text == TextAdded(text="没有。")
    assert isinstance(answer, Answer)
    assert answer.status == "abstained"
    assert server.requests[0].headers["accept"] == "text/event-stream"
    assert server.requests[0].json() == {"question": QUESTION, "stream": True}


def test_a_stream_is_begun_again_only_before_its_first_event(open_client: Opener) -> None:
    with serving(BUSY, hanging_up(STREAM_HEAD, ": ping\n\n"), replying(DONE)) as server:
        (answer,) = open_client(at(server)).stream(QUESTION)
        assert isinstance(answer, Answer)
        assert len(server.requests) == 3
    assert len(open_client.waits) == 2


@pytest.mark.parametrize(
    ("script", "kind", "code"),
    [
        (hanging_up(STREAM_HEAD, DELTA), ConnectionFailedError, "incomplete_reply"),
        (hanging_up(STREAM_HEAD, DELTA, DONE[:-1]), ConnectionFailedError, "incomplete_reply"),
        (replying(DELTA), ConnectionFailedError, "incomplete_reply"),
        (
            hanging_up(STREAM_HEAD.replace("\r\n\r\n", "\r\nContent-Length: 9999\r\n\r\n"), DELTA),
            ConnectionFailedError,
            "incomplete_reply",
        ),
        (hanging(STREAM_HEAD, DELTA), ConnectionFailedError, "timeout"),
        (replying(DELTA + "event: done\ndata: <html>\n\n"), InvalidReplyError, "invalid_reply"),
        (replying(DELTA.encode() + b"data: \xff\n\n"), InvalidReplyError, "invalid_reply"),
        (
            replying(f"{DELTA}event: error\ndata: {error_body('index_busy', 'unavailable')}\n\n"),
            OverloadedError,
            "index_busy",
        ),
    ],
)
def test_a_stream_that_breaks_off(
    open_client: Opener, script: Script, kind: type[CewenError], code: str
) -> None:
    with serving(script) as server:
        events = open_client(at(server), timeout=1.0 if code == "timeout" else LIMIT_SECONDS).stream(QUESTION)
        assert next(events) == TextAdded(text="没有。")
        with pytest.raises(kind) as caught:
            next(events)
        assert (type(caught.value), caught.value.code) == (kind, code)
        assert len(server.requests) == 1
    assert open_client.waits == []


@pytest.mark.parametrize("script", [page_reply(), json_reply(ABSTAINED), page_reply("404 Not Found")])
def test_what_is_no_stream_is_not_read_as_one(open_client: Opener, script: Script) -> None:
    with serving(script) as server, pytest.raises(InvalidReplyError):
        next(open_client(at(server)).stream(QUESTION))
    assert len(server.requests) == 1


def test_closing_a_stream_closes_its_connection(open_client: Opener) -> None:
    with serving(hanging(STREAM_HEAD, DELTA)) as server:
        events = open_client(at(server)).stream(QUESTION)
        next(events)
        assert not server.left.is_set()
        events.close()
        assert server.left.wait(LIMIT_SECONDS)


def test_cancelling_closes_the_connection() -> None:
    async def leave(url: str) -> None:
        async with AsyncClient(url) as client:
            events = client.stream(QUESTION)
            await anext(events)
            waiting = asyncio.ensure_future(anext(events))
            await asyncio.sleep(0)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            assert await asyncio.to_thread(server.left.wait, LIMIT_SECONDS)

    with serving(hanging(STREAM_HEAD, DELTA)) as server:
        asyncio.run(leave(at(server)))


# The key.


def test_the_key_goes_to_the_service_and_nowhere_else(
    open_client: Opener, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    refused = json_reply(error_body("api_key_invalid", "authentication"), status="401 Unauthorized")
    with serving(refused) as server:
        client = open_client(at(server), api_key=KEY)
        with pytest.raises(AuthenticationError) as caught:
            client.ask(QUESTION)
        assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"
    with refusing() as address, pytest.raises(ConnectionFailedError) as unreachable:
        open_client(address, api_key=KEY).ask(QUESTION)
    shown = [*caplog.messages, repr(client)]
    for error in (caught.value, unreachable.value):
        shown += [repr(error), str(error), repr(vars(error)), *traceback.format_exception(error)]
    assert KEY not in "".join(shown)
    assert QUESTION not in "".join(shown)


def test_without_a_key_none_is_sent(open_client: Opener) -> None:
    with serving(json_reply(SEARCHED)) as server:
        open_client(at(server)).search(QUESTION)
        assert "authorization" not in server.requests[0].headers


# Transports.


def test_a_transport_can_be_given(open_client: Opener) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        assert str(request.url) == "https://cewen.example/p/v1/examples"
        return httpx.Response(200, json={"questions": ["灯塔？"], "fingerprint": "f"})

    assert open_client.handled(handle, base_url="https://cewen.example/p/").examples() == ("灯塔？",)


@pytest.mark.parametrize(
    ("raised", "code"),
    [
        (httpx.PoolTimeout("x"), "timeout"),
        (httpx.WriteError("x"), "incomplete_reply"),
        (httpx.ProxyError("x"), "connection_failed"),
        (OSError("TLS"), "incomplete_reply"),
        (httpx.UnsupportedProtocol("x"), "invalid_configuration"),
        (UnicodeError("label too long"), "invalid_configuration"),
        (httpx.TooManyRedirects("x"), "incomplete_reply"),
    ],
)
def test_whatever_httpx_raises_is_one_of_ours(open_client: Opener, raised: Exception, code: str) -> None:
    def handle(_: httpx.Request) -> httpx.Response:
        raise raised

    assert failure(open_client.handled(handle, max_retries=0)).code == code
