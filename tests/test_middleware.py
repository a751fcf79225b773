"""Each middleware alone, driven by three functions; see test_limits.py for sizes, times and numbers."""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable

import anyio
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors.handling import REQUEST_ID_KEY
from api.guards.middleware import (
    ErrorBoundaryMiddleware,
    HeadMiddleware,
    PlainPathMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
)

App = Callable[[Scope, Receive, Send], Awaitable[None]]


def http_scope(**changes: object) -> Scope:
    return {"type": "http", "http_version": "1.1", "method": "GET", "path": "/", "headers": [], **changes}


def call(app: ASGIApp, scope: Scope) -> list[Message]:
    """What the application sends for a request without a body."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    anyio.run(app, scope, receive, send)
    return sent


def headers_of(sent: list[Message]) -> dict[str, str]:
    return {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def body_of(sent: list[Message]) -> bytes:
    return b"".join(message.get("body", b"") for message in sent[1:])


async def say_id(scope: Scope, receive: Receive, send: Send) -> None:
    await PlainTextResponse(scope[REQUEST_ID_KEY])(scope, receive, send)


@pytest.mark.parametrize("offered", ["abc-123", "A.b_C", "x" * 64])
def test_a_sane_request_id_is_kept(offered: str) -> None:
    sent = call(RequestIdMiddleware(say_id), http_scope(headers=[(b"x-request-id", offered.encode())]))
    assert headers_of(sent)["x-request-id"] == offered
    assert body_of(sent).decode() == offered


@pytest.mark.parametrize("offered", ["", "x" * 65, "a b", "a\tb", "<script>", "灯", "a\n"])
def test_any_other_is_replaced(offered: str) -> None:
    raw = offered.encode("utf-8")
    sent = call(RequestIdMiddleware(say_id), http_scope(headers=[(b"x-request-id", raw)]))
    made = headers_of(sent)["x-request-id"]
    assert made != offered
    assert len(made) == 32
    assert int(made, 16) >= 0


def test_ids_differ() -> None:
    made = {headers_of(call(RequestIdMiddleware(say_id), http_scope()))["x-request-id"] for _ in range(20)}
    assert len(made) == 20


def test_security_headers_are_on_every_reply() -> None:
    headers = headers_of(call(SecurityHeadersMiddleware(PlainTextResponse("x", 404)), http_scope()))
    assert headers["content-security-policy"] == (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"


@pytest.mark.parametrize(
    ("given", "expected"),
    [({}, "no-store"), ({"ETag": '"1"'}, "no-cache"), ({"Cache-Control": "max-age=60"}, "max-age=60")],
)
def test_cache_control(given: dict[str, str], expected: str) -> None:
    app = SecurityHeadersMiddleware(PlainTextResponse("x", headers=given))
    assert headers_of(call(app, http_scope()))["cache-control"] == expected


def test_head_is_get_without_the_body() -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["method"])
        await PlainTextResponse("灯塔")(scope, receive, send)

    sent = call(HeadMiddleware(app), http_scope(method="HEAD"))
    assert seen == ["GET"]
    assert headers_of(sent)["content-length"] == "6"
    assert body_of(sent) == b""
    assert body_of(call(HeadMiddleware(app), http_scope())).decode() == "灯塔"


async def fail(scope: Scope, receive: Receive, send: Send) -> None:
    raise RuntimeError("密码是 123456")


def test_an_unexpected_exception_is_a_500_that_tells_nothing(caplog: pytest.LogCaptureFixture) -> None:
    app = RequestIdMiddleware(ErrorBoundaryMiddleware(fail))
    with caplog.at_level(logging.ERROR, logger="api.errors.handling"):
        sent = call(app, http_scope(headers=[(b"x-request-id", b"r-1")]))
    assert sent[0]["status"] == 500
    error = json.loads(body_of(sent))["error"]
    assert error["type"] == "internal"
    assert error["code"] == "internal_error"
    assert error["request_id"] == "r-1"
    assert b"123456" not in body_of(sent)
    assert b"Traceback" not in body_of(sent)
    [record] = caplog.records
    assert "r-1" in record.getMessage()
    assert record.exc_info is not None


def test_a_reply_under_way_is_broken_off(caplog: pytest.LogCaptureFixture) -> None:
    async def half(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise RuntimeError("late")

    with pytest.raises(RuntimeError, match="late"):
        call(ErrorBoundaryMiddleware(half), http_scope())
    assert "failed" in caplog.text


@pytest.mark.parametrize(
    "wrap", [RequestIdMiddleware, SecurityHeadersMiddleware, HeadMiddleware, ErrorBoundaryMiddleware]
)
def test_what_is_not_http_passes(wrap: Callable[[App], ASGIApp]) -> None:
    seen: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["type"])

    assert call(wrap(app), {"type": "lifespan"}) == []
    assert seen == ["lifespan"]


@pytest.mark.parametrize("path", ["/mcp\n", "/v1/ask\r\n", "/\x00", "/v1/ask\x7f", "/\x85", "/a\u2028b"])
def test_a_path_with_a_control_character_is_no_path(path: str) -> None:
    sent = call(PlainPathMiddleware(say_id), http_scope(path=path, **{REQUEST_ID_KEY: "r-1"}))
    assert sent[0]["status"] == 404


def test_any_other_path_passes() -> None:
    sent = call(PlainPathMiddleware(say_id), http_scope(path="/documents/灯塔 1", **{REQUEST_ID_KEY: "r-1"}))
    assert body_of(sent) == b"r-1"
