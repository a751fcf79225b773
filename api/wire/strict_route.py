"""Routes whose JSON body is read strictly, by `strict_json`, before FastAPI sees it.

FastAPI is handed the parsed value, so that validation and the OpenAPI document stay its own. A body that
takes long is read and validated in a thread, one at a time, and FastAPI is handed the finished model: on the
event loop everybody would wait for it. A thread does not help where one call works through millions of tiny
values without letting anybody else run, so of these there may not be many.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, ClassVar

import anyio
import anyio.to_thread
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response

from api.wire.strict_json import MAX_PIECES, check_media_type, check_pieces, parse_json

AT_ONCE_BYTES = 16_384
"""A body up to this size is read on the event loop: that takes less than handing it to a thread is worth."""

_reading = anyio.CapacityLimiter(1)


class StrictJsonRoute(APIRoute):
    """A route whose body is read by `parse_json`.

    Attributes:
        max_pieces: Of a body that is not small, strings, brackets and commas.
    """

    max_pieces: ClassVar[int] = MAX_PIECES

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The route's handler, with the body read strictly before FastAPI sees it."""
        inner = super().get_route_handler()

        async def handler(request: Request) -> Response:
            check_media_type(request.headers)
            strict = _StrictJsonRequest(request.scope, request.receive)
            body = await strict.body()
            if len(body) <= AT_ONCE_BYTES:
                strict.payload = parse_json(body)
            else:
                strict.payload = await anyio.to_thread.run_sync(self._validated, body, limiter=_reading)
            return await inner(strict)

        return handler

    def _validated(self, body: bytes) -> Any:
        """What FastAPI would make of a body: it takes a model that is finished as it is.

        Raises:
            InputError: As `parse_json` and `check_pieces`.
            RequestValidationError: As FastAPI would.
        """
        check_pieces(body, self.max_pieces)
        value = parse_json(body)
        if self.body_field is None:
            return value
        model, errors = self.body_field.validate(value, loc=("body",))
        if errors:
            raise RequestValidationError(errors)
        return model


class _StrictJsonRequest(Request):
    payload: Any

    async def json(self) -> Any:
        return self.payload
