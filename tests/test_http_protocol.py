"""The head of a request comes, and the reply is read, in time, or the connection ends; no HTTP is refused."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator

import httpx
import pytest

from api.app import create_app
from api.guards.http_protocol import PromptH11Protocol
from tests.api_fakes import FakeEngine
from tests.evals_server import serving_app


class Hasty(PromptH11Protocol):
    head_seconds = 0.3
    read_seconds = 0.3


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    app = create_app(FakeEngine)
    app.state.engine_slot.open()
    with serving_app(app, http=Hasty, lifespan="off", timeout_keep_alive=1) as url:
        parsed = httpx.URL(url)
        yield parsed.host, parsed.port or 0


def said(caller: socket.socket) -> bytes:
    """All that comes until the other side closes."""
    return b"".join(iter(lambda: caller.recv(65_536), b""))


def refusal(received: bytes) -> tuple[int, str]:
    head, _, body = received.partition(b"\r\n\r\n")
    assert b"content-type: application/json" in head
    assert b"x-content-type-options: nosniff" in head
    assert b"connection: close" in head
    error = json.loads(body)["error"]
    assert error["request_id"].encode() in head
    return int(head.split()[1]), error["code"]


@pytest.mark.parametrize("begun", [b"G", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: "])
def test_half_a_head_is_given_up(address: tuple[str, int], begun: bytes) -> None:
    with socket.create_connection(address, timeout=20) as caller:
        caller.sendall(begun)
        assert refusal(said(caller)) == (408, "request_timeout")


def test_bytes_that_keep_coming_buy_no_time(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as caller:
        caller.sendall(b"GET /healthz HTTP/1.1\r\n")
        caller.settimeout(0.05)
        received = b""
        for _ in range(200):  # ten seconds at most
            try:
                caller.sendall(b"X: x\r\n")
                received = caller.recv(65_536)
                break
            except TimeoutError:
                continue
        assert refusal(received) == (408, "request_timeout")


def test_who_says_nothing_is_told_nothing(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as caller:
        assert said(caller) == b""


def test_half_of_a_second_head_is_given_up_too(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as caller:
        caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /hea")
        received = said(caller)
        assert received.startswith(b"HTTP/1.1 200")
        assert received.count(b"HTTP/1.1 ") <= 2


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n", b"GET /\r\n\r\n"])
def test_what_is_no_http(address: tuple[str, int], garbage: bytes) -> None:
    with socket.create_connection(address, timeout=20) as caller:
        caller.sendall(garbage)
        assert refusal(said(caller)) == (400, "bad_request")


def test_requests_one_after_the_other(address: tuple[str, int]) -> None:
    """More of them than the time for a head, on one connection."""
    with httpx.Client(base_url=f"http://{address[0]}:{address[1]}", timeout=20) as client:
        for _ in range(50):
            assert client.post("/v1/ask", json={"question": "清晨熄灯"}).status_code == 200


def test_two_requests_at_once(address: tuple[str, int]) -> None:
    with socket.create_connection(address, timeout=20) as caller:
        caller.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n" * 2)
        received = said(caller)
        assert received.count(b"HTTP/1.1 200") == 2


def test_who_reads_nothing_of_many_replies_is_let_go(address: tuple[str, int]) -> None:
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    with caller:
        caller.connect(address)
        caller.sendall(
            b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 100
        )  # far more than all buffers hold
        gone = select.poll()
        gone.register(caller, select.POLLHUP | select.POLLERR)
        assert gone.poll(20_000) != []


class Reader:
    """A transport with so many bytes unread at each look, and a loop whose time is told."""

    def __init__(self, *unread: int) -> None:
        self._unread = list(unread)
        self.waiting: list[tuple[float, object, tuple[object, ...]]] = []
        self.aborted = self.cancelled = False

    def get_write_buffer_size(self) -> int:
        return self._unread.pop(0)

    def get_extra_info(self, _: str) -> None:
        return None

    def abort(self) -> None:
        self.aborted = True

    def call_later(self, seconds: float, call: object, *given: object) -> Reader:
        self.waiting.append((seconds, call, given))
        return self

    def cancel(self) -> None:
        self.cancelled = True


def test_who_reads_slowly_is_let_go_on() -> None:
    reader = Reader(9, 8, 8, 3, 3, 3)
    protocol = object.__new__(Hasty)
    protocol.transport = protocol.loop = reader  # type: ignore[assignment]
    protocol._wait_for_reader()
    for aborted in (False, False, True):
        seconds, call, given = reader.waiting.pop()
        assert seconds == Hasty.read_seconds
        assert callable(call)
        call(*given)
        assert reader.aborted == aborted
    assert reader.waiting == []
    protocol._stop_waiting()
    protocol._stop_waiting()
    assert reader.cancelled
