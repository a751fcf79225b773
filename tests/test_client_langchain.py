"""The LangChain retriever with the real langchain-core, over the real app behind a real socket."""

from __future__ import annotations

import asyncio
import copy
import importlib
import pickle
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.load import dumps
from langchain_core.runnables import ConfigurableField, RunnableLambda, RunnablePassthrough
from pydantic import SecretStr, ValidationError

from cewen import AsyncClient, AuthenticationError, Client, ConfigError, Filters, NotFoundError
from cewen.langchain import CewenRetriever
from tests.api_fakes import LIGHTHOUSE, TEA
from tests.client_driver import KEY, error_body, json_reply, serving_engine
from tests.client_retrieving import QUERY, UNANSWERED, check_citation, check_passage
from tests.llm_server import serving


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving_engine() as address:
        yield address


def test_passages(url: str) -> None:
    documents = CewenRetriever(base_url=url, top_k=2).invoke(QUERY)
    assert [document.metadata["rank"] for document in documents] == [1, 2]
    for document in documents:
        check_passage(document.id, document.page_content, document.metadata, url)


def test_passages_are_filtered_by_the_service(url: str) -> None:
    (best,) = CewenRetriever(base_url=url, score_threshold=0.9).invoke(QUERY)
    assert (best.metadata["document_id"], best.metadata["score"]) == (LIGHTHOUSE, 1.0)


def test_a_collection_and_filters_are_asked_for(url: str) -> None:
    tea = Filters(document_ids=(TEA,))
    found = CewenRetriever(base_url=url, filters=tea).invoke(QUERY)
    assert {one.metadata["document_id"] for one in found} == {TEA}
    assert CewenRetriever(base_url=url, filters=tea, mode="answer").invoke(QUERY) == []
    narrowed = copy.deepcopy(CewenRetriever(base_url=url, filters=tea))
    assert {one.metadata["document_id"] for one in narrowed.invoke(QUERY)} == {TEA}
    with pytest.raises(NotFoundError):
        CewenRetriever(base_url=url, collection="nowhere").invoke(QUERY)


def test_an_answer_gives_its_citations(url: str) -> None:
    retriever = CewenRetriever(base_url=url, mode="answer")
    (document,) = retriever.invoke(QUERY)
    check_citation(document.id, document.page_content, document.metadata, url)
    assert retriever.invoke(UNANSWERED) == []


def test_citations_are_filtered_too(url: str) -> None:
    assert CewenRetriever(base_url=url, mode="answer", score_threshold=1.0).invoke(QUERY)
    with Client(url) as client:
        strict = CewenRetriever(client=client, mode="answer", score_threshold=1.1)
        assert strict.invoke(QUERY) == []


@pytest.mark.parametrize("mode", ["passages", "answer"])
def test_asynchronously_it_is_the_same(url: str, mode: Any) -> None:
    retriever = CewenRetriever(base_url=url, mode=mode)
    expected = retriever.invoke(QUERY)

    async def both() -> list[list[Document]]:
        return list(await asyncio.gather(retriever.ainvoke(QUERY), retriever.ainvoke(QUERY)))

    # Each in an event loop of its own: nothing may be kept from one for the other.
    assert asyncio.run(both()) == asyncio.run(both()) == [expected, expected]


def test_asynchronously_nothing_waits_in_a_thread(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("a thread was used")

    async def ask() -> list[Document]:
        # Looking up a host name is done in a thread; an address needs none.
        monkeypatch.setattr(asyncio.get_running_loop(), "run_in_executor", refuse)
        return await CewenRetriever(base_url=url).ainvoke(QUERY)

    assert asyncio.run(ask())


def test_clients_that_are_given_are_used_and_left_open(url: str) -> None:
    async def ask(retriever: CewenRetriever) -> list[Document]:
        return await retriever.ainvoke(QUERY)

    async def ask_asynchronously() -> list[Document]:
        async with AsyncClient(url) as client:
            retriever = CewenRetriever(async_client=client)
            with pytest.raises(ConfigError, match="async_client"):
                retriever.invoke(QUERY)
            await retriever.ainvoke(QUERY)
            return await retriever.ainvoke(QUERY)

    with Client(url) as client:
        retriever = CewenRetriever(client=client, base_url="http://127.0.0.1:1")
        expected = retriever.invoke(QUERY)
        assert asyncio.run(ask(retriever)) == expected
        assert client.ready()
    assert asyncio.run(ask_asynchronously()) == expected


def test_it_is_a_runnable(url: str) -> None:
    retriever = CewenRetriever(base_url=url, top_k=1)

    def sources(documents: list[Document]) -> str:
        return " ".join(f"{one.metadata['start_line']}-{one.metadata['end_line']}" for one in documents)

    assert (retriever | sources).invoke(QUERY) == "3-5"
    chain: Any = {"context": retriever | sources, "question": RunnablePassthrough()} | RunnableLambda(dict)
    assert asyncio.run(chain.ainvoke(QUERY)) == {"context": "3-5", "question": QUERY}
    assert [len(found) for found in retriever.batch([QUERY, "茶"] * 4)] == [1] * 8
    assert len(asyncio.run(retriever.abatch([QUERY, "茶"]))) == 2
    assert list(retriever.stream(QUERY)) == [retriever.invoke(QUERY)]


def test_options_can_be_configured_per_call(url: str) -> None:
    retriever = CewenRetriever(base_url=url).configurable_fields(top_k=ConfigurableField(id="k"))
    assert len(retriever.invoke(QUERY)) == 3
    assert len(retriever.with_config(configurable={"k": 1}).invoke(QUERY)) == 1


def test_callbacks_are_told(url: str) -> None:
    told: list[Any] = []

    class Handler(BaseCallbackHandler):
        def on_retriever_end(self, documents: Any, **_: Any) -> None:
            told.append(documents)

        def on_retriever_error(self, error: BaseException, **_: Any) -> None:
            told.append(error)

    config: Any = {"callbacks": [Handler()]}
    retriever = CewenRetriever(base_url=url)
    assert told == [] == [retriever.invoke(QUERY, config)][1:]
    with pytest.raises(Exception, match="empty_query"):
        retriever.invoke(" ", config)
    assert [type(one).__name__ for one in told] == ["list", "BadRequestError"]


def test_the_key_is_sent_and_shown_nowhere() -> None:
    retriever = CewenRetriever(base_url="http://127.0.0.1:9", api_key=SecretStr(KEY))
    refused = json_reply(error_body("api_key_invalid", "authentication"), status="401 X")
    with serving(refused) as server:
        retriever.base_url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(AuthenticationError):
            retriever.invoke(QUERY)
        with pytest.raises(AuthenticationError):
            asyncio.run(copy.deepcopy(retriever).ainvoke(QUERY))
        assert [one.headers["authorization"] for one in server.requests] == [f"Bearer {KEY}"] * 2
    dumped = [retriever.model_dump(), retriever.model_dump_json(), retriever.to_json(), dumps(retriever)]
    assert KEY not in repr(dumped) + repr(retriever) + str(retriever)
    data = pickle.dumps(retriever)
    assert KEY.encode() not in data
    again = pickle.loads(data)  # noqa: S301 -- our own
    assert (again.base_url, again.api_key, again.mode) == (retriever.base_url, None, "passages")
    assert retriever.api_key == SecretStr(KEY)


def test_one_with_a_client_is_not_pickled() -> None:
    with Client(api_key=KEY) as client:
        retriever = CewenRetriever(client=client)
        assert KEY not in repr(retriever) + repr(retriever.model_dump()) + dumps(retriever)
        with pytest.raises(TypeError, match="base_url"):
            pickle.dumps(retriever)


def test_what_cannot_be_used_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="base_url"):
        CewenRetriever(base_url="127.0.0.1:8000")
    with pytest.raises(ConfigError, match="api_key"):
        CewenRetriever(api_key=SecretStr("a b"))
    with pytest.raises(ValidationError):
        CewenRetriever(mode="other")  # type: ignore[arg-type]


def test_without_langchain_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_core.callbacks", None)
    monkeypatch.delitem(sys.modules, "cewen.langchain")
    with pytest.raises(ImportError, match=r"pip install 'cewen\[langchain\]'"):
        importlib.import_module("cewen.langchain")
