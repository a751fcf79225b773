"""The LlamaIndex retriever with the real llama-index-core, over the real app behind a real socket."""

from __future__ import annotations

import asyncio
import copy
import importlib
import pickle
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from llama_index.core.base.response.schema import Response
from llama_index.core.llms import MockLLM
from llama_index.core.query_engine import RetrieverQueryEngine
from llama_index.core.schema import MetadataMode, NodeWithScore, QueryBundle, TextNode
from pydantic import SecretStr

from cewen import AsyncClient, AuthenticationError, Client, ConfigError, Filters, NotFoundError
from cewen.llamaindex import CewenRetriever
from tests.api_fakes import LIGHTHOUSE, PAGE, TEA
from tests.client_driver import KEY, error_body, json_reply, serving_engine
from tests.client_retrieving import QUERY, UNANSWERED, check_citation, check_passage
from tests.llm_server import serving


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serving_engine() as address:
        yield address


def text_node(found: NodeWithScore) -> TextNode:
    assert isinstance(found.node, TextNode)
    return found.node


def check_offsets(found: NodeWithScore) -> None:
    node = text_node(found)
    assert (node.start_char_idx, node.end_char_idx) == (
        node.metadata["start_char"],
        node.metadata["end_char"],
    )
    assert "".join(PAGE[node.start_char_idx : node.end_char_idx].split()) == node.text
    assert node.ref_doc_id == node.metadata["document_id"]
    assert found.score == node.metadata["score"]


@pytest.mark.parametrize("query", [QUERY, QueryBundle(QUERY)], ids=["text", "bundle"])
def test_passages(url: str, query: Any) -> None:
    nodes = CewenRetriever(url, top_k=2).retrieve(query)
    assert [found.metadata["rank"] for found in nodes] == [1, 2]
    for found in nodes:
        check_passage(found.node_id, found.text, found.metadata, url)
        check_offsets(found)


def test_a_collection_and_filters_are_asked_for(url: str) -> None:
    tea = Filters(document_ids=(TEA,))
    assert {one.metadata["document_id"] for one in CewenRetriever(url, filters=tea).retrieve(QUERY)} == {TEA}
    assert CewenRetriever(url, filters=tea, mode="answer").retrieve(QUERY) == []
    narrowed = copy.deepcopy(CewenRetriever(url, filters=tea))
    assert {one.metadata["document_id"] for one in narrowed.retrieve(QUERY)} == {TEA}
    with pytest.raises(NotFoundError):
        CewenRetriever(url, collection="nowhere").retrieve(QUERY)


def test_an_answer_gives_its_citations(url: str) -> None:
    retriever = CewenRetriever(url, mode="answer")
    (found,) = retriever.retrieve(QUERY)
    check_citation(found.node_id, found.text, found.metadata, url)
    check_offsets(found)
    assert retriever.retrieve(UNANSWERED) == []


@pytest.mark.parametrize("mode", ["passages", "answer"])
def test_asynchronously_it_is_the_same(url: str, mode: Any) -> None:
    retriever = CewenRetriever(url, mode=mode)
    expected = [found.to_dict() for found in retriever.retrieve(QUERY)]

    async def ask() -> list[NodeWithScore]:
        return await retriever.aretrieve(QUERY)

    for _ in range(2):
        assert [found.to_dict() for found in asyncio.run(ask())] == expected


def test_clients_that_are_given_are_used_and_left_open(url: str) -> None:
    async def ask() -> tuple[int, int]:
        async with AsyncClient(url) as client:
            retriever = CewenRetriever(async_client=client)
            with pytest.raises(ConfigError, match="async_client"):
                retriever.retrieve(QUERY)
            return len(await retriever.aretrieve(QUERY)), len(await retriever.aretrieve(QUERY))

    assert asyncio.run(ask()) == (3, 3)
    with Client(url) as client:
        assert len(CewenRetriever(client=client, score_threshold=0.9).retrieve(QUERY)) == 1
        assert client.ready()


def test_a_query_engine_keeps_places(url: str) -> None:
    engine = RetrieverQueryEngine.from_args(CewenRetriever(url, top_k=1), llm=MockLLM())
    for response in (engine.query(QUERY), asyncio.run(engine.aquery(QUERY))):
        assert isinstance(response, Response)
        (found,) = response.source_nodes
        check_passage(found.node_id, found.text, found.metadata, url)
        check_offsets(found)
        # The mock repeats its prompt: the model saw the text, its authors and lines, and no numbers of ours.
        assert found.text in str(response)
        assert f"start_line: {found.metadata['start_line']}" in str(response)
        assert "周望潮" in str(response)
        assert LIGHTHOUSE not in str(response)


def test_an_engine_without_passages_says_so(url: str) -> None:
    engine = RetrieverQueryEngine.from_args(CewenRetriever(url, mode="answer"), llm=MockLLM())
    response = engine.query(UNANSWERED)
    assert isinstance(response, Response)
    assert response.source_nodes == []


def test_bulky_metadata_is_kept_from_models(url: str) -> None:
    (found,) = CewenRetriever(url, mode="answer").retrieve(QUERY)
    shown = found.node.get_content(MetadataMode.LLM)
    embedded = found.node.get_content(MetadataMode.EMBED)
    for key, value in found.metadata.items():
        assert (f"{key}: {value}" in shown) == (key in {"title", "authors", "start_line", "end_line"})
        assert (f"{key}: {value}" in embedded) == (key in {"title", "authors"})
    assert found.text in shown


def test_the_key_is_sent_and_shown_nowhere() -> None:
    refused = json_reply(error_body("api_key_invalid", "authentication"), status="401 X")
    with serving(refused) as server:
        url = f"http://127.0.0.1:{server.port}"
        retriever = CewenRetriever(url, api_key=KEY)
        for one in (
            retriever,
            copy.copy(retriever),
            copy.deepcopy(retriever),
            CewenRetriever(url, api_key=SecretStr(KEY)),
        ):
            with pytest.raises(AuthenticationError):
                one.retrieve(QUERY)
        assert [one.headers["authorization"] for one in server.requests] == [f"Bearer {KEY}"] * 4
        assert KEY not in repr(retriever) + repr(vars(retriever))
        data = pickle.dumps(retriever)
        assert KEY.encode() not in data
        with pytest.raises(AuthenticationError):
            pickle.loads(data).retrieve(QUERY)  # noqa: S301 -- our own
        assert "authorization" not in server.requests[-1].headers


def test_one_with_a_client_is_not_pickled() -> None:
    with Client() as client, pytest.raises(TypeError, match="base_url"):
        pickle.dumps(CewenRetriever(client=client))


def test_what_cannot_be_used_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="base_url"):
        CewenRetriever("127.0.0.1:8000")
    with pytest.raises(ConfigError, match="api_key"):
        CewenRetriever(api_key="a b")
    with pytest.raises(ConfigError, match="passages"):
        CewenRetriever(mode="other")  # type: ignore[arg-type]


def test_without_llamaindex_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "llama_index.core.retrievers", None)
    monkeypatch.delitem(sys.modules, "cewen.llamaindex")
    with pytest.raises(ImportError, match=r"pip install 'cewen\[llamaindex\]'"):
        importlib.import_module("cewen.llamaindex")
