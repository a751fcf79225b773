"""Lists and filters, collections, jobs, old citations, encoding anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.guards.auth import scope_needed
from tests.api_fakes import LIGHTHOUSE, PAGE, SHA256, TEA, FakeLibrary, client_for
from tests.test_api_bad_input import JSON, check_refusal
from tests.uploading import ESSAY

LISTED = 7


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    """Seven documents: two of the page, five added in turn, the later ones from later years."""
    with client_for(FakeLibrary()) as opened:
        for number in range(5):
            metadata = {
                "title": f"第{number}封信",
                "authors": ["周望潮" if number % 2 else "ＡＩ"],
                "tags": ["海", f"信{number}"],
                "date": f"190{number}",
                "source_url": f"https://example.org/{number}",
            }
            sent = {"text": f"{ESSAY}{number}\n", "name": f"信{number}.txt", "metadata": metadata}
            assert opened.post("/v1/documents", json=sent).status_code == 201
        yield opened


@pytest.mark.parametrize("q", ["%E3%80%80", "%20", "%E2%80%8B", "%C2%AD%E2%80%8B", "%0A"])
def test_what_cannot_be_read_does_not_list_everything(client: TestClient, q: str) -> None:
    check_refusal(client.get(f"/v1/documents?q={q}"), 422, "invalid_filters")


def names(client: TestClient, query: str) -> list[str]:
    """File names of what a query lists."""
    response = client.get(f"/v1/documents?{query}")
    assert response.status_code == 200, response.text
    return [document["name"] for document in response.json()["documents"]]


def test_the_list_is_in_the_order_of_coming(client: TestClient) -> None:
    assert names(client, "") == ["page.txt"] * 2 + [f"信{number}.txt" for number in range(5)]


@settings(max_examples=40, deadline=None)
@given(offset=st.integers(0, 9), limit=st.integers(1, 9))
def test_pages_are_slices_of_the_whole(client: TestClient, offset: int, limit: int) -> None:
    whole = client.get("/v1/documents").json()["documents"]
    page = client.get(f"/v1/documents?offset={offset}&limit={limit}").json()
    assert page["documents"] == whole[offset : offset + limit]
    assert page["total"] == LISTED
    assert page["next_offset"] == (offset + limit if offset + limit < LISTED else None)


@pytest.mark.parametrize("limit", range(1, LISTED + 1))
def test_following_the_pages_gives_each_document_once(client: TestClient, limit: int) -> None:
    found: list[Any] = []
    offset: int | None = 0
    while offset is not None:
        page = client.get(f"/v1/documents?offset={offset}&limit={limit}").json()
        found += page["documents"]
        offset = page["next_offset"]
    assert found == client.get("/v1/documents").json()["documents"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("name=信1.txt", "1"),
        ("name=信1.txt&name=信3.txt", "13"),
        ("tag=海", "01234"),
        ("tag=信2&tag=信4", "24"),
        ("tag=海&name=信2.txt", "2"),
        ("tag=无", ""),
        ("date_from=1902", "234"),
        ("date_to=1901-06", "01"),
        ("date_from=1901&date_to=1903", "123"),
        ("source_url=https://example.org/3", "3"),
        ("q=信2", "2"),
        ("q=TXT&date_to=1900", "0"),
        ("q=第3封", "3"),
        ("q=没有的字", ""),
        ("q=", "01234"),
        ("offset=100", ""),
    ],
)
def test_filters(client: TestClient, query: str, found: str) -> None:
    listed = [name for name in names(client, query) if name != "page.txt"]
    assert listed == [f"信{number}.txt" for number in found]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "invalid_request"),
        ("limit=1001", 422, "invalid_request"),
        ("limit=x", 422, "invalid_request"),
        ("offset=-1", 422, "invalid_request"),
        ("offset=99999999999999999999", 422, "invalid_request"),
        ("authors=周望潮", 422, "invalid_request"),
        ("collection=nope", 404, "collection_not_found"),
        ("collection=", 422, "invalid_request"),
        ("date_from=soon", 422, "invalid_filters"),
        ("date_from=2001&date_to=2000", 422, "invalid_filters"),
        ("tag=%00", 422, "invalid_filters"),
        ("tag=", 422, "invalid_filters"),
        ("&".join(["tag=x"] * 51), 422, "invalid_request"),
        ("q=" + "x" * 501, 422, "invalid_request"),
    ],
)
def test_bad_queries(client: TestClient, query: str, status: int, code: str) -> None:
    check_refusal(client.get(f"/v1/documents?{query}"), status, code)


def test_bytes_that_are_no_text_in_the_query(client: TestClient) -> None:
    assert client.get("/v1/documents?q=%ff%fe").status_code == 200


def test_collections_come_and_go() -> None:
    with client_for(FakeLibrary()) as client:
        made = client.post("/v1/collections", json={"name": "sea"})
        assert (made.status_code, made.json()["name"], made.json()["documents"]) == (201, "sea", 0)
        check_refusal(client.post("/v1/collections", json={"name": "sea"}), 409, "collection_exists")
        listed = client.get("/v1/collections").json()["collections"]
        assert [each["name"] for each in listed] == ["default", "sea"]
        assert listed[1] == made.json()
        assert (listed[0]["documents"], listed[0]["sources"]) == (2, 1)
        assert client.delete("/v1/collections/sea").status_code == 200
        check_refusal(client.delete("/v1/collections/sea"), 404, "collection_not_found")
        assert client.delete("/v1/collections/default").json()["documents"] == 2
        assert client.get("/v1/documents").json()["total"] == 0


@pytest.mark.parametrize("name", ["", "Sea", "海", "-a", "a b", "../x", "a" * 65, "a\n", "\0"])
def test_bad_names_of_collections(client: TestClient, name: str) -> None:
    check_refusal(client.post("/v1/collections", json={"name": name}), 422, "invalid_collection_name")


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[]", b'{"name":1}', b'{"name":"a","x":1}', b'{"name":"\\ud800"}']
)
def test_bad_bodies_of_collections(client: TestClient, body: bytes) -> None:
    response = client.post("/v1/collections", content=body, headers=JSON)
    check_refusal(response, response.status_code, response.json()["error"]["code"])
    assert response.status_code in {400, 422}


@pytest.mark.parametrize("job", ["nope", "a%20b", "x" * 3000])
def test_a_job_that_there_is_not(client: TestClient, job: str) -> None:
    check_refusal(client.get(f"/v1/jobs/{job}"), 404, "job_not_found")


@pytest.mark.parametrize("name", ["nope", "a%20b", "x" * 3000])
def test_a_collection_that_there_is_not(client: TestClient, name: str) -> None:
    check_refusal(client.delete(f"/v1/collections/{name}"), 404, "collection_not_found")


def test_encoding_anew_is_a_job(client: TestClient) -> None:
    response = client.post("/v1/admin/reindex", json={"collection": "default"})
    assert response.status_code == 202
    job = response.json()["job"]
    assert (job["kind"], job["collection"]) == ("reindex", "default")
    assert client.get(response.headers["location"]).json()["state"] == "done"
    check_refusal(client.post("/v1/admin/reindex", json={"collection": "nope"}), 404, "collection_not_found")
    check_refusal(client.post("/v1/admin/reindex", json={"encoder": ""}), 422, "invalid_request")


def claim(**changes: Any) -> dict[str, Any]:
    start = PAGE.index("守塔人")
    kept = {"document_id": LIGHTHOUSE, "start_char": start, "end_char": start + 3}
    return {**kept, "source_sha256": SHA256, "quote": "守塔人", **changes}


def test_a_citation_grows_old() -> None:
    with client_for(FakeLibrary()) as client:

        def status(**changes: Any) -> str:
            response = client.post("/v1/citations/resolve", json=claim(**changes))
            assert response.status_code == 200, response.text
            said: str = response.json()["status"]
            return said

        body = client.post("/v1/citations/resolve", json=claim()).json()
        assert (body["status"], body["found_in"], body["quote"]) == ("current", LIGHTHOUSE, "守塔人")
        assert body["url"].startswith(f"/documents/{LIGHTHOUSE}?chars=")
        assert status(quote=None, source_sha256=None) == "current"
        assert status(quote="别的话") == "unknown"
        assert status(document_id="nope") == "unknown"
        client.put(f"/v1/documents/{LIGHTHOUSE}", json={"text": ESSAY})
        assert status() == "changed"
        client.post("/v1/documents", json={"text": PAGE})
        assert status() == "current"
        client.delete(f"/v1/documents/{TEA}")
        assert status(document_id=TEA) == "removed"


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"start_char": 5, "end_char": 5}, 422, "invalid_request"),
        ({"start_char": -1}, 422, "invalid_request"),
        ({"end_char": 10**30}, 422, "invalid_request"),
        ({"start_char": "5"}, 422, "invalid_request"),
        ({"document_id": ""}, 422, "invalid_request"),
        ({"quote": "字" * 8001}, 422, "invalid_request"),
        ({"source_sha256": "x" * 65}, 422, "invalid_request"),
        ({"collection": "nope"}, 404, "collection_not_found"),
        ({"x": 1}, 422, "invalid_request"),
    ],
)
def test_bad_claims(client: TestClient, changes: dict[str, Any], status: int, code: str) -> None:
    check_refusal(client.post("/v1/citations/resolve", json=claim(**changes)), status, code)


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/v1/documents", "read"),
        ("POST", "/v1/documents", "write"),
        ("PUT", "/v1/documents/x", "write"),
        ("DELETE", "/v1/documents/x\ny", "write"),
        ("GET", "/v1/collections", "read"),
        ("POST", "/v1/collections", "write"),
        ("DELETE", "/v1/collections/x", "write"),
        ("GET", "/v1/jobs/x", "read"),
        ("POST", "/v1/citations/resolve", "read"),
        ("POST", "/v1/admin/reindex", "admin"),
    ],
)
def test_scopes(method: str, path: str, scope: str) -> None:
    assert scope_needed(method, path) == scope


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/documents", "GET, POST"),
        ("/v1/documents/x", "DELETE, GET, PATCH, PUT"),
        ("/v1/documents/x/source", "GET"),
        ("/v1/collections", "GET, POST"),
        ("/v1/collections/x", "DELETE"),
        ("/v1/ask", "POST"),
    ],
)
def test_what_an_address_allows_is_all_of_it(client: TestClient, path: str, allowed: str) -> None:
    response = client.request("PROPFIND", path)
    check_refusal(response, 405, "method_not_allowed")
    assert response.headers["allow"] == allowed
