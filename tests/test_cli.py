"""The command line over an engine a person can compute, and the real process where only that shows it."""

from __future__ import annotations

import ast
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner, Result

from api.cli.asking import MAX_TOP_K
from api.cli.commands import app
from api.cli.console import Progress
from api.cli.parts import IndexSummary, Parts, settings_for
from api.cli.serve import _listen
from api.wire.schemas import AskRequest, SearchRequest
from rag.errors import CewenError, ConfigError, IndexMismatchError, UnavailableError
from rag.records import Answer
from rag.settings import Settings
from tests.api_fakes import FINGERPRINT, LIGHTHOUSE, FakeEngine, FakeLibrary, client_for

PROJECT = Path(__file__).parent.parent
COMMANDS = (
    *("ask", "search", "index", "serve", "mcp", "settings", "doctor"),
    *("add", "rm", "ls", "documents", "sync", "backup", "restore", "check", "reindex"),
    "calibrate",
)
HEAVY = ("torch", "faiss", "sentence_transformers", "transformers", "fastapi", "uvicorn", "numpy")


@dataclass
class Stage:
    """A command line over a `FakeEngine`, or a `FakeLibrary`; keeps what it was opened with."""

    engine: FakeEngine = field(default_factory=FakeEngine)
    library: FakeLibrary = field(default_factory=FakeLibrary)
    failure: BaseException | None = None
    opened_with: list[Settings] = field(default_factory=list)
    index_calls: list[str] = field(default_factory=list)

    def parts(self) -> Parts:
        return Parts(
            open_engine=self._open_engine,
            open_index=self._open_index,
            open_library=self._open_library,
            open_at_rest=lambda *_: None,
            list_entries=lambda _, collection, filters: self.library.entries(collection, filters),
        )

    def _open_library(self, settings: Settings, progress: Progress, writable: bool | None) -> FakeLibrary:
        del progress, writable
        self.opened_with.append(settings)
        if self.failure:
            raise self.failure
        return self.library

    def _open_engine(self, settings: Settings, progress: Progress) -> FakeEngine:
        self.opened_with.append(settings)
        if self.failure:
            raise self.failure
        progress("chunk", 1, 2)
        progress("window", 2, 2)
        return self.engine

    def _open_index(self, settings: Settings, rebuild: str, progress: Progress) -> IndexSummary:
        self.index_calls.append(rebuild)
        if self.failure:
            raise self.failure
        if rebuild == "always":
            progress("chunk", 5, 5)
        return IndexSummary(settings.index_dir, "f1", 2, 3, 5, built=rebuild == "always")

    def run(self, *arguments: str, **options: Any) -> Result:
        return CliRunner().invoke(app, arguments, obj=self.parts(), prog_name="cewen", **options)


@pytest.fixture(autouse=True)
def _away_from_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a developer's `.env` nor their environment decides anything here."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "NO_COLOR", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stage() -> Stage:
    return Stage()


# For programs: the bodies of the REST service, and nothing else.


@pytest.mark.parametrize("question", ["清晨熄灯", "清晨熄灯？", "火星上有灯塔吗"])
def test_ask_json_is_the_rest_body(stage: Stage, question: str) -> None:
    with client_for(stage.engine) as client:
        body = client.post("/v1/ask", json={"question": question}).json()
    result = stage.run("ask", question, "--json")
    assert result.exit_code == 0
    assert result.stdout.count("\n") == 1
    assert json.loads(result.stdout) == body


def test_search_json_is_the_rest_body(stage: Stage) -> None:
    asked = {"query": "灯塔 花岗岩", "top_k": 2, "score_threshold": 0.1}
    with client_for(stage.engine) as client:
        body = client.post("/v1/search", json=asked).json()
    assert body["hits"]
    result = stage.run("search", "灯塔 花岗岩", "--json", "--top-k", "2", "--score-threshold", "0.1")
    assert json.loads(result.stdout) == body


def test_documents_json_is_the_rest_body(stage: Stage) -> None:
    with client_for(stage.library) as client:
        body = client.get("/v1/documents").json()
    assert json.loads(stage.run("documents", "--json").stdout) == body


def test_han_characters_are_not_escaped(stage: Stage) -> None:
    assert "守塔人每天傍晚点灯" in stage.run("ask", "清晨熄灯", "--json").stdout


def test_explain_is_in_the_json_only_when_asked_for(stage: Stage) -> None:
    assert "explain" not in json.loads(stage.run("ask", "清晨熄灯", "--json").stdout)
    explained = json.loads(stage.run("ask", "清晨熄灯", "--json", "--explain").stdout)
    assert explained["explain"] == {"words": "清晨熄灯"}


def test_progress_goes_to_stderr_in_one_line(stage: Stage) -> None:
    result = stage.run("ask", "清晨熄灯", "--json")
    assert result.stderr == "正在建索引，要编码 2 行；语料和设置不变，以后就不必再建。\n"


# For people.


def test_an_answer_shows_where_each_sentence_stands(stage: Stage) -> None:
    result = stage.run("ask", "清晨熄灯")
    shown = result.stdout.split("\n")
    assert shown[0] == "守塔人每天傍晚点灯，清晨熄灯。[1]"
    assert shown[2:5] == [
        "[1] 周望潮、林听雨：望海角灯塔…",
        "    第 1 段 · 第 4–5 行 · 逐字相同 · 相关度 1.00",
        "    守塔人每天傍晚点灯，清晨熄灯。",
    ]
    assert shown[6] == "可信度 1.00 · 生成器 fake · 0 毫秒 · 指纹 fake-1"
    assert "\x1b" not in result.output


def test_authors_are_named_where_the_label_does_not(stage: Stage) -> None:
    assert "[1] 茶山笔记<初稿> · 何采薇\n" in stage.run("ask", "明前茶").stdout


def test_an_abstention_is_shown_as_one(stage: Stage) -> None:
    result = stage.run("ask", "火星上有灯塔吗")
    assert result.exit_code == 0
    shown = result.stdout.split("\n")
    assert shown[:2] == ["不作答：文中没有说（not_stated）", "文库里没有说到这件事。"]
    assert shown[3] == "最接近的段落（不是答案）"
    assert shown[4].startswith("1. ")
    assert "可信度 0.00" in result.stdout


class PublicEngine(FakeEngine):
    """Its links are absolute."""

    def ask(self, question: str, **options: Any) -> Answer:
        answer = super().ask(question, **options)
        cited = tuple(replace(c, url=f"https://qa.example.org{c.url}") for c in answer.citations)
        return replace(answer, citations=cited)


def test_links_are_shown_when_they_can_be_opened(stage: Stage) -> None:
    assert "/documents/" not in stage.run("ask", "清晨熄灯").stdout
    shown = Stage(PublicEngine()).run("ask", "清晨熄灯").stdout
    assert re.search(r"^    https://qa\.example\.org/documents/\S+#L4-L5$", shown, re.MULTILINE)


def test_explain_for_people(stage: Stage) -> None:
    assert '"words": "清晨熄灯"' in stage.run("ask", "清晨熄灯", "--explain").stdout


def test_search_for_people(stage: Stage) -> None:
    shown = stage.run("search", "花岗岩", "--top-k", "1").stdout
    assert shown.startswith("1. 周望潮、林听雨：望海角灯塔…\n    第 1 段 · 第 3–5 行 · 相关度 1.00\n")
    assert shown.endswith(f"1 段 · 指纹 {FINGERPRINT}\n")
    assert "没有合适的段落。" in stage.run("search", "火", "--score-threshold", "1").stdout


def test_documents_for_people(stage: Stage) -> None:
    shown = stage.run("documents").stdout
    assert f"    作者单位：望海角航标处 · 编号 {LIGHTHOUSE}\n" in shown
    assert shown.endswith("共 2 篇\n")


def test_colour_is_for_terminals_that_want_it(stage: Stage) -> None:
    terminal = {"FORCE_COLOR": "1", "TERM": "xterm-256color"}
    assert "\x1b[1;36m[1]" in stage.run("ask", "清晨熄灯", env=terminal).stdout
    assert "36m" not in stage.run("ask", "清晨熄灯", env=terminal | {"NO_COLOR": "1"}).stdout


def test_long_lines_are_folded_on_a_terminal_only(stage: Stage) -> None:
    terminal = {"FORCE_COLOR": "1", "NO_COLOR": "1", "COLUMNS": "20"}
    quote = "守塔人每天傍晚点灯，清晨熄灯。"
    assert quote not in stage.run("ask", "清晨熄灯", env=terminal).stdout
    assert quote in stage.run("ask", "清晨熄灯", env={"COLUMNS": "20"}).stdout


# What is asked, and with which settings.


def test_options_reach_the_engine(stage: Stage) -> None:
    stage.run("ask", "清晨熄灯", "--top-k", "3", "--generator", "fake", "--index-dir", "there")
    assert stage.engine.asked == [{"question": "清晨熄灯", "history": (), "top_k": 3, "generator": "fake"}]
    assert stage.opened_with[0].index_dir == Path("there")


def test_another_corpus_has_an_index_of_its_own(tmp_path: Path) -> None:
    usual, other, third = (settings_for(seeds, None) for seeds in (None, tmp_path, tmp_path / "x"))
    assert len({usual.index_dir, other.index_dir, third.index_dir}) == 3
    assert other.index_dir.parent == other.cache_dir / "indexes"
    assert settings_for(tmp_path, None) == other
    assert len({usual.store_dir, other.store_dir, third.store_dir}) == 3
    mine = settings_for(tmp_path, tmp_path / "mine")
    assert (mine.index_dir, mine.store_dir) == (tmp_path / "mine", tmp_path / "mine" / "store")
    assert settings_for(None, tmp_path / "mine").store_dir == usual.store_dir


@pytest.mark.parametrize("typed", ["清晨熄灯\n", "清晨熄灯", "清晨熄灯\r\n", "\ufeff清晨熄灯\n"])
def test_a_question_from_stdin(stage: Stage, typed: str) -> None:
    assert stage.run("ask", "-", input=typed).exit_code == 0
    assert stage.engine.asked[0]["question"] == "清晨熄灯"


def test_a_query_from_stdin(stage: Stage) -> None:
    assert stage.run("search", "-", input="花岗岩\n").stdout.startswith("1. 周望潮")


def test_the_index_is_verified_built_or_refused(stage: Stage, tmp_path: Path) -> None:
    verified = stage.run("index", "--index-dir", str(tmp_path))
    assert verified.stdout == f"索引与语料和设置相符：2 篇，3 个段块，5 个句子\n指纹 f1 · {tmp_path}\n"
    assert stage.run("index", "--rebuild").stdout.startswith("索引已建好：")
    stage.run("index", "--check")
    assert stage.index_calls == ["if-needed", "always", "never"]
    assert json.loads(stage.run("index", "--json", "--index-dir", "there").stdout) == {
        "index_dir": "there",
        "fingerprint": "f1",
        "documents": 2,
        "chunks": 3,
        "sentences": 5,
        "built": False,
    }


def test_settings_say_what_holds(stage: Stage) -> None:
    result = stage.run("settings", "--json", "--seeds", "essays", env={"CEWEN_PORT": "8123"})
    settings = json.loads(result.stdout)
    assert set(settings) == set(Settings.model_fields)
    assert (settings["port"], settings["seeds_dir"]) == (8123, "essays")
    rows = stage.run("settings", env={"CEWEN_PORT": "8123"}).stdout.split("\n")
    changed = [row.split()[0] for row in rows if "已改" in row]
    assert changed == ["CEWEN_PORT"]


def test_the_range_of_top_k_is_the_one_of_the_rest_service() -> None:
    for request in (AskRequest, SearchRequest):
        limits = {limit.__class__.__name__: limit for limit in request.model_fields["top_k"].metadata}
        assert (limits["Ge"].ge, limits["Le"].le) == (1, MAX_TOP_K)


# What goes wrong, and how it is said.


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["ask", ""], "empty_question"),
        (["ask", " 　\t"], "empty_question"),
        (["ask", "问" * 2001], "question_too_long"),
        (["ask", "问\udcff"], "invalid_text"),
        (["ask", "问\x07"], "invalid_text"),
        (["ask", "问", "--top-k", "0"], "invalid_request"),
        (["ask", "问", "--top-k", "51"], "invalid_request"),
        (["ask", "问", "--generator", "\udcff"], "generator_not_found"),
        (["search", ""], "empty_query"),
        (["search", "问" * 2001], "query_too_long"),
        (["search", "问", "--score-threshold", "1.5"], "invalid_request"),
        (["search", "问", "--score-threshold", "nan"], "invalid_request"),
        (["index", "--rebuild", "--check"], "invalid_request"),
    ],
)
def test_bad_input_is_exit_1(stage: Stage, arguments: list[str], code: str) -> None:
    result = stage.run(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.splitlines()[-1].startswith("错误：")
    assert result.stderr.endswith(f"（{code}）\n")


@pytest.mark.parametrize("piped", ["问".encode("gb18030"), b"x" * 65_537, b"", b"\n"])
def test_bad_input_from_stdin_is_exit_1(stage: Stage, piped: bytes) -> None:
    result = stage.run("ask", "-", input=piped)
    assert (result.exit_code, result.stdout, stage.opened_with) == (1, "", [])
    assert result.stderr.startswith("错误：")


@pytest.mark.parametrize(
    "failure",
    [ConfigError("没有模型。"), IndexMismatchError("不符。"), UnavailableError("忙。", code="index_busy")],
)
@pytest.mark.parametrize("arguments", [["ask", "问"], ["search", "问"], ["index"]])
def test_unusable_parts_are_exit_2(failure: CewenError, arguments: list[str]) -> None:
    result = Stage(failure=failure).run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr == f"错误：{failure.message}（{failure.code}）\n"


def test_missing_seeds_are_exit_2_in_the_real_parts() -> None:
    result = CliRunner().invoke(app, ["documents", "--seeds", "nowhere"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "'nowhere' 不存在" in result.stderr


def test_a_bad_setting_is_exit_2(stage: Stage) -> None:
    result = stage.run("settings", env={"CEWEN_PORT": "8000x"})
    assert result.exit_code == 2
    assert "CEWEN_PORT='8000x'" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "exit_code"),
    [(["ask"], 1), (["ask", "问", "--no"], 1), (["nothing"], 1), (["eval", "--no"], 2), (["eval", "no"], 2)],
)
def test_a_wrong_command_line(stage: Stage, arguments: list[str], exit_code: int) -> None:
    result = stage.run(*arguments)
    assert (result.exit_code, result.stdout) == (exit_code, "")
    assert re.fullmatch(r"错误：命令行有误：.+。请用 cewen.* --help 查看用法。\n", result.stderr)


def test_an_interrupt_is_quiet() -> None:
    result = Stage(failure=KeyboardInterrupt()).run("ask", "问")
    assert (result.exit_code, result.output) == (130, "")


def test_a_fault_of_ours_is_not_hidden() -> None:
    result = Stage(failure=ZeroDivisionError()).run("ask", "问")
    assert isinstance(result.exception, ZeroDivisionError)


def test_a_taken_port_is_exit_2(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        result = stage.run("serve", "--port", str(port))
    assert (result.exit_code, result.stdout) == (2, "")
    assert f"无法监听 127.0.0.1:{port}：端口已被占用。" in result.stderr


# The process.


def python(script: str, *, env: dict[str, str] | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=os.environ | (env or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_the_console_script() -> None:
    (script,) = entry_points(group="console_scripts", name="cewen")
    assert script.value == "api.cli.commands:main"


def test_help_loads_nothing_heavy() -> None:
    script = f"""
import sys
from api.cli.commands import main
for command in [[], *([name] for name in {COMMANDS!r})]:
    sys.argv = ["cewen", *command, "--help"]
    try:
        main()
    except SystemExit as end:
        assert end.code == 0, end.code
print([name for name in {(*HEAVY, "evals", "rag.settings")!r} if name in sys.modules])
"""
    out, err = python(script).communicate(timeout=60)
    helped, _, loaded = out.decode().rstrip("\n").rpartition("\n")
    assert (ast.literal_eval(loaded), err) == ([], b"")
    assert all(f" {command} " in helped for command in (*COMMANDS, "eval"))


def test_output_is_utf8_whatever_the_locale_says() -> None:
    env = {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}
    script = "import sys; from api.cli.commands import main; sys.argv[1:] = ['ask', '\\udcff']; main()"
    out, err = python(script, env=env).communicate(timeout=60)
    assert out == b""
    assert "U+DCFF" in err.decode("utf-8")


def test_a_reader_that_goes_away_is_no_accident() -> None:
    process = python("import sys; from api.cli.commands import main; sys.argv[1:] = ['settings']; main()")
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(60)


SERVE = """
import sys
from rag.errors import ConfigError
from api.cli.commands import app
from api.cli.console import Progress
from api.cli.parts import Parts
from tests.api_fakes import FakeEngine

def opened(settings, progress):
    if settings.generator == "broken":
        raise ConfigError("没有这样的语料。")
    progress("chunk", 1, 2)
    return FakeEngine()

app(["serve", "--port", "0"], obj=Parts(open_engine=opened))
"""


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    process = python(SERVE, env={"CEWEN_DATA_DIR": str(tmp_path)})  # no key of the developer's
    try:
        assert process.stdout
        said = process.stdout.readline().decode()
        address = re.fullmatch(r"策问 (http://127\.0\.0\.1:[0-9]+)\n", said)
        assert address, said
        yield process, address[1]
    finally:
        process.kill()
        process.communicate()


def test_serve(served: tuple[subprocess.Popen[bytes], str]) -> None:
    process, address = served
    with httpx.Client(base_url=address, trust_env=False) as client:
        assert client.get("/healthz").status_code == 200
        deadline = time.monotonic() + 20
        while client.get("/readyz").status_code == 503 and time.monotonic() < deadline:
            pass
        body = client.post("/v1/ask?note=私房话", json={"question": "清晨熄灯"}).json()
        assert body["status"] == "answered"
        assert client.get("/openapi.json").json()["servers"] == [{"url": address}]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    log = err.decode()
    assert (process.returncode, out) == (130, b"")
    assert '"POST /v1/ask HTTP/1.1" 200' in log
    assert "2 篇文章" in log
    for kept_out in ("清晨熄灯", "note", "Traceback"):
        assert kept_out not in log


def test_a_service_without_an_engine_ends() -> None:
    process = python(SERVE, env={"CEWEN_GENERATOR": "broken"})
    _, err = process.communicate(timeout=30)
    assert process.returncode == 2
    assert err.decode().count("没有这样的语料。") == 1
    assert b"Traceback" not in err


def test_the_parts_of_a_reply_do_not_wait_for_each_other() -> None:
    with (
        _listen("127.0.0.1", 0) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
