"""JSON bodies that take long to read: in a thread, with the same outcome, and not of too many pieces."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI
from pydantic import AfterValidator, BaseModel, ConfigDict
from starlette.testclient import TestClient

from api.errors.handling import HANDLERS
from api.openai_chat.schemas import MAX_MESSAGES
from api.wire.strict_json import MAX_DEPTH, MAX_PIECES, check_pieces, parse_json
from api.wire.strict_route import AT_ONCE_BYTES, StrictJsonRoute
from rag.errors import InputError
from tests.api_fakes import FakeEngine, client_for

CHAT = "/v1/chat/completions"
QUESTION = {"role": "user", "content": "清晨熄灯"}
PADDING = "字" * AT_ONCE_BYTES

threads: list[int] = []


def noted(value: int) -> int:
    threads.append(threading.get_ident())
    return value


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")

    number: Annotated[int, AfterValidator(noted)]
    padding: str = ""


@pytest.fixture(scope="module")
def plain() -> Iterator[TestClient]:
    """A service that gives back the number of a body, and the thread of its event loop."""
    router = APIRouter(route_class=StrictJsonRoute)

    @router.post("/")
    async def give(body: Body) -> dict[str, int]:
        return {"number": body.number, "loop": threading.get_ident()}

    app = FastAPI(exception_handlers=HANDLERS)
    app.include_router(router)
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for(FakeEngine()) as opened:
        yield opened


def test_a_small_body_is_read_at_once_and_a_large_one_in_a_thread_and_once(plain: TestClient) -> None:
    for padding, at_once in (("", True), ("x" * AT_ONCE_BYTES, False)):
        threads.clear()
        reply = plain.post("/", json={"number": 7, "padding": padding}).json()
        assert reply["number"] == 7
        assert len(threads) == 1
        assert (threads[0] == reply["loop"]) is at_once


@pytest.mark.parametrize(
    "spoilt",
    [
        {"question": 5},
        {"question": "灯", "top_k": "5"},
        {"question": "灯", "history": [{"role": "system", "content": "a"}]},
        {"question": "灯", "unknown": True},
        {"question": "灯", "filters": []},
        {"question": "\ud800"},
        {},
        [],
        None,
        "text",
    ],
)
def test_what_is_wrong_is_told_alike_whatever_the_size(client: TestClient, spoilt: Any) -> None:
    def told(body: bytes) -> tuple[int, Any]:
        reply = client.post("/v1/ask", content=body, headers={"Content-Type": "application/json"})
        error = reply.json()["error"]
        return reply.status_code, {name: error[name] for name in ("type", "code", "message")}

    small = json.dumps(spoilt).encode()
    assert told(small + b" " * AT_ONCE_BYTES) == told(small)


def test_a_long_conversation_is_answered_like_a_short_one(client: TestClient) -> None:
    def answered(*before: dict[str, str]) -> tuple[int, str]:
        reply = client.post(CHAT, json={"model": "cewen", "messages": [*before, QUESTION]})
        return reply.status_code, reply.json()["choices"][0]["message"]["content"]

    assert answered({"role": "user", "content": PADDING}) == answered()
    many = [{"role": "user", "content": f"第{number}问"} for number in range(MAX_MESSAGES - 1)]
    assert answered(*many) == answered()


def refused(client: TestClient, body: Any) -> str:
    reply = client.post(CHAT, json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (400, "invalid_request")
    return str(reply.json()["error"]["message"])


def test_too_many_messages_or_pieces_are_refused(client: TestClient) -> None:
    messages = [QUESTION] * (MAX_MESSAGES + 1)
    assert f"最多 {MAX_MESSAGES} 项" in refused(client, {"model": "cewen", "messages": messages})
    values: list[Any]
    for values in ([[]] * MAX_PIECES, [1.5] * (MAX_PIECES + 1), [{"a": 1}] * MAX_PIECES, ["a"] * MAX_PIECES):
        told = refused(client, {"model": "cewen", "messages": [QUESTION], "other": values})
        assert str(MAX_PIECES) in told


@pytest.mark.parametrize(
    ("body", "pieces"),
    [
        ("[]", 2),
        ("[1,2]", 3),
        ('{"a":"b"}', 4),
        ('["[],{}"]', 3),
        (r'["\"[],"]', 3),
        ("x" * 50, 0),
        ("[" * MAX_DEPTH, MAX_DEPTH),
    ],
)
def test_what_pieces_are(body: str, pieces: int) -> None:
    check_pieces(body.encode(), pieces)
    if pieces:
        with pytest.raises(InputError) as caught:
            check_pieces(body.encode(), pieces - 1)
        assert caught.value.code == "invalid_request"


def test_what_is_too_deep_is_left_to_a_better_reason() -> None:
    deep = "[" * (MAX_DEPTH + 1)
    check_pieces(deep.encode(), MAX_DEPTH)
    with pytest.raises(InputError) as caught:
        parse_json(deep.encode())
    assert caught.value.code == "malformed_json"


def test_a_text_full_of_marks_is_one_piece() -> None:
    check_pieces(json.dumps({"text": '[{,"}]' * 100_000}).encode(), 10)
