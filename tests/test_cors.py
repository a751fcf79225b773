"""Pages of other origins: closed unless the settings name them, and then exactly those."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.settings import ApiSettings
from rag.errors import ConfigError
from rag.settings import read_settings
from tests.api_fakes import client_for

OURS, OTHER = "https://app.example.org", "https://evil.example"
OPEN_TO_ONE = ApiSettings(api_key="geheim", cors_origins=(OURS, "http://localhost:5173"))


@pytest.fixture(autouse=True)
def _nobodys_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a developer's `.env` nor their environment decides anything here."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)


def preflight(client: TestClient, origin: str, method: str = "POST", header: str = "authorization") -> int:
    reply = client.options(
        "/v1/ask",
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": header,
        },
    )
    allowed = reply.headers.get("access-control-allow-origin")
    assert allowed == (origin if origin in OPEN_TO_ONE.cors_origins else None)
    return reply.status_code


def test_closed_by_default() -> None:
    with client_for(settings=ApiSettings(api_key="geheim")) as client:
        assert client.options("/v1/ask", headers={"Origin": OURS}).status_code == 401
        for path in ("/v1/documents", "/healthz", "/"):
            reply = client.get(path, headers={"Origin": OURS})
            assert not [name for name in reply.headers if name.startswith("access-control")]


def test_a_preflight_is_answered_without_a_key() -> None:
    with client_for(settings=OPEN_TO_ONE) as client:
        assert preflight(client, OURS) == 200
        assert preflight(client, "http://localhost:5173", "GET", "content-type") == 200
        assert preflight(client, OTHER) == 400
        assert preflight(client, "null") == 400
        assert preflight(client, f"{OURS}.evil.example") == 400
        assert preflight(client, OURS, "DELETE") == 400
        assert preflight(client, OURS, "POST", "x-other") == 400


def test_replies_and_refusals_can_be_read_by_that_page_alone() -> None:
    with client_for(settings=OPEN_TO_ONE) as client:
        for key, status in (("geheim", 200), ("nein", 401)):
            headers = {"Origin": OURS, "Authorization": f"Bearer {key}"}
            reply = client.get("/v1/documents", headers=headers)
            assert (reply.status_code, reply.headers["access-control-allow-origin"]) == (status, OURS)
            assert "Retry-After" in reply.headers["access-control-expose-headers"]
            assert "access-control-allow-credentials" not in reply.headers
            assert "Origin" in reply.headers["vary"]
        other = client.get("/v1/documents", headers={"Origin": OTHER, "Authorization": "Bearer geheim"})
        assert "access-control-allow-origin" not in other.headers


def test_mcp_knows_these_origins_too() -> None:
    with client_for(settings=ApiSettings(cors_origins=(OURS,))) as client:
        replies = {
            origin: client.post("/mcp", headers={"Origin": origin, "Host": "127.0.0.1:8000"}).status_code
            for origin in (OURS, OTHER, "null")
        }
    assert replies[OURS] != 403
    assert (replies[OTHER], replies["null"]) == (403, 403)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("", ""),
        (" , ", ""),
        (OURS, OURS),
        (f" {OURS}/ , http://LOCALHOST:5173 ", f"{OURS},http://localhost:5173"),
        ("https://a.example:443,http://a.example:80", "https://a.example,http://a.example"),
        ("http://[::1]:3000", "http://[::1]:3000"),
    ],
)
def test_origins_are_read_as_browsers_send_them(given: str, read: str) -> None:
    assert read_settings(cors_origins=given).cors_origins == read


@pytest.mark.parametrize(
    "given", ["*", "https://*.example", "app.example", "null", f"{OURS}/page", f"{OURS}?x", f"{OURS};{OTHER}"]
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(ConfigError, match=r"CEWEN_CORS_ORIGINS=.*https?://"):
        read_settings(cors_origins=given)


def test_a_password_in_an_origin_is_not_repeated() -> None:
    with pytest.raises(ConfigError, match=r"CEWEN_CORS_ORIGINS=[*]{4}") as caught:
        read_settings(cors_origins="https://me:geheim@app.example")
    assert "geheim" not in caught.value.message
