"""A bad proxy: ASGI in front of the real application, which changes requests and replies as it is told.

What passes through it unasked is not touched, so that a test sees the effect of one thing only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import anyio
from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True)
class Exchange:
    """A request or a reply that the proxy has in its hands.

    Attributes:
        path: Asked for.
        status: Of a reply; 0 of a request.
        headers: Names in lower case.
        body: All of it.
    """

    path: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def streams(self) -> bool:
        return self.headers.get("content-type", "").startswith("text/event-stream")

    def with_header(self, name: str, value: str) -> Exchange:
        return replace(self, headers={**self.headers, name: value})

    def without_header(self, name: str) -> Exchange:
        return replace(self, headers={key: value for key, value in self.headers.items() if key != name})


Change = Callable[[Exchange], Exchange]


@dataclass(frozen=True)
class Sabotage:
    """One bad habit of a proxy, and what it costs.

    Attributes:
        name: Of the habit.
        paths: Regular expression of the paths concerned.
        red: For each surface that must turn red a check that must say so. No other may turn red.
        reply: What it does to replies; None to let them pass as they come.
        request: What it does to requests.
        method: Only requests of this method; "" for all.
        hangs: It never answers.
    """

    name: str
    paths: str
    red: Mapping[str, str]
    reply: Change | None = None
    request: Change | None = None
    method: str = ""
    hangs: bool = False


@dataclass
class BadProxy:
    """See the module."""

    app: ASGIApp
    sabotage: Sabotage | None = field(default=None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sabotage = self.sabotage
        concerned = (
            sabotage is not None
            and scope["type"] == "http"
            and re.fullmatch(sabotage.paths, scope["path"]) is not None
            and sabotage.method in {"", scope["method"]}
        )
        if not concerned or sabotage is None:
            await self.app(scope, receive, send)
            return
        if sabotage.hangs:
            while (await receive())["type"] != "http.disconnect":
                await anyio.sleep(0)
            return
        if sabotage.request is not None:
            scope, receive = await _changed_request(scope, receive, sabotage.request)
        if sabotage.reply is None:
            await self.app(scope, receive, send)
            return
        held: list[Message] = []

        async def hold(message: Message) -> None:
            held.append(message)

        await self.app(scope, receive, hold)
        for message in _changed_reply(scope["path"], held, sabotage.reply):
            await send(message)


async def _changed_request(scope: Scope, receive: Receive, change: Change) -> tuple[Scope, Receive]:
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    changed = change(Exchange(scope["path"], 0, _headers(scope["headers"]), body))
    headers = {**changed.headers, "content-length": str(len(changed.body))}
    path, _, query = changed.path.partition("?")
    scope = {**scope, "path": path, "raw_path": path.encode(), "headers": _raw(headers)}
    if query:
        scope["query_string"] = query.encode()
    unread: list[Message] = [{"type": "http.request", "body": changed.body, "more_body": False}]

    async def replayed() -> Message:
        return unread.pop() if unread else await receive()

    return scope, replayed


def _changed_reply(path: str, held: list[Message], change: Change) -> list[Message]:
    start, *parts = held
    body = b"".join(part.get("body", b"") for part in parts)
    changed = change(Exchange(path, start["status"], _headers(start["headers"]), body))
    headers = {**changed.headers, "content-length": str(len(changed.body))}
    return [
        {"type": "http.response.start", "status": changed.status, "headers": _raw(headers)},
        {"type": "http.response.body", "body": changed.body, "more_body": False},
    ]


def _headers(raw: Any) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in raw}


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


# What proxies do.


def in_json(change: Callable[[dict[str, Any]], None], *, only_whole: bool = False) -> Change:
    """Change every JSON object in a body, or in each event of a stream."""

    def changed(exchange: Exchange) -> Exchange:
        if not exchange.streams:
            return replace(exchange, body=_json_changed(exchange.body, change))
        if only_whole:
            return exchange
        lines = exchange.body.split(b"\n")
        done = [
            b"data: " + _json_changed(line[6:], change) if line.startswith(b"data: {") else line
            for line in lines
        ]
        return replace(exchange, body=b"\n".join(done))

    return changed


def _json_changed(body: bytes, change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(body)
    _walk(value, change)
    return json.dumps(value, ensure_ascii=False).encode()


def _walk(node: Any, change: Callable[[dict[str, Any]], None]) -> None:
    if isinstance(node, dict):
        change(node)
    for value in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _walk(value, change)


def drop(*names: str) -> Callable[[dict[str, Any]], None]:
    """Forget these fields."""

    def change(node: dict[str, Any]) -> None:
        for name in names:
            node.pop(name, None)

    return change


def put(**values: Any) -> Callable[[dict[str, Any]], None]:
    """Overwrite these fields where they are."""

    def change(node: dict[str, Any]) -> None:
        node.update({name: value for name, value in values.items() if name in node})

    return change


def shift(*names: str) -> Callable[[dict[str, Any]], None]:
    """Count these numbers from another place."""

    def change(node: dict[str, Any]) -> None:
        for name in names:
            if isinstance(node.get(name), int):
                node[name] += 1

    return change


def swap(old: bytes, new: bytes) -> Change:
    """Rewrite a piece of every body."""
    return lambda exchange: replace(exchange, body=exchange.body.replace(old, new))


def cut(mark: bytes) -> Change:
    """Stop in the middle: at the last place where this stands."""
    return lambda exchange: replace(exchange, body=exchange.body[: exchange.body.rindex(mark)])


def page(exchange: Exchange) -> Exchange:
    """Answer with a page of its own."""
    html = "<!doctype html><title>登录</title><p>请先登录".encode()
    return replace(exchange, body=html).with_header("content-type", "text/html; charset=utf-8")


def page_for_errors(exchange: Exchange) -> Exchange:
    """The same, for errors only."""
    return page(exchange) if exchange.status >= 400 else exchange


def answer(status: int) -> Change:
    """Answer with another status."""
    return lambda exchange: replace(exchange, status=status)


def unchanged(exchange: Exchange) -> Exchange:
    """Only hold it back until it is whole."""
    return exchange
