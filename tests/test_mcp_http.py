"""`/mcp` over a real socket: both revisions, what is on the wire, who may call, what is refused and how."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.ports import Engine
from api.settings import ApiSettings
from rag.errors import ConfigError
from tests.api_fakes import FakeEngine, client_for
from tests.evals_server import serving_app
from tests.mcp_wire import (
    LIMIT_SECONDS,
    NEW,
    OLD,
    PATIENT_QUESTION,
    PatientEngine,
    Recorder,
    connected,
    headers_of,
    post,
    refusal,
    request_of,
    structured,
)

REVISIONS = pytest.mark.parametrize("revision", [OLD, NEW])
ASK: dict[str, Any] = {"name": "ask", "arguments": {"question": "清晨熄灯"}}


@pytest.fixture(scope="module")
def wire() -> Recorder:
    return Recorder()


@pytest.fixture(scope="module")
def address(wire: Recorder) -> Iterator[str]:
    """A service over the fake engine whose exchanges are recorded."""
    app = create_app(FakeEngine)
    app.add_middleware(_recorded, recorder=wire)
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(LIMIT_SECONDS)
        yield url


def _recorded(app: Any, recorder: Recorder) -> Any:
    return recorder.around(app)


# The SDK's client.


@REVISIONS
@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_search_fetch_and_ask(address: str, wire: Recorder, revision: str, path: str) -> None:
    wire.seen.clear()

    async def main() -> None:
        async with connected(address, revision, path) as client:
            assert client.protocol_version == revision
            assert [tool.name for tool in (await client.list_tools()).tools] == ["search", "fetch", "ask"]
            found = structured(await client.call_tool("search", {"query": "花岗岩"}))["results"][0]
            fetched = structured(await client.call_tool("fetch", {"id": found["id"]}))
            assert (fetched["id"], fetched["url"]) == (found["id"], found["url"])
            answer = structured(await client.call_tool("ask", {"question": "清晨熄灯"}))
            assert answer["answer"] == "守塔人每天傍晚点灯，清晨熄灯。[1]"
            assert answer["citations"][0]["url"].startswith(f"{address}/documents/")
            assert found["url"].startswith(f"{address}/documents/")
            error = refusal(await client.call_tool("ask", {"question": ""}))
            assert error["code"] == "empty_question"
            assert error["request_id"]

    anyio.run(main)
    # A notification is posted beside the next request, and may be noted after it.
    said = [method for method in wire.methods() if not method.startswith("notifications/")]
    posts = [exchange for exchange in wire.seen if exchange.method == "POST"]
    assert said[-5:] == ["tools/list", "tools/call", "tools/call", "tools/call", "tools/call"]
    assert ("initialize" in said) == (revision == OLD)
    assert not [exchange.headers for exchange in posts if "mcp-session-id" in exchange.headers]
    assert {exchange.status for exchange in posts} <= {200, 202}
    for exchange in posts[-5:]:
        assert exchange.headers["mcp-protocol-version"] == revision
        meta = exchange.body.get("params", {}).get("_meta", {})
        assert meta.get("io.modelcontextprotocol/protocolVersion", OLD) == revision
    # A client of the old revision asks for a stream of its own, and has to do without.
    assert {exchange.status for exchange in wire.seen if exchange.method == "GET"} <= {405}


def test_a_client_that_finds_out_by_itself_speaks_the_new_revision(address: str, wire: Recorder) -> None:
    wire.seen.clear()

    async def main() -> None:
        async with connected(address, "auto") as client:
            assert client.protocol_version == NEW
            assert client.server_info is not None
            assert client.server_info.name == "cewen"
            assert structured(await client.call_tool(**ASK))["status"] == "answered"

    anyio.run(main)
    assert wire.methods()[0] == "server/discover"
    assert "initialize" not in wire.methods()


@pytest.mark.parametrize("version", ["2024-11-05", "2025-03-26", "2025-06-18", OLD])
def test_older_revisions_are_negotiated(address: str, version: str) -> None:
    params = {
        "protocolVersion": version,
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    }
    reply = post(address, "initialize", params, headers={"MCP-Protocol-Version": version})
    assert reply.json()["result"]["protocolVersion"] == version
    listed = post(address, "tools/list", headers={"MCP-Protocol-Version": version}).json()["result"]["tools"]
    assert len(listed) == 3


def test_the_new_revision_discovers(address: str) -> None:
    result = post(address, "server/discover", revision=NEW).json()["result"]
    assert NEW in result["supportedVersions"]
    assert result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "cewen"
    assert "引用" in result["instructions"]


def test_no_header_is_the_old_revision(address: str) -> None:
    with httpx.Client(trust_env=False) as client:
        reply = client.post(
            f"{address}/mcp", json=request_of("tools/list"), headers={"Accept": "application/json"}
        )
    assert len(reply.json()["result"]["tools"]) == 3


def test_a_chatgpt_style_client_finds_what_it_looks_for(address: str) -> None:
    """Two tools that take one string, one text item of JSON, and a `url` that can be cited."""
    tools = {tool["name"]: tool for tool in post(address, "tools/list").json()["result"]["tools"]}
    for name, argument in (("search", "query"), ("fetch", "id")):
        schema = tools[name]["inputSchema"]
        assert (list(schema["properties"]), schema["required"]) == ([argument], [argument])
        assert tools[name]["annotations"]["readOnlyHint"] is True

    def read(name: str, arguments: dict[str, str]) -> Any:
        result = post(address, "tools/call", {"name": name, "arguments": arguments}).json()["result"]
        (item,) = result["content"]
        assert item["type"] == "text"
        assert json.loads(item["text"]) == result["structuredContent"]
        return json.loads(item["text"])

    found = read("search", {"query": "花岗岩"})
    assert set(found) == {"results"}
    for result in found["results"]:
        assert set(result) == {"id", "title", "url"}
        assert all(isinstance(value, str) and value for value in result.values())
        assert urlsplit(result["url"]).scheme == "http"
        whole = read("fetch", {"id": result["id"]})
        assert set(whole) == {"id", "title", "text", "url", "metadata"}
        assert whole["id"] == result["id"]
        assert whole["text"]
        assert whole["url"]
        assert all(isinstance(value, str) for value in whole["metadata"].values())


# Links.


def test_links_lead_where_the_request_was_sent_or_where_the_settings_say() -> None:
    for settings, base in (
        (ApiSettings(), "http://testserver"),
        (ApiSettings(public_url="https://qa.example.org/cewen"), "https://qa.example.org/cewen"),
    ):
        with client_for(settings=settings) as client:
            content = said(client, ASK)["result"]["structuredContent"]
        assert content["citations"][0]["url"].startswith(f"{base}/documents/")


def said(client: TestClient, params: dict[str, Any], revision: str = OLD) -> Any:
    """The reply to a tool call through the test client."""
    body = json.dumps(request_of("tools/call", params, revision=revision))
    headers = headers_of("tools/call", params["name"], revision=revision)
    return client.post("/mcp", content=body, headers=headers).json()


# Who may call.


@REVISIONS
def test_the_key_is_asked_for(revision: str) -> None:
    app = create_app(FakeEngine, ApiSettings(api_key="geheim"))
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(LIMIT_SECONDS)
        for headers, code in (
            ({}, "api_key_missing"),
            ({"Authorization": "Bearer nein"}, "api_key_invalid"),
        ):
            reply = post(url, "tools/call", ASK, revision=revision, headers=headers)
            assert (reply.status_code, reply.json()["error"]["code"]) == (401, code)
            assert reply.headers["www-authenticate"] == "Bearer"

        async def main() -> None:
            async with connected(url, revision, headers={"Authorization": "Bearer geheim"}) as client:
                assert structured(await client.call_tool(**ASK))["status"] == "answered"

        anyio.run(main)


@pytest.mark.parametrize(
    ("origin", "host", "public_url", "status"),
    [
        ("", "cewen.lan:8000", "", 200),
        ("http://127.0.0.1:8000", "127.0.0.1:8000", "", 200),
        ("http://localhost:8000", "localhost:8000", "", 200),
        ("http://[::1]:8000", "[::1]:8000", "", 200),
        ("http://LOCALHOST:8000", "localhost:8000", "", 200),
        ("https://qa.example.org", "10.0.0.7:8000", "https://qa.example.org", 200),
        ("https://qa.example.org", "10.0.0.7:8000", "https://qa.example.org/cewen", 200),
        ("https://qa.example.org", "10.0.0.7:8000", "https://QA.example.org:443", 200),
        ("http://10.0.0.7", "10.0.0.7", "", 200),
        ("https://evil.example", "127.0.0.1:8000", "", 403),
        ("http://qa.example.org", "10.0.0.7:8000", "https://qa.example.org", 403),
        ("http://127.0.0.1:9000", "127.0.0.1:8000", "", 403),
        ("http://127.0.0.1:8000.evil.example", "127.0.0.1:8000", "", 403),
        # A name that its owner pointed at this machine: Origin and Host agree.
        ("http://evil.example:8000", "evil.example:8000", "", 403),
        ("null", "127.0.0.1:8000", "", 403),
        ("null", "null", "", 403),
        ("http://[", "127.0.0.1:8000", "", 403),
        ("http://127.0.0.1:x", "127.0.0.1:x", "", 403),
        ("http://", "127.0.0.1:8000", "", 403),
        ("file://", "127.0.0.1:8000", "http://[", 403),
        ("http://\xff:8000", "127.0.0.1:8000", "", 403),
    ],
)
def test_pages_of_other_sites_are_refused(origin: str, host: str, public_url: str, status: int) -> None:
    with client_for(settings=ApiSettings(public_url=public_url)) as client:
        for revision in (OLD, NEW):
            headers: dict[str, Any] = headers_of("tools/list", revision=revision) | {"Host": host}
            if origin:
                headers["Origin"] = origin.encode("latin-1")
            body = json.dumps(request_of("tools/list", revision=revision))
            reply = client.post("/mcp", content=body, headers=headers)
            assert reply.status_code == status
            assert "access-control-allow-origin" not in reply.headers
            if status == 403:
                assert reply.json()["id"] is None
                assert reply.json()["error"]["code"] == -32600


# Methods.


@REVISIONS
@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "PATCH", "OPTIONS", "HEAD"])
def test_only_post_is_answered(address: str, revision: str, path: str, method: str) -> None:
    headers = {"MCP-Protocol-Version": revision, "Accept": "text/event-stream"}
    with httpx.Client(trust_env=False) as client:
        reply = client.request(method, f"{address}{path}", headers=headers)
    assert (reply.status_code, reply.headers["allow"]) == (405, "POST")
    if method == "HEAD":
        assert reply.content == b""
    else:
        assert reply.json()["error"]["code"] == "method_not_allowed"


def test_replies_carry_our_headers(address: str) -> None:
    reply = post(address, "tools/list", headers={"X-Request-ID": "abc"})
    assert reply.headers["x-request-id"] == "abc"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["content-type"] == "application/json"
    assert "mcp-session-id" not in reply.headers


def test_notifications_are_acknowledged(address: str) -> None:
    body = json.dumps({"jsonrpc": "2.0", "method": "notifications/initialized"})
    with httpx.Client(trust_env=False) as client:
        for revision in (OLD, NEW):
            headers = headers_of("notifications/initialized", revision=revision)
            reply = client.post(f"{address}/mcp", content=body, headers=headers)
            assert (reply.status_code, reply.content) == (202, b"")


# What cannot be answered now.


@REVISIONS
def test_an_engine_that_is_opening_or_cannot_open(revision: str) -> None:
    go_on = threading.Event()

    def opened() -> Engine:
        assert go_on.wait(LIMIT_SECONDS)
        raise ConfigError("没有这样的语料。")

    app = create_app(opened)
    with TestClient(app) as client:
        error = json.loads(said(client, ASK, revision)["result"]["content"][0]["text"])["error"]
        assert (error["type"], error["code"]) == ("unavailable", "not_ready")
        listing = request_of("tools/list", revision=revision)
        headers = headers_of("tools/list", revision=revision)
        assert client.post("/mcp", json=listing, headers=headers).status_code == 200
        go_on.set()
        assert app.state.engine_slot.wait(LIMIT_SECONDS)
        error = json.loads(said(client, ASK, revision)["result"]["content"][0]["text"])["error"]
        assert error["code"] == "startup_failed"


def test_without_a_lifespan_there_is_no_server() -> None:
    client = TestClient(create_app(FakeEngine))
    reply = client.post("/mcp", json=request_of("tools/list"), headers=headers_of("tools/list"))
    assert (reply.status_code, reply.json()["error"]["code"]) == (503, "unavailable")


def test_an_application_can_be_started_again() -> None:
    app = create_app(FakeEngine)
    for _ in range(2):
        with TestClient(app) as client:
            assert app.state.engine_slot.wait(LIMIT_SECONDS)
            assert said(client, ASK)["result"]["isError"] is False


@REVISIONS
def test_answers_share_their_places_with_the_rest_service(revision: str) -> None:
    running, release = threading.Semaphore(0), threading.Event()

    def block() -> None:
        running.release()
        assert release.wait(LIMIT_SECONDS)

    app = create_app(lambda: FakeEngine(block), ApiSettings(max_concurrent=1, max_waiting=0))
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(LIMIT_SECONDS)
        with httpx.Client(base_url=url, trust_env=False, timeout=LIMIT_SECONDS) as client:
            caller = threading.Thread(
                target=client.post, args=("/v1/ask",), kwargs={"json": {"question": "灯"}}
            )
            caller.start()
            try:
                assert running.acquire(timeout=LIMIT_SECONDS)
                result = post(url, "tools/call", ASK, revision=revision).json()["result"]
                assert result["isError"] is True
                assert '"overloaded"' in result["content"][0]["text"]
                assert post(url, "tools/list", revision=revision).status_code == 200
            finally:
                release.set()
                caller.join(LIMIT_SECONDS)
            assert post(url, "tools/call", ASK, revision=revision).json()["result"]["isError"] is False


@REVISIONS
def test_who_leaves_is_not_computed_for_and_frees_the_place(revision: str) -> None:
    engine = PatientEngine()
    app = create_app(lambda: engine, ApiSettings(max_concurrent=1))
    params = {"name": "ask", "arguments": {"question": PATIENT_QUESTION}}
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(LIMIT_SECONDS)
        body = json.dumps(request_of("tools/call", params, revision=revision)).encode()
        headers = headers_of("tools/call", "ask", revision=revision) | {"Host": "x"}
        lines = [f"{name}: {value}" for name, value in headers.items()]
        head = "\r\n".join(["POST /mcp HTTP/1.1", *lines, f"Content-Length: {len(body)}", "", ""])
        host, port = urlsplit(url).netloc.split(":")
        with socket.create_connection((host, int(port)), timeout=LIMIT_SECONDS) as caller:
            caller.sendall(head.encode() + body)
            assert engine.begun.acquire(timeout=LIMIT_SECONDS)
        assert engine.gave_up.acquire(timeout=LIMIT_SECONDS)
        assert post(url, "tools/call", ASK, revision=revision).json()["result"]["isError"] is False


# Hostile input.


def changed(**changes: Any) -> Callable[[str], bytes]:
    """A tool call with members changed (None removes one)."""

    def body(revision: str) -> bytes:
        whole = request_of("tools/call", ASK, revision=revision) | changes
        return json.dumps({name: value for name, value in whole.items() if value is not None}).encode()

    return body


def fixed(body: bytes) -> Callable[[str], bytes]:
    return lambda _: body


def with_params(**changes: Any) -> Callable[[str], bytes]:
    def body(revision: str) -> bytes:
        whole = request_of("tools/call", ASK, revision=revision)
        whole["params"] |= changes
        return json.dumps(whole).encode()

    return body


HOSTILE: dict[str, Callable[[str], bytes]] = {
    "nothing": fixed(b""),
    "no JSON": fixed(b"{"),
    "not UTF-8": fixed(b'{"jsonrpc": "2.0", "id": 1, "method": "\xff"}'),
    "UTF-16": fixed('{"jsonrpc": "2.0"}'.encode("utf-16")),
    "a byte-order mark": fixed(b"\xef\xbb\xbf{}"),
    "null": fixed(b"null"),
    "a number": fixed(b"1"),
    "a string": fixed(b'"tools/call"'),
    "an object": fixed(b"{}"),
    "an empty batch": fixed(b"[]"),
    "a batch": fixed(json.dumps([request_of("tools/list")] * 2).encode()),
    "a reply": fixed(b'{"jsonrpc": "2.0", "id": 1, "result": {}}'),
    "an error": fixed(b'{"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": ""}}'),
    "deep": fixed(b"[" * 30_000),
    "deep arguments": fixed(
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_001
    ),
    "deep enough to be read": with_params(arguments=json.loads('{"question":' * 90 + "1" + "}" * 90)),
    "a number too long": fixed(b'{"jsonrpc":"2.0","method":"x","id":' + b"9" * 6_000 + b"}"),
    "infinite": fixed(b'{"jsonrpc":"2.0","method":"ping","id":1e999}'),
    "NaN": with_params(arguments={"question": "x", "top_k": float("nan")}),
    "another JSON-RPC": changed(jsonrpc="1.0"),
    "no method": changed(method=None),
    "method a number": changed(method=7),
    "unknown method": changed(method="tools/delete"),
    "unknown long method": changed(method="x" * 50_000),
    "server's method": changed(method="sampling/createMessage"),
    "resources": changed(method="resources/list"),
    "listen": changed(method="subscriptions/listen"),
    "id null": fixed(b'{"jsonrpc":"2.0","method":"ping","id":null}'),
    "id a list": changed(id=[1]),
    "id true": changed(id=True),
    "id a fraction": changed(id=1.5),
    "id surrogate": fixed(b'{"jsonrpc":"2.0","method":"ping","id":"\\ud800"}'),
    "id huge": changed(id=10**30),
    "params a list": changed(params=[1]),
    "params text": changed(params="x"),
    "no params": changed(params=None),
    "no name": with_params(name=None),
    "name a number": with_params(name=1),
    "name surrogate": fixed(
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"\\ud800","arguments":{}}}'
    ),
    "unknown tool": with_params(name="rm -rf"),
    "arguments text": with_params(arguments="x"),
    "arguments a list": with_params(arguments=["x"]),
    "key surrogate": with_params(arguments={"\ud800": "x"}),
    "question surrogate": with_params(arguments={"question": "\ud800"}),
    "question NUL": with_params(arguments={"question": "\x00"}),
    "meta text": with_params(_meta="x"),
    "meta empty": with_params(_meta={}),
    "progress token": with_params(_meta={"progressToken": [1]}),
    "task": with_params(task={"ttl": -1}),
    "cursor": changed(method="tools/list", params={"cursor": "x"}),
    "initialize again": changed(method="initialize", params={"protocolVersion": 7}),
}


@REVISIONS
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_bodies_are_answered_in_order(address: str, revision: str, kind: str) -> None:
    headers = headers_of("tools/call", "ask", revision=revision)
    with httpx.Client(trust_env=False, timeout=LIMIT_SECONDS) as client:
        reply = client.post(f"{address}/mcp", content=HOSTILE[kind](revision), headers=headers)
    assert reply.status_code < 500, reply.text
    assert "Traceback" not in reply.text
    if reply.status_code != 202:
        body = reply.json()
        assert body["jsonrpc"] == "2.0"
        assert ("error" in body) != ("result" in body)
        assert "internal" not in reply.text.lower()
    assert post(address, "tools/list", revision=revision).status_code == 200


@REVISIONS
@pytest.mark.parametrize(
    ("headers", "statuses"),
    [
        ({"Content-Type": "text/plain"}, {400, 415}),
        ({"Content-Type": "application/json; charset=gbk"}, {200}),
        ({"Accept": "text/html"}, {406}),
        ({"Accept": "application/json"}, {200}),
        ({"Accept": "*/*"}, {200}),
        ({"MCP-Protocol-Version": "2099-01-01"}, {400}),
        ({"MCP-Protocol-Version": "\xff"}, {400}),
        ({"Mcp-Method": "tools/list"}, {200, 400}),
        ({"Mcp-Session-Id": "x" * 500}, {200}),
        ({"Last-Event-ID": "7"}, {200}),
        ({"Content-Encoding": "gzip"}, {200, 400, 415}),
        ({"X": "y" * 20_000}, {431}),
        ({"Host": "["}, {200}),
        ({"Host": ""}, {200}),
    ],
)
def test_hostile_headers_are_refused_in_order(
    address: str, revision: str, headers: dict[str, str], statuses: set[int]
) -> None:
    body = json.dumps(request_of("tools/call", ASK, revision=revision))
    sent = headers_of("tools/call", "ask", revision=revision) | headers
    encoded = [(name.encode(), value.encode("latin-1")) for name, value in sent.items()]
    with httpx.Client(trust_env=False, timeout=LIMIT_SECONDS) as client:
        reply = client.post(f"{address}/mcp", content=body, headers=encoded)
    assert reply.status_code in statuses, reply.text


def test_a_body_that_is_too_large_is_refused(address: str) -> None:
    reply = post(address, "tools/call", {"name": "ask", "arguments": {"question": "x" * 1_100_000}})
    assert (reply.status_code, reply.json()["error"]["code"]) == (413, "body_too_large")
