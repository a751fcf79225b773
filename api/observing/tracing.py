"""Traces: a span for each request, a span below it for each stage of its answer, sent to an OTLP collector.

Off unless `CEWEN_OTLP_URL` is set; then the extra `otel` must be installed. Address, sampler and queue are
given here, because the SDK would otherwise take them from `OTEL_*` variables; only headers and certificates
for the collector may come from there. No global provider is set, so nothing else in the process is traced.
A span holds names, codes and times, no text; a `traceparent` of the caller is not believed.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

from api.observing.requests import Answered, ObservedRequest
from rag.errors import ConfigError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

FLUSH_SECONDS = 3.0
"""How long leaving may wait for the collector."""

_PATH = "/v1/traces"
_MAX_QUEUE = 2_048
_MAX_BATCH = 512
_DELAY_MILLIS = 2_000
_EXPORT_SECONDS = 5.0
_NS_PER_MS = 1_000_000


def open_tracing(url: str) -> Tracing | None:
    """What traces to this collector; None for "".

    Raises:
        ConfigError: If the extra `otel` is not installed.
    """
    return Tracing(_exporter(url)) if url else None


def _exporter(url: str) -> SpanExporter:
    try:
        from opentelemetry.exporter.otlp.proto.http import Compression
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from requests import Session
    except ImportError as error:
        raise ConfigError(
            f"设置了 CEWEN_OTLP_URL，但没有安装 OpenTelemetry（缺 {error.name}）。"
            "请运行 pip install 'cewen[otel]'，或去掉这个设置。"
        ) from error
    session = Session()
    session.trust_env = False  # no proxies and no passwords from the environment
    base = url.rstrip("/")
    return OTLPSpanExporter(
        endpoint=base if base.endswith(_PATH) else base + _PATH,
        timeout=_EXPORT_SECONDS,
        compression=Compression.NoCompression,
        session=session,
    )


class Tracing:
    """Makes spans and has them sent in the background; those that find no room in the queue are dropped.

    Args:
        exporter: Sends them.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import SpanLimits, TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
        from opentelemetry.sdk.trace.sampling import ALWAYS_ON

        self._provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=Resource({"service.name": "cewen", "service.version": version("cewen")}),
            shutdown_on_exit=False,
            id_generator=RandomIdGenerator(),
            span_limits=SpanLimits(),
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=_MAX_QUEUE,
                schedule_delay_millis=_DELAY_MILLIS,
                max_export_batch_size=_MAX_BATCH,
                export_timeout_millis=_EXPORT_SECONDS * 1e3,
            )
        )
        self._tracer = self._provider.get_tracer("cewen")

    def record(
        self,
        request: ObservedRequest,
        method: str,
        template: str,
        status: int,
        started_ns: int,
        duration_ns: int,
    ) -> None:
        """Make the spans of a request whose reply has been sent.

        Args:
            request: What is known of it.
            method: Of the request.
            template: Its route.
            status: Of the reply.
            started_ns: When it came, in nanoseconds since 1970.
            duration_ns: How long it took.
        """
        from opentelemetry.context import Context
        from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context

        span = self._tracer.start_span(
            f"{request.surface} {template}",
            context=Context(),
            kind=SpanKind.SERVER,
            start_time=started_ns,
            attributes={
                "http.request.method": method,
                "http.route": template,
                "http.response.status_code": status,
                "cewen.surface": request.surface,
                "cewen.request_id": request.request_id,
                "cewen.error_codes": tuple(request.refusals),
            },
        )
        if status >= 500:
            span.set_status(StatusCode.ERROR)
        within = set_span_in_context(span, Context())
        for answered in request.answers:
            for stage, start_ns, end_ns in _stages(answered):
                child = self._tracer.start_span(stage, context=within, start_time=start_ns)
                child.end(end_time=end_ns)
        span.end(end_time=started_ns + duration_ns)

    def close(self, timeout_seconds: float = FLUSH_SECONDS) -> None:
        """Send what is left, but for no longer than this."""
        # The SDK's own limits are for each attempt; a daemon holds nobody up.
        flushing = threading.Thread(target=self._provider.shutdown, name="otlp-flush", daemon=True)
        flushing.start()
        flushing.join(timeout_seconds)


def _stages(answered: Answered) -> Iterator[tuple[str, int, int]]:
    """Name, start and end of each stage: one after the other, the last ending with the answer."""
    stages = [(name, ms) for name, ms in answered.timings_ms.items() if name != "total"]
    start_ns = answered.ended_ns - int(sum(ms for _, ms in stages) * _NS_PER_MS)
    for name, milliseconds in stages:
        end_ns = start_ns + int(milliseconds * _NS_PER_MS)
        yield name, start_ns, end_ns
        start_ns = end_ns
