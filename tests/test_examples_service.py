"""`GET /v1/examples`: one drawing for all callers, none for ever, and over the sample corpus all true."""

from __future__ import annotations

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext

import httpx
import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.ports import InTurn
from api.routes import examples as routes_examples
from api.settings import ApiSettings
from rag.records import Example
from tests.api_fakes import EXAMPLES, FINGERPRINT, LIGHTHOUSE, TEA, FakeEngine, FakeLibrary, client_for


class SlowEngine(FakeEngine):
    """An engine whose examples wait until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.drawings = 0

    def examples(self, in_turn: InTurn = nullcontext) -> tuple[Example, ...]:
        self.drawings += 1
        assert self.let_go.wait(10)
        return super().examples(in_turn)


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

    def examples(self, in_turn: InTurn = nullcontext) -> tuple[Example, ...]:
        self.drawings += 1
        if self.broken:
            raise RuntimeError("broken")
        return super().examples(in_turn)


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


class ChangingEngine(SlowEngine):
    """An engine in one of several states, some of which have lost a document."""

    def __init__(self, fingerprint: str, *held: str) -> None:
        super().__init__()
        self.fingerprint = fingerprint
        self._documents = tuple(one for one in self._documents if one.document_id in held)

    def examples(self, in_turn: InTurn = nullcontext) -> tuple[Example, ...]:
        made = super().examples(in_turn)
        here = {one.document_id for one in self._documents}
        return tuple(one for one in made if one.document_id in here)


class ChangingLibrary(FakeLibrary):
    """A library whose one collection is in the state that it is set to."""

    def __init__(self, now: ChangingEngine) -> None:
        super().__init__()
        self.now = now

    def engine(self, collection: str = "default", filters: object = None) -> FakeEngine:
        del collection, filters
        return self.now


def test_after_a_change_the_questions_of_before_are_shown_while_the_next_are_drawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(routes_examples, "RETRY_SECONDS", 0.0)
    states = [
        ChangingEngine("1", LIGHTHOUSE, TEA),
        ChangingEngine("2", LIGHTHOUSE),
        ChangingEngine("3", TEA),
    ]
    library = ChangingLibrary(states[0])
    states[0].let_go.set()
    with client_for(library) as client:

        def said() -> tuple[str, list[str]]:
            reply = client.get("/v1/examples").json()
            return reply["fingerprint"], reply["questions"]

        assert said() == ("1", list(EXAMPLES))
        library.now = states[1]
        assert said() == said() == ("1", [EXAMPLES[0]])  # nobody waits, and what is gone is not shown
        states[1].let_go.set()
        until = time.monotonic() + 5
        while said() != ("2", [EXAMPLES[0]]):
            assert time.monotonic() < until
        assert states[1].drawings == 1
        library.now = states[2]
        monkeypatch.setattr(routes_examples, "WAIT_SECONDS", 0.05)
        assert said() == ("3", [])  # of before nothing is left
        states[2].let_go.set()
        while said() != ("3", [EXAMPLES[1]]):
            assert time.monotonic() < until


def test_a_collection_that_changes_all_the_time_is_drawn_from_once_a_minute() -> None:
    states = [ChangingEngine(str(number), LIGHTHOUSE, TEA) for number in range(4)]
    library = ChangingLibrary(states[0])
    states[0].let_go.set()
    with client_for(library) as client:
        for library.now in states:
            assert client.get("/v1/examples").json()["questions"] == list(EXAMPLES)
    assert [state.drawings for state in states] == [1, 0, 0, 0]


def test_whoever_asks_goes_first() -> None:
    """A drawing waits before each question until nobody else asks."""
    asking, answer = threading.Event(), threading.Event()

    def before() -> None:
        asking.set()
        assert answer.wait(10)

    engine = FakeEngine(before)
    with client_for(engine) as client, ThreadPoolExecutor(2) as threads:
        asked = threads.submit(client.post, "/v1/ask", json={"question": "清晨熄灯"})
        assert asking.wait(10)
        drawn = threads.submit(client.get, "/v1/examples")
        with pytest.raises(TimeoutError):
            drawn.result(0.2)
        answer.set()
        assert asked.result(10).status_code == 200
        assert drawn.result(10).json()["questions"] == list(EXAMPLES)


def test_of_many_collections_one_question_at_a_time_is_tried() -> None:
    inside, most, begun = 0, 0, threading.Barrier(4)

    def before() -> None:
        nonlocal inside, most
        inside += 1
        most = max(most, inside)
        for _ in range(1000):  # for others to come in, if they may
            pass
        inside -= 1

    class Drawn(FakeEngine):
        def examples(self, in_turn: InTurn = nullcontext) -> tuple[Example, ...]:
            begun.wait(10)
            for _ in range(20):
                with in_turn():
                    before()
            return super().examples(in_turn)

    class Several(FakeLibrary):
        def engine(self, collection: str = "default", filters: object = None) -> FakeEngine:
            del collection, filters
            return Drawn()

    library = Several()
    names = ["default", "a", "b", "c"]
    with client_for(library) as client, ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(client.get, "/v1/examples", params={"collection": name}) for name in names]
        assert [call.result(10).json()["questions"] for call in calls] == [list(EXAMPLES)] * 4
    assert most == 1
