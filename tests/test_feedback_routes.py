"""`POST /v1/feedback`, and the questions that a service keeps where that is switched on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from api.feedback.store import FeedbackStore
from api.settings import ApiSettings
from rag.records import Answer
from tests.api_fakes import LIGHTHOUSE, FakeEngine, client_for
from tests.observing_fakes import QUESTION, asks, value


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with client_for(settings=ApiSettings(data_dir=tmp_path)) as opened:
        yield opened


class NumberedEngine(FakeEngine):
    """Gives each answer an id of its own, as the real one does."""

    def ask(self, question: str, **options: Any) -> Answer:
        answer = super().ask(question, **options)
        return replace(answer, answer_id=f"ans_{len(self.asked)}")


def send(client: TestClient, **fields: object) -> Any:
    return client.post("/v1/feedback", json={"answer_id": "ans_1", "verdict": "up", **fields})


def test_a_verdict_is_kept_and_may_be_changed(client: TestClient, tmp_path: Path) -> None:
    first = send(client, verdict="down", note="问的是𠮷年份\n第二行")
    assert first.status_code == 201
    body = first.json()
    assert body == {
        "id": body["id"],
        "answer_id": "ans_1",
        "verdict": "down",
        "recorded_at": body["recorded_at"],
        "question_stored": False,
    }
    (kept,) = FeedbackStore(tmp_path).all().feedback
    assert (kept.feedback_id, kept.note) == (body["id"], "问的是𠮷年份\n第二行")
    again = send(client)
    assert again.status_code == 200
    assert again.json()["id"] == body["id"]
    (kept,) = FeedbackStore(tmp_path).all().feedback
    assert (kept.verdict, kept.note) == ("up", "")
    assert value(client, "cewen_feedback_total", verdict="down") == 1
    assert value(client, "cewen_feedback_total", verdict="up") == 1


@pytest.mark.parametrize("note", [None, "", " \n\u200b"])
def test_a_note_with_nothing_in_it_is_none(client: TestClient, tmp_path: Path, note: str | None) -> None:
    assert send(client, note=note).status_code == 201
    assert FeedbackStore(tmp_path).all().feedback[0].note == ""


@pytest.mark.parametrize(
    ("fields", "code", "told"),
    [
        ({"answer_id": ""}, "invalid_request", "answer_id 是“”"),
        ({"answer_id": "a b"}, "invalid_request", "字母、数字"),
        ({"answer_id": "a\n"}, "invalid_request", "字母、数字"),
        ({"answer_id": "x" * 65}, "invalid_request", "1 到 64"),
        ({"answer_id": 7}, "invalid_request", "应为字符串"),
        ({"verdict": "maybe"}, "invalid_request", "只能是"),
        ({"verdict": None}, "invalid_request", "只能是"),
        ({"note": "长" * 2001}, "invalid_request", "最多 2000 个字符"),
        ({"note": "铃\u0007"}, "invalid_text", "第 2 个字符是控制字符 U+0007"),
        ({"score": 1}, "invalid_request", "不认识这个字段"),
    ],
)
def test_what_cannot_be_kept(
    client: TestClient, tmp_path: Path, fields: dict[str, object], code: str, told: str
) -> None:
    reply = send(client, **fields)
    assert reply.status_code == 422
    assert reply.json()["error"]["code"] == code
    assert told in reply.json()["error"]["message"]
    assert not (tmp_path / "feedback.sqlite3").exists()
    assert value(client, "cewen_feedback_total") == 0


def test_a_note_of_the_greatest_length(client: TestClient) -> None:
    assert send(client, note="𠮷" * 2000).status_code == 201


def test_it_needs_the_scope_to_ask(tmp_path: Path) -> None:
    with client_for(settings=ApiSettings(data_dir=tmp_path, api_key="k-3f9Q7z")) as client:
        assert send(client).status_code == 401
        headers = {"Authorization": "Bearer k-3f9Q7z"}
        body = {"answer_id": "a", "verdict": "up"}
        assert client.post("/v1/feedback", json=body, headers=headers).status_code == 201


def test_a_damaged_file_stops_feedback_and_nothing_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "feedback.sqlite3").write_text("no database " * 100, encoding="utf-8")
    settings = ApiSettings(data_dir=tmp_path, store_questions=True)
    with caplog.at_level(logging.WARNING), client_for(settings=settings) as client:
        refused = send(client)
        assert refused.status_code == 500
        assert refused.json()["error"]["code"] == "feedback_unusable"
        assert str(tmp_path) not in refused.text
        for _ in range(3):
            assert client.post("/v1/ask", json={"question": QUESTION}).status_code == 200
    warned = [each for each in caplog.messages if each.startswith("questions cannot be stored")]
    assert len(warned) == 1
    assert QUESTION not in caplog.text


def test_without_a_folder_feedback_is_refused() -> None:
    with client_for() as client:
        assert send(client).json()["error"]["code"] == "feedback_unusable"


def test_no_question_is_kept_unless_that_is_switched_on(client: TestClient, tmp_path: Path) -> None:
    asked = client.post("/v1/ask", json={"question": QUESTION}).json()
    assert not (tmp_path / "feedback.sqlite3").exists()
    assert send(client, answer_id=asked["id"]).json()["question_stored"] is False
    assert FeedbackStore(tmp_path).all().questions == ()


def test_questions_of_every_surface_are_kept_once_and_never_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = ApiSettings(data_dir=tmp_path, store_questions=True)
    with caplog.at_level(logging.DEBUG), client_for(NumberedEngine(), settings) as client:
        for path, body, headers in asks(QUESTION).values():
            assert client.post(path, json=body, headers=headers).status_code == 200
        client.get("/v1/examples")
    questions = FeedbackStore(tmp_path).all().questions
    assert [each.answer_id for each in questions] == [f"ans_{number}" for number in range(1, 7)]
    assert {(each.question, each.resolved) for each in questions} == {(QUESTION, QUESTION)}
    kept = questions[0]
    assert kept.collection == "default"
    assert (kept.status, kept.reason, kept.confidence) == ("answered", None, 1.0)
    assert (kept.generator, kept.documents) == ("fake", (LIGHTHOUSE,))
    assert QUESTION not in caplog.text


def test_feedback_says_that_the_question_is_known(tmp_path: Path) -> None:
    settings = ApiSettings(data_dir=tmp_path, store_questions=True)
    with client_for(settings=settings) as client:
        asked = client.post("/v1/ask", json={"question": "明年的茶价是多少？"}).json()
        assert asked["status"] == "abstained"
        recorder = cast("FastAPI", client.app).state.feedback.recorder
        recorder.close()  # as if time had passed
        assert send(client, answer_id=asked["id"], verdict="down").json()["question_stored"] is True
    (kept,) = FeedbackStore(tmp_path).all().questions
    assert (kept.status, kept.reason, kept.documents) == ("abstained", "not_stated", ())


def test_the_page_says_whether_questions_are_kept_and_offers_feedback_only_where_it_is_taken(
    tmp_path: Path,
) -> None:
    kept = "会保存问过的问题"
    with client_for(settings=ApiSettings(data_dir=tmp_path, store_questions=True)) as client:
        page = client.get("/").text
        assert kept in page
        assert "data-feedback" in page
    with client_for(settings=ApiSettings(data_dir=tmp_path)) as client:
        page = client.get("/").text
        assert kept not in page
        assert "data-feedback" in page
    with client_for() as client:
        assert "data-feedback" not in client.get("/").text


def test_the_examples_and_json_of_the_interface_agree(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    operation = document["paths"]["/v1/feedback"]["post"]
    schemas = [
        operation["responses"][status]["content"]["application/json"]["schema"] for status in ("200", "201")
    ]
    assert schemas[0] == schemas[1] == {"$ref": "#/components/schemas/FeedbackReply"}
    example = operation["requestBody"]["content"]["application/json"]["example"]
    assert client.post("/v1/feedback", json=example).status_code == 201
