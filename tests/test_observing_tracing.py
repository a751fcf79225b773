"""Spans as they are made, as they are sent, and that nothing but our own setting has them made."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.testclient import TestClient

from api.app import create_app
from api.observing.requests import Answered, ObservedRequest
from api.observing.tracing import Tracing, open_tracing
from api.settings import ApiSettings
from rag.errors import ConfigError
from tests.api_fakes import FakeEngine
from tests.observing_fakes import QUESTION, asks

LIMIT_SECONDS = 20.0
MS = 1_000_000


def spans_of(*requests: tuple[ObservedRequest, int]) -> dict[str, ReadableSpan]:
    exporter = InMemorySpanExporter()
    tracing = Tracing(exporter)
    for request, status in requests:
        tracing.record(request, "POST", "/v1/ask", status, started_ns=1_000 * MS, duration_ns=100 * MS)
    tracing.close()
    return {span.name: span for span in exporter.get_finished_spans()}


def test_a_request_and_its_stages() -> None:
    timings = {"encode": 5.0, "search": 10.0, "judge": 20.0, "write": 2.0, "total": 40.0}
    answered = Answered(1_090 * MS, timings)
    request = ObservedRequest("r-1", "native", answers=[answered])
    spans = spans_of((request, 200))
    whole = spans.pop("native /v1/ask")
    assert (whole.start_time, whole.end_time) == (1_000 * MS, 1_100 * MS)
    assert (whole.kind, whole.parent) == (SpanKind.SERVER, None)
    assert whole.attributes == {
        "http.request.method": "POST",
        "http.route": "/v1/ask",
        "http.response.status_code": 200,
        "cewen.surface": "native",
        "cewen.request_id": "r-1",
        "cewen.error_codes": (),
    }
    assert list(spans) == ["encode", "search", "judge", "write"]
    times = [(span.start_time, span.end_time) for span in spans.values()]
    ends = [1_053, 1_058, 1_068, 1_088, 1_090]
    assert times == [(start * MS, end * MS) for start, end in pairwise(ends)]
    for span in spans.values():
        assert span.parent
        assert whole.context
        assert span.parent.span_id == whole.context.span_id
    assert whole.resource.attributes["service.name"] == "cewen"


def test_a_failure_is_marked() -> None:
    spans = spans_of((ObservedRequest("r-2", "native", refusals=["overloaded"]), 503))
    (span,) = spans.values()
    assert span.status.status_code is StatusCode.ERROR
    assert span.attributes
    assert span.attributes["cewen.error_codes"] == ("overloaded",)


class Collector:
    """Takes what is posted to it."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): text for name, text in self.headers.items()}
                collector.posts.append((self.path, headers, body))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@contextmanager
def collecting() -> Iterator[Collector]:
    collector = Collector()
    thread = threading.Thread(target=collector.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield collector
    finally:
        collector.server.shutdown()
        collector.server.server_close()
        thread.join(LIMIT_SECONDS)


FOREIGN = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_EXPORTER_OTLP_HEADERS": "x-token=for-the-collector",
    "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
    "OTEL_TRACES_SAMPLER": "always_off",
    "OTEL_TRACES_EXPORTER": "otlp",
    "OTEL_SERVICE_NAME": "else",
    "OTEL_RESOURCE_ATTRIBUTES": "secret=1",
    "HTTP_PROXY": "http://127.0.0.1:9",
}


@pytest.mark.parametrize("path", ["", "/v1/traces"])
def test_every_surface_is_sent_to_the_collector_and_no_text_with_it(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    for name, value in FOREIGN.items():
        monkeypatch.setenv(name, value)
    with collecting() as collector:
        app = create_app(FakeEngine, ApiSettings(otlp_url=collector.url + path, api_key="k-geheim"))
        with TestClient(app, headers={"Authorization": "Bearer k-geheim"}) as client:
            assert app.state.engine_slot.wait(LIMIT_SECONDS)
            for address, body, headers in asks(QUESTION).values():
                client.post(f"{address}?q=私房话", json=body, headers=headers | {"X-Request-ID": "trace-me"})
            client.get("/私房话")
        # Leaving has sent the rest.
    assert {place for place, *_ in collector.posts} == {"/v1/traces"}
    sent = b"".join(body for *_, body in collector.posts)
    names = ("native /v1/ask", "openai /v1/chat/completions", "dify /dify/retrieval", "mcp /mcp", "pages -")
    for name in names:
        assert name.encode() in sent, name
    assert b"trace-me" in sent
    for kept_out in (QUESTION, "私房话", "k-geheim", "secret", "%E7%A7%81", "else"):
        assert kept_out.encode() not in sent, kept_out
    for _, headers, _ in collector.posts:
        assert headers["x-token"] == "for-the-collector"
        assert headers["content-type"] == "application/x-protobuf"


def test_variables_switch_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with collecting() as collector:
        for name in ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"):
            monkeypatch.setenv(name, collector.url)
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
        app = create_app(FakeEngine)
        with TestClient(app) as client:
            assert app.state.engine_slot.wait(LIMIT_SECONDS)
            client.post("/v1/ask", json={"question": QUESTION})
    assert collector.posts == []
    assert open_tracing("") is None


def test_a_collector_that_is_away_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    tracing = open_tracing("http://127.0.0.1:9")
    assert tracing
    tracing.record(ObservedRequest("r-3", "native"), "POST", "/v1/ask", 200, 1, 1)
    tracing.close(timeout_seconds=0.01)


@pytest.mark.parametrize("missing", ["opentelemetry.exporter.otlp.proto.http", "requests"])
def test_without_the_extra_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ConfigError, match=r"pip install 'cewen\[otel\]'"):
        create_app(FakeEngine, ApiSettings(otlp_url="http://127.0.0.1:4318"))
