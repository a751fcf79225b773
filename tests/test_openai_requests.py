"""What the chat format accepts and refuses, over a fake engine."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.settings import ApiSettings
from tests.api_fakes import FakeEngine, client_for
from tests.openai_fakes import QUESTION

CHAT = "/v1/chat/completions"
ASKED = [{"role": "user", "content": QUESTION}]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for() as opened:
        yield opened


def refusal(client: TestClient, body: Any, status: int = 400) -> dict[str, Any]:
    reply = client.post(CHAT, json=body)
    assert reply.status_code == status, reply.text
    assert set(reply.json()) == {"error"}
    error: dict[str, Any] = reply.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return error


@pytest.mark.parametrize(
    "more",
    [
        {"temperature": 0.7, "top_p": 1, "n": 1, "presence_penalty": 0, "frequency_penalty": 0},
        {"user": "u-1", "seed": 7, "stop": None, "logit_bias": {}, "logprobs": False, "store": False},
        {"tools": [{"type": "function", "function": {"name": "f", "parameters": {}}}], "tool_choice": "auto"},
        {"response_format": {"type": "json_object"}, "metadata": {"a": "b"}, "reasoning_effort": "low"},
        {"chatId": "c-1", "variables": {}, "detail": False},
        {"stream_options": {"include_usage": True, "include_obfuscation": True}},
        {"max_tokens": None, "max_completion_tokens": None, "stream": None, "stream_options": None},
    ],
)
def test_fields_that_mean_nothing_here_are_ignored(client: TestClient, more: dict[str, Any]) -> None:
    messages = [{"role": "user", "content": QUESTION, "name": "n", "id": 5, "tool_calls": None}]
    reply = client.post(CHAT, json={"model": "cewen", "messages": messages, **more})
    assert reply.status_code == 200, reply.text


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"],
)
def test_content_types_of_real_clients(client: TestClient, content_type: str) -> None:
    body = json.dumps({"model": "cewen", "messages": ASKED})
    assert client.post(CHAT, content=body, headers={"Content-Type": content_type}).status_code == 200


@pytest.mark.parametrize("body", [{"messages": ASKED}, {"messages": ASKED, "model": None}])
def test_without_a_model_the_default_one_answers(client: TestClient, body: dict[str, Any]) -> None:
    assert client.post(CHAT, json=body).json()["model"] == "cewen"


@pytest.mark.parametrize("model", ["gpt-4o", "", "Cewen", "cewen " * 50])
def test_another_model_is_not_found(client: TestClient, model: str) -> None:
    error = refusal(client, {"model": model, "messages": ASKED}, 404)
    assert (error["type"], error["param"], error["code"]) == (
        "invalid_request_error",
        "model",
        "model_not_found",
    )
    assert "cewen、cewen-footnotes" in error["message"]
    assert len(error["message"]) < 120


@pytest.mark.parametrize(
    ("changes", "param", "code"),
    [
        ({"messages": None}, "messages", "invalid_request"),
        ({"messages": []}, "messages", "invalid_request"),
        ({"messages": "灯塔"}, "messages", "invalid_request"),
        ({"messages": ["灯塔"]}, "messages[0]", "invalid_request"),
        ({"messages": [{"content": QUESTION}]}, "messages[0].role", "invalid_request"),
        ({"messages": [*ASKED, {"role": 5, "content": ""}]}, "messages[1].role", "invalid_request"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content", "invalid_request"),
        ({"messages": [{"role": "user", "content": [5]}]}, "messages[0].content[0]", "invalid_request"),
        ({"messages": [{"role": "user", "content": ""}]}, "messages", "empty_question"),
        ({"messages": [{"role": "user"}]}, "messages", "empty_question"),
        ({"messages": [{"role": "user", "content": "灯" * 2001}]}, "messages", "context_length_exceeded"),
        ({"messages": [{"role": "user", "content": "灯\x00"}]}, "messages", "invalid_text"),
        ({"model": 5}, "model", "invalid_request"),
        ({"stream": "true"}, "stream", "invalid_request"),
        ({"stream_options": True}, "stream_options", "invalid_request"),
        ({"stream_options": {"include_usage": 1}}, "stream_options.include_usage", "invalid_request"),
        ({"max_tokens": "10"}, "max_tokens", "invalid_request"),
        ({"max_completion_tokens": 1.5}, "max_completion_tokens", "invalid_request"),
    ],
)
@pytest.mark.parametrize("stream", [{}, {"stream": True}])
def test_a_wrong_field_is_named(
    client: TestClient, changes: dict[str, Any], param: str, code: str, stream: dict[str, Any]
) -> None:
    error = refusal(client, {"model": "cewen", "messages": ASKED, **stream, **changes})
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert any("\u4e00" <= char <= "\u9fff" for char in error["message"])


def test_messages_missing(client: TestClient) -> None:
    assert refusal(client, {"model": "cewen"})["param"] == "messages"
    assert refusal(client, [])["param"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "malformed_json"),
        (b"{", "malformed_json"),
        (b'{"model": "cewen", "model": "cewen"}', "duplicate_key"),
        (b'{"messages": [{"role": "user", "content": "\\ud83d"}]}', "invalid_text"),
        (b'{"seed": NaN}', "invalid_number"),
    ],
)
def test_a_broken_body(client: TestClient, body: bytes, code: str) -> None:
    reply = client.post(CHAT, content=body, headers={"Content-Type": "application/json"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, code)


def test_a_long_conversation_may_be_larger_than_other_bodies() -> None:
    filler = [{"role": "system", "content": "灯" * 100_000}]
    with client_for() as client:
        assert client.post(CHAT, json={"messages": filler + ASKED}).status_code == 200
    with client_for(settings=ApiSettings(max_chat_body_bytes=1000)) as client:
        assert refusal(client, {"messages": filler + ASKED})["code"] == "context_length_exceeded"


def test_the_models(client: TestClient) -> None:
    body = client.get("/v1/models").json()
    assert body["object"] == "list"
    assert [model["id"] for model in body["data"]] == ["cewen", "cewen-footnotes"]
    for model in body["data"]:
        assert (model["object"], model["owned_by"]) == ("model", "cewen")
        assert client.get(f"/v1/models/{model['id']}").json() == model
    assert client.get("/v1/models").json() == body


def test_a_model_that_is_not_there(client: TestClient) -> None:
    reply = client.get("/v1/models/gpt-4o")
    assert reply.status_code == 404
    error = reply.json()["error"]
    assert (error["param"], error["code"]) == ("model", "model_not_found")
    assert client.get("/v1/models/a/b").json()["error"]["code"] == "not_found"


def test_the_models_are_listed_before_the_engine_is_open() -> None:
    client = TestClient(create_app(FakeEngine))
    assert client.get("/v1/models").status_code == 200
    reply = client.post(CHAT, json={"messages": ASKED})
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "not_ready")
    assert reply.headers["retry-after"]


def test_the_key_is_asked_for() -> None:
    with client_for(settings=ApiSettings(api_key="k")) as client:
        for reply in (client.get("/v1/models"), client.post(CHAT, json={"messages": ASKED})):
            assert (reply.status_code, reply.json()["error"]["code"]) == (401, "invalid_api_key")
        key = {"Authorization": "Bearer k"}
        assert client.post(CHAT, json={"messages": ASKED}, headers=key).status_code == 200


def test_what_is_declared_is_openais_form(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operation = document["paths"][CHAT]["post"]
    assert set(operation["responses"]) == {"200", "400", "401", "403", "404", "429", "500", "503", "504"}
    assert "rate_limit_exceeded" in operation["responses"]["429"]["description"]
    assert set(document["components"]["schemas"]["OpenAiErrorDetail"]["properties"]) == {
        "message",
        "type",
        "param",
        "code",
    }
