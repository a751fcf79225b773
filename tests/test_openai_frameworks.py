"""LangChain and LlamaIndex over the chat format: what they keep of an answer, and what they drop."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from langchain_core.exceptions import ContextOverflowError
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_openai import ChatOpenAI
from llama_index.core.llms import ChatMessage, MessageRole
from llama_index.llms.openai_like import OpenAILike  # type: ignore[import-untyped]
from pydantic import SecretStr

from tests.api_fakes import FINGERPRINT, FakeEngine
from tests.openai_fakes import QUESTION, UNKNOWN
from tests.test_openai_sdk import LIVE_QUESTION, extra, served

ANSWER = "守塔人每天傍晚点灯，清晨熄灯。[1]"


@pytest.fixture(scope="module")
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture(scope="module")
def url(engine: FakeEngine) -> Iterator[str]:
    with served(engine) as address:
        yield address


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=20) as client:
        yield client


def langchain(url: str, http: httpx.Client, model: str = "cewen") -> ChatOpenAI:
    return ChatOpenAI(
        model=model, base_url=f"{url}/v1", api_key=SecretStr("any"), http_client=http, max_retries=0
    )


def llama_index(url: str, http: httpx.Client, model: str = "cewen") -> OpenAILike:
    return OpenAILike(
        model=model,
        api_base=f"{url}/v1",
        api_key="any",
        is_chat_model=True,
        http_client=http,
        max_retries=0,
    )


def test_langchain_invoke(url: str, http: httpx.Client) -> None:
    reply = langchain(url, http).invoke([SystemMessage("简短"), HumanMessage(QUESTION)])
    assert isinstance(reply, AIMessage)
    assert reply.content == ANSWER
    assert reply.response_metadata["system_fingerprint"] == FINGERPRINT
    assert reply.response_metadata["finish_reason"] == "stop"
    assert reply.usage_metadata
    assert reply.usage_metadata["output_tokens"] == len(ANSWER)


def test_langchain_drops_annotations_but_not_footnotes(url: str, http: httpx.Client) -> None:
    plain = langchain(url, http).invoke(QUESTION)
    # If this fails, the package has learnt to keep them: say so in the documentation.
    assert "http://" not in str(plain.model_dump())
    noted = langchain(url, http, "cewen-footnotes").invoke(QUESTION)
    assert isinstance(noted.content, str)
    assert noted.content.startswith(f"{ANSWER}\n\n---\n\n**引文出处**\n\n[1] [")
    assert "/documents/" in noted.content


def test_langchain_stream(url: str, http: httpx.Client) -> None:
    for model in ("cewen", "cewen-footnotes"):
        chat = langchain(url, http, model)
        parts = list(chat.stream(QUESTION, stream_usage=True))
        whole = parts[0]
        for part in parts[1:]:
            whole += part
        assert whole.content == chat.invoke(QUESTION).content
        assert whole.response_metadata["finish_reason"] == "stop"
        assert whole.usage_metadata
        assert whole.usage_metadata["input_tokens"] == len(QUESTION)


def test_langchain_history_without_our_footnotes(url: str, http: httpx.Client, engine: FakeEngine) -> None:
    chat = langchain(url, http, "cewen-footnotes")
    messages: list[BaseMessage] = [HumanMessage(QUESTION)]
    messages.append(chat.invoke(messages))
    messages.append(HumanMessage([{"type": "text", "text": UNKNOWN}]))
    assert chat.invoke(messages).content == "文库里没有说到这件事。"
    history = engine.asked[-1]["history"]
    assert isinstance(history, tuple)
    assert [turn.content for turn in history] == [QUESTION, ANSWER]


def test_langchain_knows_our_errors(url: str, http: httpx.Client) -> None:
    with pytest.raises(ContextOverflowError):
        langchain(url, http).invoke("灯" * 2001)


def test_langchain_over_the_sample_corpus(live_url: str, http: httpx.Client) -> None:
    reply = langchain(live_url, http, "cewen-footnotes").invoke(LIVE_QUESTION)
    assert isinstance(reply.content, str)
    assert f"]({live_url}/documents/" in reply.content


def test_llama_index_chat_keeps_everything_in_raw(url: str, http: httpx.Client) -> None:
    reply = llama_index(url, http).chat([ChatMessage(role=MessageRole.USER, content=QUESTION)])
    assert reply.message.content == ANSWER
    own = extra(reply.raw)["cewen"]
    assert own["status"] == "answered"
    assert extra(reply.raw)["citations"] == [own["citations"][0]["url"]]
    (note,) = reply.raw.choices[0].message.annotations
    assert note.url_citation.url == own["citations"][0]["url"]
    assert reply.additional_kwargs["completion_tokens"] == len(ANSWER)


def test_llama_index_stream(url: str, http: httpx.Client) -> None:
    parts = list(llama_index(url, http).stream_chat([ChatMessage(role=MessageRole.USER, content=QUESTION)]))
    assert parts[-1].message.content == ANSWER
    assert "".join(part.delta or "" for part in parts) == ANSWER
    assert extra(parts[-1].raw)["cewen"]["status"] == "answered"
    notes = [extra(part.raw.choices[0].delta).get("annotations") for part in parts]
    assert [each[0]["type"] for each in notes if each] == ["url_citation"]


def test_llama_index_complete(url: str, http: httpx.Client) -> None:
    llm = llama_index(url, http, "cewen-footnotes")
    reply = llm.complete(QUESTION)
    assert reply.text.startswith(ANSWER)
    assert "**引文出处**" in reply.text
    assert extra(reply.raw)["cewen"]["status"] == "answered"
    assert [part.text for part in llm.stream_complete(QUESTION)][-1] == reply.text


def test_llama_index_over_the_sample_corpus(live_url: str, http: httpx.Client) -> None:
    reply = llama_index(live_url, http).complete(LIVE_QUESTION)
    assert extra(reply.raw)["citations"][0].startswith(f"{live_url}/documents/")
