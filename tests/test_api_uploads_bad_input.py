"""Uploads that cannot be used: each is refused in our shape, never with a 5xx, and changes nothing."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.uploads.form import MAX_FIELDS
from tests.api_fakes import TEA, FakeLibrary, client_for
from tests.converting_files import docx, pdf, zip_bomb
from tests.test_api_bad_input import BROKEN, JSON, VALUES, check_refusal
from tests.test_converting_pdf import locked
from tests.uploading import BOUNDARY, ESSAY, FORM, field, file_part, form, send_file, send_form

LIBRARY = FakeLibrary()
MIB = 1024 * 1024


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for(LIBRARY) as opened:
        yield opened


def as_json(**fields: Any) -> bytes:
    return json.dumps({"text": ESSAY, **fields}).encode()


# name: (content, file name, status, code)
FILES: dict[str, tuple[bytes, str, int, str]] = {
    "empty": (b"", "a.txt", 422, "unreadable_document"),
    "white space": ("\u3000 \n\t".encode(), "a.txt", 422, "document_without_text"),
    "zero-width spaces": ("\u200b\u200b".encode(), "a.txt", 422, "document_without_text"),
    "NUL": ("灯塔\0".encode(), "a.txt", 415, "unsupported_document"),
    "Big5": ("燈塔建於一九零七年塔高三十二米".encode("big5") * 20, "a.txt", 422, "unreadable_document"),
    "damaged UTF-8": (ESSAY.encode()[:-2], "a.txt", 422, "unreadable_document"),
    "a picture": (b"\x89PNG\r\n\x1a\n\0\0", "a.txt", 415, "unsupported_document"),
    "another suffix": (ESSAY.encode(), "a.exe", 415, "unsupported_document"),
    "text called PDF": (ESSAY.encode(), "a.pdf", 415, "unsupported_document"),
    "PDF called text": (pdf([["灯塔"]]), "a.txt", 415, "unsupported_document"),
    "encrypted PDF": (locked(pdf([["灯塔"]]), "x"), "a.pdf", 422, "unreadable_document"),
    "PDF without text": (pdf([[]]), "a.pdf", 422, "unreadable_document"),
    "damaged Word": (docx("灯塔")[:-30], "a.docx", 422, "unreadable_document"),
    "zip bomb": (zip_bomb(200), "a.docx", 413, "document_too_large"),
    "20 MB and one byte": (b"a" * (20 * MIB + 1), "a.txt", 413, "document_too_large"),
    "22 MB": (b"a" * (22 * MIB), "a.txt", 413, "body_too_large"),
}

# name: (body, status, code)
TEXTS: dict[str, tuple[bytes, int, str]] = {
    "empty body": (b"", 400, "malformed_json"),
    "not an object": (b"[]", 422, "invalid_request"),
    "no text": (b"{}", 422, "invalid_request"),
    "empty text": (as_json(text=""), 422, "document_without_text"),
    "white space": (as_json(text="\u3000\n"), 422, "document_without_text"),
    "a number": (as_json(text=1), 422, "invalid_request"),
    "NUL": (as_json(text="灯\0塔"), 422, "invalid_text"),
    "lone surrogate in the text": (b'{"text":"a\\ud800"}', 422, "invalid_text"),
    "lone surrogate in a title": (as_json(metadata={"title": "\ud800"}), 422, "invalid_text"),
    "lone surrogate in a name": (as_json(name="\ud800"), 422, "invalid_text"),
    "GBK": ('{"text":"灯塔"}'.encode("gbk"), 400, "malformed_json"),
    "duplicate key": (b'{"text":"a","text":"b"}', 400, "duplicate_key"),
    "NaN": (b'{"text":NaN}', 422, "invalid_number"),
    "unknown field": (as_json(titel="灯塔"), 422, "invalid_request"),
    "unknown metadata": (as_json(metadata={"titel": "灯塔"}), 422, "invalid_request"),
    "metadata null": (as_json(metadata=None), 422, "invalid_request"),
    "no such day": (as_json(metadata={"date": "2023-02-29"}), 422, "invalid_metadata"),
    "a date in words": (as_json(metadata={"date": "去年"}), 422, "invalid_metadata"),
    "script address": (as_json(metadata={"source_url": "javascript:alert(1)"}), 422, "invalid_metadata"),
    "address with a password": (
        as_json(metadata={"source_url": "https://a:b@example.org"}),
        422,
        "invalid_metadata",
    ),
    "line end in a title": (as_json(metadata={"title": "a\nb"}), 422, "invalid_metadata"),
    "blank author": (as_json(metadata={"authors": ["\u200b"]}), 422, "invalid_metadata"),
    "authors as text": (as_json(metadata={"authors": "甲"}), 422, "invalid_request"),
    "4,000 tags": (as_json(metadata={"tags": ["x"] * 4_000}), 422, "invalid_metadata"),
    "unknown collection": (as_json(collection="nope"), 404, "collection_not_found"),
    "odd collection": (as_json(collection="../x\0"), 404, "collection_not_found"),
    "empty collection": (as_json(collection=""), 422, "invalid_request"),
    "origin seeds": (as_json(origin="seeds"), 422, "invalid_request"),
    "control character in the origin": (as_json(origin="a\0b"), 422, "invalid_request"),
    "60,000 arrays": (b'{"text":' + b"[" * 60_000, 400, "malformed_json"),
    "60,000 arrays side by side": (b'{"text":[' + b"[]," * 30_000, 422, "invalid_request"),
    "500 arrays": (b'{"text":' + b"[" * 500, 400, "malformed_json"),
    "20 MB and one byte": (b'{"text":"' + b"a" * (20 * MIB + 1) + b'"}', 413, "document_too_large"),
    "23 MB": (b" " * (23 * MIB), 413, "body_too_large"),
}

# name: (body, status, code)
FORMS: dict[str, tuple[bytes, int, str]] = {
    "truncated": (form(file_part())[:-10], 400, "malformed_multipart"),
    "no file": (form(field("title", "x")), 422, "invalid_request"),
    "two files": (form(file_part(), file_part()), 422, "invalid_request"),
    "duplicate field": (
        form(file_part(), field("date", "2001"), field("date", "2002")),
        422,
        "invalid_request",
    ),
    "unknown field": (form(file_part(), field("author", "甲")), 422, "invalid_request"),
    "bad date": (form(file_part(), field("date", "2001-13")), 422, "invalid_metadata"),
    "NUL in a title": (form(file_part(), field("title", "a\0b")), 422, "invalid_metadata"),
    "script address": (form(file_part(), field("source_url", "javascript:x")), 422, "invalid_metadata"),
    "unknown collection": (form(file_part(), field("collection", "nope")), 404, "collection_not_found"),
    "200 KB of fields": (form(file_part(), field("title", "x" * 200_000)), 413, "too_large"),
    "too many fields": (form(file_part(), *[field("tags", "x")] * MAX_FIELDS), 422, "invalid_request"),
    "51 tags": (form(file_part(), *(field("tags", f"{n}") for n in range(51))), 422, "invalid_metadata"),
}

HEADERS: dict[str, tuple[dict[str, str], int, str]] = {
    "no content type": ({}, 415, "unsupported_media_type"),
    "text": ({"Content-Type": "text/plain"}, 415, "unsupported_media_type"),
    "url-encoded": ({"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media_type"),
    "another multipart": (
        {"Content-Type": f"multipart/mixed; boundary={BOUNDARY}"},
        415,
        "unsupported_media_type",
    ),
    "no boundary": ({"Content-Type": "multipart/form-data"}, 400, "malformed_multipart"),
    "gzip": ({**FORM, "Content-Encoding": "gzip"}, 415, "unsupported_content_encoding"),
    "gzip of JSON": ({**JSON, "Content-Encoding": "gzip"}, 415, "unsupported_content_encoding"),
    "JSON in name only": (JSON, 400, "malformed_json"),
}


def check_nothing_changed(response: Any, status: int, code: str) -> str:
    assert len(LIBRARY.entries("default")) == 2
    return check_refusal(response, status, code)


@pytest.mark.parametrize("name", FILES)
def test_bad_file(client: TestClient, name: str) -> None:
    content, filename, status, code = FILES[name]
    check_nothing_changed(send_file(client, content, filename), status, code)


@pytest.mark.parametrize("name", TEXTS)
def test_bad_text(client: TestClient, name: str) -> None:
    body, status, code = TEXTS[name]
    check_nothing_changed(client.post("/v1/documents", content=body, headers=JSON), status, code)


@pytest.mark.parametrize("name", FORMS)
def test_bad_form(client: TestClient, name: str) -> None:
    body, status, code = FORMS[name]
    check_nothing_changed(send_form(client, body), status, code)


@pytest.mark.parametrize("name", HEADERS)
def test_bad_headers(client: TestClient, name: str) -> None:
    headers, status, code = HEADERS[name]
    check_nothing_changed(
        client.post("/v1/documents", content=form(file_part()), headers=headers), status, code
    )


def test_gzip_in_disguise(client: TestClient) -> None:
    body = gzip.compress(form(file_part()))
    check_nothing_changed(send_form(client, body), 400, "malformed_multipart")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("PUT", "/v1/documents", 405, "method_not_allowed"),
        ("POST", f"/v1/documents/{TEA}", 405, "method_not_allowed"),
        ("PUT", "/v1/documents/nope", 404, "document_not_found"),
        ("PUT", "/v1/documents/a%0Ab", 404, "not_found"),
        ("PUT", "/v1/documents/a%20b", 404, "document_not_found"),
        ("PUT", "/v1/documents/%E7%81%AF", 404, "document_not_found"),
        ("PUT", f"/v1/documents/{'x' * 5000}", 404, "document_not_found"),
        ("DELETE", "/v1/documents/nope", 404, "document_not_found"),
        ("DELETE", "/v1/documents/a%0Ab", 404, "not_found"),
        ("DELETE", f"/v1/documents/{TEA}?collection=nope", 404, "collection_not_found"),
        ("DELETE", f"/v1/documents/{TEA}?collection=", 422, "invalid_request"),
        ("POST", "/v1/documents?wait=121", 422, "invalid_request"),
        ("POST", "/v1/documents?wait=-1", 422, "invalid_request"),
        ("POST", "/v1/documents?wait=nan", 422, "invalid_request"),
        ("POST", "/v1/documents?wait=soon", 422, "invalid_request"),
    ],
)
def test_bad_addresses(client: TestClient, method: str, path: str, status: int, code: str) -> None:
    body = None if method == "DELETE" else as_json()
    check_nothing_changed(client.request(method, path, content=body, headers=JSON), status, code)


@settings(max_examples=100, deadline=None)
@given(
    extra=st.dictionaries(
        st.sampled_from(["name", "collection", "metadata", "origin", "x"]), VALUES | BROKEN, max_size=3
    ),
    metadata=st.dictionaries(
        st.sampled_from(["title", "authors", "date", "source_url", "tags"]), VALUES | BROKEN, max_size=3
    ),
)
def test_any_json_is_added_or_refused_in_our_shape(
    client: TestClient, extra: dict[str, Any], metadata: dict[str, Any]
) -> None:
    body = as_json(**{"metadata": metadata, **extra})
    response = client.post("/v1/documents", content=body, headers=JSON)
    if response.status_code in {200, 201}:
        client.delete(f"/v1/documents/{response.json()['source_id']}")
    else:
        check_refusal(response, response.status_code, response.json()["error"]["code"])
        assert response.status_code in {400, 404, 422}


@settings(max_examples=100, deadline=None)
@given(
    title=BROKEN,
    filename=BROKEN,
    content=st.binary(max_size=100) | BROKEN.map(lambda s: s.encode("utf-8", "replace")),
)
def test_any_form_is_added_or_refused_in_our_shape(
    client: TestClient, title: str, filename: str, content: bytes
) -> None:
    raw_name = filename.encode("utf-8", "surrogatepass")
    body = form(file_part(content, raw_name), field("title", title.encode("utf-8", "surrogatepass")))
    response = send_form(client, body)
    if response.status_code in {200, 201}:
        client.delete(f"/v1/documents/{response.json()['source_id']}")
    else:
        check_refusal(response, response.status_code, response.json()["error"]["code"])
        assert response.status_code in {400, 415, 422}
