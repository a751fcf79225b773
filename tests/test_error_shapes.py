"""Each wire format's errors, by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.errors.codes import CODES
from api.errors.shapes import Failure, dify, native, openai, path_below_root, shape_for
from tests.test_middleware import http_scope

FAILURE = Failure(422, "invalid_request", "empty_question", "问题是空的。", "r-1", "messages")


def test_ours() -> None:
    error = {
        "type": "invalid_request",
        "code": "empty_question",
        "message": "问题是空的。",
        "request_id": "r-1",
    }
    assert native(FAILURE) == (422, {"error": error})


def test_openai() -> None:
    error = {
        "message": "问题是空的。",
        "type": "invalid_request_error",
        "param": "messages",
        "code": "empty_question",
    }
    assert openai(FAILURE) == (400, {"error": error})


def test_dify() -> None:
    assert dify(FAILURE) == (422, {"error_code": 422, "error_msg": "问题是空的。"})


@pytest.mark.parametrize(
    ("code", "status", "kind", "published"),
    [
        ("api_key_missing", 401, "invalid_request_error", "invalid_api_key"),
        ("model_not_found", 404, "invalid_request_error", "model_not_found"),
        ("scope_missing", 403, "invalid_request_error", "scope_missing"),
        ("overloaded", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("rate_limited", 429, "rate_limit_error", "rate_limit_exceeded"),
        ("question_too_long", 400, "invalid_request_error", "context_length_exceeded"),
        ("body_too_large", 400, "invalid_request_error", "context_length_exceeded"),
        ("headers_too_large", 400, "invalid_request_error", "headers_too_large"),
        ("not_ready", 503, "server_error", "not_ready"),
        ("internal_error", 500, "server_error", "internal_error"),
    ],
)
def test_openai_statuses(code: str, status: int, kind: str, published: str) -> None:
    row = CODES[code]
    sent, body = openai(replace(FAILURE, status=row.status, type=row.type, code=code))
    assert (sent, body["error"]["type"], body["error"]["code"]) == (status, kind, published)


@pytest.mark.parametrize(
    ("code", "status", "number"),
    [
        ("api_key_missing", 403, 1001),
        ("api_key_invalid", 403, 1002),
        ("knowledge_not_found", 404, 2001),
        ("scope_missing", 403, 403),
        ("rate_limited", 429, 429),
        ("overloaded", 503, 503),
    ],
)
def test_dify_statuses(code: str, status: int, number: int) -> None:
    row = CODES[code]
    sent, body = dify(replace(FAILURE, status=row.status, type=row.type, code=code))
    assert (sent, body["error_code"]) == (status, number)


@pytest.mark.parametrize(
    ("path", "shape"),
    [
        ("/v1/chat/completions", openai),
        ("/v1/models", openai),
        ("/v1/models/cewen", openai),
        ("/dify/retrieval", dify),
        ("/retrieval", dify),
        ("/v1/ask", native),
        ("/mcp", native),
        ("/retrieval/else", native),
    ],
)
def test_the_path_tells_the_shape(path: str, shape: object) -> None:
    assert shape_for(http_scope(path=path)) is shape
    assert shape_for(http_scope(path=f"/below{path}", root_path="/below")) is shape


def test_the_path_below_a_prefix() -> None:
    assert path_below_root(http_scope(path="/a/b", root_path="/a/")) == "/b"
    assert path_below_root(http_scope(path="/a/b")) == "/a/b"
    assert path_below_root(http_scope(path="/qatar/b", root_path="/qa")) == "/qatar/b"
