"""`Client.feedback`, sync and async, against the real app behind a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.app import create_app
from api.feedback.store import FeedbackStore
from api.settings import ApiSettings
from cewen import BadRequestError, Client, Feedback, ServerError
from cewen.requests import feedback_request
from tests.api_fakes import FakeEngine
from tests.client_driver import ANSWERED, KINDS, Kind, opener
from tests.evals_server import serving_app


@pytest.fixture(scope="module", params=KINDS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Client, Path]]:
    """A client, and where its service keeps feedback."""
    kind: Kind = request.param
    data_dir = tmp_path_factory.mktemp("data")
    app = create_app(FakeEngine, ApiSettings(data_dir=data_dir))
    with serving_app(app) as url, opener(kind) as opened:
        assert app.state.engine_slot.wait(10)
        yield opened(url, max_retries=0), data_dir


def test_a_verdict_and_a_change_of_mind(served: tuple[Client, Path]) -> None:
    client, data_dir = served
    answer = client.ask(ANSWERED)
    first = client.feedback(answer.id, "down", "问的是傍晚")
    assert isinstance(first, Feedback)
    assert (first.answer_id, first.verdict, first.question_stored) == (answer.id, "down", False)
    (kept,) = FeedbackStore(data_dir).all().feedback
    assert (kept.feedback_id, kept.note) == (first.id, "问的是傍晚")
    second = client.feedback(answer.id, "up")
    assert (second.id, second.verdict) == (first.id, "up")


def test_what_is_refused(served: tuple[Client, Path]) -> None:
    client, _ = served
    with pytest.raises(BadRequestError, match="answer_id") as caught:
        client.feedback("no id", "up")
    assert caught.value.code == "invalid_request"
    with pytest.raises(BadRequestError, match="2000"):
        client.feedback("a", "up", "长" * 2001)


def test_a_service_that_cannot_keep_it(served: tuple[Client, Path]) -> None:
    client, data_dir = served
    FeedbackStore(data_dir).path.write_text("no database " * 100, encoding="utf-8")
    with pytest.raises(ServerError) as caught:
        client.feedback("a", "up")
    assert caught.value.code == "feedback_unusable"
    FeedbackStore(data_dir).path.unlink()


def test_no_note_is_not_sent() -> None:
    request = feedback_request("a", "up", None)
    assert (request.method, request.path) == ("POST", "/v1/feedback")
    assert request.body == b'{"answer_id": "a", "verdict": "up"}'
