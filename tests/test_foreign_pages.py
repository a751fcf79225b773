"""Pages of other sites may not change what a service without keys holds; programs and its own pages may."""

from __future__ import annotations

from typing import Any

import pytest

from api.guards.foreign_pages import OwnPages
from api.settings import ApiSettings
from tests.api_fakes import FakeLibrary, client_for

FORM: dict[str, Any] = {"files": {"file": ("note.txt", "一篇短文，说一件事。".encode())}}


def sent(origin: str | None, host: str = "127.0.0.1:8000", **settings: Any) -> tuple[int, str]:
    headers = {"Host": host} | ({"Origin": origin} if origin else {})
    with client_for(FakeLibrary(), settings=ApiSettings(**settings)) as client:
        reply = client.post("/v1/documents", headers=headers, **FORM)
    return reply.status_code, reply.json().get("error", {}).get("code", "")


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://elsewhere.example", "127.0.0.1:8000"),
        ("null", "127.0.0.1:8000"),
        ("http://rebound.example:8000", "rebound.example:8000"),  # its name points here: both agree
        ("http://127.0.0.1:9000", "127.0.0.1:8000"),  # another program of this machine
    ],
)
def test_another_sites_page_is_refused(origin: str, host: str) -> None:
    assert sent(origin, host) == (403, "foreign_page")


@pytest.mark.parametrize(
    ("origin", "settings"),
    [
        (None, {}),  # no browser
        ("http://127.0.0.1:8000", {}),
        ("https://qa.example.org", {"public_url": "https://qa.example.org"}),
        ("https://app.example.org", {"cors_origins": ("https://app.example.org",)}),
    ],
)
def test_programs_and_own_pages_may(origin: str | None, settings: dict[str, Any]) -> None:
    assert sent(origin, **settings)[0] == 201


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v1/documents/6cf8d97f77e4"),
        ("DELETE", "/v1/documents/6cf8d97f77e4"),
        ("POST", "/v1/collections"),
        ("DELETE", "/v1/collections/default"),
        ("POST", "/v1/admin/reindex"),
    ],
)
def test_every_change_is_guarded(method: str, path: str) -> None:
    with client_for(FakeLibrary()) as client:
        reply = client.request(method, path, headers={"Origin": "https://elsewhere.example"})
    assert (reply.status_code, reply.json()["error"]["code"]) == (403, "foreign_page")


def test_questions_are_not_guarded() -> None:
    with client_for(FakeLibrary()) as client:
        assert client.get("/v1/documents", headers={"Origin": "https://elsewhere.example"}).status_code == 200


def test_with_a_key_the_page_does_not_matter() -> None:
    key = "kx-one-key-for-all"
    headers = {"Origin": "https://elsewhere.example", "Authorization": f"Bearer {key}"}
    with client_for(FakeLibrary(), ApiSettings(api_key=key)) as client:
        assert client.post("/v1/documents", headers=headers, **FORM).status_code == 201
        del headers["Authorization"]
        assert client.post("/v1/documents", headers=headers, **FORM).status_code == 401


@pytest.mark.parametrize("origin", ["", "file:///tmp/page.html", "http://[", "http://127.0.0.1:99999"])
def test_what_is_no_origin_is_nobodys(origin: str) -> None:
    assert not OwnPages("", ()).hold(origin, "127.0.0.1:8000")


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8000", 200),
        ("localhost:8000", 200),
        ("[::1]:8000", 200),
        ("qa.example.org", 200),
        ("rebound.example:8000", 403),
        ("", 403),
        ("127.0.0.1.rebound.example", 403),
    ],
)
def test_a_local_service_answers_to_its_own_names(host: str, status: int) -> None:
    settings = ApiSettings(local_only=True, public_url="https://qa.example.org")
    with client_for(FakeLibrary(), settings) as client:
        assert client.get("/v1/documents", headers={"Host": host}).status_code == status
        assert client.get("/healthz", headers={"Host": host}).status_code == 200
