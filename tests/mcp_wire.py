"""What the MCP tests share: a client of either revision, what went over the wire, an engine that waits."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag.errors import GeneratorError
from rag.records import Answer
from tests.api_fakes import FakeEngine

OLD, NEW = "2025-11-25", "2026-07-28"
MODES = {OLD: "legacy", NEW: NEW, "auto": "auto"}
LIMIT_SECONDS = 20.0
LOOPBACK = "http://127.0.0.1:8000"
PATIENT_QUESTION = "要等很久的问题"


@asynccontextmanager
async def connected(
    url: str, revision: str, path: str = "/mcp", headers: dict[str, str] | None = None
) -> AsyncIterator[Client]:
    """The SDK's client, forced to a revision ("auto" lets it find out)."""
    async with httpx2.AsyncClient(headers=headers, trust_env=False, timeout=LIMIT_SECONDS) as http:
        transport = streamable_http_client(f"{url}{path}", http_client=http)
        async with Client(transport, mode=MODES[revision]) as client:
            yield client


def structured(result: CallToolResult) -> dict[str, Any]:
    """The structured content of a success, after checking that the one text item says the same."""
    assert not result.is_error, result
    (item,) = result.content
    assert isinstance(item, TextContent)
    content = result.structured_content
    assert isinstance(content, dict)
    assert json.loads(item.text) == content
    return content


def refusal(result: CallToolResult) -> dict[str, str]:
    """The error that a tool's result tells."""
    assert result.is_error, result
    assert result.structured_content is None
    (item,) = result.content
    assert isinstance(item, TextContent)
    error: dict[str, str] = json.loads(item.text)["error"]
    assert set(error) == {"type", "code", "message", "request_id"}
    return error


@dataclass(frozen=True)
class Exchange:
    """One HTTP request and the status of its reply."""

    method: str
    headers: Headers
    body: Any
    status: int


@dataclass
class Recorder:
    """Keeps what goes over the wire; `around` is the middleware."""

    seen: list[Exchange] = field(default_factory=list)

    def around(self, app: ASGIApp) -> ASGIApp:
        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            body = bytearray()

            async def receive_and_note() -> Message:
                message = await receive()
                body.extend(message.get("body", b""))
                return message

            async def send_and_note(message: Message) -> None:
                if message["type"] == "http.response.start":
                    # Before it is sent: afterwards the client may be done before it is noted.
                    said = _read(bytes(body))
                    self.seen.append(Exchange(scope["method"], Headers(scope=scope), said, message["status"]))
                await send(message)

            await app(scope, receive_and_note, send_and_note)

        return recorded

    def methods(self) -> list[str]:
        """The JSON-RPC methods that were asked for, in order."""
        return [exchange.body["method"] for exchange in self.seen if exchange.method == "POST"]


def _read(body: bytes) -> Any:
    """The JSON of a body; None for one that is none."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def request_of(method: str, params: dict[str, Any] | None = None, *, revision: str = OLD) -> dict[str, Any]:
    """A JSON-RPC request as a client of that revision sends it."""
    params = dict(params or {})
    if revision == NEW:
        params["_meta"] = {
            "io.modelcontextprotocol/protocolVersion": NEW,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        }
    return {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}


def headers_of(method: str, name: str = "", *, revision: str = OLD) -> dict[str, str]:
    """The headers that belong to it."""
    headers = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    headers["MCP-Protocol-Version"] = revision
    if revision == NEW:
        headers["Mcp-Method"] = method
        if name:
            headers["Mcp-Name"] = name
    return headers


def post(
    url: str,
    method: str,
    params: dict[str, Any] | None = None,
    *,
    revision: str = OLD,
    headers: dict[str, str] | None = None,
) -> httpx.Response:
    """Send one request without the SDK."""
    body = json.dumps(request_of(method, params, revision=revision))
    sent = headers_of(method, (params or {}).get("name", ""), revision=revision) | (headers or {})
    with httpx.Client(trust_env=False, timeout=LIMIT_SECONDS) as client:
        return client.post(f"{url}/mcp", content=body, headers=sent)


class PatientEngine(FakeEngine):
    """Asked `PATIENT_QUESTION`, it does nothing until it is told that nobody waits.

    Attributes:
        begun: Released once for each such question.
        gave_up: Released once for each that was given up.
    """

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Semaphore(0)
        self.gave_up = threading.Semaphore(0)
        self._pause = threading.Event()

    def ask(self, question: str, **options: Any) -> Answer:
        if question != PATIENT_QUESTION:
            return super().ask(question, **options)
        cancelled: Callable[[], bool] = options["cancelled"]
        self.begun.release()
        for _ in range(int(LIMIT_SECONDS / 0.01)):
            if cancelled():
                self.gave_up.release()
                raise GeneratorError("已取消。", code="generator_cancelled")
            self._pause.wait(0.01)
        raise AssertionError
