"""Access keys: what they guard, how one may be written, what its scopes allow, and what callers are told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from starlette.testclient import TestClient

from api.app import create_app
from api.guards.auth import scope_needed
from api.keys.model import SCOPES, Key, KeyScope
from api.settings import ApiSettings
from tests.api_fakes import LIGHTHOUSE, FakeEngine, client_for

KEY = "k-3f9Q7z"
GUARDED = [
    ("POST", "/v1/ask"),
    ("POST", "/v1/search"),
    ("POST", "/v1/feedback"),
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


@pytest.mark.parametrize(("method", "path"), GUARDED)
@pytest.mark.parametrize("end", ["%0A", "%0D%0A", "%00", "%C2%85", "%E2%80%A8"])
def test_no_end_of_a_path_goes_past_the_key(client: TestClient, method: str, path: str, end: str) -> None:
    for key in ({}, {"Authorization": f"Bearer {KEY}"}):
        assert client.request(method, path + end, headers=key).status_code == 404


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


# Scopes.


class OneOfEach:
    """A key for each scope, named like it."""

    required = True

    def find(self, token: str) -> Key | None:
        return next((Key(scope, frozenset({scope})) for scope in SCOPES if scope == token), None)


@contextmanager
def scoped(token: str, settings: ApiSettings | None = None) -> Iterator[TestClient]:
    app = create_app(FakeEngine, settings, OneOfEach())
    with TestClient(app, headers={"Authorization": f"Bearer {token}"}) as opened:
        assert app.state.engine_slot.wait(10)
        yield opened


@pytest.mark.parametrize(
    ("method", "path", "needed"),
    [
        ("POST", "/v1/ask", "ask"),
        ("POST", "/v1/chat/completions", "ask"),
        ("POST", "/mcp", "ask"),
        ("POST", "/mcp/", "ask"),
        ("POST", "/dify/retrieval", "ask"),
        ("POST", "/retrieval", "ask"),
        ("POST", "/v1/feedback", "ask"),
        ("POST", "/v1/search", "read"),
        ("GET", "/v1/documents", "read"),
        ("GET", f"/v1/documents/{LIGHTHOUSE}", "read"),
        ("GET", "/v1/documents/a%0Ab", "read"),
        ("GET", "/v1/documents/a\nb", "read"),
        ("GET", "/v1/models", "read"),
        ("GET", "/v1/models/cewen", "read"),
        ("GET", "/v1/examples", "read"),
        ("GET", "/v1/nothing-there", "read"),
        ("GET", "/v1/nothing\nthere", "read"),
        ("GET", "/v1/", "read"),
        ("POST", "/v1/documents", "write"),
        ("DELETE", f"/v1/documents/{LIGHTHOUSE}", "write"),
        ("GET", "/metrics", "read"),
        ("GET", "/", None),
        ("GET", "/docs", None),
        ("GET", "/healthz", None),
        ("GET", "/static/base.css", None),
        ("GET", f"/documents/{LIGHTHOUSE}", None),
        ("GET", f"/v1/documents/{LIGHTHOUSE}/source", None),
        ("GET", "/mcpx", None),
    ],
)
def test_what_each_path_needs(method: str, path: str, needed: KeyScope | None) -> None:
    assert scope_needed(method, path) == needed


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/v1/documents"), ("POST", "/v1/search"), ("GET", "/v1/examples")]
)
@pytest.mark.parametrize("token", SCOPES)
def test_every_key_may_read(token: str, method: str, path: str) -> None:
    body = {"json": {"query": "灯塔"}} if method == "POST" else {}
    with scoped(token) as client:
        assert client.request(method, path, **body).status_code == 200  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/ask", {"error": {"type": "authentication", "code": "scope_missing"}}),
        ("/mcp", {"error": {"type": "authentication", "code": "scope_missing"}}),
        ("/v1/chat/completions", {"error": {"type": "invalid_request_error", "code": "scope_missing"}}),
        ("/dify/retrieval", {"error_code": 403}),
        ("/retrieval", {"error_code": 403}),
    ],
)
@pytest.mark.parametrize("token", ["read", "write"])
def test_who_may_not_ask_is_told_so_on_every_surface(token: str, path: str, body: dict[str, object]) -> None:
    with scoped(token) as client:
        reply = client.post(path, content=b"x" * 200_000)
    assert reply.status_code == 403
    assert reply.headers["connection"] == "close"
    assert "权限" in reply.text
    assert f"要有 ask 权限，这个密钥的权限是 {token}。" in reply.text
    for name, value in body.items():
        said = reply.json()[name]
        assert value.items() <= said.items() if isinstance(value, dict) else said == value


@pytest.mark.parametrize("token", ["ask", "admin"])
def test_who_may_ask_is_answered(token: str) -> None:
    with scoped(token) as client:
        assert client.post("/v1/ask", json={"question": "清晨熄灯"}).json()["status"] == "answered"
        wanted = {"knowledge_id": "default", "query": "灯塔"}
        assert client.post("/dify/retrieval", json=wanted).status_code == 200


def test_a_scope_does_not_show_what_there_is_behind_it() -> None:
    with scoped("read") as client:
        assert client.post("/v1/documents").status_code == 403
        assert client.get("/v1/admin/anything").status_code == 403
        assert client.get("/metrics").status_code == 200
    with scoped("nobody") as client:
        assert client.get("/metrics").status_code == 401


def test_below_a_prefix_paths_need_the_same() -> None:
    app = create_app(FakeEngine, ApiSettings(), OneOfEach())
    with TestClient(app, root_path="/below", headers={"Authorization": "Bearer read"}) as client:
        assert client.post("/below/v1/ask").status_code == 403


def test_the_document_says_that_a_key_is_needed() -> None:
    with scoped("read") as client:
        operations = client.get("/openapi.json").json()["paths"]
    assert operations["/v1/ask"]["post"]["security"] == [{"apiKey": []}]
    assert "`scope_missing`" in operations["/v1/ask"]["post"]["responses"]["403"]["description"]
