"""`cewen doctor`: what it says of a sound service, of addresses that are none, and how it says it."""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from rich.console import Console
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Mount, Route
from typer.testing import CliRunner, Result

import api.doctor
from api.app import create_app
from api.cli.commands import app as command_line
from api.doctor.connection import Connection, Key, Reply, checked_url
from api.doctor.context import NONSENSE, Context
from api.doctor.examination import SURFACES, examine
from api.doctor.links import Links
from api.doctor.model import Finding, Level, LostError, SurfaceReport, clean
from api.doctor.native import NATIVE
from api.doctor.show import show_surface
from api.doctor.spans import Cited, cited_of_url, span_fault
from api.doctor.stream import STREAM
from api.doctor.webui import WEBUI
from api.settings import ApiSettings
from rag.errors import InputError
from rag.records import Answer
from tests.api_fakes import EXAMPLES, FINGERPRINT, LIGHTHOUSE, PAGE, FakeEngine
from tests.doctor_proxy import BadProxy, Sabotage, drop, in_json, page, put, unchanged
from tests.evals_server import serving_app
from tests.test_api_layers import imports_of

QUESTION = "清晨熄灯"
KEY = "secret-key-9"


@pytest.fixture(autouse=True)
def _away_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "NO_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@contextmanager
def service(engine: FakeEngine | None = None, **settings: Any) -> Iterator[tuple[str, BadProxy]]:
    """A real service behind a proxy that does nothing yet."""
    app = create_app(lambda: engine or FakeEngine(), ApiSettings(**settings))
    proxy = BadProxy(app)
    with serving_app(proxy) as url:
        assert app.state.engine_slot.wait(10)
        yield url, proxy


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with service() as (address, _):
        yield address


@pytest.fixture(scope="module")
def locked_url() -> Iterator[str]:
    with service(api_key=KEY) as (address, _):
        yield address


def run(*arguments: str, **options: Any) -> Result:
    return CliRunner().invoke(command_line, ["doctor", *arguments], prog_name="cewen", **options)


@contextmanager
def context_of(url: str, question: str = QUESTION, **options: Any) -> Iterator[Context]:
    connection = Connection(url, "", 5.0, **options)
    try:
        yield Context(connection, question)
    finally:
        connection.close()


def lost(report: SurfaceReport) -> set[str]:
    return {finding.check for finding in report.findings if finding.level == "lost"}


# A sound service.


def test_a_sound_service_is_all_green(url: str) -> None:
    result = run("--url", url, "--question", QUESTION)
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"策问体检 {url}\n问题：{QUESTION}\n")
    assert result.stdout.endswith(f"{len(SURFACES)} 种客户端都收到了全部内容。\n指纹 {FINGERPRINT}\n")
    assert "✗" not in result.stdout
    assert "\x1b" not in result.stdout
    assert result.stderr == ""
    shown = "    │ 守塔人每天傍晚点灯，清晨熄灯。[1]\n"
    assert result.stdout.count(shown) >= 8


def test_what_open_webui_shows_as_a_source_is_shown(url: str) -> None:
    with context_of(url) as context:
        report = WEBUI.report(context)
    assert report.shown == (
        "守塔人每天傍晚点灯，清晨熄灯。[1]",
        "来源：周望潮、林听雨：望海角灯塔… · 第4–5行：守塔人每天傍晚点灯，清晨熄灯。",
    )


def test_json_is_one_line_with_everything(url: str) -> None:
    result = run("--url", f"{url}/", "--question", QUESTION, "--json")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    report = json.loads(result.stdout)
    assert list(report) == ["ok", "url", "question", "status", "fingerprint", "surfaces"]
    head = (report["ok"], report["url"], report["question"], report["status"], report["fingerprint"])
    assert head == (True, url, QUESTION, "answered", FINGERPRINT)
    assert [each["name"] for each in report["surfaces"]] == [surface.name for surface in SURFACES]
    for surface in report["surfaces"]:
        assert list(surface) == ["name", "ok", "title", "client", "shown", "findings"]
        for finding in surface["findings"]:
            assert list(finding) == ["check", "level", "what", "detail", "advice"]
            assert finding["level"] in {"ok", "skipped"}


def test_the_key_is_taken_from_the_settings_and_never_shown(
    locked_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CEWEN_API_KEY", KEY)
    result = run("--url", locked_url, "--question", QUESTION, "--json")
    assert result.exit_code == 0, result.output
    assert KEY not in result.output
    (dify,) = [each for each in json.loads(result.stdout)["surfaces"] if each["name"] == "dify"]
    assert [each["level"] for each in dify["findings"] if each["check"] == "refuses"] == ["ok", "ok"]


def test_the_address_is_taken_from_the_settings(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEWEN_PORT", url.rpartition(":")[2])
    assert run("--question", QUESTION).stdout.startswith(f"策问体检 {url}\n")


def test_an_abstention_is_said_and_examined_all_the_same(url: str) -> None:
    result = run("--url", url, "--question", "火星上有灯塔吗")
    assert result.exit_code == 0, result.output
    assert "这个问题它没有作答" in result.stdout
    assert "没有引文可以打开" in result.stdout
    *_, closing, _ = result.stdout.splitlines()
    assert closing.startswith(f"{len(SURFACES)} 种客户端都收到了同样的弃答。")
    assert "一条引文也没有核对到" in closing
    assert "都收到了全部内容" not in result.stdout


def test_the_real_service_is_all_green(live_url: str) -> None:
    result = run("--url", live_url, "--question", "文章是怎样解释城市的温度的？", "--json")
    report = json.loads(result.stdout)
    faults = [
        (surface["name"], finding)
        for surface in report["surfaces"]
        for finding in surface["findings"]
        if finding["level"] == "lost"
    ]
    assert faults == []
    assert (result.exit_code, report["ok"]) == (0, True)


# What is asked.


def examples(*questions: str) -> Route:
    return Route("/v1/examples", lambda _: JSONResponse({"questions": questions, "fingerprint": "f"}))


def test_without_a_question_the_first_example_is_asked(url: str) -> None:
    with context_of(url, "") as context:
        assert context.question == EXAMPLES[0]


@pytest.mark.parametrize(
    ("route", "said"),
    [
        (examples(), "可能要等一会儿"),
        (examples("\x1b", " "), "可能要等一会儿"),
        (Route("/v1/other", lambda _: JSONResponse({})), "没有例题接口"),
        (Route("/v1/examples", lambda _: HTMLResponse("<p>登录")), "读不到：/v1/examples 答的是网页"),
        (Route("/v1/examples", lambda _: JSONResponse({"questions": 1})), "读不到：questions 是 1"),
        (Route("/v1/examples", lambda _: JSONResponse({}, 500)), "读不到：/v1/examples 答 500"),
    ],
)
def test_without_question_and_examples_one_is_asked_for(route: Route, said: str) -> None:
    routes = [Route("/v1/documents", lambda _: JSONResponse({"documents": []})), route]
    with serving_app(Starlette(routes=routes)) as address:
        result = run("--url", address)
    assert result.exit_code == 1
    assert said in result.stderr
    assert "--question" in result.stderr


# Where nothing can be examined.


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    result = run("--url", f"http://127.0.0.1:{port}", "--question", QUESTION)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"连不上 http://127.0.0.1:{port}" in result.stderr
    assert "（unavailable）" in result.stderr


@pytest.mark.parametrize(("key", "code"), [("", "api_key_missing"), ("wrong", "api_key_invalid")])
def test_a_key_that_is_missing_or_wrong(locked_url: str, key: str, code: str) -> None:
    result = run("--url", locked_url, "--question", QUESTION, "--api-key", key)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"（{code}）" in result.stderr


async def _moved(_: Request) -> Response:
    return RedirectResponse("https://qa.example.org/v1/documents", 308)


async def _site(_: Request) -> Response:
    return HTMLResponse("<p>nginx")


async def _opening(_: Request) -> Response:
    return JSONResponse({"error": {"code": "not_ready"}}, 503)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [(_moved, "https://qa.example.org"), (_site, "没有认出策问"), (_opening, "（not_ready）")],
)
def test_an_address_where_no_service_answers(endpoint: Any, said: str) -> None:
    with serving_app(Starlette(routes=[Route("/v1/documents", endpoint)])) as address:
        result = run("--url", address, "--question", QUESTION)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr


def test_an_address_that_falls_silent_after_the_first_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second request, without a key, finds nobody any more."""
    get = Connection.get

    def once(connection: Connection, path: str, *, key: Key = "own") -> Reply:
        if key == "none":
            raise LostError("reach", "GET 有答复", "5 秒没有等到答复", "服务太慢。")
        return get(connection, path, key=key)

    monkeypatch.setattr(Connection, "get", once)
    documents = Route("/v1/documents", lambda _: JSONResponse({"documents": []}))
    with serving_app(Starlette(routes=[documents])) as address:
        result = run("--url", address, "--question", QUESTION)
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"连不上 {address}：5 秒没有等到答复" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--url", "127.0.0.1:8000"),
        ("--url", "http://user:word@127.0.0.1"),
        ("--url", "http://127.0.0.1:x"),
        ("--url", "http://127.0.0.1/?q"),
        ("--timeout", "0"),
        ("--timeout", "nan"),
        ("--api-key", "钥匙"),
        ("--question", " "),
    ],
)
def test_options_that_cannot_be_used(arguments: tuple[str, str]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith("错误：")
    assert "word" not in result.stderr


# Losses, as people see them.


def test_a_loss_is_told_with_its_cause_and_the_exit_code_says_so() -> None:
    with service() as (address, proxy):
        proxy.sabotage = Sabotage("page", "/dify/retrieval", {}, page)
        result = run("--url", address, "--question", QUESTION)
    assert result.exit_code == 1
    assert "\n✗ Dify 外部知识库 · " in result.stdout
    assert "    ✗ 检索 default：/dify/retrieval 答的是网页（text/html）：" in result.stdout
    assert "      → 多半是代理、登录页或缓存换掉了答复" in result.stdout
    assert f"{len(SURFACES)} 种客户端里，1 种有东西丢失：Dify 外部知识库\n" in result.stdout


@pytest.mark.parametrize(("level", "code"), [("lost", "31"), ("ok", "32")])
def test_colour_says_the_same_on_a_terminal(level: Level, code: str) -> None:
    console = Console(force_terminal=True, color_system="standard", width=80, markup=False)
    with console.capture() as captured:
        show_surface(console, SurfaceReport("a", "名", "谁", (), (Finding("c", level, "什么"),)))
    assert f"\x1b[1;{code}m" in captured.get()


def test_nothing_that_a_terminal_acts_on_is_printed() -> None:
    assert clean("a\x1b[31mb\r\nc\u202ed\x9b1m") == "a [31mb c d 1m"


def test_a_terminal_is_not_reached_by_a_deployment() -> None:
    with service() as (address, proxy):
        proxy.sabotage = Sabotage(
            "escape", "/v1/ask", {}, lambda reply: replace(reply, status=500, body=b"\x1b[2J<h1>")
        )
        result = run("--url", address, "--question", QUESTION)
    assert "[2J<h1>" in result.stdout
    assert "\x1b" not in result.output


# Streams that are held back.


class SlowEngine(FakeEngine):
    """Takes its time, and says so."""

    seconds = 0.08

    def ask(self, question: str, **options: Any) -> Answer:
        threading.Event().wait(self.seconds)
        return replace(super().ask(question, **options), timings_ms={"total": self.seconds * 1000})

    def stream(self, question: str, **options: Any) -> Any:
        """Refuses nothing, so that all of it may happen while the stream is open."""

        def events() -> Iterator[Any]:
            yield from super(SlowEngine, self).stream(question, **options)

        return events()


@pytest.mark.parametrize(("surface", "path"), [(STREAM, "/v1/ask"), (WEBUI, "/v1/chat/completions")])
def test_a_proxy_that_buffers_is_found(surface: Any, path: str) -> None:
    with service(SlowEngine()) as (address, proxy), context_of(address) as context:
        assert "unbuffered" in {each.check for each in surface.report(context).findings if each.level == "ok"}
        proxy.sabotage = Sabotage("buffers", path, {}, unchanged)
        report = surface.report(context)
    assert lost(report) == {"unbuffered"}
    (finding,) = [each for each in report.findings if each.level == "lost"]
    assert "proxy_buffering" in finding.advice


# What a service may do, and what it may not.


class UnsteadyEngine(FakeEngine):
    """Writes otherwise every time, as a language model may."""

    def ask(self, question: str, **options: Any) -> Answer:
        answer = super().ask(question, **options)
        more = "。" * len(self.asked)
        said = tuple(replace(sentence, text=f"{sentence.text}{more}") for sentence in answer.sentences)
        text = "".join(f"{sentence.text}[1]" for sentence in said) or f"{answer.answer}{more}"
        return replace(answer, generator="openai", answer=text, sentences=said)


class LyingEngine(FakeEngine):
    """Has an answer to everything."""

    def ask(self, question: str, **options: Any) -> Answer:
        return super().ask(QUESTION if question == NONSENSE else question, **options)


def test_a_generator_that_never_repeats_itself_is_no_loss() -> None:
    with service(UnsteadyEngine()) as (address, _), context_of(address) as context:
        report = STREAM.report(context)
    skipped = {each.check for each in report.findings if each.level == "skipped"}
    assert lost(report) == set()
    assert {"same_answer", "same_spans"} <= skipped


def test_lost_citations_are_told_though_the_generator_never_repeats_itself() -> None:
    """Where nothing can be compared, that there are none can still be seen."""
    with service(UnsteadyEngine()) as (address, proxy), context_of(address) as context:
        proxy.sabotage = Sabotage("drops", "/v1/chat/completions", {}, in_json(drop("annotations")))
        assert lost(WEBUI.report(context)) == {"same_spans"}


def test_an_answer_without_citations_is_no_answer() -> None:
    empty = in_json(put(citations=[], sentences=[]))
    with service() as (address, proxy):
        proxy.sabotage = Sabotage("empties", "/v1/ask|/v1/search", {}, empty)
        result = run("--url", address, "--question", QUESTION)
    assert result.exit_code == 1
    assert "作了答，却没有一句话" in result.stdout


def test_who_answers_nonsense_is_told_once() -> None:
    with service(LyingEngine()) as (address, _), context_of(address) as context:
        found = {report.name: lost(report) for report in examine(context) if not report.ok}
    assert found == {"native": {"abstains"}}


# Links, for readers elsewhere.


class Elsewhere(httpx.HTTPTransport):
    """Brings requests for a public name to a service on this machine; the service sees the public name."""

    def __init__(self, address: str) -> None:
        super().__init__()
        self._port = int(address.rpartition(":")[2])

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        url = request.url.copy_with(scheme="http", host="127.0.0.1", port=self._port)
        # A request of its own, because the client takes the address of its reply from the one it made.
        inside = httpx.Request(request.method, url, headers=request.headers, stream=request.stream)
        return super().handle_request(inside)


@pytest.mark.parametrize(
    ("public_url", "red"),
    [
        ("https://qa.example.org", {"native"}),
        ("http://127.0.0.1:8000", {"native", *(s.name for s in SURFACES[5:10]), "openapi"}),
    ],
)
def test_links_that_a_reader_elsewhere_cannot_open(public_url: str, red: set[str]) -> None:
    """The fake engine's own links are relative, which on a public address is a loss to a program.

    Not to the page in a browser and the client library, which read the stream: both resolve them.
    """
    with (
        service(public_url=public_url) as (address, _),
        context_of("https://qa.example.org", transport=Elsewhere(address)) as context,
    ):
        surfaces = [surface for surface in SURFACES if not surface.name.startswith("mcp")]
        reports = [surface.report(context) for surface in surfaces]
    assert {report.name for report in reports if not report.ok} == red
    advice = {each.advice for report in reports for each in report.findings if each.level == "lost"}
    assert all("CEWEN_PUBLIC_URL" in each for each in advice)


SPAN = "documents/d-1?chars=3-7#L2-L3"
CITED = Cited("d-1", 3, 7, 2, 3)


@pytest.mark.parametrize(
    ("url", "fine"),
    [
        (f"https://qa.example.org/cewen/{SPAN}", True),
        (f"/{SPAN}", False),
        (SPAN, False),
        (f"//qa.example.org/cewen/{SPAN}", False),
        ("", False),
        ("https://qa.example.org/cewen/documents/d-1", False),
        ("https://qa.example.org/cewen/documents/d-1?chars=3-8#L2-L3", False),
        ("https://qa.example.org/cewen/documents/d-1?chars=3-7#L2", False),
        (f"http://127.0.0.1:8000/{SPAN}", False),
        (f"http://0.0.0.0/{SPAN}", False),
        (f"http://[::1]/{SPAN}", False),
        (f"http://localhost/{SPAN}", False),
        (f"javascript:/{SPAN}", False),
        (f"http://[/{SPAN}", False),
    ],
)
def test_what_a_reader_can_open(url: str, fine: bool) -> None:
    connection = Connection("https://qa.example.org/cewen/", "", 1.0)
    fault = Links(connection).fault(url, CITED)
    connection.close()
    assert (fault == "") == fine


def test_links_to_another_address_are_opened(url: str) -> None:
    """A deployment may have a public address other than the one it is examined at."""
    engine = FakeEngine()
    cited = engine.ask(QUESTION).citations[0]
    claim = Cited(LIGHTHOUSE, cited.start_char, cited.end_char, cited.start_line, cited.end_line, cited.quote)
    with service() as (address, _):
        connection = Connection(address, "", 2.0)
        links = Links(connection)
        assert links.fault(f"{url}{cited.url}", claim) == ""
        assert "没有标出" in links.fault(f"{url}{cited.url}", replace(claim, quote="别的话。"))
        assert "打不开" in links.fault(f"http://127.0.0.1:9{cited.url}", claim)
        connection.close()


def test_the_key_never_goes_to_another_address() -> None:
    seen: list[str | None] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("authorization"))
        return httpx.Response(200, html="<p>")

    connection = Connection("https://qa.example.org", KEY, 1.0, transport=httpx.MockTransport(note))
    connection.open(f"https://other.example.org/{SPAN}")
    connection.get("/v1/documents")
    connection.close()
    assert seen == [None, f"Bearer {KEY}"]


@pytest.mark.parametrize("path", ["https://other.example.org/v1/ask", "//other.example.org/", "v1/ask", ""])
def test_neither_key_nor_question_goes_where_no_path_of_the_deployment_leads(path: str) -> None:
    seen: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(str(request.url))
        return httpx.Response(200, json={})

    connection = Connection("https://qa.example.org", KEY, 1.0, transport=httpx.MockTransport(note))
    with pytest.raises(LostError, match="没有发出"):
        connection.post(path, {"question": QUESTION})
    with pytest.raises(LostError, match="没有发出"):
        connection.get(path)
    connection.close()
    assert seen == []


# Behind a path, and where anything may come back.


@contextmanager
def under(prefix: str, *, told: bool) -> Iterator[str]:
    """The address of a service that a proxy shows below a path, and does or does not tell it so."""
    with service() as (address, proxy):
        inner = proxy.app

        async def stripped(scope: Any, receive: Any, send: Any) -> None:
            if scope["type"] == "http":
                inside = scope["path"].startswith(f"{prefix}/")
                path = scope["path"].removeprefix(prefix) if inside else "/nowhere"
                scope = {**scope, "path": path, "raw_path": path.encode()}
                if told:
                    scope |= {"path": f"{prefix}{path}", "root_path": prefix}
            await inner(scope, receive, send)

        proxy.app = stripped
        yield f"{address}{prefix}"


@pytest.mark.parametrize("told", [True, False])
def test_below_a_path(told: bool) -> None:
    with under("/cewen", told=told) as address, context_of(address) as context:
        found = {report.name: lost(report) for report in examine(context) if not report.ok}
    chat = {"open-webui", "openai-sdk", "perplexity", "plain-text"}
    red = {*chat, "dify", "mcp-2025-11-25", "mcp-2026-07-28", "web", "openapi"}
    assert set(found) == (set() if told else red)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", b""),
        ("application/json", b"null"),
        ("application/json", b'"x"'),
        ("application/json", b"{}"),
        ("application/json", b"\xff\xfe\x00"),
        ("application/json", b"[" * 100_000),
        ("application/json", b'{"a":' * 900 + b"1" + b"}" * 900),
        ("application/json", b'{"openapi": "3.1.0", "paths": {"a": 1}, "servers": [{"url": "http://["}]}'),
        ("text/html", b'<![x <script src="http://["></script><li id="L1"><mark>'),
        ("text/event-stream", b"[]"),
        ("text/event-stream", b"data: {}\n\ndata: [DONE]\n\n"),
        ("text/event-stream", b"event: citations\ndata: 1\n\nevent: done\ndata: {\n\n"),
    ],
)
def test_whatever_comes_back_is_reported(kind: str, body: bytes) -> None:
    """Nothing that a broken deployment sends is a traceback; what needs it is red."""

    async def anything(scope: Any, receive: Any, send: Any) -> None:
        await Response(body, media_type=kind)(scope, receive, send)

    document = {"id": "d-1", "label": "名", "source_sha256": "0" * 64}

    async def listed(_: Request) -> Response:
        return JSONResponse({"documents": [document]})

    app = Starlette(routes=[Route("/v1/documents", listed), Mount("/", anything)])
    with serving_app(app) as address, context_of(address) as context:
        reports = list(examine(context))
    assert [report.name for report in reports if report.ok] == ["pages"]


@pytest.mark.parametrize("last", ["v1", "dify", "mcp"])
def test_the_address_that_a_client_is_given_is_not_the_deployments(url: str, last: str) -> None:
    result = run("--url", f"{url}/{last}", "--question", QUESTION)
    assert result.exit_code == 2
    assert f"地址不要带上 /{last}。" in result.stderr


# Spans.


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({}, ""),
        ({"quote": "守塔人每天傍晚点灯，清晨熄灯。"}, ""),
        ({"start_char": 53}, "引文是"),
        ({"end_char": 9999}, "不在原文里"),
        ({"start_char": -1}, "不在原文里"),
        ({"end_line": 6}, "却说是第 4–6 行"),
        ({"quote": ""}, "引文是"),
    ],
)
def test_spans_are_checked_against_the_source(change: dict[str, Any], fault: str) -> None:
    (cited,) = FakeEngine().ask(QUESTION).citations
    claim = Cited(LIGHTHOUSE, cited.start_char, cited.end_char, cited.start_line, cited.end_line, cited.quote)
    found = span_fault(replace(claim, **change), PAGE)
    assert (found == "") == (fault == "")
    assert fault in found


def test_a_link_says_by_itself_what_it_cites() -> None:
    assert cited_of_url(f"https://qa.example.org/x/{SPAN}") == CITED
    assert cited_of_url("/documents/d%2F1?chars=3-7#L2") == Cited("d/1", 3, 7, 2, 2)
    assert cited_of_url("/documents/d?chars=3-7") is None


def test_addresses_lose_their_last_slash_and_nothing_else() -> None:
    assert checked_url("https://qa.example.org/cewen//") == "https://qa.example.org/cewen"
    with pytest.raises(InputError):
        checked_url("ftp://qa.example.org")


def test_readiness_and_errors_belong_to_the_native_surface(url: str) -> None:
    with context_of(url) as context:
        checks = [finding.check for finding in NATIVE.report(context).findings]
    assert checks == ["ready", "errors", "marks", "true_spans", "links", "repeatable", "search", "abstains"]


def test_it_trusts_nothing_that_makes_the_replies() -> None:
    allowed = {"api.cli.console", "rag.errors", "rag.inputs", "rag.settings"}
    for path in Path(api.doctor.__file__).parent.glob("*.py"):
        ours = {name for name in imports_of(path) if name.split(".")[0] in {"api", "rag", "index", "cewen"}}
        modules = {".".join(name.split(".")[:2]) for name in ours if not name.startswith("api.doctor")}
        assert modules <= allowed, path.name
