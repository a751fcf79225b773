"""`--url`: the same words and bodies from a service running elsewhere, and its refusals as exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from api.app import create_app
from api.settings import ApiSettings
from rag.records import Answer
from tests.api_fakes import FakeEngine, FakeLibrary
from tests.evals_server import serving_app
from tests.test_cli import Stage

KEY = "k-3f9Q7z"
COMMANDS = [
    ("ask", "清晨熄灯"),
    ("ask", "火星上有灯塔吗"),
    ("ask", "清晨熄灯", "--explain", "--top-k", "3"),
    ("search", "灯塔 花岗岩", "--top-k", "2", "--score-threshold", "0.1"),
    ("documents",),
]


def serving(settings: ApiSettings, library: FakeLibrary | None = None) -> Any:
    app = create_app(lambda: library or FakeLibrary(), settings)
    app.state.engine_slot.open()
    return serving_app(app)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving(ApiSettings()) as address:
        yield address


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_it_is_the_same_as_here(url: str, command: tuple[str, ...]) -> None:
    stage = Stage()
    here, there = stage.run(*command), stage.run(*command, "--url", url)
    assert (there.exit_code, there.stdout) == (0, here.stdout)
    bodies = [stage.run(*command, "--json", *more).stdout for more in ((), ("--url", url))]
    assert json.loads(bodies[0]) == json.loads(bodies[1])
    assert bodies[1].count("\n") == 1


def test_nothing_is_opened_here(url: str) -> None:
    stage = Stage()
    stage.run("ask", "清晨熄灯", "--url", url)
    assert stage.opened_with == []


def test_a_folder_makes_no_sense_with_it(url: str) -> None:
    result = Stage().run("ask", "清晨熄灯", "--url", url, "--seeds", "x")
    assert result.exit_code == 1
    assert "--url 问的是在别处运行的服务" in result.stderr


def test_what_the_service_refuses_is_bad_input(url: str) -> None:
    result = Stage().run("ask", "清晨熄灯", "--url", url, "--generator", "nobody")
    assert result.exit_code == 1
    assert "generator_not_found" in result.stderr


@pytest.mark.parametrize(
    ("address", "said"),
    [("http://127.0.0.1:9", "connection_failed"), ("ftp://127.0.0.1", "invalid_configuration")],
)
def test_where_there_is_no_service(address: str, said: str) -> None:
    result = Stage().run("documents", "--url", address)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_key_comes_from_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(ApiSettings(api_key=KEY)) as address:
        refused = Stage().run("documents", "--url", address)
        assert refused.exit_code == 2
        assert "api_key_missing" in refused.stderr
        assert ("CEWEN_API_KEY" in refused.stderr, "请求头" in refused.stderr) == (True, False)
        monkeypatch.setenv("CEWEN_API_KEY", f"{KEY}x")
        wrong = Stage().run("documents", "--url", address)
        assert ("api_key_invalid" in wrong.stderr, "CEWEN_API_KEY" in wrong.stderr) == (True, True)
        monkeypatch.setenv("CEWEN_API_KEY", KEY)
        assert Stage().run("documents", "--url", address).exit_code == 0


def test_a_service_elsewhere_cannot_drive_the_terminal() -> None:
    class Hostile(FakeEngine):
        def ask(self, question: str, **options: Any) -> Answer:
            return replace(super().ask(question, **options), answer="灯\x1b[2J\x9b1m\x07\r塔\n港。[1]")

    app = create_app(Hostile)
    app.state.engine_slot.open()
    with serving_app(app) as address:
        shown = Stage().run("ask", "清晨熄灯", "--url", address).stdout
    assert shown.startswith("灯 [2J 1m  塔\n港。[1]\n")
