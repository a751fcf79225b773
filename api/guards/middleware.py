"""What wraps every request: its id, the security headers, HEAD, and the last catch for exceptions.

Plain ASGI, so that each class can be tested with three functions and no framework. Limits on size, time
and number live in `limits`; what a route does with a request lives in the routes.
"""

from __future__ import annotations

import re
import uuid

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors.codes import CODES
from api.errors.handling import REQUEST_ID_KEY, error_response, internal_error_response

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

_SECURITY_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}

# What goes into logs and replies unchanged must be harmless there.
_SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]")


class RequestIdMiddleware:
    """Give every request an id: the caller's `X-Request-ID` if it is sane, else a random one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the id back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        offered = Headers(scope=scope).get("x-request-id", "")
        request_id = offered if _SANE_REQUEST_ID.fullmatch(offered) else uuid.uuid4().hex
        scope[REQUEST_ID_KEY] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-ID"] = request_id
            await send(message)

        await self.app(scope, receive, send_with_id)


class SecurityHeadersMiddleware:
    """Add the security headers to every response, and a `Cache-Control` where a route set none.

    What has an ETag may be kept and asked for again; anything else, answers above all, is not stored.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and the headers back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _SECURITY_HEADERS.items():
                    headers[name] = value
                headers.setdefault("Cache-Control", "no-cache" if "etag" in headers else "no-store")
            await send(message)

        await self.app(scope, receive, send_with_headers)


class PlainPathMiddleware:
    """Refuse a path that holds a control character (404), before anything decides by the path.

    Starlette's patterns end in `$`, which also matches before a last line feed: `/mcp%0A` would be answered
    as `/mcp`, past whatever compares paths as text, such as the access key and the admission gate.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and _CONTROL.search(scope["path"]):
            row = CODES["not_found"]
            await error_response(scope, "not_found", f"{row.meaning}。{row.action}。")(scope, receive, send)
            return
        await self.app(scope, receive, send)


class HeadMiddleware:
    """Answer HEAD as GET without the body, which HTTP asks of every resource and FastAPI does not do."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on as GET, and the reply back without its body."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def send_without_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        inner = {**scope, "method": "GET"}
        await self.app(inner, receive, send_without_body)
        scope["route"] = inner.get("route")  # what wraps this reads there which route has answered


class ErrorBoundaryMiddleware:
    """Turn any exception that got this far into a 500 of our shape.

    Starlette's own catch-all sits outside all other middleware, so its reply would carry neither request
    id nor security headers.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and whatever becomes of it back."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def send_and_note(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        except Exception as error:
            response = internal_error_response(scope, error)
            if started:
                raise  # a reply is under way; all that is left is to break it off
            await response(scope, receive, send)
