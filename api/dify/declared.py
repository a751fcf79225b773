"""Which errors the route declares: the table of codes, with the statuses and the shape that Dify is given."""

from __future__ import annotations

from typing import Any

from api.dify.schemas import DifyErrorReply
from api.errors.codes import CODES
from api.errors.declared import COMPUTES, EVERYWHERE, HAS_JSON_BODY, Responses
from api.errors.shapes import Failure, dify

_CODES = (
    *HAS_JSON_BODY,
    "api_key_missing",
    "api_key_invalid",
    "knowledge_not_found",
    "invalid_condition",
    *COMPUTES,
    *EVERYWHERE,
)


def declared() -> Responses:
    """FastAPI's `responses`."""
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys(_CODES):
        row = CODES[code]
        status, body = dify(Failure(row.status, row.type, code, "", ""))
        by_status.setdefault(status, []).append(f"`{body['error_code']}` {row.meaning}")
    return {status: _response(status, by_status[status]) for status in sorted(by_status)}


def _response(status: int, described: list[str]) -> dict[str, Any]:
    response: dict[str, Any] = {"description": "；".join(described), "model": DifyErrorReply}
    if status in {429, 503}:
        response["headers"] = {"Retry-After": {"description": "多少秒后再试", "schema": {"type": "integer"}}}
    return response
