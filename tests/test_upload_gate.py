"""How many uploads there are at once, how long one may take, and that questions do not suffer."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import anyio
import httpx
import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from api.app import create_app
from api.guards.limits import LargeBodies, RequestLimitsMiddleware
from api.library_records import Job, Upload
from api.settings import ApiSettings
from api.uploads.gate import UploadGateMiddleware, is_upload, place_of
from tests.api_fakes import FakeLibrary, client_for
from tests.test_api_wire import code_of, exchange
from tests.test_middleware import body_of, headers_of, http_scope
from tests.uploading import ESSAY, FORM, file_part, form

MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("POST", "/v1/documents", True),
        ("PUT", "/v1/documents/x", True),
        ("PUT", "/v1/documents/x\ny", True),
        ("PUT", "/v1/documents", False),
        ("POST", "/v1/documents/x", False),
        ("PUT", "/v1/documents/x/source", False),
        ("GET", "/v1/documents", False),
        ("DELETE", "/v1/documents/x", False),
        ("POST", "/v1/ask", False),
    ],
)
def test_what_an_upload_is(method: str, path: str, *, expected: bool) -> None:
    assert is_upload(http_scope(method=method, path=path)) is expected
    assert is_upload(http_scope(method=method, path=f"/qa{path}", root_path="/qa")) is expected


class Crowd:
    """Uploads through a gate of two places without a queue; each stays until the doors open."""

    def __init__(self, *, max_waiting: int = 0) -> None:
        self.doors = anyio.Event()
        self.statuses: list[int] = []
        self.connections: list[str | None] = []
        self.read = 0
        self.leave_early = False
        self.gate = UploadGateMiddleware(self._inside, places=2, max_waiting=max_waiting, wait_seconds=60)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if self.leave_early:
            place_of(scope).leave()
            place_of(scope).leave()
        await self.doors.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def call(self, path: str = "/v1/documents") -> None:
        sent: list[Message] = []

        async def receive() -> Message:
            self.read += 1
            return {"type": "http.request", "body": b""}

        async def send(message: Message) -> None:
            sent.append(message)

        await self.gate(http_scope(method="POST", path=path), receive, send)
        self.statuses.append(sent[0]["status"])
        self.connections.append(headers_of(sent).get("connection"))


def test_the_third_is_refused_unread() -> None:
    async def scenario() -> None:
        crowd = Crowd()
        async with anyio.create_task_group() as group:
            group.start_soon(crowd.call)
            group.start_soon(crowd.call)
            await anyio.wait_all_tasks_blocked()
            await crowd.call()
            assert (crowd.statuses, crowd.read, crowd.connections) == ([503], 2, ["close"])
            crowd.doors.set()
        await crowd.call()
        assert crowd.statuses == [503, 200, 200, 200]

    anyio.run(scenario)


def test_who_has_left_makes_room_once() -> None:
    async def scenario() -> None:
        crowd = Crowd()
        crowd.leave_early = True
        async with anyio.create_task_group() as group:
            for _ in range(5):
                group.start_soon(crowd.call)
                await anyio.wait_all_tasks_blocked()
            assert crowd.gate.gate.in_use == 0
            crowd.doors.set()
        assert crowd.statuses == [200] * 5
        assert crowd.gate.gate.in_use == 0

    anyio.run(scenario)


def test_other_requests_pass() -> None:
    async def scenario() -> None:
        crowd = Crowd()
        async with anyio.create_task_group() as group:
            for path in ["/v1/documents"] * 2 + ["/v1/ask"]:
                group.start_soon(crowd.call, path)
            await anyio.wait_all_tasks_blocked()
            assert crowd.read == 3
            crowd.doors.set()
        assert crowd.statuses == [200] * 3

    anyio.run(scenario)


def send_slowly(parts: int, pause: float, *, rate: float) -> list[Message]:
    """Send parts of ten bytes with pauses to a limit of 0.2 seconds and `rate` bytes a second beyond."""
    sent: list[Message] = []
    given = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert len((await receive())["body"]) == 10 * parts
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body"})

    async def receive() -> Message:
        nonlocal given
        await anyio.sleep(pause)
        given += 1
        return {"type": "http.request", "body": b"x" * 10, "more_body": given < parts}

    async def send(message: Message) -> None:
        sent.append(message)

    limits = RequestLimitsMiddleware(
        app,
        max_header_bytes=100,
        max_body_bytes=10,
        body_timeout_seconds=0.2,
        files=LargeBodies(lambda _: True, 1000, rate),
    )
    anyio.run(limits, http_scope(method="POST"), receive, send)
    return sent


def test_bytes_that_come_buy_time() -> None:
    assert send_slowly(20, 0.03, rate=10.0)[0]["status"] == 200


def test_who_is_too_slow_is_given_up() -> None:
    sent = send_slowly(20, 0.03, rate=100_000.0)
    assert sent[0]["status"] == 408
    assert json.loads(body_of(sent))["error"]["code"] == "request_timeout"


LIBRARY = FakeLibrary()


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    app = create_app(
        lambda: LIBRARY, ApiSettings(body_timeout_seconds=0.5, upload_places=2, wait_seconds=0.1)
    )
    app.state.engine_slot.open()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", http="h11"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def head(length: int, more: bytes = b"") -> bytes:
    kind = FORM["Content-Type"].encode()
    return (
        b"POST /v1/documents HTTP/1.1\r\nHost: x\r\nContent-Type: "
        + kind
        + b"\r\n"
        + more
        + b"Content-Length: %d\r\n\r\n" % length
    )


def test_a_form_over_the_wire(address: tuple[str, int]) -> None:
    body = form(file_part(ESSAY))
    status, _, reply = exchange(address, head(len(body)), body[:20], body[20:])
    assert (status, json.loads(reply)["created"]) == (201, True)


def test_a_length_that_is_too_long_is_given_up(address: tuple[str, int]) -> None:
    body = form(file_part(ESSAY))
    status, headers, reply = exchange(address, head(len(body) + 1), body)
    assert (status, code_of(reply), headers["connection"]) == (408, "request_timeout", "close")


def test_a_length_that_is_too_short_is_a_form_cut_off(address: tuple[str, int]) -> None:
    body = form(file_part(ESSAY))
    status, _, reply = exchange(address, head(len(body) - 9), body)
    assert (status, code_of(reply)) == (400, "malformed_multipart")


def test_too_much_is_refused_before_it_is_sent(address: tuple[str, int]) -> None:
    status, headers, reply = exchange(address, head(22 * MIB))
    assert (status, code_of(reply), headers["connection"]) == (413, "body_too_large", "close")


def test_questions_are_answered_while_uploads_fill_their_places(address: tuple[str, int]) -> None:
    silent = [socket.create_connection(address, timeout=20) for _ in range(2)]
    try:
        for caller in silent:
            caller.sendall(head(MIB) + b"x")
        body = form(file_part(ESSAY))
        base = f"http://{address[0]}:{address[1]}"
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            status, _, reply = exchange(address, head(len(body)))
            if status == 503:
                break
        assert (status, code_of(reply)) == (503, "overloaded")
        answer = httpx.post(f"{base}/v1/ask", json={"question": "清晨熄灯"}, trust_env=False)
        assert answer.json()["status"] == "answered"
    finally:
        for caller in silent:
            caller.close()


class CountingLibrary(FakeLibrary):
    """Counts who adds at the same time; each stays until another has come or a moment has passed."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = 0
        self.most = 0
        self._met = threading.Event()

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        self.inside += 1
        self.most = max(self.most, self.inside)
        if self.inside > 1:
            self._met.set()
        self._met.wait(0.05)
        self.inside -= 1
        return super().add(collection, upload, replaces=replaces)


def test_one_is_converted_at_a_time() -> None:
    library = CountingLibrary()
    with client_for(library, ApiSettings(upload_places=4)) as client, ThreadPoolExecutor(4) as callers:
        texts = [f"{ESSAY}{number}" for number in range(4)]
        sent = [callers.submit(client.post, "/v1/documents", json={"text": text}) for text in texts]
        assert [each.result().status_code for each in sent] == [201] * 4
    assert library.most == 1


def test_who_waits_for_a_job_holds_no_place() -> None:
    library = FakeLibrary()
    library.hold = True
    settings = ApiSettings(upload_places=1, max_waiting=0)
    with client_for(library, settings) as client, ThreadPoolExecutor(1) as callers:
        waiting = callers.submit(client.post, "/v1/documents?wait=60", json={"text": ESSAY})
        deadline = time.monotonic() + 20
        while not library.jobs() and time.monotonic() < deadline:
            client.get("/healthz")
        status = 503
        while status == 503 and time.monotonic() < deadline:
            status = client.post("/v1/documents?wait=0", json={"text": f"{ESSAY}!"}).status_code
        assert status == 202
        assert not waiting.done()
        for job in library.jobs():
            library.finish(job.job_id)
        assert waiting.result(20).status_code == 201
