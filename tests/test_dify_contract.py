"""Dify against the real service over the sample corpus: registration, retrieval, what it makes of records."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.app import create_app
from api.settings import ApiSettings
from tests.api_fakes import FakeEngine
from tests.dify_client import Dify, RegistrationError
from tests.evals_server import serving_app

KEY = "k-3f9Q7z"
QUESTION = "“141”基层智治体系覆盖了多少个乡镇街道？"
OFF_TOPIC = "火锅底料怎么炒？"


@pytest.fixture(scope="module")
def locked() -> Iterator[str]:
    app = create_app(FakeEngine, ApiSettings(api_key=KEY))
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(10)
        yield url


@pytest.mark.parametrize("path", ["", "/dify"])
def test_an_endpoint_with_the_right_key_is_saved(locked: str, path: str) -> None:
    reply = Dify(locked + path, api_key=KEY).save_endpoint()
    assert (reply.status_code, reply.json()["error_code"]) == (400, 400)
    assert "地址和密钥都没有问题" in reply.json()["error_msg"]


@pytest.mark.parametrize("path", ["", "/dify"])
def test_an_endpoint_with_a_wrong_key_is_not(locked: str, path: str) -> None:
    with pytest.raises(RegistrationError):
        Dify(locked + path, api_key="nope").save_endpoint()


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, 1001),
        ("", 1001),
        (KEY, 1001),
        (f"Basic {KEY}", 1001),
        ("Bearer", 1001),
        (f"Bearer {KEY}x", 1002),
    ],
)
@pytest.mark.parametrize("content", [b"", b'{"knowledge_id": "nope"}', b"{"])
def test_the_key_comes_before_the_body(locked: str, header: str | None, code: int, content: bytes) -> None:
    headers = {} if header is None else {"Authorization": header}
    reply = httpx.post(f"{locked}/dify/retrieval", content=content, headers=headers)
    assert reply.status_code == 403
    assert reply.json().keys() == {"error_code", "error_msg"}
    assert reply.json()["error_code"] == code
    assert "www-authenticate" not in reply.headers


def test_retrieval_with_a_key(locked: str) -> None:
    assert len(Dify(locked, api_key=KEY).fetch("守塔人每天几时熄灯？")) == 3
    assert Dify(locked, api_key="nope").fetch("守塔人每天几时熄灯？") == []
    assert Dify(locked, api_key=KEY, knowledge_id="other").fetch("守塔人每天几时熄灯？") == []


def post(url: str, path: str, **body: Any) -> Any:
    reply = httpx.post(url + path, json=body, timeout=60)
    assert reply.status_code == 200, reply.text
    return reply.json()


def test_passages_are_the_hits_of_the_search(live_url: str) -> None:
    for query in (QUESTION, "作者是谁？"):
        hits = post(live_url, "/v1/search", query=query, top_k=6)["hits"]
        records = Dify(f"{live_url}/dify").fetch(query, top_k=6)
        assert [record["metadata"]["chunk_id"] for record in records] == [hit["chunk_id"] for hit in hits]
        for record, hit in zip(records, hits, strict=True):
            assert (record["content"], record["score"]) == (hit["text"], hit["score"])
            same = hit.keys() & record["metadata"].keys() - {"url"}
            assert same >= {"document_id", "title", "authors", "paragraph", "start_char", "end_line"}
            assert {name: record["metadata"][name] for name in same} == {name: hit[name] for name in same}
            assert record["metadata"]["url"] == live_url + hit["url"]
            assert "number" not in record["metadata"]


def test_citations_are_those_of_the_answer(live_url: str) -> None:
    dify = Dify(live_url, knowledge_id="default.answer")
    for question in (QUESTION, "作者是谁？"):
        answer = post(live_url, "/v1/ask", question=question)
        records = dify.fetch(question, top_k=50)
        assert len(records) == len(answer["citations"])
        for record, citation in zip(records, answer["citations"], strict=True):
            assert (record["content"], record["score"]) == (citation["quote"], citation["score"])
            assert record["metadata"]["answer"] == answer["answer"]
            same = citation.keys() & record["metadata"].keys() - {"url"}
            assert same >= {"number", "match", "score", "document_id", "source_sha256", "end_char"}
            assert {name: record["metadata"][name] for name in same} == {
                name: citation[name] for name in same
            }
            assert record["metadata"]["url"] == live_url + citation["url"]
            assert "chunk_id" not in record["metadata"]


def test_an_abstention_leaves_dify_nothing_to_answer_from(live_url: str) -> None:
    assert post(live_url, "/v1/ask", question=OFF_TOPIC)["status"] == "abstained"
    dify = Dify(live_url, knowledge_id="default.answer")
    assert dify.context(dify.documents(dify.fetch(OFF_TOPIC))) == ""
    assert Dify(live_url).fetch(OFF_TOPIC) != []


@pytest.mark.parametrize("knowledge_id", ["default", "default.answer"])
def test_every_record_can_be_checked_against_the_source(live_url: str, knowledge_id: str) -> None:
    records = Dify(live_url, knowledge_id=knowledge_id).fetch(QUESTION, top_k=50)
    ids = {record["metadata"]["document_id"] for record in records}
    sources = {name: httpx.get(f"{live_url}/v1/documents/{name}/source").text for name in ids}
    assert records
    for record in records:
        held = record["metadata"]
        source = sources[held["document_id"]]
        assert hashlib.sha256(source.encode()).hexdigest() == held["source_sha256"]
        assert hashlib.sha256(record["content"].encode()).hexdigest() == held["quote_sha256"]
        span = source[held["start_char"] : held["end_char"]]
        assert "".join(span.split()) == "".join(record["content"].split()) != ""
        first = source.count("\n", 0, held["start_char"]) + 1
        assert (held["start_line"], held["end_line"]) == (first, first + span.count("\n"))
    assert httpx.get(records[0]["metadata"]["url"]).status_code == 200


def test_what_dify_makes_of_the_records(live_url: str) -> None:
    dify = Dify(live_url)
    records = dify.fetch(QUESTION, top_k=12)
    assert all(isinstance(record["metadata"], dict) for record in records)
    kept = [dict(record["metadata"]) for record in records]
    documents = dify.documents(records)
    assert dify.context(documents).startswith(records[0]["content"])
    for node, metadata in zip(dify.node_output(documents), kept, strict=True):
        assert node["metadata"]["document_id"] == metadata["document_id"]
        assert node["metadata"]["doc_metadata"]["document_name"] == metadata["title"]
        assert node["metadata"]["score"] == metadata["score"]


def test_the_panel_never_names_lines_that_a_quote_does_not_stand_on(live_url: str) -> None:
    dify = Dify(live_url)
    documents = dify.documents(dify.fetch(QUESTION, top_k=12))
    entries = dify.panel(documents)
    assert max(len(entry.contents) for entry in entries) > 1
    for entry in entries:
        for content in entry.contents:
            (found,) = [document for document in documents if document.page_content == content]
            first, last = found.metadata["start_line"], found.metadata["end_line"]
            lines = f"第 {first} 行" if first == last else f"第 {first}–{last} 行"
            assert lines in entry.name
            assert entry.name.endswith(f" · {found.metadata['document_name']}")


def test_the_threshold_is_on_the_public_score(live_url: str) -> None:
    dify = Dify(live_url)
    everything = dify.fetch(QUESTION, top_k=50)
    scores = [record["score"] for record in everything]
    assert scores == sorted(scores, reverse=True)
    middle = scores[len(scores) // 2]

    def above(threshold: float, *, enabled: bool = True) -> list[float]:
        found = dify.fetch(QUESTION, top_k=50, score_threshold=threshold, score_threshold_enabled=enabled)
        return [record["score"] for record in found]

    assert above(middle) == [score for score in scores if score >= middle]
    assert above(middle + 0.0001) == [score for score in scores if score > middle]
    assert above(middle, enabled=False) == above(0.0) == scores
    assert above(1.0) == [score for score in scores if score == 1.0]


def test_citations_below_the_threshold_are_left_out(live_url: str) -> None:
    dify = Dify(live_url, knowledge_id="default.answer")
    scores = [record["score"] for record in dify.fetch(QUESTION, top_k=50)]
    for threshold in (max(scores), max(scores) + 0.0001):
        found = dify.fetch(QUESTION, top_k=50, score_threshold=threshold, score_threshold_enabled=True)
        assert [record["score"] for record in found] == [score for score in scores if score >= threshold]


@pytest.mark.parametrize("knowledge_id", ["default", "default.answer"])
def test_conditions_choose_records(live_url: str, knowledge_id: str) -> None:
    dify = Dify(live_url, knowledge_id=knowledge_id)
    everything = dify.fetch(QUESTION, top_k=50)
    best = everything[0]["metadata"]
    only = {"name": "document_id", "comparison_operator": "is", "value": best["document_id"]}
    chosen = dify.fetch(QUESTION, {"logical_operator": "and", "conditions": [only]}, top_k=50)
    assert chosen == [
        record for record in everything if record["metadata"]["document_id"] == best["document_id"]
    ]
    none = only | {"comparison_operator": "is not"}
    assert dify.fetch(QUESTION, {"conditions": [only, none]}, top_k=50) == []
    either = dify.fetch(QUESTION, {"logical_operator": "or", "conditions": [only, none]}, top_k=50)
    assert either == everything
