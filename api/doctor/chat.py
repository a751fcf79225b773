"""What the clients of the OpenAI format have in common: how they ask, and how they read a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from api.doctor.chat_shapes import AnnotationRead, ChunkRead, ModelsRead, SearchResultRead
from api.doctor.connection import Reply
from api.doctor.context import Context
from api.doctor.events import DONE, events_of, json_of
from api.doctor.model import LostError, Notes
from api.doctor.shapes import read_as
from api.doctor.spans import Cited, cited_of_url

COMPLETIONS = "/v1/chat/completions"
PLAIN = "cewen"
FOOTNOTES = "cewen-footnotes"
CHANGED = "中间的网关只转发它认识的字段（不少“OpenAI 网关”如此）；请绕过它，或让它原样转发。"
Value = TypeVar("Value")
CUT = "流没有完整到达：看代理的超时（nginx：proxy_read_timeout）和日志。"


@dataclass(frozen=True, slots=True)
class Streamed:
    """A streamed completion, put together as a client does.

    Attributes:
        text: All contents.
        annotations: All annotations.
        citations, search_results: The last ones that any chunk had; None if none had any.
    """

    text: str
    annotations: tuple[AnnotationRead, ...]
    citations: list[str] | None
    search_results: list[SearchResultRead] | None


def ask_whole(context: Context, question: str, model: str = PLAIN) -> Any:
    """The JSON of a completion.

    Raises:
        LostError: If there is none.
    """
    return context.post_json(COMPLETIONS, _body(question, model, stream=False))


def ask_stream(context: Context, question: str, model: str = PLAIN) -> Reply:
    """The reply with a streamed completion.

    Raises:
        LostError: If there is none.
    """
    reply = context.connection.post(COMPLETIONS, _body(question, model, stream=True))
    return reply.expect("answer", "流式答复")


def read_stream(reply: Reply) -> Streamed:
    """Read a stream to its end.

    Raises:
        LostError: If it is not one, or not whole.
    """
    what = "chat.completion.chunk 各块，最后 [DONE]"
    datas = [data for _, data in events_of(reply)]
    if not datas or datas[-1] != DONE:
        raise LostError("chunks", what, f"收到 {len(datas)} 块，最后一块不是 [DONE]", CUT)
    chunks = [read_as(ChunkRead, json_of(data), "chunks", what) for data in datas[:-1]]
    choices = [chunk.choices[0] for chunk in chunks if chunk.choices]
    if len({chunk.id for chunk in chunks}) != 1:
        raise LostError("chunks", what, "各块的 id 不同，客户端会当成几个答复", CHANGED)
    if not any(choice.finish_reason for choice in choices):
        raise LostError("chunks", what, "没有一块有 finish_reason", CUT)
    return Streamed(
        text="".join(choice.delta.content or "" for choice in choices),
        annotations=tuple(each for choice in choices for each in choice.delta.annotations),
        citations=_last([chunk.citations for chunk in chunks]),
        search_results=_last([chunk.search_results for chunk in chunks]),
    )


def _last(values: Sequence[Value | None]) -> Value | None:
    return next((value for value in reversed(values) if value is not None), None)


def judge_models(context: Context, notes: Notes, model: str) -> None:
    """Does the list of models, by which clients check a connection, name this one?"""
    what = f"模型列表里有 {model}"
    try:
        reply = context.connection.get("/v1/models").expect("models", what)
        names = [each.id for each in read_as(ModelsRead, reply.json("models", what), "models", what).data]
    except LostError as error:
        notes.lost("models", what, error.finding.detail, error.finding.advice)
        return
    fault = "" if model in names else f"列出的是 {'、'.join(names) or '空的'}"
    notes.judge("models", what, fault, "网关换掉了模型列表；请在它那里也登记这个模型。")


def cited_by_links(urls: Sequence[str]) -> list[Cited]:
    """The claims of links, each once, in order; a link without one is the links' check's business."""
    found = [cited for cited in map(cited_of_url, urls) if cited]
    return list(dict.fromkeys(found))


def _body(question: str, model: str, *, stream: bool) -> dict[str, Any]:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": question}]}
