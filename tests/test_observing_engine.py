"""Answers counted once on every surface, and given up after a time in the shape of each."""

from __future__ import annotations

import json
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.engine_slot import EngineSlot
from api.guards.limits import AdmissionGate
from api.observing.engine import ObservedEngine
from api.observing.library import ObservedLibrary
from api.observing.metrics import Metrics
from api.settings import ApiSettings
from rag.errors import GeneratorError, UnavailableError
from rag.metadata import check_filters
from rag.records import Answer, AnswerSentence, Degradation, Passage
from tests.api_fakes import EXAMPLES, FINGERPRINT, LIGHTHOUSE, TEA, FakeEngine, FakeLibrary, client_for
from tests.observing_fakes import QUESTION, AlteredEngine, EndlessEngine, asks, samples, value


class Clock:
    """Seconds that pass by one each time somebody looks."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


def observed(engine: FakeEngine, *, timeout_seconds: float = 100.0) -> ObservedEngine:
    return ObservedEngine(engine, Metrics(), timeout_seconds=timeout_seconds, clock=Clock())


def test_it_gives_what_the_engine_gives() -> None:
    inner = FakeEngine()
    engine = observed(inner)
    assert engine.fingerprint == FINGERPRINT
    assert engine.ask(QUESTION, top_k=3) == inner.ask(QUESTION)
    assert inner.asked[0]["top_k"] == 3
    assert list(engine.stream(QUESTION)) == list(inner.stream(QUESTION))
    assert engine.search("灯", top_k=1) == inner.search("灯", top_k=1)
    assert tuple(one.question for one in engine.examples()) == EXAMPLES
    assert engine.count_tokens("灯塔") == 2
    assert engine.documents() == inner.documents()
    assert engine.document(LIGHTHOUSE) == inner.document(LIGHTHOUSE)


class Notes:
    """A recorder that keeps what it is given."""

    def __init__(self) -> None:
        self.noted: list[tuple[str, str, str, bool]] = []

    def record(self, answer: Answer, *, question: str, collection: str, narrowed: bool) -> None:
        self.noted.append((answer.status, question, collection, narrowed))


def test_a_recorder_is_given_each_answer_once_with_its_collection() -> None:
    inner, notes = FakeLibrary(), Notes()
    inner.create_collection("empty")
    library = ObservedLibrary(inner, Metrics(), timeout_seconds=100.0, recorder=notes)
    library.engine().ask(QUESTION)
    list(library.engine().stream(QUESTION))
    library.engine("empty").ask(QUESTION)
    library.engine("empty").search(QUESTION)
    library.engine(filters=check_filters(document_ids=[TEA])).ask(QUESTION)
    assert notes.noted == [
        ("answered", QUESTION, "default", False),
        ("answered", QUESTION, "default", False),
        ("abstained", QUESTION, "empty", False),
        ("abstained", QUESTION, "default", True),
    ]


def test_every_surface_counts_an_answer_once() -> None:
    with client_for() as client:
        for number, (path, body, headers) in enumerate(asks(QUESTION).values(), 1):
            assert client.post(path, json=body, headers=headers).status_code == 200
            assert value(client, "cewen_answers_total") == number, path
        assert value(client, "cewen_answers_total", status="answered", reason="none") == 6
        assert value(client, "cewen_sentences_total", match="exact") == 6
        assert value(client, "cewen_stage_seconds_count", stage="total") == 6
        client.post("/v1/ask", json={"question": "明年茶价"})
        assert value(client, "cewen_answers_total", status="abstained", reason="not_stated") == 1


def test_what_an_answer_is_counted_as() -> None:
    changes: dict[str, Any] = {
        "generator": "something-of-a-plug-in",
        "degraded": Degradation("x", "generator_timeout", "太慢。"),
        "dropped": {"rejected": 2, "repeated": 1},
        "sentences": (AnswerSentence("甲。", (1,), "exact"), AnswerSentence("乙。", (1,), "supported")),
        "timings_ms": {"encode": 2.0, "search": 4.0, "unheard": 1.0, "total": 7.0},
    }
    with client_for(AlteredEngine(**changes)) as client:
        client.post("/v1/ask", json={"question": QUESTION})
        assert value(client, "cewen_answers_total", generator="other") == 1
        assert value(client, "cewen_degraded_total", code="generator_timeout") == 1
        assert value(client, "cewen_rejected_sentences_total", verdict="rejected") == 2
        assert value(client, "cewen_rejected_sentences_total", verdict="repeated") == 1
        assert value(client, "cewen_sentences_total", match="supported") == 1
        assert value(client, "cewen_stage_seconds_sum", stage="search") == pytest.approx(0.004)
        assert "unheard" not in client.get("/metrics").text


def test_a_code_that_nobody_knows_is_other() -> None:
    odd = AlteredEngine(degraded=Degradation("x", "plug_in_has_its_own", "……"))
    with client_for(odd) as client:
        client.post("/v1/ask", json={"question": QUESTION})
        assert value(client, "cewen_degraded_total", code="other") == 1


@pytest.fixture(scope="module")
def impatient() -> Iterator[TestClient]:
    """A service over an engine that never finishes, which gives up almost at once."""
    with client_for(EndlessEngine(), ApiSettings(request_timeout_seconds=0.01)) as client:
        yield client


@pytest.mark.parametrize("surface", ["native", "openai", "dify"])
def test_an_answer_that_takes_too_long_is_504(impatient: TestClient, surface: str) -> None:
    path, body, headers = asks(QUESTION)[surface]
    began = monotonic()
    reply = impatient.post(path, json=body, headers=headers)
    assert monotonic() - began < 8
    assert reply.status_code == 504
    said = reply.json()
    if surface == "dify":
        assert said["error_code"] == 504
        assert "0.01 秒" in said["error_msg"]
    else:
        assert said["error"]["code"] == "answer_timeout"
        assert "0.01 秒" in said["error"]["message"]


@pytest.mark.parametrize("surface", ["native stream", "openai stream"])
def test_a_stream_that_takes_too_long_ends_in_an_error(impatient: TestClient, surface: str) -> None:
    path, body, headers = asks(QUESTION)[surface]
    reply = impatient.post(path, json=body, headers=headers)
    assert reply.status_code == 200
    last = reply.text.rstrip().rsplit("data: ", 1)[1]
    assert json.loads(last)["error"]["code"] == "answer_timeout"


def test_a_tool_that_takes_too_long_says_so(impatient: TestClient) -> None:
    path, body, headers = asks(QUESTION)["mcp"]
    result = impatient.post(path, json=body, headers=headers).json()["result"]
    assert result["isError"]
    assert json.loads(result["content"][0]["text"])["error"]["code"] == "answer_timeout"


def test_timeouts_are_counted_and_places_given_back(impatient: TestClient) -> None:
    before = value(impatient, "cewen_refused_total", code="answer_timeout")
    for path, body, headers in asks(QUESTION).values():
        impatient.post(path, json=body, headers=headers)
    assert value(impatient, "cewen_refused_total", code="answer_timeout") == before + 6
    assert value(impatient, "cewen_queue_in_use") == 0
    assert value(impatient, "cewen_answers_total") == 0


def test_who_leaves_is_no_timeout() -> None:
    with pytest.raises(GeneratorError, match="不再作答"):
        observed(EndlessEngine()).ask(QUESTION, cancelled=lambda: True)
    with pytest.raises(GeneratorError, match="不再作答"):
        list(observed(EndlessEngine()).stream(QUESTION, cancelled=lambda: True))


def test_searching_has_the_same_limit() -> None:
    class Searching(FakeEngine):
        def search(self, query: str, **options: Any) -> tuple[Passage, ...]:
            while not options["cancelled"]():
                pass
            raise GeneratorError(f"不再找 {query}。", code="generator_cancelled")

    with pytest.raises(UnavailableError, match="超过了 5 秒"):
        observed(Searching(), timeout_seconds=5.0).search("灯")
    with pytest.raises(GeneratorError, match="不再找"):
        observed(Searching()).search("灯", cancelled=lambda: True)


def test_the_time_counts_from_the_question() -> None:
    with pytest.raises(UnavailableError, match="超过了 5 秒"):
        observed(EndlessEngine(), timeout_seconds=5.0).ask(QUESTION)


def test_an_answer_that_is_there_is_given_although_it_is_late() -> None:
    clock = Clock()

    def pass_the_time() -> None:
        clock.now += 1_000.0

    engine = ObservedEngine(FakeEngine(pass_the_time), Metrics(), timeout_seconds=5.0, clock=clock)
    assert isinstance(engine.ask(QUESTION), Answer)


def test_metrics_of_an_engine_that_is_not_open() -> None:
    metrics, slot = Metrics(), EngineSlot(FakeEngine)
    gate = AdmissionGate(max_concurrent=2, max_waiting=1, wait_seconds=1.0)
    assert b"cewen_engine_ready 0.0" in metrics.exposition(slot, gate, leaving=False)
    slot.open()
    text = metrics.exposition(slot, gate, leaving=True).decode()
    for line in ("cewen_engine_ready 1.0", "cewen_shutting_down 1.0", "cewen_corpus_documents 2.0"):
        assert f"\n{line}\n" in text
    assert f'fingerprint="{FINGERPRINT}"' in text


def test_apps_do_not_share_their_metrics() -> None:
    with client_for() as one, client_for() as other:
        one.post("/v1/ask", json={"question": QUESTION})
        assert value(one, "cewen_answers_total") == 1
        assert value(other, "cewen_answers_total") == 0
        assert samples(other)
