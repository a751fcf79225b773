"""Every bad input of the table against a real service; after all of them it is what it was before.

Real library, real socket, the server's own settings. Each is refused with its code, in the shape of its path,
and changes nothing; nothing is fetched, whatever an address says; the log has no word of what was asked.
"""

from __future__ import annotations

import errno
import json
import logging
import socket
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.errors.shapes import Failure, shape_for
from api.observing.logs import JsonFormatter
from tests.bad_inputs import SECRET, TABLE
from tests.hammering import QUESTION, Hammered, hammered
from tests.mcp_wire import NEW, headers_of, request_of
from tests.test_middleware import http_scope


class Lines(logging.Handler):
    """The log as a person would find it."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonFormatter())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture(scope="module")
def log() -> Iterator[Lines]:
    handler, root = Lines(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture(scope="module")
def bait() -> Iterator[socket.socket]:
    """A listener that nobody may call."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


@pytest.fixture(scope="module")
def reached() -> Iterator[list[Any]]:
    """Every address that anything in this process connects to or looks up."""
    seen: list[Any] = []
    connect, look_up = socket.socket.connect, socket.getaddrinfo

    def noting_connect(self: socket.socket, address: Any) -> Any:
        seen.append(address)
        return connect(self, address)

    def noting_look_up(host: Any, *args: Any, **options: Any) -> Any:
        seen.append((host, args[0] if args else None))
        return look_up(host, *args, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", noting_connect)
        patch.setattr(socket, "getaddrinfo", noting_look_up)
        yield seen


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, log: Lines, reached: list[Any]) -> Iterator[Hammered]:
    with hammered(tmp_path_factory.mktemp("bad"), body_timeout_seconds=1.0) as running:
        yield running


@pytest.fixture(scope="module")
def client(service: Hammered) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60, trust_env=False) as opened:
        yield opened


def told(client: httpx.Client, url: str = "") -> dict[str, Any]:
    """What the service says to one question, without what differs each time."""
    reply = client.post(f"{url}/v1/ask", json={"question": QUESTION}).json()
    return {key: value for key, value in reply.items() if key not in {"id", "timings_ms"}}


def held(service: Hammered) -> list[tuple[str, int, int]]:
    """What the library holds, and how often it has changed."""
    return [(each.name, each.documents, each.sequence) for each in service.library.collections()]


@pytest.fixture(scope="module")
def before(service: Hammered, client: httpx.Client) -> tuple[Any, Any]:
    return told(client), held(service)


@pytest.mark.parametrize("name", TABLE)
def test_bad_input(service: Hammered, client: httpx.Client, before: tuple[Any, Any], name: str) -> None:
    bad = TABLE[name]
    url = httpx.URL(service.url).copy_with(raw_path=bad.path.encode("ascii"))
    request = client.build_request(bad.method, url, content=bad.body, headers=dict(bad.headers))
    response = client.send(request)
    path = response.request.url.path
    scope = http_scope(path=path)
    failure = Failure(bad.status, "type", bad.code, "message", "id")
    status, body = shape_for(scope)(failure)
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert len(response.text) < 1_500
    got = response.json()
    assert got.keys() == body.keys()
    if "error" in body:
        assert got["error"]["code"] == body["error"]["code"], response.text
    else:
        assert got["error_code"] == body["error_code"]
    assert held(service) == before[1]


def test_the_table_is_long() -> None:
    assert len(TABLE) >= 60


# Raw bytes after a request line: the whole of what one connection sends.
HEAD = b"Host: x\r\nContent-Type: application/json\r\n"
GARBAGE: dict[str, bytes] = {
    "not HTTP": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\0" * 200,
    "a line of nothing": b"\r\n" * 50,
    "an endless method": b"A" * 300_000,
    "no version": b"GET /healthz\r\n\r\n",
    "a newer version": b"GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n",
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "a space before the colon": b"GET /healthz HTTP/1.1\r\nHost : x\r\n\r\n",
    "a line end in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n",
    "a NUL in a header": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n",
    "bytes in the address": b"GET /v1/documents/\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
    "a negative length": b"POST /v1/ask HTTP/1.1\r\n" + HEAD + b"Content-Length: -1\r\n\r\n",
    "a length of words": b"POST /v1/ask HTTP/1.1\r\n" + HEAD + b"Content-Length: all\r\n\r\n",
    "two lengths": b"POST /v1/ask HTTP/1.1\r\n" + HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length of twenty digits": b"POST /v1/ask HTTP/1.1\r\n"
    + HEAD
    + b"Content-Length: 99999999999999999999\r\n\r\n",
    "length and chunks": b"POST /v1/ask HTTP/1.1\r\n"
    + HEAD
    + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v1/collections HTTP/1.1\r\n\r\n",
    "a chunk of no size": b"POST /v1/ask HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n",
    "a chunk of all sizes": b"POST /v1/ask HTTP/1.1\r\n"
    + HEAD
    + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n{}",
    "an unknown encoding": b"POST /v1/ask HTTP/1.1\r\n" + HEAD + b"Transfer-Encoding: gzip\r\n\r\n",
    "garbage after a request": b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" + b"\xff\0\xfe" * 5_000,
    "a slow body": b"POST /v1/ask HTTP/1.1\r\n" + HEAD + b"Content-Length: 50\r\n\r\n{",
    "a slow form": b"POST /v1/documents HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 20000000\r\n\r\n--x\r\n",
    "half a head": b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nX: ",
    "70 KB of headers": b"GET /v1/documents HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
    "10,000 headers": b"GET /v1/documents HTTP/1.1\r\nHost: x\r\n" + b"X: x\r\n" * 10_000 + b"\r\n",
    "an upgrade": b"GET /v1/ask HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
    "CONNECT": b"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n",
    "a proxy's address": b"GET http://169.254.169.254/latest HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n",
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_on_the_wire(
    service: Hammered, client: httpx.Client, before: tuple[Any, Any], name: str
) -> None:
    address = httpx.URL(service.url)
    with socket.create_connection((address.host, address.port), timeout=20) as caller:
        try:
            caller.sendall(GARBAGE[name])
            if not name.startswith(("a slow", "half")):
                caller.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: caller.recv(65_536), b""))
        except OSError as error:  # closed while it was still being sent, or before its end could be told
            if error.errno not in (errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN):
                raise
            received = b""
    for line in received.split(b"\r\n"):
        if line.startswith(b"HTTP/1.1 "):
            assert line[9:10] in (b"2", b"4"), received[:300]
    assert b"Traceback" not in received
    assert client.get("/healthz").status_code == 200
    assert held(service) == before[1]


def test_forty_silent_callers_keep_nobody_out(service: Hammered, client: httpx.Client) -> None:
    address = httpx.URL(service.url)
    callers = [socket.create_connection((address.host, address.port), timeout=20) for _ in range(40)]
    try:
        for number, caller in enumerate(callers):
            # Three forms: an upload has a place before its body is read, and there are four.
            caller.sendall(
                GARBAGE["a slow form" if number < 3 else ("a slow body", "half a head")[number % 2]]
            )
        assert client.post("/v1/ask", json={"question": QUESTION}).status_code == 200
    finally:
        for caller in callers:
            caller.close()


MCP: dict[str, tuple[str, dict[str, Any]]] = {
    "unknown tool": ("../../etc/passwd", {}),
    "no arguments": ("ask", {}),
    "a blank question": ("ask", {"question": "\u200b"}),
    "a NUL": ("ask", {"question": "a\0"}),
    "a question too long": ("ask", {"question": "字" * 2_001}),
    "a number": ("search", {"query": 5}),
    "unknown collection": ("search", {"query": SECRET, "collection": "../x"}),
    "unknown id": ("fetch", {"id": "file:///etc/passwd"}),
    "address of metadata": ("fetch", {"id": "http://169.254.169.254/latest"}),
}


@pytest.mark.parametrize("name", MCP)
def test_bad_calls_of_tools(client: httpx.Client, name: str) -> None:
    tool, arguments = MCP[name]
    body = request_of("tools/call", {"name": tool, "arguments": arguments}, revision=NEW)
    headers = headers_of("tools/call", tool, revision=NEW)
    response = client.post("/mcp", content=json.dumps(body), headers=headers)
    assert response.status_code in {200, 400, 404}, response.text
    reply = response.json()
    assert "error" in reply or reply["result"]["isError"], reply


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"jsonrpc":"2.0","id":NaN}', b"[" * 60_000])
def test_bad_bodies_of_mcp(client: httpx.Client, body: bytes) -> None:
    headers = headers_of("tools/call", "ask", revision=NEW)
    response = client.post("/mcp", content=body, headers=headers)
    assert 400 <= response.status_code < 500, response.text


def test_no_address_is_ever_fetched(
    service: Hammered, client: httpx.Client, bait: socket.socket, reached: list[Any]
) -> None:
    """In every field that takes a text there stands the address of a listener; nobody calls it."""
    port = bait.getsockname()[1]
    url = f"http://127.0.0.1:{port}/latest"
    reached.clear()
    page = f"<html><head><link href='{url}'><script src='{url}'></script></head><body><p>{QUESTION}</p>"
    page += f"<img src='{url}'><iframe src='{url}'></iframe></body></html>"
    added = client.post(
        "/v1/documents",
        files={"file": ("a.html", page.encode(), "text/html")},
        data={"source_url": url, "title": url, "authors": url, "tags": url, "origin": url},
    )
    assert added.status_code == 201, added.text
    text = {"text": f"{url}\n{QUESTION}", "name": url, "metadata": {"source_url": url, "title": url}}
    also = client.post("/v1/documents", json=text)
    assert also.status_code == 201, also.text
    ids = [reply.json()["source_id"] for reply in (added, also)]
    client.post("/v1/ask", json={"question": url, "generator": url, "collection": url})
    client.post("/v1/ask", json={"question": url, "filters": {"source_url": url, "titles": [url]}})
    client.post(
        "/v1/search", json={"query": url}, headers={"Referer": url, "Origin": url, "X-Forwarded-Host": url}
    )
    client.get("/v1/documents", params={"source_url": url, "q": url})
    for identifier in ids:
        client.get(f"/documents/{identifier}-1")
    client.post("/v1/feedback", json={"answer_id": "ans_1", "verdict": "up", "note": url})
    claim = {"document_id": url, "start_char": 0, "end_char": 1, "quote": url}
    client.post("/v1/citations/resolve", json=claim)
    job = client.post("/v1/admin/reindex", json={"encoder": url}).json()["job"]["job_id"]
    assert service.library.wait(job, 60).error_code == "encoder_unusable"
    for identifier in ids:
        assert client.delete(f"/v1/documents/{identifier}").status_code == 200
    with pytest.raises(BlockingIOError):
        bait.accept()
    assert {tuple(address)[1] for address in reached} <= {httpx.URL(service.url).port}


def test_it_is_what_it_was(
    service: Hammered, client: httpx.Client, before: tuple[Any, Any], log: Lines
) -> None:
    """After all of that: the same answer, the same documents, nothing said that nobody should read."""
    answer, collections = before
    after = told(client)
    assert after["answer"] == answer["answer"]
    assert after["citations"] == answer["citations"]
    assert after["status"] == "answered"
    assert [each[:2] for each in held(service)] == [each[:2] for each in collections]
    assert not [key for key in service.counts if key[2] >= 500]
    assert log.lines
    for line in log.lines:
        assert SECRET not in line
        assert QUESTION not in line
        assert "Traceback" not in line
    assert not [line for line in log.lines if json.loads(line)["level"] in {"error", "critical"}]
