from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from tests.api_fakes import LIGHTHOUSE, PAGE, SHA256, TEA, client_for


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for() as opened:
        yield opened


def test_the_list(client: TestClient) -> None:
    body = client.get("/v1/documents").json()
    times = {document.pop("added_at") for document in body["documents"]}
    assert len(times) == 1
    of_the_page: dict[str, object] = {
        "source_id": SHA256[:12],
        "source_sha256": SHA256,
        "original_sha256": "",
        "name": "page.txt",
        "date": None,
        "source_url": None,
        "tags": [],
        "origin": "seeds",
    }
    assert body == {
        "documents": [
            {
                "id": LIGHTHOUSE,
                "title": None,
                "label": "周望潮、林听雨：望海角灯塔…",
                "authors": ["周望潮", "林听雨"],
                "affiliation": "作者单位：望海角航标处",
                **of_the_page,
            },
            {
                "id": TEA,
                "title": "茶山笔记<初稿>",
                "label": "茶山笔记<初稿>",
                "authors": ["何采薇"],
                "affiliation": None,
                **of_the_page,
            },
        ],
        "total": 2,
        "next_offset": None,
    }


def test_one_document_has_its_paragraphs_with_lines_and_offsets(client: TestClient) -> None:
    body = client.get(f"/v1/documents/{LIGHTHOUSE}").json()
    listed = client.get("/v1/documents").json()["documents"][0]
    paragraphs = body.pop("paragraphs")
    assert body == listed
    assert [(p["number"], p["start_line"], p["end_line"]) for p in paragraphs] == [(1, 3, 5), (2, 7, 8)]
    for paragraph in paragraphs:
        printed = PAGE[paragraph["start_char"] : paragraph["end_char"]]
        assert "".join(printed.split()) == paragraph["text"]


@pytest.mark.parametrize("document_id", [LIGHTHOUSE, TEA])
def test_the_source_byte_for_byte(client: TestClient, document_id: str) -> None:
    reply = client.get(f"/v1/documents/{document_id}/source")
    assert reply.content == PAGE.encode("utf-8")
    assert hashlib.sha256(reply.content).hexdigest() == SHA256
    assert reply.headers["etag"] == f'"{SHA256}"'
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert reply.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("known", "status"),
    [
        (f'"{SHA256}"', 304),
        (f'W/"{SHA256}"', 304),
        (f'"other", "{SHA256}"', 304),
        ("*", 304),
        ('"other"', 200),
        (SHA256, 200),
        ("", 200),
    ],
)
def test_a_known_source_is_not_sent_again(client: TestClient, known: str, status: int) -> None:
    reply = client.get(f"/v1/documents/{TEA}/source", headers={"If-None-Match": known})
    assert reply.status_code == status
    assert reply.headers["etag"] == f'"{SHA256}"'
    assert (reply.content == b"") == (status == 304)


def test_head_answers_like_get(client: TestClient) -> None:
    got = client.get(f"/v1/documents/{TEA}/source")
    headed = client.head(f"/v1/documents/{TEA}/source")
    assert headed.status_code == 200
    assert headed.content == b""
    for name in ("content-length", "content-type", "etag"):
        assert headed.headers[name] == got.headers[name]
