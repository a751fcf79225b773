"""Collections and filters on every surface: each asks the one that is named, and says which exist."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.library_records import Upload
from api.settings import ApiSettings
from rag.metadata import check_metadata
from rag.reading.decoding import source_from_text
from tests.api_fakes import LIGHTHOUSE, TEA, FakeLibrary, client_for
from tests.mcp_wire import headers_of, request_of

BRIDGE = "廊桥记\n\n廊桥建于一八八二年，木拱跨度二十七米。\n"
SAID = "廊桥建于一八八二年，木拱跨度二十七米。"
QUESTION = "廊桥建于一八八二年"


def uploaded(library: FakeLibrary, collection: str, text: str = BRIDGE, **metadata: Any) -> str:
    """Add a text; the id of its document."""
    source = replace(source_from_text("bridge.txt", text), metadata=check_metadata(**metadata))
    (identifier,) = library.add(collection, Upload(source)).document_ids
    return identifier


@pytest.fixture
def library() -> FakeLibrary:
    held = FakeLibrary()
    held.create_collection("bridges")
    uploaded(held, "bridges", tags=("桥", "木"), date="1882", source_url="https://example.org/a")
    return held


@pytest.fixture
def client(library: FakeLibrary) -> Iterator[TestClient]:
    with client_for(library) as opened:
        yield opened


def asked(client: TestClient, **body: Any) -> dict[str, Any]:
    reply = client.post("/v1/ask", json={"question": QUESTION} | body)
    assert reply.status_code == 200, reply.text
    found: dict[str, Any] = reply.json()
    return found


def refused(client: TestClient, path: str, body: dict[str, Any], status: int, code: str) -> str:
    reply = client.post(path, json=body)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    return str(reply.json()["error"]["message"])


# Our own interface.


def test_each_collection_answers_for_itself(client: TestClient) -> None:
    here, there = asked(client), asked(client, collection="bridges")
    assert (here["status"], here["collection"]) == ("abstained", "default")
    assert (there["status"], there["collection"]) == ("answered", "bridges")
    assert there["citations"][0]["quote"] == SAID


def test_a_streamed_answer_is_the_whole_one(client: TestClient) -> None:
    whole = asked(client, collection="bridges")
    text = client.post("/v1/ask", json={"question": QUESTION, "collection": "bridges", "stream": True}).text
    (done,) = [part for part in text.split("\n\n") if part.startswith("event: done")]
    assert json.loads(done.partition("data: ")[2]) == whole


@pytest.mark.parametrize("name", ["gone", "Bridges", "../x", "桥", "x" * 64])
def test_an_unknown_collection(client: TestClient, name: str) -> None:
    for path, body in (("/v1/ask", {"question": "灯"}), ("/v1/search", {"query": "灯"})):
        for streams in ({}, {"stream": True})[: 1 + (path == "/v1/ask")]:
            refused(client, path, body | streams | {"collection": name}, 404, "collection_not_found")
    reply = client.get("/v1/examples", params={"collection": name})
    assert (reply.status_code, reply.json()["error"]["code"]) == (404, "collection_not_found")


def test_search_in_a_collection(client: TestClient) -> None:
    body = client.post("/v1/search", json={"query": "木拱", "collection": "bridges"}).json()
    assert body["collection"] == "bridges"
    assert [hit["text"] for hit in body["hits"]] == [SAID]


def test_examples_of_a_collection(client: TestClient) -> None:
    for name in ("default", "bridges"):
        assert client.get("/v1/examples", params={"collection": name}).json()["collection"] == name


@pytest.mark.parametrize(
    ("filters", "matching"),
    [
        ({}, {LIGHTHOUSE, TEA}),
        ({"authors": []}, {LIGHTHOUSE, TEA}),
        ({"authors": ["何采薇"]}, {TEA}),
        ({"authors": ["何采薇", "林听雨"]}, {LIGHTHOUSE, TEA}),
        ({"document_ids": [LIGHTHOUSE]}, {LIGHTHOUSE}),
        ({"document_ids": [LIGHTHOUSE], "authors": ["何采薇"]}, set()),
        ({"names": ["page.txt"], "date_from": "1900"}, set()),
    ],
)
def test_filters(client: TestClient, filters: dict[str, Any], matching: set[str]) -> None:
    hits = client.post("/v1/search", json={"query": "灯塔", "filters": filters}).json()["hits"]
    assert {hit["document_id"] for hit in hits} == matching
    answer = asked(client, question="清晨熄灯", filters=filters)
    assert (answer["status"] == "answered") == (LIGHTHOUSE in matching)


def test_filters_over_what_the_uploader_said(client: TestClient) -> None:
    for filters, status in (
        ({"tags": ["木"]}, "answered"),
        ({"tags": ["石"]}, "abstained"),
        ({"date_from": "1880", "date_to": "1882"}, "answered"),
        ({"date_from": "1883"}, "abstained"),
        ({"source_url": "https://example.org/"}, "answered"),
        ({"names": ["bridge.txt"]}, "answered"),
    ):
        assert asked(client, collection="bridges", filters=filters)["status"] == status, filters


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"date_from": "去年"}, "invalid_filters"),
        ({"date_from": "2024-02-30"}, "invalid_filters"),
        ({"authors": ["a\u0000"]}, "invalid_filters"),
        ({"author": ["何采薇"]}, "invalid_request"),
        ({"authors": "何采薇"}, "invalid_request"),
        ({"authors": [1]}, "invalid_request"),
        ([], "invalid_request"),
    ],
)
def test_bad_filters(client: TestClient, filters: Any, code: str) -> None:
    refused(client, "/v1/ask", {"question": "灯", "filters": filters}, 422, code)
    refused(client, "/v1/search", {"query": "灯", "filters": filters}, 422, code)


def test_documents_say_what_the_uploader_said(client: TestClient) -> None:
    [about] = client.get("/v1/documents", params={"collection": "bridges"}).json()["documents"]
    assert about["name"] == "bridge.txt"
    assert about["id"] == f"{about['source_id']}-1"
    assert (about["date"], about["tags"]) == ("1882", ["桥", "木"])
    assert about["source_url"] == "https://example.org/a"


# The OpenAI format.


def chat(client: TestClient, model: str, **body: Any) -> Any:
    sent = {"model": model, "messages": [{"role": "user", "content": QUESTION}]}
    return client.post("/v1/chat/completions", json=sent | body)


def test_a_model_for_each_collection(client: TestClient) -> None:
    names = [model["id"] for model in client.get("/v1/models").json()["data"]]
    assert names == ["cewen", "cewen-footnotes", "cewen@bridges", "cewen-footnotes@bridges"]
    for name in names:
        assert client.get(f"/v1/models/{name}").json()["id"] == name
    assert client.get("/v1/models/cewen@gone").status_code == 404
    body = chat(client, "cewen@bridges").json()
    assert (body["model"], body["cewen"]["collection"]) == ("cewen@bridges", "bridges")
    assert body["choices"][0]["message"]["content"] == f"{SAID}[1]"
    assert "引文出处" in chat(client, "cewen-footnotes@bridges").json()["choices"][0]["message"]["content"]
    assert chat(client, "cewen").json()["cewen"]["status"] == "abstained"


@pytest.mark.parametrize("model", ["cewen@", "cewen@gone", "cewen@@bridges", "@bridges", "gpt@bridges"])
def test_a_model_that_is_none(client: TestClient, model: str) -> None:
    for body in ({}, {"stream": True}):
        reply = chat(client, model, **body)
        assert (reply.status_code, reply.json()["error"]["code"]) == (404, "model_not_found")
        assert "cewen-footnotes@bridges" in reply.json()["error"]["message"]


def test_a_message_about_many_models_is_short(library: FakeLibrary, client: TestClient) -> None:
    for number in range(300):
        library.create_collection(f"c{number}")
    message = chat(client, "gpt").json()["error"]["message"]
    assert "等 604 个" in message
    assert len(message) < 600


# Dify.


def test_a_knowledge_id_for_each_collection(client: TestClient) -> None:
    def records(knowledge: str, **more: Any) -> list[dict[str, Any]]:
        sent = {"knowledge_id": knowledge, "query": QUESTION} | more
        found: list[dict[str, Any]] = client.post("/dify/retrieval", json=sent).json()["records"]
        return found

    (passage,), (citation,) = records("bridges"), records("bridges.answer")
    assert passage["content"] == citation["content"] == SAID
    assert (passage["metadata"]["tags"], passage["metadata"]["date"]) == (["桥", "木"], "1882")
    assert records("default.answer") == []
    for name, operator, value, count in (
        ("tags", "is", "木", 1),
        ("tags", "is not", "木", 0),
        ("date", "before", "1900", 1),
        ("date", "after", "1900", 0),
        ("source_url", "start with", "https://example.org", 1),
        ("name", "is", "bridge.txt", 1),
    ):
        condition = {"name": name, "comparison_operator": operator, "value": value}
        for knowledge in ("bridges", "bridges.answer"):
            found = records(knowledge, metadata_condition={"conditions": [condition]})
            assert len(found) == count, condition


@pytest.mark.parametrize("knowledge", ["gone", "gone.answer", "bridges.answer.answer", ".answer", "..", ""])
def test_a_knowledge_base_that_is_none(client: TestClient, knowledge: str) -> None:
    reply = client.post("/dify/retrieval", json={"knowledge_id": knowledge, "query": "灯"})
    assert (reply.status_code, reply.json()["error_code"]) == (404, 2001)
    assert "bridges.answer" in reply.json()["error_msg"]


# MCP.


def tool(client: TestClient, name: str, **arguments: Any) -> dict[str, Any]:
    sent = request_of("tools/call", {"name": name, "arguments": arguments})
    result = client.post("/mcp", json=sent, headers=headers_of("tools/call", name)).json()["result"]
    content: dict[str, Any] = json.loads(result["content"][0]["text"])
    return content


def listed(client: TestClient) -> dict[str, dict[str, Any]]:
    reply = client.post("/mcp", json=request_of("tools/list"), headers=headers_of("tools/list")).json()
    return {each["name"]: each["inputSchema"]["properties"] for each in reply["result"]["tools"]}


def test_tools_offer_collections_where_there_is_a_choice(client: TestClient) -> None:
    offered = listed(client)
    assert list(offered) == ["search", "fetch", "ask"]
    for name in ("search", "ask"):
        assert "default、bridges" in offered[name]["collection"]["description"]
    assert "文库" in offered["fetch"]["collection"]["description"]
    with client_for() as plain:
        alone = listed(plain)
    assert list(alone["search"]) == ["query"]
    assert "collection" not in alone["ask"]
    assert list(alone["fetch"]) == ["id"]


def test_tools_ask_the_collection_that_is_named(client: TestClient) -> None:
    answer = tool(
        client, "ask", question=QUESTION, collection="bridges", filters={"tags": ["木"], "names": None}
    )
    assert (answer["status"], answer["collection"]) == ("answered", "bridges")
    assert tool(client, "ask", question=QUESTION)["status"] == "abstained"
    assert tool(client, "ask", question=QUESTION, collection=None)["collection"] == "default"
    (found,) = tool(client, "search", query="木拱", collection="bridges")["results"]
    assert tool(client, "fetch", id=found["id"])["text"] == SAID
    assert tool(client, "fetch", id=found["id"].partition(":")[0])["text"] == SAID
    assert tool(client, "fetch", id="桥" * 40)["error"]["code"] == "passage_not_found"
    for name, argument in (("ask", "question"), ("search", "query")):
        error = tool(client, name, **{argument: "灯", "collection": "gone"})["error"]
        assert error["code"] == "collection_not_found"
        assert "bridges" in error["message"]
    assert tool(client, "ask", question="灯", filters={"date_to": "x"})["error"]["code"] == "invalid_filters"


# Pages.

BROWSER = {"Accept": "text/html"}


def test_a_page_of_any_collection(library: FakeLibrary, client: TestClient) -> None:
    identifier = library.entries("bridges")[0].document.document_id
    page = client.get(f"/documents/{identifier}", headers=BROWSER)
    assert (page.status_code, SAID in page.text) == (200, True)
    assert client.get(f"/v1/documents/{identifier}/source").text == BRIDGE


def test_the_page_of_a_document_that_was_removed_shows_no_text(
    library: FakeLibrary, client: TestClient
) -> None:
    identifier = library.entries("bridges")[0].document.document_id
    library.remove("bridges", identifier)
    for query in ("", "?chars=1-5", "?chars=x"):
        page = client.get(f"/documents/{identifier}{query}", headers=BROWSER)
        assert page.status_code == 410
        assert "已从文库删除" in page.text
        assert "廊桥" not in page.text
    told = client.get(f"/documents/{identifier}", headers={"Accept": "application/json"})
    assert (told.status_code, told.json()["error"]["code"]) == (410, "document_removed")
    library.add("bridges", Upload(source_from_text("bridge.txt", BRIDGE)))
    assert client.get(f"/documents/{identifier}", headers=BROWSER).status_code == 200


def test_the_page_of_a_document_that_was_replaced_links_to_what_took_its_place(
    library: FakeLibrary, client: TestClient
) -> None:
    old = library.entries("bridges")[0].document.document_id
    source = source_from_text("new.txt", "廊桥新记\n\n廊桥重修于二〇〇一年。\n")
    (new,) = library.add("bridges", Upload(source), replaces=old).document_ids
    page = client.get(f"/documents/{old}?chars=5-9", headers=BROWSER)
    assert page.status_code == 410
    assert f'href="/documents/{new}"' in page.text
    assert "一八八二" not in page.text
    assert "重修" not in page.text
    told = client.get(f"/documents/{old}")
    assert (told.status_code, told.json()["error"]["code"]) == (410, "document_replaced")
    library.remove("bridges", new)
    page = client.get(f"/documents/{old}", headers=BROWSER)
    assert (page.status_code, "/documents/" in page.text) == (410, False)


def test_an_id_that_was_never_there_is_not_found(client: TestClient) -> None:
    assert client.get("/documents/000000000000-1", headers=BROWSER).status_code == 404


# Leaving.


def test_the_library_is_closed_at_the_end(library: FakeLibrary) -> None:
    with client_for(library, ApiSettings()):
        assert not library.closed
    assert library.closed


def test_a_request_keeps_the_state_it_began_with(library: FakeLibrary) -> None:
    held = FakeLibrary()
    snapshots: list[str] = []

    def remove_it() -> None:
        snapshots.extend(
            held.remove("default", entry.document.document_id).source_id for entry in held.entries("default")
        )

    held._before = remove_it
    with client_for(held) as client:
        body = client.post("/v1/ask", json={"question": "清晨熄灯", "stream": True}).text
        assert '"status":"answered"' in body
        assert len(snapshots) == 2
        held._before = lambda: None
        assert asked(client, question="清晨熄灯")["status"] == "abstained"
