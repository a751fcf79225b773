"""A chat endpoint on the loopback interface that does what a script says, misbehaviour included.

Raw sockets and threads, because no HTTP library lets a server hang before its headers or drip single bytes.
Nothing sleeps: a script that waits listens for the client's leaving meanwhile.
"""

from __future__ import annotations

import json
import select
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from typing import Any

_LIMIT_SECONDS = 10.0


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Connection:
    """One client. What fails because it has left ends the script."""

    def __init__(self, peer: socket.socket, stopped: threading.Event) -> None:
        self._peer = peer
        self._stopped = stopped

    def send(self, data: bytes | str) -> None:
        self._peer.sendall(data.encode() if isinstance(data, str) else data)

    def wait(self, seconds: float = _LIMIT_SECONDS) -> None:
        """Let so much time pass.

        Raises:
            ConnectionError: If the client leaves, or the server stops, before that.
        """
        end = monotonic() + seconds
        while (left := end - monotonic()) > 0:
            if self._stopped.is_set():
                raise ConnectionAbortedError
            if select.select([self._peer], [], [], min(left, 0.05))[0] and not self._peer.recv(4096):
                raise ConnectionResetError

    def read_request(self) -> Received | None:
        """The request; a greeting in TLS, which we do not speak, counts as one. None if the client left."""
        data = b""
        while b"\r\n\r\n" not in data:
            more = self._peer.recv(65_536)
            if not more:
                return None
            data += more
            if data.startswith(b"\x16\x03"):
                return Received("TLS", "", {}, data)
        head, _, body = data.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        while len(body) < int(headers.get("content-length", "0")):
            body += self._peer.recv(65_536)
        method, target, _ = first.split(" ")
        return Received(method, target, headers, body)


Script = Callable[[Connection], None]


class ChatServer:
    """Serves each connection by the next script, the last one again and again.

    Attributes:
        requests: What was asked, in order.
        left: Set when a client has closed its connection before its script was done.
        served: Released once for each connection that is done with.
    """

    def __init__(self, *scripts: Script) -> None:
        self._scripts = scripts
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lock = threading.Lock()
        self.requests: list[Received] = []
        self.left = threading.Event()
        self.served = threading.Semaphore(0)
        self.port = int(self._listener.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        thread = threading.Thread(target=self._accept)
        thread.start()
        self._threads.append(thread)

    def stop(self) -> None:
        self._stopped.set()
        # Closing alone does not wake up a thread that accepts.
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        for thread in list(self._threads):
            thread.join(_LIMIT_SECONDS)
            assert not thread.is_alive(), "a connection of the scripted server hangs"
        self._listener.close()

    def _accept(self) -> None:
        number = 0
        while True:
            peer, _ = self._listener.accept()
            if self._stopped.is_set():
                peer.close()
                return
            peer.settimeout(_LIMIT_SECONDS)
            script = self._scripts[min(number, len(self._scripts) - 1)]
            thread = threading.Thread(target=self._serve, args=(peer, script))
            self._threads.append(thread)
            thread.start()
            number += 1

    def _serve(self, peer: socket.socket, script: Script) -> None:
        with peer:
            connection = Connection(peer, self._stopped)
            try:
                request = connection.read_request()
                if request is not None:
                    with self._lock:
                        self.requests.append(request)
                    script(connection)
            except ConnectionAbortedError:
                pass
            except (ConnectionResetError, BrokenPipeError):
                self.left.set()
        self.served.release()


@contextmanager
def serving(*scripts: Script) -> Iterator[ChatServer]:
    """A running server of these scripts."""
    server = ChatServer(*scripts)
    server.start()
    try:
        yield server
    finally:
        server.stop()


@contextmanager
def refusing() -> Iterator[str]:
    """An address where nobody listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{holder.getsockname()[1]}/v1"


# What a server may say.


def event(text: str | None = None, *, finish: str | None = None, **delta: Any) -> str:
    """One event of a stream."""
    part = {**({} if text is None else {"content": text}), **delta}
    chunk = {"id": "c-1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": part}]}
    chunk["choices"][0]["finish_reason"] = finish  # type: ignore[index]
    return f"data: {json.dumps(chunk, ensure_ascii=False)}\n\n"


DONE = "data: [DONE]\n\n"
STREAM_HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


def replying(
    body: bytes | str, *, status: str = "200 OK", content_type: str = "text/event-stream", **headers: str
) -> Script:
    """One whole reply of known length; `Retry_After="3"` gives the header `Retry-After: 3`."""
    data = body.encode() if isinstance(body, str) else body
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}", f"Content-Length: {len(data)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]

    def script(connection: Connection) -> None:
        connection.send("\r\n".join([*lines, "Connection: close", "", ""]).encode() + data)

    return script


def streaming(*texts: str, finish: str | None = "stop", done: bool = True) -> Script:
    """A well-behaved stream of these pieces."""
    first = event(role="assistant", content="")
    last = event(finish=finish) if finish else ""
    body = first + "".join(event(text) for text in texts) + last + (DONE if done else "")
    return replying(body)


def whole_json(text: str | None, *, finish: str | None = "stop") -> Script:
    """The reply of a server that knows no streaming."""
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}
    return replying(json.dumps({"choices": [choice]}, ensure_ascii=False), content_type="application/json")


def failing(status: str, **headers: str) -> Script:
    """An error whose body repeats what nobody may see again."""
    return replying('{"error": {"message": "sk-secret 机密问题"}}', status=status, **headers)


def hanging(*parts: str) -> Script:
    """Send these parts, then nothing more."""

    def script(connection: Connection) -> None:
        for part in parts:
            connection.send(part)
        connection.wait()

    return script


def dripping(head: str, body: str, every_seconds: float = 0.02) -> Script:
    """Send a head at once and a body byte by byte, over and over."""

    def script(connection: Connection) -> None:
        connection.send(head)
        while True:
            for byte in body.encode():
                connection.send(bytes([byte]))
                connection.wait(every_seconds)

    return script


def repeating(head: str, part: str) -> Script:
    """Send a head, and a part without end, as fast as it is taken."""

    def script(connection: Connection) -> None:
        connection.send(head)
        while True:
            connection.send(part)
            connection.wait(0.0)

    return script


def hanging_up(*parts: str) -> Script:
    """Send these parts and close."""

    def script(connection: Connection) -> None:
        for part in parts:
            connection.send(part)

    return script


def paced(head: str, *parts: str, pause_seconds: float) -> Script:
    """Send a head at once, and a part after each pause."""

    def script(connection: Connection) -> None:
        connection.send(head)
        for part in parts:
            connection.wait(pause_seconds)
            connection.send(part)

    return script
