"""`GET /v1/examples`: one drawing for all callers, none for ever, and over the sample corpus all true."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.routes import examples as routes_examples
from api.settings import ApiSettings
from tests.api_fakes import EXAMPLES, FINGERPRINT, FakeEngine, client_for


class SlowEngine(FakeEngine):
    """An engine whose examples wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.drawings = 0

    def examples(self) -> tuple[str, ...]:
        self.drawings += 1
        assert self.let_go.wait(10)
        return super().examples()


def test_the_examples_and_the_fingerprint() -> None:
    with client_for() as client:
        reply = client.get("/v1/examples")
    assert reply.status_code == 200
    assert reply.json() == {
        "questions": list(EXAMPLES),
        "collection": "default",
        "fingerprint": FINGERPRINT,
    }


def test_many_first_callers_wait_for_one_drawing_and_nobody_else_waits() -> None:
    engine = SlowEngine()
    app = create_app(lambda: engine, ApiSettings())
    app.state.engine_slot.open()

    async def scene() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            callers = [asyncio.create_task(client.get("/v1/examples")) for _ in range(60)]
            leaving = asyncio.create_task(client.get("/v1/examples"))
            await asyncio.sleep(0.05)
            leaving.cancel()
            others = await asyncio.wait_for(client.get("/v1/documents"), 5)
            assert others.status_code == 200
            assert not any(caller.done() for caller in callers)
            engine.let_go.set()
            return await asyncio.gather(*callers)

    replies = asyncio.run(scene())
    assert {tuple(reply.json()["questions"]) for reply in replies} == {EXAMPLES}
    assert engine.drawings == 1


def test_whoever_waits_too_long_gets_none_and_may_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(routes_examples, "WAIT_SECONDS", 0.05)
    engine = SlowEngine()
    with client_for(engine) as client:
        assert client.get("/v1/examples").json()["questions"] == []
        engine.let_go.set()
        assert questions_at_last(client) == list(EXAMPLES)
    assert engine.drawings == 1


def questions_at_last(client: TestClient) -> list[str]:
    limit = time.monotonic() + 5
    while not (questions := client.get("/v1/examples").json()["questions"]):
        assert time.monotonic() < limit
    return list(questions)


class BrokenEngine(FakeEngine):
    """An engine that cannot draw examples yet."""

    def __init__(self) -> None:
        super().__init__()
        self.broken = True
        self.drawings = 0

    def examples(self) -> tuple[str, ...]:
        self.drawings += 1
        if self.broken:
            raise RuntimeError("broken")
        return super().examples()


def test_a_fault_is_an_empty_list_that_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    engine = BrokenEngine()
    with client_for(engine) as client:
        for _ in range(3):
            reply = client.get("/v1/examples")
            assert (reply.status_code, reply.json()["questions"]) == (200, [])
        assert engine.drawings == 1
        assert "no examples could be drawn" in caplog.text
        engine.broken = False
        monkeypatch.setattr(routes_examples, "RETRY_SECONDS", 0.0)
        for _ in range(2):
            assert client.get("/v1/examples").json()["questions"] == list(EXAMPLES)
    assert engine.drawings == 2


def test_a_machine_without_threads_to_spare_has_no_examples(monkeypatch: pytest.MonkeyPatch) -> None:
    start = threading.Thread.start

    def refused(thread: threading.Thread) -> None:
        if thread.name == "examples":
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", refused)
    with client_for() as client:
        reply = client.get("/v1/examples")
    assert (reply.status_code, reply.json()["questions"]) == (200, [])


def test_every_example_of_the_sample_corpus_is_answered_with_a_citation(live_url: str) -> None:
    with httpx.Client(base_url=live_url, timeout=60, trust_env=False) as client:
        questions = client.get("/v1/examples").json()["questions"]
        assert len(questions) >= 4
        assert questions == client.get("/v1/examples").json()["questions"]
        cited = set()
        for question in questions:
            answer = client.post("/v1/ask", json={"question": question}).json()
            assert (answer["status"], bool(answer["citations"])) == ("answered", True), question
            cited |= {citation["document_id"] for citation in answer["citations"]}
        assert len(cited) >= 3
