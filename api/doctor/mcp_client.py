"""MCP clients, played by the official SDK: one greets first (2025-11-25), one does not (2026-07-28).

What is read is what such clients read: the tools with their schemas, the structured result, the same JSON
as text for older ones, and a link wherever something is to be cited.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import anyio

from api.doctor.checks import (
    judge_abstention,
    judge_links,
    judge_marks,
    judge_spans,
    judge_text,
    judge_truth,
)
from api.doctor.connection import tls_context
from api.doctor.context import NONSENSE, Context
from api.doctor.model import LostError, Notes, Surface, shortened
from api.doctor.shapes import AnswerRead, FetchedRead, FoundListRead, FoundRead, MetadataRead, read_as
from api.doctor.spans import Cited, cited_of

if TYPE_CHECKING:
    from mcp import Client
    from mcp.types import CallToolResult, Tool

_PATH = "/mcp"
_TOOLS = ("search", "fetch", "ask")
_FETCHED = 2
_NUMBER = re.compile("[0-9]{1,9}")
_ADVICE = (
    "代理没有把 POST /mcp 连同 Accept、MCP-Protocol-Version 等请求头原样转发，"
    "或改了答复；多数 MCP 客户端只会说连不上。"
)


def _examine(mode: str, version: str, context: Context, notes: Notes) -> None:
    with _quiet():
        try:
            anyio.run(partial(_converse, mode, version, context, notes))
        except LostError:
            raise
        # Whatever goes wrong in the SDK, its transport or its groups of tasks: the client is not served.
        except Exception as error:
            cause = _first_cause(error)
            if isinstance(cause, LostError):
                raise cause from error
            seen = f"{type(cause).__name__} {cause}"
            raise LostError("session", f"MCP 会话（{version}）", shortened(seen, 160), _ADVICE) from error


async def _converse(mode: str, version: str, context: Context, notes: Notes) -> None:
    import httpx2
    from mcp import Client
    from mcp.client.streamable_http import streamable_http_client

    connection = context.connection
    http = httpx2.AsyncClient(
        headers=connection.bearer("own"),
        timeout=connection.timeout,
        trust_env=not context.links.near,
        verify=tls_context(),
    )
    transport = streamable_http_client(f"{connection.base_url}{_PATH}", http_client=http)
    with anyio.fail_after(connection.timeout * 8):
        async with (
            http,
            Client(transport, mode=mode, read_timeout_seconds=connection.timeout, cache=None) as client,
        ):
            fault = "" if client.protocol_version == version else f"谈成的是 {client.protocol_version}"
            notes.judge("session", f"协议 {version}", fault, _ADVICE)
            _judge_tools(notes, (await client.list_tools()).tools)
            answer = await _ask(client, context.question)
            nonsense = await _ask(client, NONSENSE)
            found = await _search(client, context.question)
            fetched = [(each, await _fetch(client, each.id)) for each in found[:_FETCHED]]
    # Outside the event loop, because the source is fetched by the blocking client.
    notes.show(answer.answer, *(f"search：{each.title}" for each in found[:_FETCHED]))
    judge_text(context, notes, answer.answer)
    judge_marks(notes, answer.answer, answer)
    judge_spans(context, notes, [cited_of(each) for each in answer.citations])
    _judge_fetched(context, notes, found, fetched)
    links = [(each.url, cited_of(each)) for each in answer.citations]
    links += [(each.url, cited) for each, cited in ((one, _cited(two)) for one, two in fetched)]
    links += [(two.url, _cited(two)) for _, two in fetched]
    judge_links(context, notes, links)
    judge_abstention(context, notes, cited=len(nonsense.citations), text=nonsense.answer)


async def _ask(client: Client, question: str) -> AnswerRead:
    return read_as(AnswerRead, await _call(client, "ask", question=question), "ask", "ask 的结果")


async def _search(client: Client, query: str) -> list[FoundRead]:
    result = await _call(client, "search", query=query)
    return read_as(FoundListRead, result, "search", "search 的结果").results


async def _fetch(client: Client, identifier: str) -> FetchedRead:
    return read_as(FetchedRead, await _call(client, "fetch", id=identifier), "fetch", "fetch 的结果")


async def _call(client: Client, tool: str, **arguments: str) -> Any:
    """The structured result of a tool.

    Raises:
        LostError: If the tool failed, or its text is not the same JSON.
    """
    what = f"工具 {tool}"
    try:
        result: CallToolResult = await client.call_tool(tool, dict(arguments))
    except RuntimeError as error:  # how the SDK says that a result is not what the tool's schema promises
        raise LostError(tool, what, shortened(str(error), 160), _ADVICE) from error
    texts = [text for each in result.content if isinstance(text := getattr(each, "text", None), str)]
    if result.is_error:
        raise LostError(tool, what, f"答错误：{shortened(' '.join(texts), 120)}", "请看服务的日志。")
    if result.structured_content is None:
        raise LostError(tool, what, "没有 structuredContent", _ADVICE)
    try:
        same = len(texts) == 1 and json.loads(texts[0]) == result.structured_content
    except ValueError:
        same = False
    if not same:
        raise LostError(tool, what, "文字里没有同样的 JSON，旧的客户端读不到", _ADVICE)
    return result.structured_content


def _judge_tools(notes: Notes, tools: list[Tool]) -> None:
    listed = {tool.name: tool for tool in tools}
    missing = [name for name in _TOOLS if name not in listed]
    bare = [name for name in _TOOLS if name in listed and not listed[name].output_schema]
    writing = [
        name
        for name in _TOOLS
        if name in listed and not ((hints := listed[name].annotations) and hints.read_only_hint)
    ]
    faults = [f"没有 {'、'.join(missing)}"] if missing else []
    faults += [f"{'、'.join(bare)} 没有 outputSchema"] if bare else []
    faults += [f"{'、'.join(writing)} 没有标为只读，客户端每次都要问人"] if writing else []
    notes.judge("tools", "工具 search、fetch、ask 齐全，带结构，标为只读", "；".join(faults), _ADVICE)


def _judge_fetched(
    context: Context, notes: Notes, found: list[FoundRead], fetched: list[tuple[FoundRead, FetchedRead]]
) -> None:
    if context.answered and not found:
        notes.lost("search", "search 找到段落", "这个问题有答案，却一段也没有找到", _ADVICE)
        return
    judge_truth(context, notes, [_cited(each) for _, each in fetched], what="search 再 fetch 得到的文字")
    fault = "" if all(one.id == two.id for one, two in fetched) else "fetch 给的不是所要的编号"
    untitled = [each.id for each in found if not each.title.strip()]
    fault = fault or (f"{len(untitled)} 条没有标题" if untitled else "")
    notes.judge(
        "fetch",
        "search 的每个编号都能 fetch",
        fault,
        _ADVICE,
        seen=f"{len(found)} 条，取了 {len(fetched)} 条",
    )


def _cited(fetched: FetchedRead) -> Cited:
    numbers = ("start_char", "end_char", "start_line", "end_line")
    read: dict[str, Any] = dict(fetched.metadata)
    read |= {name: int(read[name]) for name in numbers if _NUMBER.fullmatch(str(read.get(name, "")))}
    known = read_as(MetadataRead, read | {"url": fetched.url}, "metadata", "fetch 的 metadata")
    lines = known.start_line, known.end_line
    return Cited(
        known.document_id, known.start_char, known.end_char, *lines, fetched.text, known.source_sha256
    )


def _first_cause(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the SDK's log off the terminal: what matters of it becomes a finding."""
    loggers = [logging.getLogger(name) for name in ("mcp", "client", "httpx2", "httpx")]
    before = [(logger, logger.level) for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        for logger, level in before:
            logger.setLevel(level)


GREETING = Surface(
    "mcp-2025-11-25",
    "MCP（2025-11-25）",
    "现在的桌面助手和智能体：先握手，再调用工具",
    partial(_examine, "legacy", "2025-11-25"),
)
STATELESS = Surface(
    "mcp-2026-07-28",
    "MCP（2026-07-28）",
    "新一代客户端：不握手，每个请求自带版本",
    partial(_examine, "2026-07-28", "2026-07-28"),
)
