"""The tools without protocol and SDK: what comes in, what goes out, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from api.fixed_library import as_library
from api.mcp_server.tools import TOOLS
from api.pages.links import linker_to
from api.wire.schemas import AskReply
from rag.corpus import Corpus
from rag.errors import CewenError, NotFoundError
from rag.records import Document, Turn
from tests.api_fakes import LIGHTHOUSE, PAGE, SHA256, TEA, FakeEngine
from tests.mcp_wire import LOOPBACK

LINK = linker_to(LOOPBACK)


def call(name: str, arguments: dict[str, Any], engine: FakeEngine | None = None) -> dict[str, Any]:
    tool = TOOLS[name]
    library = as_library(engine or FakeEngine())
    result: BaseModel = tool.run(library, tool.read(arguments), LINK, lambda: False)
    shown = result.model_dump(mode="json", exclude_unset=True)
    Draft202012Validator(tool.output_schema).validate(shown)
    return shown


def refused(name: str, arguments: dict[str, Any]) -> CewenError:
    with pytest.raises(CewenError) as caught:
        call(name, arguments)
    return caught.value


# Schemas.


def parts_of(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from parts_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from parts_of(part)


@pytest.mark.parametrize("name", TOOLS)
def test_schemas_are_plain_and_described(name: str) -> None:
    for schema in (TOOLS[name].input_schema, TOOLS[name].output_schema):
        Draft202012Validator.check_schema(schema)
        assert schema["type"] == "object"
        assert not [part for part in parts_of(schema) if {"$ref", "$defs"} & set(part)]
        assert all("description" in field for field in schema["properties"].values())


def test_search_and_fetch_take_one_string_and_nothing_else() -> None:
    for name, argument in (("search", "query"), ("fetch", "id")):
        schema = TOOLS[name].input_schema
        assert schema["required"] == list(schema["properties"]) == [argument]
        assert schema["properties"][argument]["type"] == "string"


def test_ask_gives_what_the_rest_service_gives() -> None:
    assert TOOLS["ask"].result is AskReply
    assert set(TOOLS["ask"].output_schema["properties"]) == set(AskReply.model_fields)
    assert TOOLS["ask"].input_schema["required"] == ["question"]


# Search and fetch.


def test_search_gives_exactly_id_title_and_url() -> None:
    results = call("search", {"query": "花岗岩"})["results"]
    assert len(results) == 3
    assert all(set(result) == {"id", "title", "url"} for result in results)
    assert results[0]["id"].startswith(f"{LIGHTHOUSE}:")
    assert results[0]["title"] == (
        "周望潮、林听雨：望海角灯塔… · 第 3–5 行 · 望海角灯塔建于一九零七年，塔高三十二米，由本地石…"
    )
    assert results[0]["url"].startswith(f"{LOOPBACK}/documents/{LIGHTHOUSE}?chars=")


def test_what_search_finds_fetch_gives() -> None:
    engine = FakeEngine()
    for passage in engine.search("灯塔"):
        fetched = call("fetch", {"id": passage.chunk.chunk_id}, engine)
        span = passage.chunk.span
        assert fetched == {
            "id": passage.chunk.chunk_id,
            "title": passage.document.label,
            "text": passage.chunk.text,
            "url": LINK(passage.url),
            "metadata": {
                "document_id": passage.document.document_id,
                "authors": "、".join(passage.document.authors),
                "paragraph": str(passage.chunk.paragraph),
                "start_line": str(span.start_line),
                "end_line": str(span.end_line),
                "start_char": str(span.start_char),
                "end_char": str(span.end_char),
                "source_sha256": SHA256,
            },
        }


def test_fetch_gives_a_whole_document() -> None:
    fetched = call("fetch", {"id": LIGHTHOUSE})
    first, second = fetched["text"].split("\n\n")
    assert first.startswith("望海角灯塔建于")
    assert second == "“灯要亮到最后一条船进港。”守塔人𠮷田常这样说。"
    metadata = fetched["metadata"]
    assert "paragraph" not in metadata
    assert (metadata["start_line"], metadata["end_line"]) == ("3", "8")
    assert fetched["url"].endswith("#L3-L8")


def test_fetch_gives_what_a_citation_cites() -> None:
    (cited,) = call("ask", {"question": "清晨熄灯"})["citations"]
    fetched = call("fetch", {"id": f"{LIGHTHOUSE}:{cited['start_char']}-{cited['end_char']}"})
    assert fetched["text"] == cited["quote"]
    assert fetched["url"] == cited["url"]
    lines = (fetched["metadata"]["start_line"], fetched["metadata"]["end_line"])
    assert lines == (str(cited["start_line"]), str(cited["end_line"]))


def test_fetch_gives_a_title_too() -> None:
    start = PAGE.index("茶山笔记")
    fetched = call("fetch", {"id": f"{TEA}:{start}-{start + 8}"})
    assert (fetched["text"], fetched["metadata"]["paragraph"]) == ("茶山笔记<初稿>", "0")


class CorpusEngine(FakeEngine):
    """The documents of a real corpus."""

    def __init__(self, documents: tuple[Document, ...]) -> None:
        super().__init__()
        self._documents = documents


def test_fetch_knows_every_chunk_of_a_real_page(seed_corpus: Corpus) -> None:
    engine = CorpusEngine(tuple(seed_corpus.documents))
    for chunk in seed_corpus.chunks:
        fetched = call("fetch", {"id": chunk.chunk_id}, engine)
        span, metadata = chunk.span, fetched["metadata"]
        assert fetched["text"] == chunk.text
        lines = (metadata["start_line"], metadata["end_line"], metadata["paragraph"])
        assert lines == (str(span.start_line), str(span.end_line), str(chunk.paragraph))


@pytest.mark.parametrize(
    "identifier",
    [
        "",
        "x",
        LIGHTHOUSE + "0",
        f"{LIGHTHOUSE}:",
        f"{LIGHTHOUSE}:3-2",
        f"{LIGHTHOUSE}:0-100000",
        f"{LIGHTHOUSE}:{'9' * 5000}-1",
        f"{LIGHTHOUSE}:٣-٤",
        f"{LIGHTHOUSE}:-1-2",
        f"{TEA}:19-68",  # a passage of the other document
        f"{LIGHTHOUSE}:18-68",  # begins with a line end
        "../../etc/passwd",
        "\x00",
        "\ud800",
        "长" * 60_000,
    ],
)
def test_an_unknown_id_is_not_found(identifier: str) -> None:
    error = refused("fetch", {"id": identifier})
    assert isinstance(error, NotFoundError)
    assert error.code == "passage_not_found"
    assert len(error.message) < 150
    assert error.message.isprintable()


# Ask.


def test_ask_hands_everything_on() -> None:
    engine = FakeEngine()
    history = [{"role": "user", "content": "灯塔？"}, {"role": "assistant", "content": "望海角灯塔。"}]
    call("ask", {"question": "清晨熄灯", "history": history, "top_k": 3}, engine)
    turns = (Turn("user", "灯塔？"), Turn("assistant", "望海角灯塔。"))
    assert engine.asked == [{"question": "清晨熄灯", "history": turns, "top_k": 3, "generator": None}]


def test_an_abstention_is_a_result_with_links() -> None:
    reply = call("ask", {"question": "火星上有灯塔吗"})
    assert (reply["status"], reply["reason"]) == ("abstained", "not_stated")
    assert reply["related"]
    assert all(near["url"].startswith(f"{LOOPBACK}/documents/") for near in reply["related"])


# What hosts add, and what is refused.


def test_null_is_not_given_and_what_is_not_known_is_ignored() -> None:
    engine = FakeEngine()
    arguments = {"question": "清晨熄灯", "history": None, "top_k": None, "sessionId": "n8n"}
    assert call("ask", arguments, engine)["status"] == "answered"
    assert engine.asked[0]["top_k"] == 8


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("ask", {"question": ""}, "empty_question"),
        ("ask", {"question": "　"}, "empty_question"),
        ("ask", {"question": "问" * 2001}, "question_too_long"),
        ("ask", {"question": "问\x07"}, "invalid_text"),
        ("ask", {"question": "问\ud800"}, "invalid_text"),
        ("ask", {"question": "问", "history": [{"role": "user", "content": " "}]}, "empty_content"),
        (
            "ask",
            {"question": "问", "history": [{"role": "user", "content": "长" * 8001}]},
            "content_too_long",
        ),
        ("ask", {"question": "问", "history": [{"role": "user", "content": "问"}] * 21}, "invalid_request"),
        ("ask", {"question": "问", "history": [{"role": "system", "content": "问"}]}, "invalid_request"),
        ("ask", {"question": "问", "history": "问"}, "invalid_request"),
        ("ask", {"question": "问", "top_k": 0}, "invalid_request"),
        ("ask", {"question": "问", "top_k": 51}, "invalid_request"),
        ("ask", {"question": "问", "top_k": "8"}, "invalid_request"),
        ("ask", {"question": "问", "top_k": float("nan")}, "invalid_request"),
        ("ask", {"question": 3}, "invalid_request"),
        ("ask", {}, "invalid_request"),
        ("ask", {"question": None}, "invalid_request"),
        ("search", {"query": ""}, "empty_query"),
        ("search", {"query": "问" * 2001}, "query_too_long"),
        ("search", {"query": ["灯"]}, "invalid_request"),
        ("search", {}, "invalid_request"),
        ("fetch", {"id": 7}, "invalid_request"),
        ("fetch", {}, "invalid_request"),
    ],
)
def test_bad_input_is_refused_with_its_code(name: str, arguments: dict[str, Any], code: str) -> None:
    assert refused(name, arguments).code == code


def test_what_is_wrong_is_named_and_never_repeated() -> None:
    message = refused("ask", {"question": "问", "history": [{"role": "密文", "content": 5}]}).message
    assert "“history[0].role”只能是 'user' 或 'assistant'" in message
    assert "“history[0].content”应为字符串" in message
    assert "密文" not in message
    assert message.endswith("各参数见工具 ask 的说明。")
