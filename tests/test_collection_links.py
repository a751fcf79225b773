"""One text in two collections: what is cited from one opens, on every surface, as that collection has it."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.library.library import Library
from api.mcp_server.tools import TOOLS
from api.pages.links import linker_to
from api.settings import ApiSettings
from cewen import AsyncClient, Client
from tests.api_fakes import client_for
from tests.evals_server import serving_app
from tests.library_samples import added, ids_of, opened, page, source, upload, word

ESSAYS = 3
FIRST, GONE, LAST = ids_of(1, ESSAYS)
(WELL,) = ids_of(2)
HERE = "http://testserver"
TOLD: dict[str, dict[str, Any]] = {
    "default": {"title": "井志", "authors": ("沈砚耕",)},
    "live": {"title": "山泉记", "authors": ("陆青山", "周望潮")},
}


def filled(folder: Path) -> Library:
    """The essays of one page are whole in "live" and "other", and in "default" one of them was removed."""
    made = opened(folder)
    for name in ("live", "other"):
        made.create_collection(name)
        added(made, upload(1, ESSAYS), collection=name)
    for name, said in TOLD.items():
        added(made, upload(2, **said), collection=name)
    added(made, upload(1, ESSAYS))
    made.remove("default", GONE)
    return made


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    with filled(tmp_path_factory.mktemp("links")) as made:
        yield made


@pytest.fixture(scope="module")
def client(library: Library) -> Iterator[TestClient]:
    with client_for(library) as opened_client:
        yield opened_client


def post(client: TestClient, path: str, **body: Any) -> Any:
    reply = client.post(path, json=body)
    assert reply.status_code == 200, reply.text
    return reply.json()


def tool(library: Library, name: str, **arguments: Any) -> dict[str, Any]:
    chosen = TOOLS[name]
    result = chosen.run(library, chosen.read(arguments), linker_to(HERE), lambda: False)
    return result.model_dump(mode="json", exclude_unset=True)


def links_of(client: TestClient, library: Library, collection: str) -> dict[str, str]:
    """The link to the well of each surface."""
    asked = f"{word(2)}是什么？"
    messages = [{"role": "user", "content": asked}]
    suffix = "" if collection == "default" else f"@{collection}"
    answer = post(client, "/v1/ask", question=asked, collection=collection)
    assert answer["status"] == "answered"
    cited = answer["citations"][0]
    place = {name: cited[name] for name in ("document_id", "start_char", "end_char", "quote")}
    chat = post(client, "/v1/chat/completions", model=f"cewen-footnotes{suffix}", messages=messages)
    message = chat["choices"][0]["message"]
    setting = {"top_k": 3, "score_threshold": 0}
    records = post(
        client, "/dify/retrieval", knowledge_id=collection, query=asked, retrieval_setting=setting
    )["records"]
    fetched = tool(
        library, "fetch", id=f"{WELL}:{cited['start_char']}-{cited['end_char']}", collection=collection
    )
    return {
        "ask": cited["url"],
        "search": post(client, "/v1/search", query=asked, collection=collection)["hits"][0]["url"],
        "resolve": post(client, "/v1/citations/resolve", **place, collection=collection)["url"],
        "annotation": message["annotations"][0]["url_citation"]["url"],
        "citations": chat["citations"][0],
        "footnote": message["content"].split("](")[1].split(")")[0],
        "dify": records[0]["metadata"]["url"],
        "mcp ask": tool(library, "ask", question=asked, collection=collection)["citations"][0]["url"],
        "mcp search": tool(library, "search", query=asked, collection=collection)["results"][0]["url"],
        "mcp fetch": fetched["url"],
    }


def test_every_surface_leads_to_the_collection_that_was_asked(client: TestClient, library: Library) -> None:
    for name, said in TOLD.items():
        for surface, url in links_of(client, library, name).items():
            parts = urlsplit(url)
            assert parts.path == f"/documents/{WELL}", surface
            told = parse_qs(parts.query).get("collection", [])
            assert told == ([] if name == "default" else [name]), surface
            shown = client.get(url).text
            assert f"<h1>{said['title']}</h1>" in shown, surface
            assert "、".join(said["authors"]) in shown, surface


def test_links_of_the_default_collection_are_as_ever(library: Library) -> None:
    (hit, *_) = library.engine().search(word(2), top_k=1)
    span = hit.chunk.span
    assert span.start_line == span.end_line
    assert hit.url == f"/documents/{WELL}?chars={span.start_char}-{span.end_char}#L{span.start_line}"
    (live, *_) = library.engine("live").search(word(2), top_k=1)
    assert live.url == hit.url.replace("#", "&collection=live#")


def test_a_narrowed_collection_keeps_its_links(client: TestClient) -> None:
    reply = post(client, "/v1/search", query=word(2), collection="live", filters={"document_ids": [WELL]})
    assert "&collection=live#" in reply["hits"][0]["url"]


def test_the_same_documents_have_the_same_fingerprint_in_every_collection(library: Library) -> None:
    assert library.engine("live").fingerprint != library.engine("other").fingerprint  # it has another text
    library.create_collection("copy")
    try:
        added(library, upload(1, ESSAYS), collection="copy")
        assert library.engine("copy").fingerprint == library.engine("other").fingerprint
    finally:
        library.remove_collection("copy")


def test_what_is_removed_from_one_collection_can_be_verified_in_another(client: TestClient) -> None:
    whole = page(1, ESSAYS)
    for query in ("", "?collection=live", "?collection=nothing", "?collection=%E4%BA%95", "?collection="):
        reply = client.get(f"/v1/documents/{FIRST}/source{query}")
        assert reply.text == whole, query  # the first from which nothing was removed
        assert reply.headers["etag"] == f'"{source(1, ESSAYS).sha256}"'
        shown = client.get(f"/documents/{FIRST}{query}").text
        assert "kind-removed" not in shown
        assert "已从文库删除" not in shown
    blanked = client.get(f"/v1/documents/{FIRST}/source?collection=default")
    assert word(1, 2) not in blanked.text
    assert blanked.headers["etag"] == f'"{hashlib.sha256(blanked.content).hexdigest()}"'
    assert "kind-removed" in client.get(f"/documents/{FIRST}?collection=default").text
    reply = client.get(f"/v1/documents/{WELL}/source?collection=other")  # which does not hold it
    assert reply.text == page(2)


def test_a_client_verifies_what_it_was_told(tmp_path: Path) -> None:
    app = create_app(lambda: filled(tmp_path), ApiSettings())
    with serving_app(app) as url, Client(url) as client:
        assert app.state.engine_slot.wait(10)
        for name in ("live", "other"):
            answer = client.ask(f"{word(1)}是什么？", collection=name)
            (cited,) = [each for each in answer.citations if each.document_id == FIRST]
            assert cited.verify(client.source(FIRST, collection=answer.collection))
            assert cited.verify(client.source(FIRST))
        assert client.source(FIRST, collection="default") != page(1, ESSAYS)

        async def asynchronously() -> str:
            async with AsyncClient(url) as other:
                return await other.source(FIRST, collection="default")

        assert asyncio.run(asynchronously()) == client.source(FIRST, collection="default")


def test_where_it_was_removed_everywhere_the_first_is_shown(tmp_path: Path) -> None:
    with opened(tmp_path) as library:
        library.create_collection("live")
        for name, gone in (("default", 1), ("live", 2)):
            added(library, upload(1, ESSAYS), collection=name)
            library.remove(name, ids_of(1, ESSAYS)[gone])
        shown = library.engine_holding(FIRST).document(FIRST).source.text
        assert [word(1, essay) in shown for essay in (1, 2, 3)] == [True, False, True]
        shown = library.engine_holding(FIRST, "live").document(FIRST).source.text
        assert [word(1, essay) in shown for essay in (1, 2, 3)] == [True, True, False]


def test_the_page_stays_with_its_collection(client: TestClient) -> None:
    shown = client.get(f"/documents/{FIRST}?collection=live&chars=2-8").text
    assert f'href="/v1/documents/{FIRST}/source?collection=live"' in shown
    assert f'href="/documents/{LAST}?collection=live"' in shown
    moved = client.get(f"/documents/{FIRST}?collection=live&goto=3", follow_redirects=False)
    assert moved.headers["location"] == f"/documents/{FIRST}?line=3&collection=live#L3"
    plain = client.get(f"/documents/{FIRST}?collection=%22%3E%3Cscript%3E").text
    assert "collection=" not in plain


def test_fetch_tells_what_its_collection_says(library: Library) -> None:
    for name, said in TOLD.items():
        fetched = tool(library, "fetch", id=WELL, collection=name)
        assert (fetched["title"], fetched["metadata"]["authors"]) == (
            said["title"],
            "、".join(said["authors"]),
        )
    for elsewhere in ({}, {"collection": "nothing"}, {"collection": "井"}, {"collection": None}):
        assert tool(library, "fetch", id=WELL, **elsewhere)["title"] == TOLD["default"]["title"]
    assert tool(library, "fetch", id=GONE, collection="default")["title"]  # found where it still is


def test_fetch_offers_the_choice_only_where_there_is_one() -> None:
    assert "collection" not in TOOLS["fetch"].input_schema_for(("default",))["properties"]
    field = TOOLS["fetch"].input_schema_for(("default", "live"))["properties"]["collection"]
    assert set(field) == {"type", "description"}
    assert field["type"] == "string"
    assert "default、live" in field["description"]
