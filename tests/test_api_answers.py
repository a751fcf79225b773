from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.settings import ApiSettings
from rag.errors import CewenError, CitationError, InputError, UnavailableError
from rag.records import Answer, Turn
from tests.api_fakes import FINGERPRINT, LIGHTHOUSE, PAGE, SHA256, TEA, FakeEngine, client_for

QUOTE = "望海角灯塔建于一九零七年，塔高三十二米，由本地石匠用花岗岩砌成。"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for() as opened:
        yield opened


def test_an_answer(client: TestClient) -> None:
    reply = client.post("/v1/ask", json={"question": "塔高三十二米？"})
    assert reply.status_code == 200
    assert reply.json() == {
        "id": "answer-1",
        "status": "answered",
        "answer": f"{QUOTE}[1]",
        "reason": None,
        "confidence": 1.0,
        "sentences": [{"text": QUOTE, "citations": [1], "match": "exact"}],
        "citations": [
            {
                "number": 1,
                "document_id": LIGHTHOUSE,
                "title": "周望潮、林听雨：望海角灯塔…",
                "authors": ["周望潮", "林听雨"],
                "paragraph": 1,
                "start_char": 19,
                "end_char": 52,
                "start_line": 3,
                "end_line": 4,
                "quote": QUOTE,
                "source_sha256": SHA256,
                "match": "exact",
                "url": f"/documents/{LIGHTHOUSE}?chars=19-52#L3-L4",
                "score": 1.0,
            }
        ],
        "related": [],
        "resolved_question": "塔高三十二米？",
        "generator": "fake",
        "collection": "default",
        "fingerprint": FINGERPRINT,
        "timings_ms": {"total": 0.5},
        "calibration": "general",
        "degraded": None,
    }


def test_a_citation_beyond_an_astral_character_counts_code_points(client: TestClient) -> None:
    [citation] = client.post("/v1/ask", json={"question": "𠮷田常这样说"}).json()["citations"]
    printed = PAGE[citation["start_char"] : citation["end_char"]]
    assert "".join(printed.split()) == citation["quote"] == "守塔人𠮷田常这样说。"


def test_an_abstention_is_an_answer(client: TestClient) -> None:
    reply = client.post("/v1/ask", json={"question": "明年茶价", "top_k": 2})
    body = reply.json()
    assert reply.status_code == 200
    assert [body[key] for key in ("status", "reason", "confidence")] == ["abstained", "not_stated", 0.0]
    assert body["citations"] == body["sentences"] == []
    assert [hit["document_id"] for hit in body["related"]] == [TEA, LIGHTHOUSE]


def test_replies_are_the_same_bytes_in_real_characters(client: TestClient) -> None:
    replies = {client.post("/v1/ask", json={"question": "清晨熄灯"}).content for _ in range(5)}
    assert len(replies) == 1
    assert "清晨熄灯".encode() in replies.pop()


def test_explain_is_there_only_when_asked_for(client: TestClient) -> None:
    asked = client.post("/v1/ask", json={"question": "清晨熄灯", "explain": True}).json()
    assert asked["explain"] == {"words": "清晨熄灯"}
    assert "explain" not in client.post("/v1/ask", json={"question": "清晨熄灯"}).json()


def test_everything_asked_for_reaches_the_engine() -> None:
    engine = FakeEngine()
    turns = [{"role": "user", "content": "灯塔"}, {"role": "assistant", "content": "建于一九零七年"}]
    with client_for(engine) as client:
        asked = {"question": "它多高", "history": turns, "top_k": 3, "generator": "fake", "stream": False}
        assert client.post("/v1/ask", json=asked).status_code == 200
        assert client.post("/v1/ask", json={"question": "它多高"}).status_code == 200
    history = (Turn("user", "灯塔"), Turn("assistant", "建于一九零七年"))
    assert engine.asked == [
        {"question": "它多高", "history": history, "top_k": 3, "generator": "fake"},
        {"question": "它多高", "history": (), "top_k": 8, "generator": None},
    ]


def test_search(client: TestClient) -> None:
    reply = client.post("/v1/search", json={"query": "明前茶", "top_k": 2}).json()
    assert reply["fingerprint"] == FINGERPRINT
    assert [hit["rank"] for hit in reply["hits"]] == [1, 2]
    assert reply["hits"][0] == {
        "rank": 1,
        "score": 1.0,
        "document_id": TEA,
        "chunk_id": f"{TEA}:129-157",
        "title": "茶山笔记<初稿>",
        "authors": ["何采薇"],
        "text": "清明前三天采的茶叫“明前茶”，一斤鲜叶只能制二两干茶。",
        "paragraph": 1,
        "start_char": 129,
        "end_char": 157,
        "start_line": 12,
        "end_line": 13,
        "url": f"/documents/{TEA}?chars=129-157#L12-L13",
    }


@pytest.mark.parametrize(
    ("threshold", "scores"),
    [
        (None, [1.0, 0.5, 0.0]),
        (0, [1.0, 0.5, 0.0]),
        (0.5, [1.0, 0.5]),
        (0.51, [1.0]),
        (1, [1.0]),
    ],
)
def test_the_threshold_filters_the_score(
    client: TestClient, threshold: float | None, scores: list[float]
) -> None:
    reply = client.post("/v1/search", json={"query": "灯建", "score_threshold": threshold})
    assert [hit["score"] for hit in reply.json()["hits"]] == scores


def test_a_message_may_quote_what_is_no_text() -> None:
    error = InputError("收到“\ud800”，不是文字。", code="invalid_text")
    with client_for(Failing(error)) as client:
        reply = client.post("/v1/ask", json={"question": "灯"})
    assert reply.status_code == 422
    assert reply.json()["error"]["message"] == "收到“\\ud800”，不是文字。"


class Failing(FakeEngine):
    """Raises what it was given, or spoils its answer."""

    def __init__(self, error: Exception | None = None, **spoilt: Any) -> None:
        super().__init__()
        self._error = error
        self._spoilt = spoilt

    def ask(self, question: str, **options: Any) -> Answer:
        if self._error is not None:
            raise self._error
        return replace(super().ask(question, **options), **self._spoilt)


@pytest.mark.parametrize(
    ("engine", "status", "code"),
    [
        (Failing(CitationError("偏移 3-9 不是“密文”")), 500, "citation_mismatch"),
        (Failing(CewenError("密文")), 500, "internal_error"),
        (Failing(CewenError("密文", code="plug_in_code")), 500, "plug_in_code"),
        (Failing(ValueError("密文")), 500, "internal_error"),
        (Failing(MemoryError("密文")), 500, "internal_error"),
        (Failing(UnavailableError("正在关闭。")), 503, "unavailable"),
        (Failing(confidence=float("nan")), 500, "internal_error"),
        (Failing(confidence=1.5), 500, "internal_error"),
        (Failing(explain={"密文": object()}), 500, "internal_error"),
    ],
)
def test_faults_of_ours(engine: FakeEngine, status: int, code: str) -> None:
    with client_for(engine) as client:
        reply = client.post("/v1/ask", json={"question": "灯", "explain": True})
    assert reply.status_code == status
    assert reply.json()["error"]["code"] == code
    assert "密文" not in reply.text
    assert ("retry-after" in reply.headers) == (status == 503)


def test_computing_leaves_the_event_loop_free_and_the_gate_refuses_the_third() -> None:
    running, release = threading.Semaphore(0), threading.Event()

    def block() -> None:
        running.release()
        assert release.wait(30)

    settings = ApiSettings(max_concurrent=2, max_waiting=0)
    body = json.dumps({"question": "清晨熄灯"})
    with client_for(FakeEngine(block), settings) as client, ThreadPoolExecutor(2) as callers:
        headers = {"Content-Type": "application/json"}
        calls = [callers.submit(client.post, "/v1/ask", content=body, headers=headers) for _ in range(2)]
        assert running.acquire(timeout=30)
        assert running.acquire(timeout=30)
        try:
            assert client.get("/healthz").status_code == 200
            assert client.get("/readyz").status_code == 200
            refused = client.post("/v1/search", json={"query": "灯"})
        finally:
            release.set()
        assert [call.result().status_code for call in calls] == [200, 200]
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "overloaded"
    assert int(refused.headers["retry-after"]) >= 1
