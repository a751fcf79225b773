"""A live server: the REST service of this project with an engine that can be computed, on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from api.app import create_app
from api.engine_slot import EngineSlot
from api.settings import ApiSettings
from evals.evaluation import Task, evaluate
from evals.gate_config import GateConfig
from evals.locate import locate_evidence
from evals.report_beir import beir_passages
from evals.schema import Question, QuestionFile
from evals.service_http import HttpService, connect, new_client
from rag.errors import CewenError, UnavailableError
from rag.records import Turn
from tests.api_fakes import FINGERPRINT, LIGHTHOUSE, PAGE, SHA256, TEA, FakeEngine
from tests.evals_fakes import question
from tests.evals_server import serving_app


@contextmanager
def client_for(engine: FakeEngine | None = None) -> Iterator[httpx.Client]:
    """A client of the real application over the fake engine, once that is open."""
    app = create_app(lambda: engine or FakeEngine(), ApiSettings())
    with serving_app(app) as url, new_client(url) as client:
        slot: EngineSlot = app.state.engine_slot
        assert slot.wait(10)
        yield client


def asked() -> tuple[Question, ...]:
    return (
        question("h-1", "由本地石匠用花岗岩砌成？", "how", [["由本地石匠用花岗岩砌成"]], [["花岗岩"]]),
        question("h-2", "灯塔何时拆除", "unanswerable"),
    )


def test_a_live_server_is_judged_like_an_engine() -> None:
    with client_for() as client:
        subject = connect(client)
        questions = asked()
        task = Task(
            (QuestionFile("dev", "f", questions),), questions, locate_evidence(questions, subject.sources)
        )
        outcome = evaluate(task, subject, config=GateConfig(version=1))
    first, second = outcome.report.results
    assert (first.status, first.measures["correct"], first.citations[0].holds) == ("answered", 1.0, (0,))
    assert (second.status, second.measures["correct"]) == ("abstained", 1.0)
    assert outcome.report.fingerprints == (FINGERPRINT,)
    assert outcome.report.described == {"fingerprint": FINGERPRINT}
    red = [verdict.name for verdict in outcome.verdicts or () if not verdict.passed]
    assert set(red) <= {"invariant:search_and_ask_agree"}  # the fake engine cites with a score of 1


def test_a_server_is_judged_against_its_own_source_under_a_checksum_made_here() -> None:
    with client_for() as client:
        subject = connect(client)
    assert [(source.text, source.sha256) for source in subject.sources] == [(PAGE, SHA256)]
    assert [document.document_id for document in subject.documents] == [LIGHTHOUSE, TEA]
    assert [passage.text[:6] for passage in beir_passages(subject) if passage.title] == [
        "望海角灯塔建",
        "“灯要亮到最",
        "清明前三天采",
    ]


def test_history_is_sent() -> None:
    engine = FakeEngine()
    with client_for(engine) as client:
        HttpService(client).ask("那么呢", [Turn("user", "灯塔"), Turn("assistant", "在")])
    assert engine.asked[-1]["history"] == (Turn("user", "灯塔"), Turn("assistant", "在"))


def answering(response: httpx.Response) -> HttpService:
    transport = httpx.MockTransport(lambda _: response)
    return HttpService(httpx.Client(transport=transport, base_url="http://x"))


def test_a_refused_question_keeps_its_code() -> None:
    service = answering(httpx.Response(422, json={"error": {"code": "question_too_long"}}))
    with pytest.raises(CewenError, match="422") as caught:
        service.ask("x", [])
    assert caught.value.code == "question_too_long"
    with pytest.raises(CewenError, match="500") as caught:
        answering(httpx.Response(500, text="oops")).search("x", 1)
    assert caught.value.code == "http_500"


def test_a_server_that_is_not_ready_or_not_there_stops_the_run() -> None:
    with pytest.raises(UnavailableError, match="503"):
        answering(httpx.Response(503)).ask("x", [])
    with (
        new_client("http://127.0.0.1:9/") as client,
        pytest.raises(UnavailableError, match=r"连不上 http://127\.0\.0\.1:9"),
    ):
        connect(client)
