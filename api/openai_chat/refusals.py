"""Refusals that name the field at fault, as OpenAI's do in `param`, and which ones the routes declare.

The body of an error is `api.errors.shapes`' business; only what needs to know the field stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from api.errors.codes import CODES, row_of
from api.errors.declared import EVERYWHERE, NEEDS_KEY, Responses
from api.errors.handling import error_response
from api.errors.shapes import Failure, openai
from api.errors.validation import describe_problems, field_path
from api.openai_chat.schemas import OpenAiErrorReply
from api.wire.strict_route import StrictJsonRoute
from rag.errors import InputError


class FieldError(InputError):
    """A field of the request cannot be used.

    Args:
        message: For people, in Chinese.
        code: Of the table.
        param: The field, e.g. "messages[0].content".
    """

    def __init__(self, message: str, *, code: str, param: str) -> None:
        super().__init__(message, code=code)
        self.param = param


class ChatRoute(StrictJsonRoute):
    """A route whose refusals say which field they are about."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, with its errors answered here where they name a field."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            try:
                return await inner(request)
            except FieldError as error:
                return field_refusal(request, error)
            except RequestValidationError as error:
                problems = error.errors()
                return error_response(
                    request.scope, "invalid_request", describe_problems(problems), param=_param(problems)
                )

        return handler


def field_refusal(request: Request, error: FieldError) -> Response:
    """The response for a field that cannot be used."""
    return error_response(request.scope, error.code, error.message, row=row_of(error), param=error.param)


def _param(problems: Sequence[Any]) -> str | None:
    """The first field at fault, as "messages[0].role"."""
    return field_path(problems[0].get("loc", ())) or None if problems else None


def declare_openai(*codes: str, streams: str = "") -> Responses:
    """FastAPI's `responses` in this format, for these codes and those that can happen everywhere.

    Args:
        codes: Error codes of the table.
        streams: What the events of a streamed success are, if there are any.
    """
    by_status: dict[int, dict[str, str]] = {}
    for code in (*NEEDS_KEY, *codes, *EVERYWHERE):
        row = CODES[code]
        status, body = openai(Failure(row.status, row.type, code, "", ""))
        by_status.setdefault(status, {}).setdefault(body["error"]["code"], row.meaning)
    responses: Responses = {status: _declared(status, by_status[status]) for status in sorted(by_status)}
    if streams:
        # No type: readers disagree whether a stream's schema is that of its text or of one event.
        stream = {"schema": {"description": streams}}
        responses[200] = {"content": {"text/event-stream": stream}}
    return responses


def _declared(status: int, meanings: dict[str, str]) -> dict[str, Any]:
    described = "；".join(f"`{code}` {meaning}" for code, meaning in meanings.items())
    response: dict[str, Any] = {"description": described, "model": OpenAiErrorReply}
    if status in {429, 503}:
        response["headers"] = {"Retry-After": {"description": "多少秒后再试", "schema": {"type": "integer"}}}
    return response
