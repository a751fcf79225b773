"""Leaving, alone: when doors close, and what is refused meanwhile."""

from __future__ import annotations

import threading

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.observing.draining import Leaving
from api.settings import ApiSettings
from tests.api_fakes import FakeEngine, client_for
from tests.observing_fakes import QUESTION, asks, value

LIMIT_SECONDS = 20.0


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_doors_stay_open_for_a_while() -> None:
    clock = Clock()
    leaving = Leaving(5.0, clock)
    assert (leaving.begun, leaving.drained) == (False, True)
    leaving.begin()
    assert (leaving.begun, leaving.drained) == (True, False)
    clock.now = 4.9
    assert not leaving.drained
    clock.now = 5.0
    assert leaving.drained


def test_asked_twice_it_waits_no_longer() -> None:
    leaving = Leaving(5.0, Clock())
    leaving.begin()
    leaving.begin()
    assert leaving.drained


def test_by_default_nothing_is_waited_for() -> None:
    leaving = Leaving()
    leaving.begin()
    assert leaving.drained


def test_new_work_is_refused_in_the_shape_of_its_surface() -> None:
    with client_for() as client:
        client.app.state.observing.leaving.begin()  # type: ignore[attr-defined]
        for name, (path, body, headers) in asks(QUESTION).items():
            refused = client.post(path, json=body, headers=headers)
            assert refused.status_code == 503, name
            assert refused.headers["retry-after"] == "2"
            assert refused.headers["connection"] == "close"
            said = refused.json()
            if name == "dify":
                assert "正在关闭" in said["error_msg"]
            else:
                assert said["error"]["code"] == "shutting_down", name
        assert client.get("/readyz").json()["error"]["code"] == "shutting_down"
        assert client.get("/").status_code == 503
        assert client.get("/healthz").status_code == 200
        assert value(client, "cewen_shutting_down") == 1
        assert value(client, "cewen_refused_total", code="shutting_down") == 8


def test_leaving_comes_before_the_key() -> None:
    with client_for(settings=ApiSettings(api_key="k-1")) as client:
        client.app.state.observing.leaving.begin()  # type: ignore[attr-defined]
        assert client.post("/v1/ask", json={}).status_code == 503
        assert client.get("/metrics").status_code == 401


@pytest.mark.parametrize("waits_at_the_gate", [False, True])
def test_what_was_accepted_is_finished(*, waits_at_the_gate: bool) -> None:
    """The one that is computed, and the one that waits for its place."""
    begun, may_answer = threading.Semaphore(0), threading.Event()

    def wait() -> None:
        begun.release()
        assert may_answer.wait(LIMIT_SECONDS)

    app = create_app(lambda: FakeEngine(wait), ApiSettings(max_concurrent=1, wait_seconds=LIMIT_SECONDS))
    replies: list[int] = []
    with TestClient(app) as client:
        assert app.state.engine_slot.wait(LIMIT_SECONDS)

        def ask() -> None:
            replies.append(client.post("/v1/ask", json={"question": QUESTION}).status_code)

        threads = [threading.Thread(target=ask) for _ in range(1 + waits_at_the_gate)]
        for thread in threads:
            thread.start()
        assert begun.acquire(timeout=LIMIT_SECONDS)
        while value(client, "cewen_queue_waiting") < waits_at_the_gate:
            pass
        app.state.observing.leaving.begin()
        assert client.get("/readyz").status_code == 503
        may_answer.set()
        for thread in threads:
            thread.join(LIMIT_SECONDS)
    assert replies == [200] * len(threads)
