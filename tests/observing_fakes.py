"""What the tests of `api.observing` share: every surface asked once, and the metrics read back."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from starlette.testclient import TestClient

from rag.errors import GeneratorError
from rag.records import Answer, AnswerEvent
from tests.api_fakes import FakeEngine
from tests.mcp_wire import headers_of, request_of

QUESTION = "清晨熄灯"
_SAMPLE = re.compile(r"^(\w+)(?:\{(.*)\})? (\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def asks(question: str) -> dict[str, tuple[str, dict[str, Any], dict[str, str]]]:
    """For each way to an answer its path, body and headers."""
    chat = {"model": "cewen", "messages": [{"role": "user", "content": question}]}
    call = request_of("tools/call", {"name": "ask", "arguments": {"question": question}})
    dify = {
        "knowledge_id": "default.answer",
        "query": question,
        "retrieval_setting": {"top_k": 3, "score_threshold": 0.0},
    }
    return {
        "native": ("/v1/ask", {"question": question}, {}),
        "native stream": ("/v1/ask", {"question": question, "stream": True}, {}),
        "openai": ("/v1/chat/completions", chat, {}),
        "openai stream": ("/v1/chat/completions", chat | {"stream": True}, {}),
        "dify": ("/dify/retrieval", dify, {}),
        "mcp": ("/mcp", call, headers_of("tools/call", "ask")),
    }


def samples(client: TestClient) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """All samples of `/metrics`: (name, labels) to value."""
    reply = client.get("/metrics")
    assert reply.status_code == 200
    return {
        (name, frozenset(_LABEL.findall(labels or ""))): float(value)
        for name, labels, value in _SAMPLE.findall(reply.text)
    }


def value(client: TestClient, name: str, **labels: str) -> float:
    """The sum of all samples of that name that have these labels."""
    wanted = set(labels.items())
    return sum(number for (found, has), number in samples(client).items() if found == name and wanted <= has)


class EndlessEngine(FakeEngine):
    """Never finishes; stops when it is told to, as the real one does."""

    def ask(self, question: str, **options: Any) -> Answer:
        cancelled: Callable[[], bool] = options["cancelled"]
        while not cancelled():
            pass
        raise GeneratorError(f"不再作答：{len(question)} 个字。", code="generator_cancelled")

    def stream(self, question: str, **options: Any) -> Iterator[AnswerEvent]:
        def events() -> Iterator[AnswerEvent]:
            yield self.ask(question, **options)

        return events()


class AlteredEngine(FakeEngine):
    """Gives the fake's answer with some fields changed."""

    def __init__(self, **changes: Any) -> None:
        super().__init__()
        self._changes = changes

    def ask(self, *args: Any, **options: Any) -> Answer:
        return replace(super().ask(*args, **options), **self._changes)
