from __future__ import annotations

import threading

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.engine_slot import EngineSlot
from api.settings import ApiSettings
from rag.errors import ConfigError, IndexMismatchError, UnavailableError
from tests.api_fakes import FINGERPRINT, FakeEngine


def test_alive_while_opening_and_ready_when_open() -> None:
    opening, may_open = threading.Event(), threading.Event()

    def open_slowly() -> FakeEngine:
        opening.set()
        assert may_open.wait(30)
        return FakeEngine()

    app = create_app(open_slowly, ApiSettings())
    with TestClient(app) as client:
        assert opening.wait(30)
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/").status_code == 200
        for refused in (
            client.get("/readyz"),
            client.get("/v1/documents"),
            client.post("/v1/ask", json={"question": "灯"}),
        ):
            assert refused.status_code == 503
            assert refused.json()["error"]["code"] == "not_ready"
            assert refused.headers["retry-after"] == "2"
        may_open.set()
        assert app.state.engine_slot.wait(30)
        ready = client.get("/readyz")
    assert ready.status_code == 200
    assert ready.json() == {"status": "ready", "fingerprint": FINGERPRINT}


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (IndexMismatchError("/secret/path"), "index_mismatch"),
        (RuntimeError("/secret/path"), "internal_error"),
    ],
)
def test_a_failed_start_is_told_and_logged(
    error: Exception, cause: str, caplog: pytest.LogCaptureFixture
) -> None:
    def fail() -> FakeEngine:
        raise error

    app = create_app(fail, ApiSettings())
    with TestClient(app) as client:
        assert app.state.engine_slot.wait(30)
        assert client.get("/healthz").status_code == 200
        refused = client.get("/readyz")
    assert refused.status_code == 503
    assert refused.json()["error"]["code"] == "startup_failed"
    assert cause in refused.json()["error"]["message"]
    assert "secret" not in refused.text
    assert "/secret/path" in caplog.text


def test_the_engine_is_opened_once() -> None:
    opened: list[FakeEngine] = []

    def factory() -> FakeEngine:
        opened.append(FakeEngine())
        return opened[-1]

    slot = EngineSlot(factory)
    with pytest.raises(UnavailableError, match="还不能作答"):
        slot.get()
    assert not slot.wait(0)
    for _ in range(3):
        slot.open()
    assert opened == [slot.get()]
    assert slot.wait(0)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_body_bytes", 0),
        ("max_header_bytes", -1),
        ("body_timeout_seconds", 0),
        ("max_concurrent", 0),
        ("max_waiting", -1),
        ("wait_seconds", -0.5),
    ],
)
def test_settings_that_make_no_sense(name: str, value: float) -> None:
    with pytest.raises(ConfigError, match=f"设置 .*{name} 是 {value!r}"):
        ApiSettings(**{name: value})  # type: ignore[arg-type]


def test_four_may_wait_for_each_that_computes() -> None:
    assert ApiSettings(max_concurrent=6).waiting_places == 3
    assert ApiSettings(max_concurrent=1).waiting_places == 1
    assert ApiSettings(max_concurrent=3, max_waiting=0).waiting_places == 0
