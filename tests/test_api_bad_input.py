"""What callers get wrong, by accident or on purpose: one table, and arbitrary broken Unicode.

For all of it: a 4xx in our shape with the right code, nothing of the input repeated at length, no 500.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from tests.api_fakes import FakeEngine, client_for

JSON = {"Content-Type": "application/json"}
ENGINE = FakeEngine()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for(ENGINE) as opened:
        yield opened


def ask_json(**fields: object) -> bytes:
    return json.dumps({"question": "灯塔", **fields}).encode()


# name: (body, status, code, part of the message)
BODIES: dict[str, tuple[bytes, int, str, str]] = {
    "no body": (b"", 400, "malformed_json", "请求体是空的"),
    "only spaces": (b"  \r\n ", 400, "malformed_json", "请求体是空的"),
    "not JSON": (b"question=1", 400, "malformed_json", "第 1 行第 1 个字符"),
    "cut short": (b'{"question": "a', 400, "malformed_json", "没有结束的引号"),
    "no closing brace": (b'{"question": "a"', 400, "malformed_json", "应有逗号"),
    "trailing comma": (b'{"question": "a",}', 400, "malformed_json", "键名"),
    "single quotes": (b"{'question': 'a'}", 400, "malformed_json", "双引号"),
    "two values": (b'{"question":"a"} {}', 400, "malformed_json", "多余的内容"),
    "missing colon": (b'{"question" "a"}', 400, "malformed_json", "冒号"),
    "bad escape": (b'{"question":"\\x41"}', 400, "malformed_json", "反斜杠"),
    "bad unicode escape": (b'{"question":"\\u12"}', 400, "malformed_json", "十六进制"),
    "raw control character": (b'{"question":"a\x01"}', 400, "malformed_json", "控制字符"),
    "raw NUL": (b'{"question":"a\x00"}', 400, "malformed_json", "控制字符"),
    "Python's None": (b'{"question":None}', 400, "malformed_json", "应有一个值"),
    "invalid UTF-8": (b'{"question":"\xff\xfe\xfa"}', 400, "malformed_json", "第 14 个字节不是合法的 UTF-8"),
    "overlong UTF-8": (b'{"question":"\xc0\xaf"}', 400, "malformed_json", "不是合法的 UTF-8"),
    "UTF-8 surrogate": (b'{"question":"\xed\xa0\x80"}', 400, "malformed_json", "不是合法的 UTF-8"),
    "GBK": ('{"question":"灯塔在哪"}'.encode("gbk"), 400, "malformed_json", "GBK/GB18030 编码。请用 UTF-8"),
    "UTF-16": ('{"question":"灯塔"}'.encode("utf-16"), 400, "malformed_json", "send UTF-8"),
    "gzip in disguise": (gzip.compress(ask_json()), 400, "malformed_json", "不是合法的 UTF-8"),
    "60,000 arrays": (b"[" * 60_000, 400, "malformed_json", "嵌套超过 32 层"),
    "33 levels": (b'{"question":' + b"[" * 32 + b"]" * 32 + b"}", 400, "malformed_json", "嵌套"),
    "deep objects": (b'{"a":' * 5_000 + b"1" + b"}" * 5_000, 400, "malformed_json", "嵌套"),
    "5,000 digits": (b'{"question":"a","top_k":' + b"9" * 5_000 + b"}", 400, "malformed_json", "5000 个字符"),
    "5,000 digits and a point": (
        b'{"question":"a","top_k":0.' + b"9" * 5_000 + b"}",
        400,
        "malformed_json",
        "最长 400",
    ),
    "duplicate key": (b'{"question":"a","question":"b"}', 400, "duplicate_key", "“question”"),
    "duplicate key by escape": (b'{"top_k":1,"top\\u005fk":2}', 400, "duplicate_key", "“top_k”"),
    "duplicate key inside": (
        b'{"question":"a","history":[{"role":"user","role":"user","content":"b"}]}',
        400,
        "duplicate_key",
        "“role”",
    ),
    "lone surrogate": (b'{"question":"a\\ud800"}', 422, "invalid_text", "U+D800"),
    "low surrogate": (b'{"question":"\\udc00a"}', 422, "invalid_text", "U+DC00"),
    "surrogates swapped": (b'{"question":"\\udfb7\\ud842"}', 422, "invalid_text", "代理码位"),
    "surrogate in a key": (b'{"question":"a","\\ud800":1}', 422, "invalid_text", "代理码位"),
    "surrogate in the generator": (
        b'{"question":"a","generator":"\\ud800"}',
        422,
        "invalid_text",
        "代理码位",
    ),
    "surrogate in the history": (
        b'{"question":"a","history":[{"role":"user","content":"\\udbff"}]}',
        422,
        "invalid_text",
        "U+DBFF",
    ),
    "NUL": (ask_json(question="a\0b"), 422, "invalid_text", "U+0000"),
    "escape character": (ask_json(question="\x1b[2J"), 422, "invalid_text", "U+001B"),
    "NUL in the history": (
        ask_json(history=[{"role": "user", "content": "\0"}]),
        422,
        "invalid_text",
        "历史消息",
    ),
    "NaN": (b'{"question":"a","top_k":NaN}', 422, "invalid_number", "NaN"),
    "Infinity": (b'{"question":"a","top_k":Infinity}', 422, "invalid_number", "Infinity"),
    "minus Infinity": (b'{"question":"a","top_k":-Infinity}', 422, "invalid_number", "-Infinity"),
    "1e999": (b'{"question":"a","top_k":1e999}', 422, "invalid_number", "1e999"),
    "NaN in an unknown field": (b'{"question":"a","x":{"y":[NaN]}}', 422, "invalid_number", "NaN"),
    "empty question": (ask_json(question=""), 422, "empty_question", "没有可读的文字"),
    "ideographic spaces": (ask_json(question="\u3000\u3000"), 422, "empty_question", "2 个空白"),
    "zero-width spaces": (ask_json(question="\u200b\ufeff"), 422, "empty_question", "不可见字符"),
    "2,001 characters": (ask_json(question="字" * 2001), 422, "question_too_long", "有 2001 个字符"),
    "10,001 characters": (ask_json(question="a" * 10_001), 422, "question_too_long", "有 10001 个字符"),
    "2,001 astral characters": (ask_json(question="𠮷" * 2001), 422, "question_too_long", "有 2001 个字符"),
    "blank turn": (ask_json(history=[{"role": "user", "content": " "}]), 422, "empty_content", "历史消息"),
    "long turn": (
        ask_json(history=[{"role": "user", "content": "a" * 8001}]),
        422,
        "content_too_long",
        "8001",
    ),
    "no question": (b"{}", 422, "invalid_request", "“question”缺少这个字段"),
    "an array": (b'["a"]', 422, "invalid_request", "请求体应为 JSON 对象"),
    "a string": (b'"a"', 422, "invalid_request", "请求体应为 JSON 对象"),
    "null": (b"null", 422, "invalid_request", "请求体"),
    "question a number": (ask_json(question=1), 422, "invalid_request", "“question”应为字符串"),
    "question null": (ask_json(question=None), 422, "invalid_request", "“question”应为字符串"),
    "question a list": (ask_json(question=["a"]), 422, "invalid_request", "“question”应为字符串"),
    "top_k a string": (ask_json(top_k="5"), 422, "invalid_request", "“top_k”应为整数"),
    "top_k true": (ask_json(top_k=True), 422, "invalid_request", "“top_k”应为整数"),
    "top_k 5.0": (b'{"question":"a","top_k":5.0}', 422, "invalid_request", "“top_k”应为整数"),
    "top_k null": (ask_json(top_k=None), 422, "invalid_request", "“top_k”应为整数"),
    "top_k 0": (ask_json(top_k=0), 422, "invalid_request", "“top_k”不能小于 1"),
    "top_k 51": (ask_json(top_k=51), 422, "invalid_request", "“top_k”不能大于 50"),
    "top_k of 400 digits": (ask_json(top_k=10**399), 422, "invalid_request", "“top_k”不能大于 50"),
    "stream a string": (ask_json(stream="false"), 422, "invalid_request", "“stream”应为 true 或 false"),
    "explain 1": (ask_json(explain=1), 422, "invalid_request", "“explain”应为 true 或 false"),
    "generator empty": (ask_json(generator=""), 422, "invalid_request", "“generator”至少要有 1 个字符"),
    "generator too long": (ask_json(generator="x" * 65), 422, "invalid_request", "最多 64 个字符"),
    "history an object": (ask_json(history={}), 422, "invalid_request", "“history”应为数组"),
    "21 turns": (
        ask_json(history=[{"role": "user", "content": "a"}] * 21),
        422,
        "invalid_request",
        "“history”最多 20 项",
    ),
    "unknown role": (
        ask_json(history=[{"role": "system", "content": "a"}]),
        422,
        "invalid_request",
        "“history[0].role”只能是 'user' 或 'assistant'",
    ),
    "turn without content": (
        ask_json(history=[{"role": "user"}]),
        422,
        "invalid_request",
        "“history[0].content”缺少",
    ),
    "unknown field": (ask_json(topk=3), 422, "invalid_request", "“topk”不认识这个字段"),
    "unknown field in a turn": (
        ask_json(history=[{"role": "user", "content": "a", "name": "b"}]),
        422,
        "invalid_request",
        "“history[0].name”不认识",
    ),
    "five faults": (ask_json(a=1, b=2, c=3, d=4, e=5), 422, "invalid_request", "另有 2 处"),
    "unknown generator": (ask_json(generator="gpt"), 404, "generator_not_found", "fake"),
    "64 KB and one byte": (ask_json(question="a" * 65_536), 413, "body_too_large", "65536 字节"),
}

SEARCHES: dict[str, tuple[bytes, int, str, str]] = {
    "no query": (b"{}", 422, "invalid_request", "“query”缺少"),
    "question instead of query": (ask_json(query="a"), 422, "invalid_request", "“question”不认识"),
    "empty query": (b'{"query":"\\u200b"}', 422, "empty_query", "检索词"),
    "long query": (json.dumps({"query": "字" * 2001}).encode(), 422, "query_too_long", "2001"),
    "threshold 1.5": (b'{"query":"a","score_threshold":1.5}', 422, "invalid_request", "不能大于 1"),
    "threshold -0.1": (b'{"query":"a","score_threshold":-0.1}', 422, "invalid_request", "不能小于 0"),
    "threshold a string": (b'{"query":"a","score_threshold":"0.5"}', 422, "invalid_request", "应为数字"),
    "threshold true": (b'{"query":"a","score_threshold":true}', 422, "invalid_request", "应为数字"),
    "threshold NaN": (b'{"query":"a","score_threshold":NaN}', 422, "invalid_number", "NaN"),
    "threshold -1e999": (b'{"query":"a","score_threshold":-1e999}', 422, "invalid_number", "1e999"),
}

# name: (Content-Type or other headers, status, code)
HEADERS: dict[str, tuple[dict[str, str], int, str]] = {
    "no content type": ({}, 415, "unsupported_media_type"),
    "text": ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    "form": ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
    "multipart": ({"Content-Type": "multipart/form-data; boundary=x"}, 415, "unsupported_media_type"),
    "nonsense": ({"Content-Type": ";;;"}, 415, "unsupported_media_type"),
    "JSON lines": ({"Content-Type": "application/jsonl"}, 415, "unsupported_media_type"),
    "parameters of two kinds": (
        {"Content-Type": "application/json; charset*=utf-8''a; charset*0=utf"},
        415,
        "unsupported_media_type",
    ),
    "an endless parameter": (
        {"Content-Type": f"application/json; charset*{'1' * 5000}=x"},
        415,
        "unsupported_media_type",
    ),
    "JSON in GBK": ({"Content-Type": "application/json; charset=gbk"}, 415, "unsupported_media_type"),
    "gzip": ({**JSON, "Content-Encoding": "gzip"}, 415, "unsupported_content_encoding"),
    "two encodings": ({**JSON, "Content-Encoding": "identity, br"}, 415, "unsupported_content_encoding"),
    "20 KB of headers": ({**JSON, "Cookie": "x" * 20_000}, 431, "headers_too_large"),
}


def check_refusal(response: Any, status: int, code: str) -> str:
    """Assert our shape and give back the message."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-content-type-options"] == "nosniff"
    body = response.json()
    assert list(body) == ["error"]
    assert list(body["error"]) == ["type", "code", "message", "request_id"]
    assert body["error"]["code"] == code
    assert body["error"]["request_id"] == response.headers["x-request-id"]
    message: str = body["error"]["message"]
    assert len(message) < 200
    return message


@pytest.mark.parametrize("name", BODIES)
def test_bad_body(client: TestClient, name: str) -> None:
    body, status, code, part = BODIES[name]
    calls = len(ENGINE.asked)
    message = check_refusal(client.post("/v1/ask", content=body, headers=JSON), status, code)
    assert part in message
    assert len(ENGINE.asked) == calls + (code == "generator_not_found")


@pytest.mark.parametrize("name", SEARCHES)
def test_bad_search(client: TestClient, name: str) -> None:
    body, status, code, part = SEARCHES[name]
    assert part in check_refusal(client.post("/v1/search", content=body, headers=JSON), status, code)


@pytest.mark.parametrize("name", HEADERS)
def test_bad_headers(client: TestClient, name: str) -> None:
    headers, status, code = HEADERS[name]
    check_refusal(client.post("/v1/ask", content=ask_json(), headers=headers), status, code)


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"]
)
def test_good_content_types(client: TestClient, content_type: str) -> None:
    response = client.post("/v1/ask", content=ask_json(), headers={"Content-Type": content_type})
    assert response.status_code == 200


def test_a_byte_order_mark_is_no_mistake(client: TestClient) -> None:
    response = client.post("/v1/ask", content=b"\xef\xbb\xbf" + ask_json(), headers=JSON)
    assert response.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nope", 404, "not_found"),
        ("GET", "/v1/ask/", 404, "not_found"),
        ("GET", "/docs/%ff%fe", 404, "not_found"),
        ("GET", "/static/../app.py", 404, "not_found"),
        ("GET", "/static/%2e%2e/%2e%2e/app.py", 404, "not_found"),
        ("GET", "/static/%00", 404, "not_found"),
        ("GET", "/static", 404, "not_found"),
        ("POST", "/static/ask.js", 405, "method_not_allowed"),
        ("GET", "/v1/ask", 405, "method_not_allowed"),
        ("DELETE", "/v1/documents", 405, "method_not_allowed"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("GET", "/v1/documents/nope", 404, "document_not_found"),
        ("GET", "/v1/documents/nope/source", 404, "document_not_found"),
        ("GET", "/v1/documents/%00", 404, "not_found"),
        ("GET", "/v1/documents/..%2f..%2fetc%2fpasswd", 404, "not_found"),
        ("GET", f"/v1/documents/{'x' * 5000}", 404, "document_not_found"),
        ("GET", "/documents/<script>", 404, "document_not_found"),
    ],
)
def test_bad_addresses(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    response = client.request(method, path)
    check_refusal(response, status, code)
    assert ("allow" in response.headers) == (status == 405)


ODD = st.sampled_from('灯塔“”\x00\x1f\ud800\udfff\u200b\u3000𠮷\U000e0100\n\\"[]{}')
BROKEN = st.text(ODD | st.characters(categories=["L", "M", "N", "P", "S", "Z", "C"]))
FIELDS = st.sampled_from(["top_k", "history", "generator", "x"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | BROKEN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(BROKEN, inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(
    question=BROKEN, extra=st.dictionaries(st.sampled_from(["top_k", "history", "generator", "x"]), VALUES)
)
def test_any_json_is_answered_or_refused_in_our_shape(
    client: TestClient, question: str, extra: dict[str, Any]
) -> None:
    response = client.post("/v1/ask", content=json.dumps({"question": question, **extra}), headers=JSON)
    if response.status_code == 200:
        assert response.json()["resolved_question"] == question
    else:
        check_refusal(response, response.status_code, response.json()["error"]["code"])
        assert response.status_code in {400, 404, 422}


@settings(max_examples=150, deadline=None)
@given(body=st.binary(max_size=200) | BROKEN.map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_refused_in_our_shape(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/search", content=body, headers=JSON)
    check_refusal(response, response.status_code, response.json()["error"]["code"])
    assert response.status_code in {400, 422}
