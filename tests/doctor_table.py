"""Every bad habit of a proxy or gateway that the doctor must find, and the surfaces it must turn red."""

from __future__ import annotations

from dataclasses import replace

from tests.doctor_changes import (
    beside_the_message,
    emptied,
    first_letters_replaced,
    injected,
    moved_path,
    nothing_found,
    relative,
    relative_server,
    request_field,
    server_elsewhere,
    without,
)
from tests.doctor_proxy import (
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
    # What says that it answers and brings nothing.
    Sabotage("answers without citations", _ASK, everywhere(ANSWERS, "marks"), in_json(put(citations=[]))),
    Sabotage("answers without sentences", _ASK, everywhere(ANSWERS, "marks"), in_json(put(sentences=[]))),
    Sabotage(
        "cewen without citations",
        _COMPLETIONS,
        {"openai-sdk": "marks", "perplexity": "same_spans"},
        lambda exchange: exchange if exchange.streams else in_json(emptied)(exchange),
    ),
    Sabotage("no hits", "/v1/search", {"native": "search"}, in_json(put(hits=[]))),
    Sabotage("no records", _DIFY, {"dify": "records"}, in_json(put(records=[]))),
    Sabotage("MCP finds nothing", "/mcp", everywhere(MCP, "search"), in_json(nothing_found)),
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
    Sabotage("document leads elsewhere", "/openapi-tools.json", {"openapi": "document"}, in_json(moved_path)),
    Sabotage(
        "document without its schemas", "/openapi.json", {"openapi": "document"}, in_json(drop("CitationOut"))
    ),
    # The page in a browser.
    Sabotage("a login for the page", "/", {"web": "page"}, page),
    Sabotage("another page with a script", "/", {"web": "page"}, swap(b'id="question"', b'id="user"')),
    Sabotage("another script on the page", "/", {"web": "page"}, swap(b"/static/ask.js", b"/static/base.js")),
    Sabotage("policy dropped", "/", {"web": "policy"}, without("content-security-policy")),
    Sabotage("script injected", "/", {"web": "foreign"}, injected),
    Sabotage("scripts not forwarded", "/static/.*", {"web": "assets"}, answer(404)),
)
