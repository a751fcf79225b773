"""What the tools do: arguments and an engine in, a published result out. No protocol and no SDK here.

A tool runs in a worker thread and raises our own errors; what becomes of them is `server`'s business.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ValidationError

from api.convert import ask_reply
from api.links import Linker
from api.mcp_server.shapes import (
    AskArguments,
    FetchArguments,
    FetchedText,
    FoundPassage,
    SearchArguments,
    SearchResults,
    schema_of,
)
from api.ports import Engine
from api.schemas import AskReply
from api.validation_messages import describe_problems
from rag.answering.citations import source_url
from rag.errors import InputError, NotFoundError
from rag.inputs import MAX_QUERY_CHARS, MAX_TURN_CHARS, check_question, check_text, excerpt
from rag.records import Block, Document, Passage, SourceSpan, Turn

Cancelled = Callable[[], bool]

_OPENING_CHARS = 24
_RANGE = re.compile(r"(.{1,128}):([0-9]{1,12})-([0-9]{1,12})", re.DOTALL)


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
    run: Callable[[Engine, Any, Linker, Cancelled], BaseModel]

    @cached_property
    def input_schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments."""
        return schema_of(self.arguments)

    @cached_property
    def output_schema(self) -> dict[str, Any]:
        """The JSON schema of the result."""
        return schema_of(self.result)

    def read(self, arguments: Mapping[str, Any]) -> BaseModel:
        """Arguments as they came, in their shape. Null means "not given": models fill in what they skip.

        Raises:
            InputError: `invalid_request` with every problem named.
        """
        given = {name: value for name, value in arguments.items() if value is not None}
        try:
            return self.arguments.model_validate(given)
        except ValidationError as error:
            problems = [
                {**problem, "loc": ("arguments", *problem["loc"])}
                for problem in error.errors(include_url=False, include_input=False)
            ]
            said = describe_problems(problems).removesuffix("接口说明见 /docs。")
            raise InputError(f"{said}各参数见工具 {self.name} 的说明。") from error


def _search(engine: Engine, asked: SearchArguments, link: Linker, _: Cancelled) -> SearchResults:
    query = check_text(asked.query, name="query", max_chars=MAX_QUERY_CHARS)
    return SearchResults(results=[_found(passage, link) for passage in engine.search(query)])


def _found(passage: Passage, link: Linker) -> FoundPassage:
    chunk = passage.chunk
    span, opening = chunk.span, chunk.text[:_OPENING_CHARS]
    lines = f"{span.start_line}–{span.end_line}" if span.end_line > span.start_line else f"{span.start_line}"
    more = "…" if len(chunk.text) > _OPENING_CHARS else ""
    title = f"{passage.document.label} · 第 {lines} 行 · {opening}{more}"
    return FoundPassage(id=chunk.chunk_id, title=title, url=link(passage.url))


def _fetch(engine: Engine, asked: FetchArguments, link: Linker, _: Cancelled) -> FetchedText:
    for document in engine.documents():
        if document.document_id == asked.id:
            return _whole(document, link)
    found = _RANGE.fullmatch(asked.id)
    if found:
        start, end = int(found[2]), int(found[3])
        for document in engine.documents():
            if document.document_id == found[1] and (part := _part(asked.id, document, start, end, link)):
                return part
    raise NotFoundError(
        f"没有编号为{excerpt(asked.id)}的段落或文档。请用 search 返回的 id，或答案里的 document_id。",
        code="passage_not_found",
    )


def _whole(document: Document, link: Linker) -> FetchedText:
    blocks = [paragraph.block for paragraph in document.paragraphs] or list(document.typed_blocks)
    first, last = blocks[0].span, blocks[-1].span
    span = SourceSpan(first.start_char, last.end_char, first.start_line, last.end_line)
    text = "\n\n".join(block.text for block in blocks)
    return _fetched(document.document_id, document, text, span, link)


def _part(identifier: str, document: Document, start: int, end: int, link: Linker) -> FetchedText | None:
    """The characters from `start` to `end` of the source, where they are a stretch of one block.

    A passage is one, and so is a citation's quote.
    """
    numbered = [(paragraph.number, paragraph.block) for paragraph in document.paragraphs]
    for number, block in [*numbered, *((0, block) for block in document.typed_blocks)]:
        if block.span.start_char <= start < end <= block.span.end_char:
            first, last = block.offsets.text_of(start), block.offsets.text_of(end)
            if first < last and block.offsets.source_range(first, last) == (start, end):
                span = _span_of(document, block, start, end)
                return _fetched(identifier, document, block.text[first:last], span, link, paragraph=number)
    return None


def _span_of(document: Document, block: Block, start: int, end: int) -> SourceSpan:
    source, line, origin = document.source.text, block.span.start_line, block.span.start_char
    first = line + source.count("\n", origin, start)
    return SourceSpan(start, end, first, first + source.count("\n", start, end))


def _fetched(
    identifier: str,
    document: Document,
    text: str,
    span: SourceSpan,
    link: Linker,
    *,
    paragraph: int | None = None,
) -> FetchedText:
    metadata = {"document_id": document.document_id, "authors": "、".join(document.authors)}
    if paragraph is not None:
        metadata["paragraph"] = str(paragraph)
    metadata |= {
        "start_line": str(span.start_line),
        "end_line": str(span.end_line),
        "start_char": str(span.start_char),
        "end_char": str(span.end_char),
        "source_sha256": document.source.sha256,
    }
    url = link(source_url("", document.document_id, span))
    return FetchedText(id=identifier, title=document.label, text=text, url=url, metadata=metadata)


def _ask(engine: Engine, asked: AskArguments, link: Linker, cancelled: Cancelled) -> AskReply:
    question = check_question(asked.question)
    history = [
        Turn(turn.role, check_text(turn.content, name="content", max_chars=MAX_TURN_CHARS))
        for turn in asked.history
    ]
    answer = engine.ask(question, history=history, top_k=asked.top_k, cancelled=cancelled)
    reply = ask_reply(answer)
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
            run=_fetch,
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
