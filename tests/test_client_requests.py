"""What is sent: fields, addresses, headers."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.uploads.form import parse_form
from cewen import NotFoundError, Turn
from cewen.library_models import Filters, Metadata
from cewen.library_requests import Listing, file_request, remove_request, text_request
from cewen.requests import ask_request, document_request, examples_request, search_request, source_request


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


def test_a_collection_and_filters_are_sent_where_they_are_given() -> None:
    filters = Filters(authors=("林听雨",), date_from="1931")
    as_json = {"authors": ["林听雨"], "date_from": "1931"}
    asked = sent(ask_request("灯塔？", (), None, None, explain=False, collection="a", filters=filters).body)
    assert (asked["collection"], asked["filters"]) == ("a", as_json)
    assert sent(search_request("灯塔", None, None, filters=as_json).body)["filters"] == as_json
    assert examples_request("a b").path == "/v1/examples?collection=a+b"
    assert document_request("x-1", "a").path == "/v1/documents/x-1?collection=a"
    assert remove_request("x", None).path == "/v1/documents/x"


def test_a_list_is_filtered_by_its_own_names() -> None:
    wanted = Filters(titles=("甲", "乙"), authors=("丙",), date_to="1931")
    (first,) = [Listing("a", wanted, 5, 10).next_request()]
    assert first is not None
    query = parse_qs(first.path.partition("?")[2])
    assert query == {
        "collection": ["a"],
        "title": ["甲", "乙"],
        "author": ["丙"],
        "date_to": ["1931"],
        "offset": ["10"],
        "limit": ["5"],
    }


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(data=st.binary(max_size=300), name=TEXTS, title=TEXTS, tags=st.lists(TEXTS, max_size=3))
def test_a_file_is_read_as_it_was_sent(data: bytes, name: str, title: str, tags: list[str]) -> None:
    request = file_request(
        data,
        name=name,
        metadata=Metadata(title=title, tags=tuple(tags)),
        collection="a",
        origin=None,
        wait=0.5,
    )
    assert (request.method, request.path, request.repeatable) == ("POST", "/v1/documents?wait=0.5", True)
    assert request.body is not None
    form = parse_form(request.body, request.content_type)
    assert form.data == data
    assert form.fields == {
        name: values
        for name, values in {"collection": ["a"], "title": [title], "tags": tags}.items()
        if values
    }
    if not set(name) & set('"\\\r\n'):
        assert form.file_name == name


def test_what_replaces_is_put_and_not_repeated() -> None:
    request = text_request(
        "文", name=None, metadata=None, collection=None, origin=None, wait=30, replaces="a-1"
    )
    assert (request.method, request.path, request.repeatable) == ("PUT", "/v1/documents/a-1?wait=30", True)
    assert sent(request.body) == {"text": "文"}
