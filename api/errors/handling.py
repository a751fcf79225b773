"""Exceptions to responses: the one place where an error gets its published shape.

Our own shape is `{"error": {type, code, message, request_id}}`; the formats of others have theirs
(`api.errors.shapes`). A browser that opened a page gets the same facts as HTML. What a caller sent is never
repeated beyond the short excerpt a message may hold, and what went wrong inside is never shown: it is
logged under the request id.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Mount
from starlette.types import Scope

from api.errors.codes import CODES, ErrorCode, row_of, told
from api.errors.shapes import Failure, native, path_below_root, shape_for
from api.errors.validation import describe_problems
from api.pages.rendering import render
from rag.errors import CewenError

REQUEST_ID_KEY = "cewen.request_id"
REFUSALS_KEY = "cewen.refusals"
"""A list in the scope, from whoever counts errors; the code of each error told goes into it."""

RETRY_AFTER_SECONDS = 2

_logger = logging.getLogger(__name__)

_METHODS = ("DELETE", "GET", "PATCH", "POST", "PUT")

_CODE_OF_STATUS = {
    400: "bad_request",
    401: "api_key_missing",
    404: "not_found",
    405: "method_not_allowed",
    408: "request_timeout",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid_request",
    431: "headers_too_large",
    503: "unavailable",
}


def request_id_of(scope: Scope) -> str:
    """The id the outermost middleware gave this request."""
    request_id: str = scope.get(REQUEST_ID_KEY, "")
    return request_id


def note_refusal(scope: Scope, code: str) -> None:
    """Let whoever counts know of an error that the caller is told."""
    scope.get(REFUSALS_KEY, []).append(code)


def error_response(
    scope: Scope,
    code: str,
    message: str,
    *,
    row: ErrorCode | None = None,
    param: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The response for one error.

    Args:
        scope: The request's ASGI scope.
        code: The stable code.
        message: For people, in Chinese.
        row: The table's row, for a code that is not in the table.
        param: The request field at fault, for the formats that name it.
        headers: To be sent with it; 429 and 503 always say when to try again.
    """
    row = row or CODES[code]
    request_id = request_id_of(scope)
    _logger.info("request %s refused: %d %s", request_id, row.status, code)
    note_refusal(scope, code)
    # A message may quote a lone surrogate; it must not turn a refusal into an encoding error.
    message = message.encode("utf-8", "backslashreplace").decode("utf-8")
    failure = Failure(row.status, row.type, code, message, request_id, param)
    status, body = shape_for(scope)(failure)
    all_headers = dict(headers or {})
    if status in {429, 503}:
        all_headers.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    if status == 401:
        all_headers.setdefault("WWW-Authenticate", "Bearer")
    if wants_page(scope):
        page = render("error.html", scope, status=status, error=body["error"], row=row)
        page.headers.update(all_headers)
        return page
    return JSONResponse(body, status_code=status, headers=all_headers)


def error_body(scope: Scope, error: Exception) -> dict[str, Any]:
    """The body of an error that must be told inside a reply that has begun, in the shape of its path."""
    known = error if isinstance(error, CewenError) else None
    row = row_of(known) if known else CODES["internal_error"]
    code = known.code if known else "internal_error"
    message = told(code, row, known.message if known else "")
    message = message.encode("utf-8", "backslashreplace").decode("utf-8")
    _logger.error("request %s broke off: %s", request_id_of(scope), code, exc_info=error)
    note_refusal(scope, code)
    failure = Failure(row.status, row.type, code, message, request_id_of(scope))
    return shape_for(scope)(failure)[1]


def cewen_error_response(scope: Scope, error: CewenError) -> Response:
    """The response for an error of our own tree; a message for the operator stays in the log."""
    row = row_of(error)
    message = told(error.code, row, error.message)
    if row.status == 500:
        _logger.error("request %s failed: %s", request_id_of(scope), error.code, exc_info=error)
    elif message != error.message:
        _logger.warning("request %s refused: %s", request_id_of(scope), error.message)
    return error_response(scope, error.code, message, row=row)


def internal_error_response(scope: Scope, error: Exception) -> Response:
    """The response for an exception nobody expected, with its traceback in the log only."""
    _logger.error("request %s failed", request_id_of(scope), exc_info=error)
    row = CODES["internal_error"]
    return error_response(scope, "internal_error", f"{row.meaning}。{row.action}。")


async def _on_cewen_error(request: Request, error: CewenError) -> Response:
    return cewen_error_response(request.scope, error)


async def _on_validation_error(request: Request, error: RequestValidationError) -> Response:
    return error_response(request.scope, "invalid_request", describe_problems(error.errors()))


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code in {204, 304}:
        return Response(status_code=error.status_code, headers=error.headers)
    fallback = "internal_error" if error.status_code >= 500 else "bad_request"
    code = _CODE_OF_STATUS.get(error.status_code, fallback)
    row = CODES[code]
    message = f"{row.meaning}。{row.action}。"
    headers = dict(error.headers or {})
    if error.status_code == 405:
        message = f"这个地址不支持 {request.method[:16]}。{row.action}。"
        headers |= _allowed(request)
    return error_response(request.scope, code, message, headers=headers)


def _allowed(request: Request) -> dict[str, str]:
    """`Allow` with the methods of all routes of this address; the framework names one route's alone."""
    routes = [route for route in request.app.router.routes if not isinstance(route, Mount)]
    methods = [
        method
        for method in _METHODS
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    return {"Allow": ", ".join(methods)} if methods else {}


HANDLERS: dict[int | type[Exception], Callable[[Request, Any], Coroutine[Any, Any, Response]]] = {
    CewenError: _on_cewen_error,
    RequestValidationError: _on_validation_error,
    HTTPException: _on_http_error,
}


def wants_page(scope: Scope) -> bool:
    """Whether a person's browser opened this address, as far as its path and Accept header tell."""
    if path_below_root(scope).startswith("/v1/") or shape_for(scope) is not native:
        return False
    accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    return b"text/html" in accept
