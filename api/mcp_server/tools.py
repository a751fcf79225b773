"""What the tools do: arguments and a library in, a published result out. No protocol and no SDK here.

A tool runs in a worker thread and raises our own errors; what becomes of them is `server`'s business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError

from api.errors.validation import describe_problems
from api.library_records import COLLECTION_NAME
from api.mcp_server.fetching import fetch
from api.mcp_server.shapes import (
    AskArguments,
    FetchArguments,
    FetchedText,
    FoundPassage,
    SearchArguments,
    SearchResults,
    choosing,
    schema_of,
)
from api.pages.links import Linker
from api.ports import Engine, Library
from api.wire.convert import ask_reply, filters_of
from api.wire.schemas import AskReply
from rag.errors import InputError, NotFoundError
from rag.inputs import MAX_QUERY_CHARS, MAX_TURN_CHARS, check_question, check_text, excerpt
from rag.metadata import Filters
from rag.records import DEFAULT_COLLECTION, Passage, Turn

Cancelled = Callable[[], bool]

_OPENING_CHARS = 24
_NAMED = 20


@dataclass(frozen=True)
class Tool:
    """One tool.

    Attributes:
        name: As clients call it.
        title, description: For people and models, in Chinese.
        arguments, result: Their shapes.
        computes: Whether a call keeps a processor busy, so that only a few may run at once.
        run: Does the work; is given `arguments`.
    """

    name: str
    title: str
    description: str
    arguments: type[BaseModel]
    result: type[BaseModel]
    computes: bool
    run: Callable[[Library, Any, Linker, Cancelled], BaseModel]

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments, where there is one collection."""
        return self.input_schema_for((DEFAULT_COLLECTION,))

    def input_schema_for(self, names: Sequence[str] | None) -> dict[str, Any]:
        """The JSON schema of the arguments, where there are these collections; None if that is not known."""
        return choosing(schema_of(self.arguments), names)

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """The JSON schema of the result."""
        return schema_of(self.result)

    def read(self, arguments: Mapping[str, Any]) -> BaseModel:
        """Arguments as they came, in their shape. Null means "not given": models fill in what they skip.

        Raises:
            InputError: `invalid_request` with every problem named.
        """
        given = _without_null(arguments)
        if isinstance(filters := given.get("filters"), dict):
            given["filters"] = _without_null(filters)
        try:
            return self.arguments.model_validate(given)
        except ValidationError as error:
            problems = [
                {**problem, "loc": ("arguments", *problem["loc"])}
                for problem in error.errors(include_url=False, include_input=False)
            ]
            said = describe_problems(problems).removesuffix("接口说明见 /docs。")
            raise InputError(f"{said}各参数见工具 {self.name} 的说明。") from error


def _without_null(sent: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in sent.items() if value is not None}


def _engine(library: Library, collection: str, filters: Filters | None = None) -> Engine:
    try:
        if COLLECTION_NAME.fullmatch(collection):
            return library.engine(collection, filters)
    except NotFoundError as error:
        if error.code != "collection_not_found":
            raise
    names = [info.name for info in library.collections()]
    more = f"等 {len(names)} 个" if len(names) > _NAMED else ""
    raise NotFoundError(
        f"没有名为{excerpt(collection)}的文库，现有的是：{'、'.join(names[:_NAMED])}{more}。",
        code="collection_not_found",
    )


def _search(library: Library, asked: SearchArguments, link: Linker, cancelled: Cancelled) -> SearchResults:
    query = check_text(asked.query, name="query", max_chars=MAX_QUERY_CHARS)
    engine = _engine(library, asked.collection)
    return SearchResults(
        results=[_found(passage, link) for passage in engine.search(query, cancelled=cancelled)]
    )


def _found(passage: Passage, link: Linker) -> FoundPassage:
    chunk = passage.chunk
    span, opening = chunk.span, chunk.text[:_OPENING_CHARS]
    lines = f"{span.start_line}–{span.end_line}" if span.end_line > span.start_line else f"{span.start_line}"
    more = "…" if len(chunk.text) > _OPENING_CHARS else ""
    title = f"{passage.document.label} · 第 {lines} 行 · {opening}{more}"
    return FoundPassage(id=chunk.chunk_id, title=title, url=link(passage.url))


def _ask(library: Library, asked: AskArguments, link: Linker, cancelled: Cancelled) -> AskReply:
    question = check_question(asked.question)
    history = [
        Turn(turn.role, check_text(turn.content, name="content", max_chars=MAX_TURN_CHARS))
        for turn in asked.history
    ]
    engine = _engine(library, asked.collection, filters_of(asked.filters))
    answer = engine.ask(question, history=history, top_k=asked.top_k, cancelled=cancelled)
    reply = ask_reply(answer, asked.collection)
    citations = [cited.model_copy(update={"url": link(cited.url)}) for cited in reply.citations]
    related = [near.model_copy(update={"url": link(near.url)}) for near in reply.related]
    return reply.model_copy(update={"citations": citations, "related": related})


TOOLS = {
    tool.name: tool
    for tool in (
        Tool(
            name="search",
            title="检索段落",
            description="在文库里找与一句话最相关的段落，最相关的在前。要自己读原文、比较几处说法、"
            "或查文库里有什么时用它；每项给出 id、标题和链接，再用 fetch 取文字。"
            "总会返回最接近的段落，它们不一定回答了问题；要一个有依据的答案，用 ask。",
            arguments=SearchArguments,
            result=SearchResults,
            computes=True,
            run=_search,
        ),
        Tool(
            name="fetch",
            title="取原文",
            description="按编号取一个段落的文字，或一篇文章的全文，连同作者、行号、区间和链接。"
            "编号来自 search 的 id，或答案里的 document_id。",
            arguments=FetchArguments,
            result=FetchedText,
            computes=False,
            run=fetch,
        ),
        Tool(
            name="ask",
            title="提问",
            description="向文库提问，得到逐句带引文的中文答案；每条引文都是原文中逐字的一段，已经核对，带行号和链接。"
            "文库没有说的，status 为 abstained，answer 是说明，related 是最接近的段落（不是答案）。"
            "要事实、要出处、要可以直接转述的回答时用它；接着问时把此前的对话放进 history。",
            arguments=AskArguments,
            result=AskReply,
            computes=True,
            run=_ask,
        ),
    )
}
