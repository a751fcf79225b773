"""`cewen mcp`: the process, with nothing but the protocol on its standard output."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import anyio
import pytest
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client

from api.engine_slot import EngineSlot
from api.mcp_server.stdio import provide_from
from rag.errors import UnavailableError
from rag.settings import read_settings
from tests.api_fakes import LIGHTHOUSE, FakeEngine
from tests.conftest import sample_settings
from tests.mcp_wire import LIMIT_SECONDS, MODES, NEW, OLD, refusal, request_of, structured

PROJECT = Path(__file__).parent.parent
REVISIONS = pytest.mark.parametrize("revision", [OLD, NEW])
ASK: dict[str, Any] = {"name": "ask", "arguments": {"question": "清晨熄灯"}}
INITIALIZE: dict[str, Any] = {
    "protocolVersion": OLD,
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}

# The engine speaks where it should not, and opens as the settings say.
SCRIPT = """
import os, sys, threading
from rag.errors import ConfigError
from api.cli.commands import app
from api.cli.parts import Parts
from tests.api_fakes import FakeEngine

def opened(settings, progress):
    print("stray words")
    os.write(1, b"stray bytes\\n")
    progress("chunk", 1, 2)
    if settings.generator == "broken":
        raise ConfigError("没有这样的语料。")
    if settings.generator == "never":
        threading.Event().wait()
    return FakeEngine(lambda: print("stray words"))

app(["mcp"], obj=Parts(open_engine=opened))
"""


def run(
    parameters: StdioServerParameters, revision: str, log: Path, use: Any, seconds: float = LIMIT_SECONDS
) -> None:
    async def main() -> None:
        with log.open("w") as errors, anyio.fail_after(seconds):
            async with Client(stdio_client(parameters, errlog=errors), mode=MODES[revision]) as client:
                assert client.protocol_version == revision
                await use(client)

    anyio.run(main)


@REVISIONS
def test_search_fetch_and_ask(revision: str, tmp_path: Path) -> None:
    async def use(client: Client) -> None:
        assert [tool.name for tool in (await client.list_tools()).tools] == ["search", "fetch", "ask"]
        found = structured(await client.call_tool("search", {"query": "花岗岩"}))["results"][0]
        assert found["url"].startswith("http://127.0.0.1:8123/documents/")
        fetched = structured(await client.call_tool("fetch", {"id": found["id"]}))
        assert fetched["url"] == found["url"]
        answer = structured(await client.call_tool("ask", {"question": "清晨熄灯"}))
        assert answer["citations"][0]["url"].startswith("http://127.0.0.1:8123/documents/")
        assert refusal(await client.call_tool("ask", {"question": "\x00"}))["code"] == "invalid_text"

    log = tmp_path / "log"
    env = {"CEWEN_PORT": "8123"}
    parameters = StdioServerParameters(command=sys.executable, args=["-c", SCRIPT], cwd=PROJECT, env=env)
    run(parameters, revision, log, use)
    said = log.read_text("utf-8")
    assert "stray bytes" in said
    assert "正在建索引" in said
    assert "清晨熄灯" not in said
    assert "Traceback" not in said


def test_the_real_command_over_the_sample_corpus(tmp_path: Path) -> None:
    async def use(client: Client) -> None:
        question = "“141”基层智治体系覆盖了多少个乡镇街道？"
        answer = structured(await client.call_tool("ask", {"question": question}))
        assert answer["status"] == "answered"
        cited = answer["citations"][0]
        part = f"{cited['document_id']}:{cited['start_char']}-{cited['end_char']}"
        fetched = structured(await client.call_tool("fetch", {"id": part}))
        assert (fetched["text"], fetched["url"]) == (cited["quote"], cited["url"])

    command = str(Path(sys.executable).parent / "cewen")
    settings = sample_settings()
    places = {"CEWEN_INDEX_DIR": str(settings.index_dir), "CEWEN_STORE_DIR": str(settings.store_dir)}
    parameters = StdioServerParameters(command=command, args=["mcp"], cwd=tmp_path, env=os.environ | places)
    run(parameters, NEW, tmp_path / "log", use, seconds=180)
    assert "Traceback" not in (tmp_path / "log").read_text("utf-8")


# The process itself.


class Served:
    """The process with its pipes."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def pipe(self, of: IO[bytes] | None) -> IO[bytes]:
        assert of
        return of

    def send(self, message: dict[str, Any]) -> None:
        pipe = self.pipe(self.process.stdin)
        pipe.write(json.dumps(message).encode() + b"\n")
        pipe.flush()

    def line(self) -> Any:
        return json.loads(self.pipe(self.process.stdout).readline())

    def end(self) -> tuple[int, bytes, str]:
        out, err = self.process.communicate(timeout=LIMIT_SECONDS)
        return self.process.returncode, out, err.decode()


@contextmanager
def served(**env: str) -> Iterator[Served]:
    process = subprocess.Popen(
        [sys.executable, "-c", SCRIPT],
        cwd=PROJECT,
        env=os.environ | env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    try:
        yield Served(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            assert pipe
            pipe.close()


def test_no_input_at_all_ends_it() -> None:
    with served() as it:
        assert it.end()[:2] == (0, b"")


def test_an_interrupt_ends_it_at_once() -> None:
    with served() as it:
        it.send(request_of("initialize", INITIALIZE))
        it.line()
        it.process.send_signal(signal.SIGINT)
        assert it.process.wait(LIMIT_SECONDS) == 130
        code, out, err = it.end()
    assert (code, out) == (130, b"")
    assert "Traceback" not in err


def test_it_greets_while_the_engine_is_opening_and_ends_all_the_same() -> None:
    with served(CEWEN_GENERATOR="never") as it:
        it.send(request_of("initialize", INITIALIZE))
        assert it.line()["result"]["serverInfo"]["name"] == "cewen"
        it.send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        it.send(request_of("tools/list"))
        assert len(it.line()["result"]["tools"]) == 3
        it.send(request_of("tools/call", ASK))  # waits, until nobody waits for it
        it.send(request_of("ping") | {"id": 2})
        assert it.line()["id"] == 2
        code, _, err = it.end()
    assert code == 0
    assert "Traceback" not in err


def test_an_engine_that_cannot_be_opened_is_told_to_both_sides() -> None:
    with served(CEWEN_GENERATOR="broken") as it:
        it.send(request_of("tools/call", ASK, revision=NEW))
        result = it.line()["result"]
        assert result["isError"] is True
        assert '"startup_failed"' in result["content"][0]["text"]
        code, out, err = it.end()
    assert (code, out) == (2, b"")
    assert err.endswith("错误：没有这样的语料。（invalid_configuration）\n")
    assert "Traceback" not in err


def test_a_client_that_stops_reading_is_no_accident() -> None:
    with served() as it:
        it.send(request_of("tools/list", revision=NEW))
        it.line()
        it.pipe(it.process.stdout).close()
        it.send(request_of("tools/list", revision=NEW))
        it.pipe(it.process.stdin).close()
        err = it.pipe(it.process.stderr).read().decode()
        assert it.process.wait(LIMIT_SECONDS) == 0
    assert "Traceback" not in err


def test_rubbish_does_not_end_it_and_the_end_of_input_does() -> None:
    with served() as it:
        for line in (b"{", b"[]", b"\xff\xfe", b"1", b"", b"[" * 50_000, b'{"jsonrpc":"2.0"}', b'{"id":[]}'):
            it.pipe(it.process.stdin).write(line + b"\n")
        it.send(request_of("tools/call", ASK, revision=NEW))
        assert it.line()["result"]["structuredContent"]["status"] == "answered"
        code, out, err = it.end()
    assert (code, out) == (0, b"")
    assert "Traceback" not in err


# Its parts.


def test_a_call_waits_for_the_engine_but_not_for_ever() -> None:
    settings = read_settings(host="::1", port=8123)
    slot = EngineSlot(FakeEngine)
    provide = provide_from(slot, settings, opening_seconds=0.01)
    with pytest.raises(UnavailableError) as caught:
        anyio.run(provide, None)
    assert caught.value.code == "not_ready"
    slot.open()
    means = anyio.run(provide, None)
    assert means.library.engine().document(LIGHTHOUSE)
    assert means.link("/documents/x") == "http://[::1]:8123/documents/x"


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({"host": "0.0.0.0", "port": 80}, "http://127.0.0.1:80"),  # noqa: S104
        ({"host": "qa.lan"}, "http://qa.lan:8000"),
        ({"public_url": "https://qa.example.org/x/"}, "https://qa.example.org/x"),
    ],
)
def test_links_lead_to_the_service_of_the_settings(given: dict[str, Any], address: str) -> None:
    slot = EngineSlot(FakeEngine)
    slot.open()
    means = anyio.run(provide_from(slot, read_settings(**given)), None)
    assert means.link("/documents/x") == f"{address}/documents/x"


def test_importing_the_surfaces_does_not_import_the_sdk() -> None:
    script = (
        "import sys, api.app, api.cli.commands, api.mcp_server.stdio;"
        "print([name for name in ('mcp', 'mcp_types', 'httpx2') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"
