"""The access key: what it guards, how it may be written, and what each kind of caller is told."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from api.settings import ApiSettings
from tests.api_fakes import LIGHTHOUSE, client_for

KEY = "k-3f9Q7z"
GUARDED = [
    ("POST", "/v1/ask"),
    ("POST", "/v1/search"),
    ("GET", "/v1/documents"),
    ("GET", f"/v1/documents/{LIGHTHOUSE}"),
    ("GET", "/v1/models"),
    ("POST", "/v1/chat/completions"),
    ("POST", "/v1/nothing-there"),
    ("POST", "/dify/retrieval"),
    ("POST", "/retrieval"),
    ("POST", "/mcp"),
]
OPEN = ["/", "/docs", "/openapi.json", "/healthz", "/readyz", f"/documents/{LIGHTHOUSE}"]
OPEN += [f"/v1/documents/{LIGHTHOUSE}/source", "/static/base.css"]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for(settings=ApiSettings(api_key=KEY)) as opened:
        yield opened


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_what_answers_from_the_corpus_needs_the_key(client: TestClient, method: str, path: str) -> None:
    refused = client.request(method, path)
    dify = path.endswith("retrieval")
    assert refused.status_code == (403 if dify else 401)
    assert ("www-authenticate" in refused.headers) == (not dify)
    wrong = client.request(method, path, headers={"Authorization": "Bearer nope"})
    assert wrong.status_code == refused.status_code
    right = client.request(method, path, headers={"Authorization": f"Bearer {KEY}"})
    assert right.status_code not in {401, 403}


@pytest.mark.parametrize("path", OPEN)
def test_what_a_browser_opens_needs_none(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "api_key_missing"),
        ("", "api_key_missing"),
        (KEY, "api_key_missing"),
        (f"Basic {KEY}", "api_key_missing"),
        ("Bearer", "api_key_missing"),
        (f"Bearer {KEY} {KEY}", "api_key_missing"),
        ("Bearer 灯", "api_key_invalid"),
        (f"Bearer {KEY}x", "api_key_invalid"),
        (f"Bearer {KEY[:-1]}", "api_key_invalid"),
        (f"Bearer {KEY.lower()}", "api_key_invalid"),
    ],
)
def test_a_key_that_is_missing_or_wrong(client: TestClient, header: str | None, code: str) -> None:
    headers = {} if header is None else {"Authorization": header.encode("utf-8")}
    reply = client.get("/v1/documents", headers=headers)  # type: ignore[arg-type]
    assert reply.status_code == 401
    error = reply.json()["error"]
    assert (error["type"], error["code"]) == ("authentication", code)
    assert KEY not in reply.text


@pytest.mark.parametrize("header", [f"Bearer {KEY}", f"bearer {KEY}", f"BEARER   {KEY} "])
def test_the_scheme_is_read_as_http_has_it(client: TestClient, header: str) -> None:
    assert client.get("/v1/documents", headers={"Authorization": header}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"error": {"type": "invalid_request_error", "code": "invalid_api_key"}}),
        ("/dify/retrieval", {"error_code": 1002}),
        ("/v1/ask", {"error": {"type": "authentication", "code": "api_key_invalid"}}),
    ],
)
def test_each_format_has_its_own_refusal(client: TestClient, path: str, body: dict[str, object]) -> None:
    said = client.post(path, headers={"Authorization": "Bearer nope"}).json()
    for name, value in body.items():
        if isinstance(value, dict):
            assert value.items() <= said[name].items()
        else:
            assert said[name] == value


def test_without_a_key_set_none_is_asked_for() -> None:
    with client_for() as opened:
        assert opened.get("/v1/documents", headers={"Authorization": "whatever"}).status_code == 200


def test_the_key_is_refused_before_the_body_is_read(client: TestClient) -> None:
    reply = client.post("/v1/ask", content=b"x" * 200_000)
    assert reply.status_code == 401
    assert reply.headers["connection"] == "close"


def test_the_key_stays_out_of_what_is_printed() -> None:
    assert KEY not in repr(ApiSettings(api_key=KEY))
