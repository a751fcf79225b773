"""Documents in over REST: added, replaced, removed, while others wait."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from rag.errors import InputError, UnavailableError
from tests.api_fakes import LIGHTHOUSE, SHA256, TEA, FakeLibrary, client_for
from tests.converting_files import docx, paragraph, pdf
from tests.test_api_bad_input import check_refusal
from tests.uploading import ESSAY, field, file_part, form, send_file, send_form

SOURCE = hashlib.sha256(ESSAY.encode()).hexdigest()[:12]
LETTER = "灯塔来信\n\n" + "今年的风浪比往年都大，船还是平安回来了。" * 3 + "\n"


@pytest.fixture
def library() -> FakeLibrary:
    return FakeLibrary()


@pytest.fixture
def client(library: FakeLibrary) -> Iterator[TestClient]:
    with client_for(library) as opened:
        yield opened


def test_a_text_is_added_and_found_at_once(client: TestClient) -> None:
    metadata = {"date": "1907-05", "tags": ["航标"], "source_url": "https://example.org/a"}
    sent = {"text": ESSAY, "name": "../灯塔.txt", "metadata": metadata, "origin": "网站"}
    response = client.post("/v1/documents", json=sent)
    assert response.status_code == 201
    body = response.json()
    (added,) = body.pop("documents")
    assert body == {"source_id": SOURCE, "created": True, "replaced": [], "notes": []}
    assert (added["name"], added["origin"], added["source_id"]) == ("灯塔.txt", "网站", SOURCE)
    assert {name: added[name] for name in metadata} == metadata
    assert client.get("/v1/documents").json()["documents"][-1] == added
    assert client.get(f"/v1/documents/{added['id']}/source").text == ESSAY
    hits = client.post("/v1/search", json={"query": "总是"}).json()["hits"]
    assert hits[0]["document_id"] == added["id"]


def test_the_same_text_again_changes_nothing(client: TestClient) -> None:
    first = client.post("/v1/documents", json={"text": ESSAY})
    second = client.post("/v1/documents", json={"text": ESSAY})
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json() == {**first.json(), "created": False}
    assert client.get("/v1/documents").json()["total"] == 3


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("灯塔.txt", ESSAY.encode()),
        ("灯塔.txt", ESSAY.encode("gbk")),
        ("灯塔.md", b"\xef\xbb\xbf" + ESSAY.encode()),
        ("灯塔.html", f"<html><body><p>{ESSAY}</p></body></html>".encode()),
        ("灯塔.docx", docx(paragraph(ESSAY.replace("\n", "")))),
        ("灯塔.pdf", pdf([ESSAY.split("\n\n")])),
        ("灯塔", ESSAY.encode()),
    ],
)
def test_a_file_of_every_kind(client: TestClient, name: str, content: bytes) -> None:
    response = send_file(client, content, name)
    assert response.status_code == 201, response.text
    (added,) = response.json()["documents"]
    source = client.get(f"/v1/documents/{added['id']}/source").text
    assert "灯要亮到最后一条船进港" in source.replace("\n", "")
    assert added["name"] == name


def test_a_form_carries_metadata(client: TestClient) -> None:
    fields = [("authors", "周望潮"), ("authors", "林听雨"), ("tags", "海"), ("date", "1907"), ("title", "")]
    body = form(*(field(name, text) for name, text in fields), file_part())
    (added,) = send_form(client, body).json()["documents"]
    assert (added["tags"], added["date"]) == (["海"], "1907")


def test_an_ordinary_client_sends_the_form(client: TestClient) -> None:
    response = client.post(
        "/v1/documents", files={"file": ("灯塔.txt", ESSAY.encode())}, data={"tags": ["海", "灯"]}
    )
    assert response.status_code == 201
    assert response.json()["documents"][0]["tags"] == ["海", "灯"]


@pytest.mark.parametrize("identifier", [LIGHTHOUSE, TEA, SHA256[:12]])
def test_a_document_or_source_gives_way_with_its_whole_source(client: TestClient, identifier: str) -> None:
    response = client.put(f"/v1/documents/{identifier}", json={"text": ESSAY})
    assert response.status_code == 201
    assert response.json()["replaced"] == [LIGHTHOUSE, TEA]
    assert [each["source_id"] for each in client.get("/v1/documents").json()["documents"]] == [SOURCE]


def test_a_file_replaces_too(client: TestClient) -> None:
    response = send_form(client, form(file_part(LETTER)), f"/v1/documents/{TEA}", "PUT")
    assert response.status_code == 201
    check_refusal(client.get(f"/v1/documents/{TEA}"), 404, "document_not_found")


def test_putting_what_is_there_is_no_change(client: TestClient) -> None:
    client.post("/v1/documents", json={"text": ESSAY})
    response = client.put(f"/v1/documents/{SOURCE}", json={"text": ESSAY})
    assert (response.status_code, response.json()["created"]) == (200, False)


def test_a_document_is_removed_once(client: TestClient) -> None:
    response = client.delete(f"/v1/documents/{TEA}")
    assert (response.status_code, response.json()) == (
        200,
        {"source_id": SHA256[:12], "document_ids": [TEA]},
    )
    check_refusal(client.delete(f"/v1/documents/{TEA}"), 404, "document_not_found")
    assert client.delete(f"/v1/documents/{SHA256[:12]}").json()["document_ids"] == [LIGHTHOUSE]
    assert client.get("/v1/documents").json() == {"documents": [], "total": 0, "next_offset": None}


def test_who_does_not_wait_is_told_where_to_look(client: TestClient, library: FakeLibrary) -> None:
    library.hold = True
    response = client.post("/v1/documents?wait=0", json={"text": ESSAY})
    assert response.status_code == 202
    job = response.json()["job"]
    assert (job["state"], job["source_id"], job["error_code"]) == ("queued", SOURCE, None)
    assert response.headers["location"] == f"/v1/jobs/{job['job_id']}"
    assert response.headers["retry-after"].isdecimal()
    assert client.get("/v1/documents").json()["total"] == 2
    library.finish(job["job_id"])
    assert client.get(response.headers["location"]).json()["state"] == "done"
    assert client.get("/v1/documents").json()["total"] == 3


def test_a_wait_that_is_too_short_ends_in_time(client: TestClient, library: FakeLibrary) -> None:
    library.hold = True
    assert client.post("/v1/documents?wait=0.05", json={"text": ESSAY}).status_code == 202


def test_a_job_that_fails_answers_with_its_error(client: TestClient, library: FakeLibrary) -> None:
    library.fail = InputError("编号相同而内容不同。", code="document_conflict")
    message = check_refusal(client.post("/v1/documents", json={"text": ESSAY}), 409, "document_conflict")
    assert message == "编号相同而内容不同。"
    library.fail = InputError("内部的话", code="encoder_unusable")
    message = check_refusal(client.post("/v1/documents", json={"text": ESSAY}), 500, "encoder_unusable")
    assert "内部的话" not in message
    library.fail = UnavailableError("等的人太多。", code="overloaded")
    response = client.post("/v1/documents", json={"text": ESSAY})
    check_refusal(response, 503, "overloaded")
    assert "retry-after" in response.headers


def test_another_collection(client: TestClient) -> None:
    client.post("/v1/collections", json={"name": "sea"})
    assert client.post("/v1/documents", json={"text": ESSAY, "collection": "sea"}).status_code == 201
    assert send_form(client, form(file_part(LETTER), field("collection", "sea"))).status_code == 201
    assert client.get("/v1/documents").json()["total"] == 2
    assert client.get("/v1/documents?collection=sea").json()["total"] == 2
    document = f"{SOURCE}-1"
    assert client.get(f"/v1/documents/{document}").json()["paragraphs"]
    assert client.get(f"/v1/documents/{document}?collection=sea").status_code == 200
    check_refusal(client.get(f"/v1/documents/{document}?collection=default"), 404, "document_not_found")
    check_refusal(client.delete(f"/v1/documents/{document}"), 404, "document_not_found")
    assert client.delete(f"/v1/documents/{document}?collection=sea").status_code == 200


def test_a_fixed_library_refuses_changes(client: TestClient) -> None:
    with client_for() as fixed:
        response = fixed.post("/v1/documents", json={"text": ESSAY})
        check_refusal(response, 503, "library_read_only")
        check_refusal(fixed.delete(f"/v1/documents/{TEA}"), 503, "library_read_only")
        assert fixed.get("/v1/documents").json()["total"] == 2


def test_a_path_prefix_is_kept_in_the_location(library: FakeLibrary) -> None:
    library.hold = True
    with client_for(library) as client:
        behind = TestClient(client.app, root_path="/qa")
        response = behind.post("/v1/documents?wait=0", json={"text": ESSAY})
        assert response.headers["location"] == f"/qa/v1/jobs/{response.json()['job']['job_id']}"
