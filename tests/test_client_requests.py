"""What is sent: fields, addresses, headers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cewen import NotFoundError, Turn
from cewen.requests import ask_request, document_request, search_request, source_request


def sent(body: bytes | None) -> Any:
    assert body is not None
    return json.loads(body)


def test_options_left_alone_are_not_sent() -> None:
    request = ask_request("灯塔？", (), None, None, explain=False)
    assert (request.method, request.path, request.body) == (
        "POST",
        "/v1/ask",
        '{"question": "灯塔？"}'.encode(),
    )
    assert request.headers == {"Accept": "application/json", "Content-Type": "application/json"}
    assert sent(search_request("灯塔", None, None).body) == {"query": "灯塔"}


def test_options_given_are_sent() -> None:
    turns = (Turn(role="user", content="问"), Turn(role="assistant", content="答"))
    request = ask_request("灯塔？", iter(turns), 3, "openai", explain=True, stream=True)
    assert sent(request.body) == {
        "question": "灯塔？",
        "history": [{"role": "user", "content": "问"}, {"role": "assistant", "content": "答"}],
        "top_k": 3,
        "generator": "openai",
        "explain": True,
        "stream": True,
    }
    assert request.headers["Accept"] == "text/event-stream"
    assert sent(search_request("灯塔", 0, 0.0).body) == {"query": "灯塔", "top_k": 0, "score_threshold": 0.0}


def test_half_a_character_is_sent_so_that_the_service_can_refuse_it() -> None:
    body = ask_request("灯\ud83d", (), None, None, explain=False).body
    assert body == b'{"question": "\\u706f\\ud83d"}'


@given(st.text(min_size=1).filter(lambda text: text.strip(".") and "/" not in text))
def test_an_id_stays_one_segment_of_the_path(document_id: str) -> None:
    path = document_request(document_id).path
    assert path.isascii()
    assert path.count("/") == 3
    assert not set(path) & set("?# \\")
    assert source_request(document_id).path == f"{path}/source"


@pytest.mark.parametrize("document_id", ["", ".", "..", "...", "d-1/source", "../x"])
def test_what_would_lead_elsewhere_is_no_id(document_id: str) -> None:
    for request in (document_request, source_request):
        with pytest.raises(NotFoundError) as caught:
            request(document_id)
        assert caught.value.code == "document_not_found"
