"""One question on every surface, each through the client its users have, reduced to what can be compared.

A surface gives the answer's text and the citations' spans. Those that give records only (Dify, the
retrievers) carry the answer in each record; after an abstention they have no record and so no text.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
from langchain_core.documents import Document
from llama_index.core.schema import NodeWithScore
from mcp import Client as McpClient
from openai import OpenAI

from cewen import Client
from cewen.langchain import CewenRetriever as LangChainRetriever
from cewen.llamaindex import CewenRetriever as LlamaIndexRetriever

TIMEOUT_SECONDS = 120.0
SPAN_FIELDS = ("document_id", "start_char", "end_char", "start_line", "end_line")


@dataclass(frozen=True, slots=True)
class Span:
    """Where a quote stands."""

    document_id: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    quote: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What one surface said; `answer` is None where it says nothing at all."""

    answer: str | None
    spans: tuple[Span, ...]


def span(fields: dict[str, Any], quote: str) -> Span:
    return Span(**{name: fields[name] for name in SPAN_FIELDS}, quote=quote)


def of_body(body: dict[str, Any]) -> Seen:
    """What a body of our own format says."""
    return Seen(body["answer"], tuple(span(cited, cited["quote"]) for cited in body["citations"]))


def native(url: str, question: str) -> Seen:
    reply = httpx.post(f"{url}/v1/ask", json={"question": question}, timeout=TIMEOUT_SECONDS)
    return of_body(reply.raise_for_status().json())


def native_stream(url: str, question: str) -> Seen:
    """The text is that of the deltas, the spans those of the last `citations` event."""
    name, text = "", ""
    cited: list[dict[str, Any]] = []
    body = {"question": question, "stream": True}
    with httpx.stream("POST", f"{url}/v1/ask", json=body, timeout=TIMEOUT_SECONDS) as reply:
        for line in reply.iter_lines():
            field, _, value = line.partition(": ")
            if field == "event":
                name = value
            elif field == "data":
                data = json.loads(value)
                assert name != "error", data
                text += data["text"] if name == "delta" else ""
                cited = data["citations"] if name == "citations" else cited
                if name == "done":
                    assert of_body(data) == of_body({"answer": text, "citations": cited})
    return of_body({"answer": text, "citations": cited})


def openai(url: str, question: str) -> Seen:
    with OpenAI(base_url=f"{url}/v1", api_key="none", timeout=TIMEOUT_SECONDS) as client:
        reply = client.chat.completions.create(
            model="cewen", messages=[{"role": "user", "content": question}]
        )
    message = reply.choices[0].message
    _marks_stand_there(message.content or "", [a.model_dump() for a in message.annotations or []])
    return of_body({"answer": message.content, "citations": (reply.model_extra or {})["cewen"]["citations"]})


def openai_stream(url: str, question: str) -> Seen:
    text = ""
    annotations: list[dict[str, Any]] = []
    cited: list[dict[str, Any]] = []
    with OpenAI(base_url=f"{url}/v1", api_key="none", timeout=TIMEOUT_SECONDS) as client:
        chunks = client.chat.completions.create(
            model="cewen", messages=[{"role": "user", "content": question}], stream=True
        )
        for chunk in chunks:
            extra = chunk.model_extra or {}
            cited = extra["cewen"]["citations"] if extra.get("cewen") else cited
            if chunk.choices:
                delta = chunk.choices[0].delta
                text += delta.content or ""
                annotations += (delta.model_extra or {}).get("annotations") or []
    _marks_stand_there(text, annotations)
    return of_body({"answer": text, "citations": cited})


def _marks_stand_there(text: str, annotations: list[dict[str, Any]]) -> None:
    for annotation in annotations:
        place = annotation["url_citation"]
        mark = text[place["start_index"] : place["end_index"]]
        assert mark[0] + mark[-1] == "[]", mark
        assert mark[1:-1].isdecimal(), mark


def dify(url: str, question: str) -> Seen:
    body = {
        "knowledge_id": "default.answer",
        "query": question,
        "retrieval_setting": {"top_k": 50, "score_threshold": 0.0},
    }
    reply = httpx.post(f"{url}/dify/retrieval", json=body, timeout=TIMEOUT_SECONDS)
    records = reply.raise_for_status().json()["records"]
    return _of_records([(record["content"], record["metadata"]) for record in records])


def mcp(url: str, question: str) -> Seen:
    async def ask() -> dict[str, Any]:
        async with McpClient(f"{url}/mcp", read_timeout_seconds=TIMEOUT_SECONDS) as client:
            result = await client.call_tool("ask", {"question": question})
        assert not result.is_error
        body: dict[str, Any] = result.structured_content or {}
        (item,) = result.content
        assert json.loads(item.text) == body  # type: ignore[union-attr]
        return body

    return of_body(anyio.run(ask))


def python_client(url: str, question: str) -> Seen:
    with Client(url, timeout=TIMEOUT_SECONDS) as client:
        answer = client.ask(question)
    cited = tuple(span(citation.model_dump(), citation.quote) for citation in answer.citations)
    return Seen(answer.answer, cited)


def langchain(url: str, question: str) -> Seen:
    found: list[Document] = LangChainRetriever(base_url=url, mode="answer").invoke(question)
    return _of_records([(document.page_content, document.metadata) for document in found])


def llamaindex(url: str, question: str) -> Seen:
    found: list[NodeWithScore] = LlamaIndexRetriever(url, mode="answer").retrieve(question)
    return _of_records([(node.get_content(), node.metadata) for node in found])


def _of_records(records: list[tuple[str, dict[str, Any]]]) -> Seen:
    answers = {metadata["answer"] for _, metadata in records}
    assert len(answers) <= 1
    return Seen(next(iter(answers), None), tuple(span(fields, quote) for quote, fields in records))


SURFACES: dict[str, Callable[[str, str], Seen]] = {
    "native": native,
    "native stream": native_stream,
    "OpenAI": openai,
    "OpenAI stream": openai_stream,
    "Dify": dify,
    "MCP": mcp,
    "Python client": python_client,
    "LangChain": langchain,
    "LlamaIndex": llamaindex,
}
