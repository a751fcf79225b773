"""Every bad habit of a proxy or gateway that the doctor must find, and the surfaces it must turn red."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tests.doctor_proxy import (
    Exchange,
    Sabotage,
    answer,
    cut,
    drop,
    in_json,
    page,
    page_for_errors,
    put,
    shift,
    swap,
)

CHAT = ("open-webui", "openai-sdk", "perplexity", "plain-text")
MCP = ("mcp-2025-11-25", "mcp-2026-07-28")
ANSWERS = ("native", "stream", "openapi")  # whoever asks /v1/ask

_ASK, _COMPLETIONS, _DIFY = "/v1/ask", "/v1/chat/completions", "/dify/retrieval"
_ADDRESS = b"http://127.0.0.1:"


def everywhere(surfaces: tuple[str, ...], check: str) -> dict[str, str]:
    return dict.fromkeys(surfaces, check)


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


TABLE = (
    # What a gateway of the OpenAI format does not know, it drops.
    Sabotage(
        "annotations dropped",
        _COMPLETIONS,
        {"open-webui": "same_spans", "openai-sdk": "annotations"},
        in_json(drop("annotations")),
    ),
    Sabotage("cewen dropped", _COMPLETIONS, {"openai-sdk": "own"}, in_json(drop("cewen"))),
    Sabotage(
        "perplexity's fields dropped",
        _COMPLETIONS,
        {"perplexity": "shape"},
        in_json(beside_the_message),
    ),
    Sabotage(
        "perplexity's fields dropped from the stream",
        _COMPLETIONS,
        {"perplexity": "stream_sources"},
        lambda exchange: in_json(beside_the_message)(exchange) if exchange.streams else exchange,
    ),
    Sabotage(
        "offsets of marks shifted",
        _COMPLETIONS,
        {"openai-sdk": "annotations"},
        in_json(shift("start_index", "end_index")),
    ),
    Sabotage("titles emptied", _COMPLETIONS, {"open-webui": "titles"}, in_json(put(title=""))),
    Sabotage(
        "another model",
        _COMPLETIONS,
        {"plain-text": "same_spans"},
        request=request_field("model", "cewen-footnotes", "cewen"),
    ),
    Sabotage(
        "models listed otherwise",
        "/v1/models",
        {"open-webui": "models", "openai-sdk": "models", "plain-text": "models"},
        swap(b'"cewen', b'"gpt-4'),
    ),
    Sabotage(
        "words filtered", _COMPLETIONS, everywhere(CHAT, "same_answer"), in_json(first_letters_replaced)
    ),
    # Streams.
    Sabotage(
        "native stream cut",
        _ASK,
        {"stream": "events"},
        lambda exchange: cut(b"event: done")(exchange) if exchange.streams else exchange,
    ),
    Sabotage(
        "chat stream cut",
        _COMPLETIONS,
        {"open-webui": "chunks", "perplexity": "chunks", "plain-text": "chunks"},
        lambda exchange: cut(b"data: [DONE]")(exchange) if exchange.streams else exchange,
    ),
    Sabotage(
        "stream renamed",
        _ASK,
        {"stream": "stream"},
        lambda exchange: exchange.with_header("content-type", "text/plain") if exchange.streams else exchange,
    ),
    # Citations.
    Sabotage("spans shifted", _ASK, everywhere(ANSWERS, "true_spans"), in_json(shift("start_char"))),
    Sabotage(
        "lines wrong", _ASK, everywhere(ANSWERS, "true_spans"), in_json(shift("start_line", "end_line"))
    ),
    Sabotage("quotes changed", _ASK, everywhere(ANSWERS, "true_spans"), in_json(put(quote="别的话。"))),
    Sabotage(
        "hash of the source changed",
        _ASK,
        everywhere(ANSWERS, "true_spans"),
        in_json(put(source_sha256="0" * 64)),
    ),
    Sabotage(
        "spans of the chat shifted", _COMPLETIONS, {"openai-sdk": "true_spans"}, in_json(shift("start_char"))
    ),
    Sabotage("spans of Dify shifted", _DIFY, {"dify": "true_spans"}, in_json(shift("start_char"))),
    Sabotage("spans of MCP shifted", "/mcp", everywhere(MCP, "ask"), in_json(shift("start_char"))),
    Sabotage(
        "source with other line ends",
        "/v1/documents/[^/]+/source",
        {"source": "source"},
        swap(b"\n", b"\r\n"),
    ),
    Sabotage("source behind a login", "/v1/documents/[^/]+/source", {"source": "source"}, page),
    # Links.
    Sabotage("links of the chat relative", _COMPLETIONS, everywhere(CHAT, "links"), relative),
    Sabotage("links of Dify relative", _DIFY, {"dify": "links"}, relative),
    Sabotage("links of MCP relative", "/mcp", everywhere(MCP, "links"), relative),
    Sabotage(
        "links of the chat empty",
        _COMPLETIONS,
        {"openai-sdk": "links", "open-webui": "same_spans", "perplexity": "links"},
        in_json(put(url="")),
    ),
    Sabotage("links lead elsewhere", _DIFY, {"dify": "links"}, swap(_ADDRESS, b"http://127.0.0.1:1/")),
    Sabotage(
        "pages without their query",
        "/documents/[^/]+",
        {"pages": "page"},
        request=lambda exchange: replace(exchange, path=f"{exchange.path}?x"),
    ),
    Sabotage("pages lost", "/documents/[^/]+", {"pages": "page"}, answer(404)),
    Sabotage(
        "pages changed",
        "/documents/[^/]+",
        {"pages": "page"},
        swap("花岗岩砌成".encode(), "花岗岩造成".encode()),
    ),
    # Dify.
    Sabotage(
        "401 for a wrong key",
        "/dify/retrieval|/retrieval",
        {"dify": "refuses"},
        lambda exchange: replace(exchange, status=401) if exchange.status == 403 else exchange,
    ),
    Sabotage(
        "404 for an empty body",
        "/dify/retrieval|/retrieval",
        {"dify": "registers"},
        lambda exchange: replace(exchange, status=404) if exchange.status == 400 else exchange,
    ),
    Sabotage("metadata null", _DIFY, {"dify": "records"}, in_json(put(metadata=None))),
    Sabotage(
        "errors at query time",
        _DIFY,
        {"dify": "answer"},
        lambda exchange: replace(exchange, status=500) if exchange.status == 200 else exchange,
    ),
    Sabotage(
        "passages instead of citations",
        _DIFY,
        {"dify": "abstains"},
        request=request_field("knowledge_id", "default.answer", "default"),
    ),
    Sabotage("Dify never answered", _DIFY, {"dify": "reach"}, hangs=True),
    # MCP.
    Sabotage("no structured results", "/mcp", everywhere(MCP, "ask"), in_json(drop("structuredContent"))),
    Sabotage("no output schemas", "/mcp", everywhere(MCP, "tools"), in_json(drop("outputSchema"))),
    Sabotage(
        "MCP's header dropped", "/mcp", {"mcp-2026-07-28": "session"}, request=without("mcp-protocol-version")
    ),
    Sabotage("MCP not forwarded", "/mcp", everywhere(MCP, "session"), answer(405)),
    Sabotage("MCP without the key", "/mcp", everywhere(MCP, "session"), request=without("authorization")),
    # Whole surfaces.
    Sabotage("a page for answers", _ASK, {"native": "answer", "stream": "stream", "openapi": "answer"}, page),
    Sabotage(
        "a page for completions",
        _COMPLETIONS,
        {"open-webui": "stream", "openai-sdk": "answer", "perplexity": "answer", "plain-text": "stream"},
        page,
    ),
    Sabotage("a page for MCP", "/mcp", everywhere(MCP, "session"), page),
    Sabotage("pages for errors", ".*", {"native": "errors", "openai-sdk": "errors"}, page_for_errors),
    Sabotage("search not forwarded", "/v1/search", {"native": "search"}, answer(404)),
    Sabotage("readiness not forwarded", "/readyz", {"native": "ready"}, answer(404)),
    # Importing platforms.
    Sabotage("document of tools lost", "/openapi-tools.json", {"openapi": "document"}, page),
    Sabotage(
        "document names another server",
        "/openapi-tools.json",
        {"openapi": "server"},
        in_json(server_elsewhere),
    ),
    Sabotage(
        "document names no server", "/openapi-tools.json", {"openapi": "server"}, in_json(relative_server)
    ),
    Sabotage(
        "document without its schemas", "/openapi.json", {"openapi": "document"}, in_json(drop("CitationOut"))
    ),
    # The page in a browser.
    Sabotage("policy dropped", "/", {"web": "policy"}, without("content-security-policy")),
    Sabotage("script injected", "/", {"web": "foreign"}, injected),
    Sabotage("scripts not forwarded", "/static/.*", {"web": "assets"}, answer(404)),
)
