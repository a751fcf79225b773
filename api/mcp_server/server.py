"""The tools as an MCP server of the official SDK, whatever the transport. This module imports the SDK.

What goes wrong in a tool is told in the tool's result, so that a model reads it and does better: our error
shape with its stable code. Only an unknown tool and a malformed request are errors of the protocol. The
low-level server is used, because it leaves schemas and texts exactly as they are written here.
"""

from __future__ import annotations

import json
import logging
import threading
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import anyio
import anyio.to_thread
import mcp_types as types
from mcp.server.caching import CacheHint
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from pydantic import BaseModel
from starlette.requests import Request

from api.errors.codes import CODES, row_of, told
from api.errors.handling import note_refusal, request_id_of
from api.errors.shapes import Failure, native
from api.guards.limits import AdmissionGate
from api.mcp_server.tools import TOOLS, Tool
from api.pages.links import Linker
from api.ports import Library
from rag.errors import CewenError, UnavailableError
from rag.inputs import excerpt

_logger = logging.getLogger(__name__)

_INSTRUCTIONS = (
    "策问只依据一个中文文库作答。要答案用 ask，要读原文用 search 再 fetch。"
    "工具有参数 collection 时，文库不止一个，按它的说明选；不选是 default。"
    "引用时保留答案里的 [n]，在文末按编号列出引文的 title、行号（start_line 到 end_line）和 url；"
    "quote 是原文逐字的一段，不要改动。"
    "status 为 abstained 表示文库没有说：请照实转告，不要用别处的知识补上，也不要把 related 当作答案。"
)
_CACHE = CacheHint(ttl_ms=60_000, scope="public")
"""The tools change only when the service is replaced, but the collections that they offer may at any time."""

_HINTS = types.ToolAnnotations(
    read_only_hint=True, idempotent_hint=True, destructive_hint=False, open_world_hint=False
)


@dataclass(frozen=True, slots=True)
class Means:
    """What a call works with; each transport provides it.

    Attributes:
        library: Open.
        link: Makes links absolute.
        gate: Lets calls that compute in.
    """

    library: Library
    link: Linker
    gate: AdmissionGate


Provide = Callable[[Request | None], Awaitable[Means]]
"""Gives the means for a call; the HTTP request it came in, or None. May raise any `CewenError`."""


Names = Callable[[], Sequence[str] | None]
"""Gives the names of the collections; None as long as that is not known. It is called in a thread."""


def names_of(library: Library | None) -> list[str] | None:
    """The names of a library's collections; None if it is not open."""
    return None if library is None else [info.name for info in library.collections()]


def make_server(provide: Provide, names: Names) -> Server[Any]:
    """An MCP server.

    Args:
        provide: Gives what each call works with.
        names: The collections that the tools offer to choose from.
    """

    async def list_tools(
        _: ServerRequestContext[Any], params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        if params is not None and params.cursor is not None:
            raise MCPError(types.INVALID_PARAMS, "工具列表只有一页，没有 cursor。请不带 cursor 再取。")
        offered = await anyio.to_thread.run_sync(names)
        return types.ListToolsResult(tools=[_described(tool, offered) for tool in TOOLS.values()])

    async def call_tool(
        context: ServerRequestContext[Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult:
        tool = TOOLS.get(params.name)
        if tool is None:
            known = "、".join(TOOLS)
            raise MCPError(types.INVALID_PARAMS, f"没有名为{excerpt(params.name)}的工具。可用的有：{known}。")
        return await _call(tool, params.arguments or {}, context.request, provide)

    server = Server[Any](
        "cewen",
        version=version("cewen"),
        title="策问",
        description="向一个中文文库提问，得到逐句带引文的答案",
        instructions=_INSTRUCTIONS,
        cache_hints={"tools/list": _CACHE, "server/discover": _CACHE},
        get_tool_input_schema=lambda name: TOOLS[name].input_schema_for(None) if name in TOOLS else None,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
    # The SDK would trace every message, arguments included, and export it where a variable says.
    server.middleware.clear()
    return server


def _described(tool: Tool, names: Sequence[str] | None) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.input_schema_for(names),
        output_schema=tool.output_schema,
        annotations=_HINTS,
    )


async def _call(
    tool: Tool, arguments: Mapping[str, Any], request: Request | None, provide: Provide
) -> types.CallToolResult:
    try:
        asked = tool.read(arguments)
        result = await _run(tool, asked, await provide(request))
    except CewenError as error:
        return _failed(error, request)
    except Exception as error:  # noqa: BLE001 -- nothing of it may reach the caller but that it happened
        return _failed(error, request)
    # Twice the same: clients older than structured content read the text, newer ones the structure.
    text = result.model_dump_json(exclude_unset=True)
    content: list[types.ContentBlock] = [types.TextContent(text=text)]
    return types.CallToolResult(
        content=content, structured_content=result.model_dump(mode="json", exclude_unset=True)
    )


async def _run(tool: Tool, asked: BaseModel, means: Means) -> BaseModel:
    """Run a tool in a thread, behind the gate if it computes, and tell it when nobody waits any more."""
    if tool.computes and not await means.gate.enter():
        raise UnavailableError(means.gate.refusal, code="overloaded")
    try:
        return await _threaded(partial(tool.run, means.library, asked, means.link))
    finally:
        if tool.computes:
            means.gate.leave()


async def _threaded(work: Callable[[Callable[[], bool]], BaseModel]) -> BaseModel:
    """Work in a thread that is told when nobody waits, and waited for all the same.

    Whoever left the thread to itself would give its place to the next while it still computes.
    """
    left = threading.Event()
    result: list[BaseModel | Exception] = []

    async def watch() -> None:
        try:
            await anyio.sleep_forever()
        finally:
            left.set()

    # Not raised inside the task group, which would wrap it into a group of exceptions.
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch)
        try:
            result.append(await anyio.to_thread.run_sync(work, left.is_set))
        except Exception as error:  # noqa: BLE001 -- raised again below
            result.append(error)
        tasks.cancel_scope.cancel()
    (outcome,) = result
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def _failed(error: Exception, request: Request | None) -> types.CallToolResult:
    """An error as a tool's result, in the shape of the REST service's errors."""
    request_id = request_id_of(request.scope) if request else uuid.uuid4().hex
    known = error if isinstance(error, CewenError) else None
    row = row_of(known) if known else CODES["internal_error"]
    code = known.code if known else "internal_error"
    if request:
        note_refusal(request.scope, code)
    message = told(code, row, known.message if known else "")
    if row.status == 500:
        _logger.error("tool call %s failed: %s", request_id, code, exc_info=error)
    else:
        _logger.info("tool call %s refused: %s", request_id, code)
    _, body = native(Failure(row.status, row.type, code, message, request_id))
    # A message may quote a lone surrogate; it must not turn a refusal into an encoding error.
    text = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")
    return types.CallToolResult(content=[types.TextContent(text=text)], is_error=True)
