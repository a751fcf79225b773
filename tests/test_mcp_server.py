"""The MCP server in memory, through the SDK's own client in both revisions."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator
from mcp import Client
from mcp.shared.exceptions import MCPError
from starlette.requests import Request

from api.fixed_library import as_library
from api.guards.limits import AdmissionGate
from api.mcp_server.server import Means, Provide, make_server
from api.pages.links import linker_to
from api.ports import Engine
from rag.errors import CewenError, CitationError, UnavailableError
from rag.records import Answer
from tests.api_fakes import FakeEngine
from tests.mcp_wire import (
    LIMIT_SECONDS,
    LOOPBACK,
    MODES,
    NEW,
    OLD,
    PATIENT_QUESTION,
    PatientEngine,
    refusal,
    structured,
)

pytestmark = pytest.mark.parametrize("revision", [OLD, NEW])


def gate_of(places: int = 2, waiting: int = 0) -> AdmissionGate:
    return AdmissionGate(max_concurrent=places, max_waiting=waiting, wait_seconds=LIMIT_SECONDS)


def provider(engine: Engine, gate: AdmissionGate | None = None) -> Provide:
    means = Means(as_library(engine), linker_to(LOOPBACK), gate or gate_of())

    async def provide(request: Request | None) -> Means:
        assert request is None
        return means

    return provide


def run(revision: str, provide: Provide, use: Callable[[Client], Awaitable[None]], mode: str = "") -> None:
    async def main() -> None:
        with anyio.fail_after(LIMIT_SECONDS):
            server = make_server(provide, lambda: ["default"])
            async with Client(server, mode=mode or MODES[revision]) as client:
                assert client.protocol_version == revision
                await use(client)

    anyio.run(main)


def test_the_server_says_who_it_is(revision: str) -> None:
    async def use(client: Client) -> None:
        assert client.server_info is not None
        assert (client.server_info.name, client.server_info.version) == ("cewen", version("cewen"))
        assert "abstained" in (client.instructions or "")
        capabilities = client.server_capabilities
        assert capabilities.tools is not None
        assert (capabilities.resources, capabilities.prompts) == (None, None)

    # The client asks `server/discover` only where it is left to find out the revision.
    run(revision, provider(FakeEngine()), use, "auto" if revision == NEW else "legacy")


def test_the_tools_are_listed_read_only_with_schemas(revision: str) -> None:
    async def use(client: Client) -> None:
        tools = (await client.list_tools()).tools
        assert [tool.name for tool in tools] == ["search", "fetch", "ask"]
        for tool in tools:
            assert tool.annotations is not None
            hints = tool.annotations.model_dump(by_alias=True, exclude_none=True)
            assert hints == {
                "readOnlyHint": True,
                "idempotentHint": True,
                "destructiveHint": False,
                "openWorldHint": False,
            }
            assert tool.title
            assert tool.description
            Draft202012Validator.check_schema(tool.input_schema)
            assert tool.output_schema is not None
            Draft202012Validator.check_schema(tool.output_schema)
        with pytest.raises(MCPError) as caught:
            await client.list_tools(cursor="2")
        assert caught.value.code == -32602

    run(revision, provider(FakeEngine()), use)


def test_every_result_fits_the_schema_that_is_listed(revision: str) -> None:
    async def use(client: Client) -> None:
        schemas = {tool.name: tool.output_schema or {} for tool in (await client.list_tools()).tools}

        async def call(name: str, **arguments: Any) -> dict[str, Any]:
            content = structured(await client.call_tool(name, arguments))
            Draft202012Validator(schemas[name]).validate(content)
            return content

        found = (await call("search", query="灯塔"))["results"]
        for result in found:
            fetched = await call("fetch", id=result["id"])
            assert fetched["url"] == result["url"] != ""
            assert fetched["text"]
        assert (await call("ask", question="清晨熄灯"))["status"] == "answered"
        assert (await call("ask", question="火星上有灯塔吗"))["status"] == "abstained"

    run(revision, provider(FakeEngine()), use)


def test_bad_input_is_told_in_the_result(revision: str) -> None:
    async def use(client: Client) -> None:
        error = refusal(await client.call_tool("ask", {"question": "问" * 2001}))
        assert (error["type"], error["code"]) == ("invalid_request", "question_too_long")
        assert "2001" in error["message"]
        assert refusal(await client.call_tool("fetch", {"id": "x"}))["code"] == "passage_not_found"
        assert refusal(await client.call_tool("search", {}))["code"] == "invalid_request"

    run(revision, provider(FakeEngine()), use)


def test_an_unknown_tool_is_an_error_of_the_protocol(revision: str) -> None:
    async def use(client: Client) -> None:
        with pytest.raises(MCPError, match="没有名为“删除”的工具。可用的有：search、fetch、ask。") as caught:
            await client.call_tool("删除", {})
        assert caught.value.code == -32602

    run(revision, provider(FakeEngine()), use)


class Failing(FakeEngine):
    """Raises what it was given."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def ask(self, question: str, **options: Any) -> Answer:
        super().ask(question, **options)
        raise self._error


@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (ValueError("密文"), "internal_error", False),
        (MemoryError("密文"), "internal_error", False),
        (CitationError("偏移 3-9 不是“密文”"), "citation_mismatch", False),
        (CewenError("密文", code="plug_in_code"), "plug_in_code", False),
        (UnavailableError("正在关闭。"), "unavailable", True),
    ],
)
def test_a_fault_of_ours_shows_nothing_of_itself(
    revision: str, error: Exception, code: str, told: bool
) -> None:
    async def use(client: Client) -> None:
        said = refusal(await client.call_tool("ask", {"question": "灯"}))
        assert said["code"] == code
        assert ("正在关闭" in said["message"]) == told
        assert "密文" not in str(said)

    run(revision, provider(Failing(error)), use)


def test_an_engine_that_is_not_there_is_told_in_the_result(revision: str) -> None:
    async def absent(_: Request | None) -> Means:
        raise UnavailableError("正在打开。", code="not_ready")

    async def use(client: Client) -> None:
        error = refusal(await client.call_tool("search", {"query": "灯"}))
        assert (error["type"], error["code"], error["message"]) == ("unavailable", "not_ready", "正在打开。")

    run(revision, absent, use)


def test_too_many_at_once_are_told_to_come_again_and_fetching_goes_on(revision: str) -> None:
    running, release = threading.Semaphore(0), threading.Event()

    def block() -> None:
        running.release()
        assert release.wait(LIMIT_SECONDS)

    gate = gate_of(places=1)

    async def use(client: Client) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "ask", {"question": "清晨熄灯"})
            assert await anyio.to_thread.run_sync(running.acquire, True, LIMIT_SECONDS)
            try:
                for name, arguments in (("ask", {"question": "灯"}), ("search", {"query": "灯"})):
                    error = refusal(await client.call_tool(name, arguments))
                    assert error["code"] == "overloaded"
                    assert error["message"].endswith("请稍后再试。")
                assert refusal(await client.call_tool("fetch", {"id": "x"}))["code"] == "passage_not_found"
                assert len((await client.list_tools()).tools) == 3
            finally:
                release.set()
        assert structured(await client.call_tool("ask", {"question": "清晨熄灯"}))["status"] == "answered"

    run(revision, provider(FakeEngine(block), gate), use)


def test_a_place_is_held_as_long_as_its_thread_computes(revision: str) -> None:
    running, release = threading.Semaphore(0), threading.Event()

    def deaf() -> None:
        running.release()
        assert release.wait(LIMIT_SECONDS)

    async def use(client: Client) -> None:
        waiting = anyio.CancelScope()

        async def gives_up() -> None:
            with waiting:
                await client.call_tool("ask", {"question": "清晨熄灯"})

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(gives_up)
            assert await anyio.to_thread.run_sync(running.acquire, True, LIMIT_SECONDS)
            waiting.cancel()
            try:
                assert refusal(await client.call_tool("ask", {"question": "灯"}))["code"] == "overloaded"
            finally:
                release.set()

    run(revision, provider(FakeEngine(deaf), gate_of(places=1, waiting=0)), use)


def test_who_gives_up_is_not_computed_for(revision: str) -> None:
    engine = PatientEngine()

    async def use(client: Client) -> None:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.call_tool, "ask", {"question": PATIENT_QUESTION})
            assert await anyio.to_thread.run_sync(engine.begun.acquire, True, LIMIT_SECONDS)
            tasks.cancel_scope.cancel()
        assert await anyio.to_thread.run_sync(engine.gave_up.acquire, True, LIMIT_SECONDS)
        assert structured(await client.call_tool("ask", {"question": "清晨熄灯"}))["status"] == "answered"

    run(revision, provider(engine, gate_of(places=1, waiting=1)), use)
