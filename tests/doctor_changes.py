"""What single rows of the table of bad habits do to what passes; what many do is with the proxy."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.doctor_proxy import Exchange, drop, put


def relative(exchange: Exchange) -> Exchange:
    """Take the address off every link."""
    host = exchange.headers.get("x-own-address", "").encode()
    return replace(exchange, body=exchange.body.replace(host, b"")) if host else exchange


def request_field(name: str, old: Any, new: Any) -> Any:
    """Rewrite one field of a JSON request."""

    def change(exchange: Exchange) -> Exchange:
        body = json.loads(exchange.body) if exchange.body else {}
        if body.get(name) == old:
            body[name] = new
        return replace(exchange, body=json.dumps(body).encode()) if exchange.body else exchange

    return change


def without(name: str) -> Any:
    return lambda exchange: exchange.without_header(name)


def injected(exchange: Exchange) -> Exchange:
    script = b'<script src="https://cdn.example/beacon.js"></script></body>'
    return replace(exchange, body=exchange.body.replace(b"</body>", script))


def first_letters_replaced(node: dict[str, Any]) -> None:
    """A filter of words."""
    for name in ("content", "answer", "text"):
        if isinstance(node.get(name), str):
            node[name] = node[name].replace("熄灯", "**")


def beside_the_message(node: dict[str, Any]) -> None:
    if "choices" in node:
        drop("citations", "search_results")(node)


def server_elsewhere(node: dict[str, Any]) -> None:
    if "servers" in node:
        node["servers"] = [{"url": "http://127.0.0.1:1"}]


def relative_server(node: dict[str, Any]) -> None:
    if "servers" in node:
        node["servers"] = [{"url": "/"}]


def moved_path(node: dict[str, Any]) -> None:
    """The tool itself, and with it key and question, at an address of somebody else's."""
    if "paths" in node:
        node["paths"] = {f"http://127.0.0.1:1{path}": tool for path, tool in node["paths"].items()}


def nothing_found(node: dict[str, Any]) -> None:
    """MCP's search finds nothing, in the structured result and in the text alike."""
    found = node.get("structuredContent")
    if isinstance(found, dict) and "results" in found:
        found["results"] = []
        node["content"] = [{"type": "text", "text": json.dumps(found, ensure_ascii=False)}]


def emptied(node: dict[str, Any]) -> None:
    put(citations=[], search_results=[])(node)
