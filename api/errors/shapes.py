"""The body of an error as each wire format has it; which format applies is read off the path.

Clients of other people's formats know no other errors: an OpenAI client wants `{"error": {message, type,
param, code}}`, Dify a number and a text. What is common to all, the table of codes, is `errors.codes`; what
is particular to one format stands here, so that a refusal by any middleware has the right shape too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from starlette.types import Scope

OPENAI_PATHS = ("/v1/chat/completions", "/v1/models")
DIFY_PATHS = ("/dify/retrieval", "/retrieval")
MCP_PATH = "/mcp"


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, in no format yet.

    Attributes:
        status: HTTP status as our own routes have it.
        type, code: As in the table.
        message: For people, in Chinese.
        request_id: Of this request.
        param: The request field at fault, where one is.
    """

    status: int
    type: str
    code: str
    message: str
    request_id: str
    param: str | None = None


Shape = Callable[[Failure], tuple[int, dict[str, Any]]]
"""Gives the status and the JSON body of a failure."""


def native(failure: Failure) -> tuple[int, dict[str, Any]]:
    """`{"error": {type, code, message, request_id}}`."""
    detail = {"type": failure.type, "code": failure.code, "message": failure.message}
    return failure.status, {"error": detail | {"request_id": failure.request_id}}


_OPENAI_CODES = {
    "api_key_missing": "invalid_api_key",
    "api_key_invalid": "invalid_api_key",
    "overloaded": "rate_limit_exceeded",
    "rate_limited": "rate_limit_exceeded",
    "question_too_long": "context_length_exceeded",
    "body_too_large": "context_length_exceeded",
}


def openai(failure: Failure) -> tuple[int, dict[str, Any]]:
    """`{"error": {message, type, param, code}}`, with the statuses that OpenAI's clients act on.

    They know no 422 and no 413, and retry 429 and 5xx; too many requests at once is 429 there.
    """
    status = 429 if failure.code == "overloaded" else failure.status
    if status in {408, 413, 415, 422, 431}:
        status = 400
    kind = "invalid_request_error" if status < 500 else "server_error"
    if status == 429:
        kind = "rate_limit_error"
    code = _OPENAI_CODES.get(failure.code, failure.code)
    return status, {"error": {"message": failure.message, "type": kind, "param": failure.param, "code": code}}


_DIFY_CODES = {"api_key_missing": 1001, "api_key_invalid": 1002, "knowledge_not_found": 2001}


def dify(failure: Failure) -> tuple[int, dict[str, Any]]:
    """`{"error_code": number, "error_msg": text}`; codes that Dify does not define are the HTTP status.

    A key that is missing or wrong is 403: when an endpoint is registered, Dify takes 401 for success.
    """
    status = 403 if failure.status == 401 else failure.status
    return status, {"error_code": _DIFY_CODES.get(failure.code, status), "error_msg": failure.message}


def shape_for(scope: Scope) -> Shape:
    """The shape that callers of this path expect."""
    path = path_below_root(scope)
    if path in OPENAI_PATHS or path.startswith("/v1/models/"):
        return openai
    return dify if path in DIFY_PATHS else native


def path_below_root(scope: Scope) -> str:
    """The path as the routes know it, whatever prefix a proxy puts before it."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "").rstrip("/")
    # As Starlette has it: "/qa" is no prefix of "/qatar".
    return path[len(root) :] if path.startswith(f"{root}/") else path
