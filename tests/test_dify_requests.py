"""What may be sent, what is put right, what is refused, over an engine a person can compute."""

from __future__ import annotations

import hashlib
import json
import logging
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator
from starlette.testclient import TestClient

from api.app import create_app
from api.dify.schemas import DEFAULT_TOP_K
from api.openapi.file import openapi_text
from api.settings import ApiSettings
from rag.errors import GeneratorError, UnavailableError
from rag.records import Answer, Passage
from tests.api_fakes import LIGHTHOUSE, SHA256, TEA, FakeEngine, client_for
from tests.evals_server import serving_app

QUERY = "守塔人每天傍晚点灯"
QUOTE = "守塔人每天傍晚点灯，清晨熄灯。"
PARAGRAPH = f"望海角灯塔建于一九零七年，塔高三十二米，由本地石匠用花岗岩砌成。{QUOTE}"
DOCUMENT = json.loads(openapi_text())
PATHS = ("/dify/retrieval", "/retrieval")


class Recording(FakeEngine):
    """Remembers how it was searched."""

    def __init__(self) -> None:
        super().__init__()
        self.searched: list[tuple[str, int, float | None, bool]] = []

    def search(self, query: str, **options: Any) -> tuple[Passage, ...]:
        keep = options.get("keep")
        self.searched.append((query, options["top_k"], options["score_threshold"], keep is not None))
        return super().search(query, **options)


@pytest.fixture(scope="module")
def engine() -> Recording:
    return Recording()


@pytest.fixture(scope="module")
def client(engine: Recording) -> Iterator[TestClient]:
    with client_for(engine) as opened:
        yield opened


def body(**changes: Any) -> dict[str, Any]:
    setting = {"top_k": 4, "score_threshold": 0.0}
    return {"knowledge_id": "default", "query": QUERY, "retrieval_setting": setting} | changes


def records(client: TestClient, path: str = PATHS[0], **changes: Any) -> list[dict[str, Any]]:
    reply = client.post(path, json=body(**changes))
    assert reply.status_code == 200, reply.text
    assert reply.json().keys() == {"records"}
    found: list[dict[str, Any]] = reply.json()["records"]
    return found


def refused(client: TestClient, status: int, code: int, **sent: Any) -> str:
    reply = client.post(PATHS[0], **sent)
    assert (reply.status_code, reply.json().keys()) == (status, {"error_code", "error_msg"})
    assert reply.json()["error_code"] == code
    message: str = reply.json()["error_msg"]
    return message


@pytest.mark.parametrize("path", PATHS)
def test_a_passage_by_hand(client: TestClient, path: str) -> None:
    found = records(client, path)
    assert [record["metadata"]["paragraph"] for record in found] == [1, 2, 1]
    assert found[0] == {
        "content": PARAGRAPH,
        "score": 1.0,
        "title": "第 3–5 行、第 7–8 行 · 周望潮、林听雨：望海角灯塔…",
        "metadata": {
            "document_id": LIGHTHOUSE,
            "document_name": "周望潮、林听雨：望海角灯塔…",
            "title": "周望潮、林听雨：望海角灯塔…",
            "authors": ["周望潮", "林听雨"],
            "affiliation": "作者单位：望海角航标处",
            "source": "page.txt",
            "name": "page.txt",
            "date": None,
            "source_url": None,
            "tags": [],
            "paragraph": 1,
            "start_char": 19,
            "end_char": 68,
            "start_line": 3,
            "end_line": 5,
            "url": f"http://testserver/documents/{LIGHTHOUSE}?chars=19-68#L3-L5",
            "source_sha256": SHA256,
            "quote_sha256": hashlib.sha256(PARAGRAPH.encode()).hexdigest(),
            "score": 1.0,
            "chunk_id": f"{LIGHTHOUSE}:19-68",
        },
    }


def test_a_citation_by_hand(client: TestClient) -> None:
    (found,) = records(client, knowledge_id="default.answer", query=QUOTE)
    assert (found["content"], found["score"]) == (QUOTE, 1.0)
    assert found["title"] == "第 4–5 行 · 周望潮、林听雨：望海角灯塔…"
    own = {"number": 1, "match": "exact", "answer": f"{QUOTE}[1]"}
    assert found["metadata"].items() >= own.items()
    assert "chunk_id" not in found["metadata"]


def test_an_abstention_is_an_empty_list(client: TestClient) -> None:
    assert records(client, knowledge_id="default.answer", query="火锅") == []


def test_a_citation_below_the_threshold_or_outside_the_filter_is_left_out(client: TestClient) -> None:
    asked = {"knowledge_id": "default.answer", "query": QUOTE}
    condition = {"name": "document_id", "comparison_operator": "is", "value": TEA}
    assert records(client, **asked, metadata_condition={"conditions": [condition]}) == []
    condition = {"name": "match", "comparison_operator": "is", "value": "exact"}
    assert len(records(client, **asked, metadata_condition={"conditions": [condition]})) == 1


def test_top_k_limits_citations_but_not_what_the_answer_rests_on(
    client: TestClient, engine: Recording
) -> None:
    before = len(engine.asked)
    (found,) = records(client, knowledge_id="default.answer", query=QUOTE, retrieval_setting={"top_k": 1})
    assert found["metadata"]["number"] == 1
    assert [asked["top_k"] for asked in engine.asked[before:]] == [8]


@pytest.mark.parametrize(
    ("setting", "top_k", "threshold"),
    [
        (None, DEFAULT_TOP_K, 0.0),
        ({}, DEFAULT_TOP_K, 0.0),
        ({"top_k": None, "score_threshold": None}, DEFAULT_TOP_K, 0.0),
        ({"top_k": 4, "score_threshold": 0.5}, 4, 0.5),
        ({"top_k": 1, "score_threshold": 0}, 1, 0.0),
        ({"top_k": 50, "score_threshold": 1}, 50, 1.0),
        ({"top_k": 0}, 1, 0.0),
        ({"top_k": -3}, 1, 0.0),
        ({"top_k": 51}, 50, 0.0),
        ({"top_k": 10**30}, 50, 0.0),
        ({"top_k": 4.0}, 4, 0.0),
        ({"top_k": "4", "score_threshold": "0.5"}, 4, 0.5),
        ({"top_k": "100", "score_threshold": "1.0"}, 50, 1.0),
        ({"top_k": "-1", "score_threshold": ".25"}, 1, 0.25),
        ({"score_threshold": "0", "score_threshold_enabled": False, "reranking_mode": "x"}, 10, 0.0),
    ],
)
def test_settings(client: TestClient, engine: Recording, setting: Any, top_k: int, threshold: float) -> None:
    records(client, retrieval_setting=setting)
    assert engine.searched[-1] == (QUERY, top_k, threshold, False)
    assert_schema_allows(body(retrieval_setting=setting))


def test_settings_may_be_missing_and_unknown_fields_are_ignored(
    client: TestClient, engine: Recording
) -> None:
    sent = {"knowledge_id": " default ", "query": QUERY, "tenant": {"id": 3}, "top_k": 2}
    assert client.post(PATHS[0], json=sent).status_code == 200
    assert engine.searched[-1] == (QUERY, DEFAULT_TOP_K, 0.0, False)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"top_k": 2.5}, "retrieval_setting.top_k”应为整数"),
        ({"top_k": "four"}, "retrieval_setting.top_k”应为整数"),
        ({"top_k": "4 "}, "retrieval_setting.top_k”应为整数"),
        ({"top_k": True}, "retrieval_setting.top_k”应为整数"),
        ({"top_k": [4]}, "retrieval_setting.top_k”应为整数"),
        ({"score_threshold": 80}, "retrieval_setting.score_threshold”不能大于 1"),
        ({"score_threshold": 10**399}, "retrieval_setting.score_threshold”不能大于 1"),
        ({"score_threshold": -0.1}, "retrieval_setting.score_threshold”不能小于 0"),
        ({"score_threshold": "80%"}, "retrieval_setting.score_threshold”应为数字"),
        ({"score_threshold": "1.5"}, "retrieval_setting.score_threshold”应为数字"),
        ({"score_threshold": False}, "retrieval_setting.score_threshold”应为数字"),
        ("top_k=4", "“retrieval_setting”应为 JSON 对象"),
        ([], "“retrieval_setting”应为 JSON 对象"),
    ],
)
def test_settings_that_could_mean_anything(client: TestClient, setting: Any, said: str) -> None:
    assert said in refused(client, 422, 422, json=body(retrieval_setting=setting))


@pytest.mark.parametrize("query", ["", " ", "\u3000\u200b\n", "\x00\x0b"])
@pytest.mark.parametrize("knowledge_id", ["default", "default.answer"])
def test_a_blank_query_finds_nothing(client: TestClient, query: str, knowledge_id: str) -> None:
    assert records(client, query=query, knowledge_id=knowledge_id) == []


@pytest.mark.parametrize(
    ("query", "searched"),
    [
        ("灯\x0b塔\x00", "灯 塔 "),
        ("灯塔\n建于", "灯塔\n建于"),
        ("灯" * 2001, "灯" * 2000),
        ("𠮷" * 9000, "𠮷" * 2000),
        ("灯塔" + " " * 3000, "灯塔" + " " * 1998),
    ],
)
def test_what_a_user_may_type_is_searched(
    client: TestClient, engine: Recording, query: str, searched: str
) -> None:
    records(client, query=query)
    assert engine.searched[-1][0] == searched


@pytest.mark.parametrize("knowledge_id", ["", "Default", "default.answers", "AAA-BBB-CCC"])
def test_an_unknown_knowledge_base(client: TestClient, knowledge_id: str) -> None:
    said = refused(client, 404, 2001, json=body(knowledge_id=knowledge_id))
    assert "default（段落）" in said


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"query": None}, "“query”应为字符串"),
        ({"query": 3}, "“query”应为字符串"),
        ({"query": ["灯塔"]}, "“query”应为字符串"),
        ({"knowledge_id": 1}, "“knowledge_id”应为字符串"),
        ({"knowledge_id": None}, "“knowledge_id”应为字符串"),
    ],
)
def test_fields_of_the_wrong_type(client: TestClient, changes: dict[str, Any], said: str) -> None:
    assert said in refused(client, 422, 422, json=body(**changes))


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"content": b""}, 400, "地址和密钥都没有问题"),
        ({"content": b" \n"}, 400, "地址和密钥都没有问题"),
        ({"content": b"", "headers": {"Content-Type": "application/json"}}, 400, "地址和密钥都没有问题"),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400, "不是合法的 JSON"),
        ({"content": b"{}"}, 415, "Content-Type"),
        ({"json": {}}, 422, "“knowledge_id”缺少"),
        ({"json": []}, 422, "请求体"),
        (
            {"content": b'{"query": 1, "query": 2}', "headers": {"Content-Type": "application/json"}},
            400,
            "键",
        ),
        ({"json": body(query="灯" * 40_000)}, 413, "字节"),
    ],
)
def test_bad_bodies(client: TestClient, sent: dict[str, Any], status: int, said: str) -> None:
    assert said in refused(client, status, status, **sent)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_other_methods(client: TestClient, method: str) -> None:
    reply = client.request(method, PATHS[1])
    assert (reply.status_code, reply.json()["error_code"]) == (405, 405)


def test_conditions_reach_the_search(client: TestClient, engine: Recording) -> None:
    condition = {"name": ["document_id"], "comparison_operator": "is", "value": TEA}
    sent = {"logical_operator": "and", "conditions": [condition]}
    (found,) = records(client, metadata_condition=sent)
    assert found["metadata"]["document_id"] == TEA
    assert engine.searched[-1][3] is True
    assert_schema_allows(body(metadata_condition=sent))
    condition = {"name": "score", "comparison_operator": "≥", "value": "1"}
    assert [one["score"] for one in records(client, metadata_condition={"conditions": [condition]})] == [1.0]


@pytest.mark.parametrize(
    "sent", [None, {}, {"conditions": []}, {"logical_operator": "or", "conditions": None}]
)
def test_no_conditions_are_no_filter(client: TestClient, engine: Recording, sent: Any) -> None:
    assert len(records(client, metadata_condition=sent)) == 3
    assert engine.searched[-1][3] is False


def test_every_name_of_the_metadata_can_be_filtered(client: TestClient) -> None:
    for knowledge_id, query in (("default", QUERY), ("default.answer", QUOTE)):
        best = records(client, knowledge_id=knowledge_id, query=query)[0]["metadata"]
        for name, value in best.items():
            operator = "in" if isinstance(value, list) else "is"
            if value in (None, []):
                operator = "empty"
            condition = {"name": name, "comparison_operator": operator, "value": value}
            sent = {"conditions": [condition]}
            found = records(client, knowledge_id=knowledge_id, query=query, metadata_condition=sent)
            assert found, name
            assert all(record["metadata"][name] == value for record in found)


def test_a_name_that_no_record_has_is_logged(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    condition = {"name": "部门秘密", "comparison_operator": "is", "value": "密语"}
    with caplog.at_level(logging.WARNING):
        assert records(client, metadata_condition={"conditions": [condition]}) == []
    assert "names 1 fields that no record has" in caplog.text
    assert "密" not in caplog.text


def test_a_condition_that_cannot_be_understood(client: TestClient) -> None:
    condition = {"name": "title", "comparison_operator": "like", "value": "%灯塔%"}
    said = refused(client, 400, 400, json=body(metadata_condition={"conditions": [condition]}))
    assert "not contains" in said


@pytest.mark.parametrize("knowledge_id", ["default", "default.answer"])
def test_a_filter_that_no_record_can_pass_costs_nothing(
    client: TestClient, engine: Recording, knowledge_id: str
) -> None:
    other = "number" if knowledge_id == "default" else "chunk_id"
    before = len(engine.searched), len(engine.asked)
    for name, operator, value in ((other, "is not", "x"), ("nothing", "in", ["x"])):
        impossible = {"name": name, "comparison_operator": operator, "value": value}
        possible = {"name": "title", "comparison_operator": "not empty"}
        sent = {"logical_operator": "and", "conditions": [possible, impossible]}
        assert records(client, knowledge_id=knowledge_id, query=QUOTE, metadata_condition=sent) == []
        assert (len(engine.searched), len(engine.asked)) == before
        sent["logical_operator"] = "or"
        assert records(client, knowledge_id=knowledge_id, query=QUOTE, metadata_condition=sent)
        before = len(engine.searched), len(engine.asked)
    empty = {"conditions": [{"name": other, "comparison_operator": "empty"}]}
    assert records(client, knowledge_id=knowledge_id, query=QUOTE, metadata_condition=empty)


def test_links_have_the_public_address_if_there_is_one() -> None:
    with client_for(settings=ApiSettings(public_url="https://cewen.example/qa")) as client:
        found = records(client)
        assert found[0]["metadata"]["url"].startswith("https://cewen.example/qa/documents/")


def test_a_service_that_is_not_ready_says_so() -> None:
    def busy() -> None:
        raise UnavailableError("还没有准备好。", code="not_ready")

    with client_for(FakeEngine(busy)) as client:
        reply = client.post(PATHS[0], json=body())
        assert (reply.status_code, reply.json()["error_code"]) == (503, 503)
        assert reply.headers["retry-after"]


class Waiting(FakeEngine):
    """Works until it is told that the caller has left."""

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Event()
        self.gave_up = threading.Event()

    def ask(self, question: str, **options: Any) -> Answer:  # noqa: ARG002
        self._wait(options["cancelled"])
        raise AssertionError

    def search(self, query: str, **options: Any) -> tuple[Passage, ...]:  # noqa: ARG002
        self._wait(options["cancelled"])
        raise AssertionError

    def _wait(self, cancelled: Callable[[], bool]) -> None:
        self.begun.set()
        for _ in range(1000):
            if cancelled():
                self.gave_up.set()
                raise GeneratorError("已取消。", code="generator_cancelled")
            self.gave_up.wait(0.01)


@pytest.mark.parametrize("knowledge_id", ["default", "default.answer"])
def test_nobody_computes_for_a_caller_that_has_left(knowledge_id: str) -> None:
    engine = Waiting()
    content = json.dumps(body(knowledge_id=knowledge_id), ensure_ascii=False).encode()
    head = f"POST /retrieval HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n"
    head += "Content-Type: application/json\r\n\r\n"
    app = create_app(lambda: engine)
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(10)
        port = httpx.URL(url).port
        assert port
        with socket.create_connection(("127.0.0.1", port), timeout=10) as caller:
            caller.sendall(head.encode() + content)
            assert engine.begun.wait(10)
            assert not engine.gave_up.is_set()
        assert engine.gave_up.wait(10)


def assert_schema_allows(sent: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/RetrievalRequest", "components": DOCUMENT["components"]}
    Draft202012Validator(schema).validate(sent)
