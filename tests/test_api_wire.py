"""The service over a real socket: what only a real server and a misbehaving caller can show."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator

import pytest
import uvicorn

from api.app import create_app
from api.settings import ApiSettings
from tests.api_fakes import FakeEngine

BODY_TIMEOUT_SECONDS = 0.3


@pytest.fixture(scope="module")
def address() -> Iterator[tuple[str, int]]:
    settings = ApiSettings(body_timeout_seconds=BODY_TIMEOUT_SECONDS)
    app = create_app(FakeEngine, settings)
    app.state.engine_slot.open()
    # The server's own parser gives up on unfinished headers at 64 KB with a bare 400; we should be first.
    config = uvicorn.Config(
        app, log_config=None, lifespan="off", http="h11", h11_max_incomplete_event_size=262_144
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        yield listening.getsockname()
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def exchange(address: tuple[str, int], *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    """Send raw bytes, keep the connection open, and read one whole reply."""
    with socket.create_connection(address, timeout=20) as caller:
        try:
            for part in parts:
                caller.sendall(part)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent; the reply is there all the same
        reply = b""
        while b"\r\n\r\n" not in reply:
            received = caller.recv(65_536)
            assert received, reply
            reply += received
        head, _, body = reply.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines)
        while len(body) < int(headers["content-length"]):
            body += caller.recv(65_536)
        return int(first.split()[1]), headers, body


def code_of(body: bytes) -> str:
    code: str = json.loads(body)["error"]["code"]
    return code


def post(length: int | None = None, extra: bytes = b"") -> bytes:
    size = b"Transfer-Encoding: chunked" if length is None else b"Content-Length: %d" % length
    return (
        b"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" + extra + size + b"\r\n\r\n"
    )


QUESTION = '{"question":"清晨熄灯"}'.encode()


def test_an_ordinary_question(address: tuple[str, int]) -> None:
    status, headers, body = exchange(address, post(len(QUESTION)), QUESTION)
    assert status == 200
    assert json.loads(body)["status"] == "answered"
    assert "connection" not in headers


def test_a_half_sent_body_is_given_up(address: tuple[str, int]) -> None:
    status, headers, body = exchange(address, post(len(QUESTION)), QUESTION[:5])
    assert (status, code_of(body)) == (408, "request_timeout")
    assert headers["connection"] == "close"


def test_six_megabytes_are_refused_before_they_are_sent(address: tuple[str, int]) -> None:
    status, headers, body = exchange(address, post(6_000_000))
    assert (status, code_of(body)) == (413, "body_too_large")
    assert headers["connection"] == "close"


def test_a_body_of_unknown_length_is_cut_off_at_the_limit(address: tuple[str, int]) -> None:
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    status, _, body = exchange(address, post(), chunk, chunk, chunk)
    assert (status, code_of(body)) == (413, "body_too_large")


def test_seventy_kilobytes_of_headers(address: tuple[str, int]) -> None:
    status, _, body = exchange(address, post(len(QUESTION), b"Cookie: " + b"x" * 70_000 + b"\r\n"), QUESTION)
    assert (status, code_of(body)) == (431, "headers_too_large")


def test_bytes_that_are_no_text_in_the_address(address: tuple[str, int]) -> None:
    status, _, body = exchange(address, b"GET /docs/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (status, code_of(body)) == (404, "not_found")


def test_half_sent_bodies_hold_no_place(address: tuple[str, int]) -> None:
    """More silent callers than there are places: the next one is served all the same."""
    silent = [socket.create_connection(address, timeout=20) for _ in range(40)]
    try:
        for caller in silent:
            caller.sendall(post(len(QUESTION)) + QUESTION[:5])
        status, _, _ = exchange(address, post(len(QUESTION)), QUESTION)
    finally:
        for caller in silent:
            caller.close()
    assert status == 200
