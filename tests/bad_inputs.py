"""A table of bad requests: name to request, expected status and code. `tests.test_bad_inputs` sends them.

What is wrong with a JSON body is wrong on every surface that takes one, so that part is a product.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from tests.converting_files import docx, pdf, zip_bomb
from tests.uploading import ESSAY, FORM, file_part, form
from tests.uploading import field as form_field

JSON = {"Content-Type": "application/json"}
SECRET = "芝麻开门私房话"
"""Stands in every request that can carry it, and must stand in no log."""

MIB = 1024 * 1024


@dataclass(frozen=True)
class Bad:
    """A request that must be refused.

    Attributes:
        name: For the test's id.
        method, path: As sent, already quoted.
        status, code: As our own format has them; other formats follow from `api.errors.shapes`.
        body: Bytes.
        headers: Beside those of the client.
    """

    name: str
    method: str
    path: str
    status: int
    code: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


# path: a body that is right, and the field whose text is checked
JSON_SURFACES: dict[str, tuple[str, dict[str, Any], str]] = {
    "ask": ("/v1/ask", {"question": SECRET}, "question"),
    "search": ("/v1/search", {"query": SECRET}, "query"),
    "chat": (
        "/v1/chat/completions",
        {"model": "cewen", "messages": [{"role": "user", "content": SECRET}]},
        "model",
    ),
    "dify": (
        "/dify/retrieval",
        {
            "knowledge_id": "default",
            "query": SECRET,
            "retrieval_setting": {"top_k": 3, "score_threshold": 0.1},
        },
        "query",
    ),
    "dify 2": (
        "/retrieval",
        {
            "knowledge_id": "default",
            "query": SECRET,
            "retrieval_setting": {"top_k": 3, "score_threshold": 0.1},
        },
        "knowledge_id",
    ),
    "documents": ("/v1/documents", {"text": f"{ESSAY}{SECRET}"}, "text"),
    "collections": ("/v1/collections", {"name": "hammered"}, "name"),
    "feedback": ("/v1/feedback", {"answer_id": "ans_1", "verdict": "up", "note": SECRET}, "note"),
    "resolve": (
        "/v1/citations/resolve",
        {"document_id": "x-1", "start_char": 0, "end_char": 1},
        "document_id",
    ),
    "reindex": ("/v1/admin/reindex", {"collection": "default"}, "collection"),
    "calibration": ("/v1/collections/default/calibration", {"questions": []}, "questions"),
}


def _spoilt(right: Mapping[str, Any], name: str, value: bytes) -> bytes:
    """The body with one field's value written as given."""
    rest = json.dumps({key: each for key, each in right.items() if key != name})
    comma = b"" if rest == "{}" else b","
    return rest[:-1].encode() + comma + json.dumps(name).encode() + b":" + value + b"}"


def _faults(right: Mapping[str, Any], name: str) -> dict[str, tuple[bytes, int, str]]:
    """What can be wrong with any body: (body, status, code) by name."""
    whole = json.dumps(right, ensure_ascii=False)
    return {
        "no body": (b"", 400, "malformed_json"),
        "not JSON": (f"x={SECRET}".encode(), 400, "malformed_json"),
        "cut short": (whole[:-1].encode(), 400, "malformed_json"),
        "two values": (whole.encode() + b"{}", 400, "malformed_json"),
        "invalid UTF-8": (_spoilt(right, name, b'"\xff\xfe"'), 400, "malformed_json"),
        "GBK": (_spoilt(right, name, '"灯塔"'.encode("gbk")), 400, "malformed_json"),
        "UTF-16": (whole.encode("utf-16"), 400, "malformed_json"),
        "gzip in disguise": (gzip.compress(whole.encode()), 400, "malformed_json"),
        "500 arrays": (_spoilt(right, name, b"[" * 500 + b"]" * 500), 400, "malformed_json"),
        "5,000 digits": (_spoilt(right, name, b"9" * 5_000), 400, "malformed_json"),
        "raw NUL": (_spoilt(right, name, b'"a\0b"'), 400, "malformed_json"),
        "raw surrogate": (_spoilt(right, name, b'"\xed\xa0\x80"'), 400, "malformed_json"),
        "duplicate key": (
            _spoilt(right, name, b'"a",' + json.dumps(name).encode() + b':"b"'),
            400,
            "duplicate_key",
        ),
        "NaN": (_spoilt(right, name, b"NaN"), 422, "invalid_number"),
        "minus Infinity": (_spoilt(right, name, b"-Infinity"), 422, "invalid_number"),
        "1e999": (_spoilt(right, name, b"1e999"), 422, "invalid_number"),
        "lone surrogate": (_spoilt(right, name, b'"\\ud800"'), 422, "invalid_text"),
        "surrogate in a key": (_spoilt(right, "\ud800", b"1"), 422, "invalid_text"),
        "an array": (b"[]", 422, "invalid_request"),
        "null": (b"null", 422, "invalid_request"),
        "a text": (json.dumps(SECRET).encode(), 422, "invalid_request"),
        "field a list": (_spoilt(right, name, b"[[]]"), 422, "invalid_request"),
        "field a number": (_spoilt(right, name, b"5"), 422, "invalid_request"),
        "field true": (_spoilt(right, name, b"true"), 422, "invalid_request"),
    }


def _on_every_surface() -> Iterator[Bad]:
    for surface, (path, right, name) in JSON_SURFACES.items():
        for fault, (body, status, code) in _faults(right, name).items():
            yield Bad(f"{surface}: {fault}", "POST", path, status, code, body, JSON)
        whole = json.dumps(right).encode()
        if surface not in {"chat", "dify", "dify 2"}:  # whose callers may send what we do not know
            unknown = _spoilt(right, SECRET, b"1")
            yield Bad(f"{surface}: unknown field", "POST", path, 422, "invalid_request", unknown, JSON)
        gzipped = {**JSON, "Content-Encoding": "gzip"}
        unpacked = gzip.compress(b" " * (8 * MIB))
        yield Bad(
            f"{surface}: gzip bomb", "POST", path, 415, "unsupported_content_encoding", unpacked, gzipped
        )
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=gbk"):
            yield Bad(
                f"{surface}: {kind}",
                "POST",
                path,
                415,
                "unsupported_media_type",
                whole,
                {"Content-Type": kind},
            )
        wide = {**JSON, "Cookie": "x" * 20_000}
        yield Bad(f"{surface}: 20 KB of headers", "POST", path, 431, "headers_too_large", whole, wide)
        large = 23 * MIB if surface == "documents" else 2 * MIB
        yield Bad(f"{surface}: too large", "POST", path, 413, "body_too_large", b" " * large, JSON)
        yield Bad(f"{surface}: PATCH", "PATCH", path, 405, "method_not_allowed")


def _ask(name: str, status: int, code: str, **fields: Any) -> Bad:
    body = json.dumps({"question": SECRET, **fields}).encode()
    return Bad(f"ask: {name}", "POST", "/v1/ask", status, code, body, JSON)


def _send(name: str, path: str, status: int, code: str, body: Mapping[str, Any], method: str = "POST") -> Bad:
    return Bad(name, method, path, status, code, json.dumps(body).encode(), JSON)


PATHS_OUT = (
    "..",
    "../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "....//....//etc/passwd",
    "%2e%2e%2f",
    "/etc/passwd",
    "C:\\x",
    "file:///etc/passwd",
    "~root",
    "con",
    "a\0.txt",
    "library.sqlite3",
)
"""Names that would lead out of a folder, were they ever paths."""


def _path_traversal() -> Iterator[Bad]:
    """In every place that names something."""
    for number, out in enumerate(PATHS_OUT):
        inside = quote(out, safe="").replace(".", "%2E")  # clients take out the dots
        not_found = "not_found" if "/" in out or "\0" in out else "document_not_found"
        if "%2e" in out:
            not_found = "document_not_found"
        tail = f"traversal {number}"
        yield Bad(f"document: {tail}", "GET", f"/v1/documents/{inside}", 404, not_found)
        yield Bad(f"delete: {tail}", "DELETE", f"/v1/documents/{inside}", 404, not_found)
        yield Bad(f"source: {tail}", "GET", f"/v1/documents/{inside}/source", 404, not_found)
        yield Bad(f"page: {tail}", "GET", f"/documents/{inside}", 404, not_found)
        job = not_found.replace("document_", "job_")
        yield _send(f"describe: {tail}", f"/v1/documents/{inside}", 404, not_found, {"title": "a"}, "PATCH")
        yield Bad(f"retry: {tail}", "POST", f"/v1/jobs/{inside}/retry", 404, job)
        yield Bad(f"cancel: {tail}", "DELETE", f"/v1/jobs/{inside}", 404, job)
        yield Bad(f"job: {tail}", "GET", f"/v1/jobs/{inside}", 404, not_found.replace("document_", "job_"))
        yield Bad(
            f"collection: {tail}",
            "DELETE",
            f"/v1/collections/{inside}",
            404,
            "collection_not_found" if out == "con" else not_found.replace("document_", "collection_"),
        )
        yield Bad(f"list: {tail}", "GET", f"/v1/documents?collection={inside}", 404, "collection_not_found")
        yield Bad(
            f"examples: {tail}", "GET", f"/v1/examples?collection={inside}", 404, "collection_not_found"
        )
        yield _ask(f"collection {tail}", 404, "collection_not_found", collection=out)
        yield _send(
            f"new document: {tail}",
            "/v1/documents",
            404,
            "collection_not_found",
            {"text": ESSAY, "collection": out},
        )
        yield _send(f"reindex: {tail}", "/v1/admin/reindex", 404, "collection_not_found", {"collection": out})
        if out != "con":
            yield _send(
                f"new collection: {tail}", "/v1/collections", 422, "invalid_collection_name", {"name": out}
            )


ADDRESSES = (
    "javascript:alert(1)",
    "data:text/html,x",
    "file:///etc/passwd",
    "gopher://127.0.0.1:70/x",
    "ftp://example.org/x",
    "//example.org/x",
    "http://",
    "http:///x",
    "http://user:password@example.org/",
    "http://exa mple.org/",
    "http://[::1",
    "http://example.org:99999/",
    "https://example.org/\n.txt",
)
"""What may not be kept as the address of a source; that of this machine may, as it is never fetched."""


def _documents() -> Iterator[Bad]:
    body: dict[str, Any]
    for number, address in enumerate(ADDRESSES):
        body = {"text": ESSAY, "metadata": {"source_url": address}}
        yield _send(f"documents: address {number}", "/v1/documents", 422, "invalid_metadata", body)
        parts = form(file_part(), form_field("source_url", address))
        yield Bad(f"form: address {number}", "POST", "/v1/documents", 422, "invalid_metadata", parts, FORM)
    files: dict[str, tuple[bytes, str, int, str]] = {
        "empty": (b"", "a.txt", 422, "unreadable_document"),
        "NUL": (f"{SECRET}\0".encode(), "a.txt", 415, "unsupported_document"),
        "another suffix": (ESSAY.encode(), "a.exe", 415, "unsupported_document"),
        "traversal with a wrong suffix": (
            ESSAY.encode(),
            "../../etc/passwd\0.exe",
            415,
            "unsupported_document",
        ),
        "text called PDF": (ESSAY.encode(), "a.pdf", 415, "unsupported_document"),
        "PDF called text": (pdf([[SECRET]]), "a.txt", 415, "unsupported_document"),
        "PDF without text": (pdf([[]]), "a.pdf", 422, "unreadable_document"),
        "damaged Word": (docx(SECRET)[:-30], "a.docx", 422, "unreadable_document"),
        "zip bomb": (zip_bomb(200), "a.docx", 413, "document_too_large"),
        "20 MB and one byte": (b"a" * (20 * MIB + 1), "a.txt", 413, "document_too_large"),
    }
    for name, (content, filename, status, code) in files.items():
        parts = form(file_part(content, filename))
        yield Bad(f"file: {name}", "POST", "/v1/documents", status, code, parts, FORM)
    truncated = form(file_part())[:-10]
    bare = {"Content-Type": "multipart/form-data"}
    long_boundary = {"Content-Type": f"multipart/form-data; boundary={'x' * 200}"}
    compressed = {**FORM, "Content-Encoding": "gzip"}
    twice = form(file_part(), file_part())
    odd = form(b"Content-Disposition: form-data\r\n\r\nx\r\n", file_part())
    surrogate = form(file_part(), form_field("title", b"\xed\xa0\x80"))
    yield Bad("form: truncated", "POST", "/v1/documents", 400, "malformed_multipart", truncated, FORM)
    yield Bad("form: no boundary", "POST", "/v1/documents", 400, "malformed_multipart", truncated, bare)
    yield Bad(
        "form: long boundary", "POST", "/v1/documents", 400, "malformed_multipart", truncated, long_boundary
    )
    yield Bad("form: part without a name", "POST", "/v1/documents", 400, "malformed_multipart", odd, FORM)
    yield Bad(
        "form: surrogate in a field", "POST", "/v1/documents", 400, "malformed_multipart", surrogate, FORM
    )
    yield Bad("form: two files", "POST", "/v1/documents", 422, "invalid_request", twice, FORM)
    yield Bad(
        "form: gzip", "POST", "/v1/documents", 415, "unsupported_content_encoding", truncated, compressed
    )
    yield Bad("put: gone", "PUT", "/v1/documents/nope", 404, "document_not_found", form(file_part()), FORM)
    body = {"text": "\u200b\u3000"}
    yield _send("documents: nothing to read", "/v1/documents", 422, "document_without_text", body)
    body = {"text": ESSAY, "origin": "seeds"}
    yield _send("documents: origin seeds", "/v1/documents", 422, "invalid_request", body)
    spoilt: dict[str, dict[str, Any]] = {
        "no such day": {"date": "2023-02-29"},
        "line end in a title": {"title": "a\nb"},
        "blank author": {"authors": ["\u200b"]},
        "4,000 tags": {"tags": ["x"] * 4_000},
    }
    for name, metadata in spoilt.items():
        body = {"text": ESSAY, "metadata": metadata}
        yield _send(f"documents: {name}", "/v1/documents", 422, "invalid_metadata", body)
    for name, said in {"nothing": {}, "a name": {"name": "a"}, "one tag": {"tags": "a"}}.items():
        yield _send(f"describe: {name}", "/v1/documents/nope", 422, "invalid_request", said, "PATCH")
    yield _send("describe: gone", "/v1/documents/nope", 404, "document_not_found", {"title": "a"}, "PATCH")


def _others() -> Iterator[Bad]:
    for text, code in {
        "\u3000\u200b": "empty_question",
        "字" * 2_001: "question_too_long",
        "a\0": "invalid_text",
    }.items():
        yield _ask(f"{code}", 422, code, question=text)
    yield _ask("a turn of spaces", 422, "empty_content", history=[{"role": "user", "content": "\u3000"}])
    yield _ask(
        "a turn too long", 422, "content_too_long", history=[{"role": "user", "content": "字" * 8_001}]
    )
    yield _ask("21 turns", 422, "invalid_request", history=[{"role": "user", "content": "a"}] * 21)
    yield _ask("unknown role", 422, "invalid_request", history=[{"role": "system", "content": "a"}])
    yield _ask("top_k a text", 422, "invalid_request", top_k="5")
    yield _ask("top_k 51", 422, "invalid_request", top_k=51)
    yield _ask("top_k 2 ** 63", 422, "invalid_request", top_k=2**63)
    yield _ask("unknown generator", 404, "generator_not_found", generator=SECRET)
    yield _ask("unknown collection", 404, "collection_not_found", collection=SECRET)
    yield _ask("filters a list", 422, "invalid_request", filters=[])
    yield _ask("unknown filter", 422, "invalid_request", filters={"title": [SECRET]})
    yield _ask("filter of no date", 422, "invalid_filters", filters={"date_from": "2023-13"})
    yield _ask("filter of a script", 422, "invalid_filters", filters={"source_url": "a\0"})
    yield _ask("1,000 filter values", 422, "invalid_request", filters={"tags": ["x"] * 1_000})
    for query, status, code in (
        ("limit=0", 422, "invalid_request"),
        ("limit=1001", 422, "invalid_request"),
        ("limit=x", 422, "invalid_request"),
        ("limit=99999999999999999999", 422, "invalid_request"),
        ("offset=-1", 422, "invalid_request"),
        ("offset=1e999", 422, "invalid_request"),
        ("collection=", 422, "invalid_request"),
        ("collection=a&collection=b", 404, "collection_not_found"),
        ("titel=x", 422, "invalid_request"),
        ("date_from=gestern", 422, "invalid_filters"),
        ("date_from=%00", 422, "invalid_filters"),
        ("author=%E2%80%8B", 422, "invalid_filters"),
        ("&".join(["tag=x"] * 51), 422, "invalid_request"),
        (f"q={'x' * 501}", 422, "invalid_request"),
    ):
        yield Bad(f"list: {query[:40]}", "GET", f"/v1/documents?{query}", status, code)
    for wait in ("-1", "121", "nan", "inf", "1e999", "soon", "%00"):
        path = f"/v1/documents?wait={wait}"
        yield _send(f"wait {wait}", path, 422, "invalid_request", {"text": ESSAY})
    yield Bad("job: unknown", "GET", "/v1/jobs/job-0", 404, "job_not_found")
    for query in ("state=gone", "limit=0", "limit=1001", "limit=x", "collection=", "state=done&state="):
        yield Bad(f"jobs: {query}", "GET", f"/v1/jobs?{query}", 422, "invalid_request")
    yield Bad("cancel: unknown", "DELETE", "/v1/jobs/job-0", 404, "job_not_found")
    calibration = "/v1/collections/default/calibration"
    body: dict[str, Any]
    for method in ("POST", "GET", "DELETE"):
        body = {"questions": []}
        path = "/v1/collections/nope/calibration"
        yield _send(f"calibration of none: {method}", path, 404, "collection_not_found", body, method)
    right = {"question": SECRET, "type": "unanswerable"}
    for number, question in enumerate(
        (
            {},
            {**right, "type": 5},
            {**right, "question": None},
            {**right, "question": "\u3000"},
            {**right, "question": "字" * 2_001},
            {**right, "question": "a\0"},
            {**right, "evidence": [["x"]]},
            {**right, "evidence": "x"},
            {**right, "type": "number"},
            {**right, "type": "number", "evidence": [[]]},
            {**right, "type": "number", "evidence": [["x"] * 101]},
            {**right, "history": [{"role": "system", "content": "x"}]},
            {**right, "history": [{"role": "user", "content": "字" * 8_001}]},
        )
    ):
        yield _send(
            f"calibration: {number}", calibration, 422, "invalid_questions", {"questions": [question]}
        )
    yield _send("calibration: too few", calibration, 422, "invalid_questions", {"questions": [right]})
    many: dict[str, Any] = {"questions": [{}] * 2_001}
    yield _send("calibration: too many", calibration, 422, "invalid_questions", many)
    for number, questions in enumerate(([5], [[]], [None], {}, "x")):
        body = {"questions": questions}
        yield _send(f"calibration: no questions {number}", calibration, 422, "invalid_request", body)
    body = {"questions": [right], "keep": "yes"}
    yield _send("calibration: keep a text", calibration, 422, "invalid_request", body)
    yield Bad("model: unknown", "GET", f"/v1/models/{quote(SECRET)}", 404, "model_not_found")
    yield Bad("model: unknown collection", "GET", "/v1/models/cewen@nope", 404, "model_not_found")
    yield _send("collections: exists", "/v1/collections", 409, "collection_exists", {"name": "default"})
    for name in ("", "A", "a b", "灯塔", "-a", "x" * 65, "a/b", "a\n"):
        yield _send(
            f"collections: {name[:5]!r}", "/v1/collections", 422, "invalid_collection_name", {"name": name}
        )
    for number, changes in enumerate(
        (
            {"answer_id": ""},
            {"answer_id": "a b"},
            {"answer_id": "x" * 65},
            {"answer_id": "../../x"},
            {"verdict": "meh"},
            {"note": "字" * 2_001},
        )
    ):
        body = {"answer_id": "ans_1", "verdict": "up", **changes}
        yield _send(f"feedback {number}", "/v1/feedback", 422, "invalid_request", body)
    body = {"answer_id": "ans_1", "verdict": "up", "note": "a\0"}
    yield _send("feedback: NUL", "/v1/feedback", 422, "invalid_text", body)
    claims: tuple[dict[str, Any], ...] = (
        {"start_char": -1},
        {"start_char": 5},
        {"end_char": 10**12},
        {"quote": "字" * 8_001},
        {"document_id": ""},
    )
    for number, claim in enumerate(claims):
        whole = {"document_id": "x-1", "start_char": 0, "end_char": 1, **claim}
        yield _send(f"resolve {number}", "/v1/citations/resolve", 422, "invalid_request", whole)


def _dify_and_chat() -> Iterator[Bad]:
    setting = {"top_k": 3, "score_threshold": 0.1}
    right = {"knowledge_id": "default", "query": SECRET, "retrieval_setting": setting}
    conditions: dict[str, Any] = {
        "not an object": [],
        "no conditions": {"conditions": 1},
        "unknown operator": {
            "conditions": [{"name": ["title"], "comparison_operator": "like", "value": "x"}]
        },
        "1,000 conditions": {
            "conditions": [{"name": ["title"], "comparison_operator": "is", "value": "x"}] * 1_000
        },
        "a regular expression": {
            "conditions": [{"name": ["title"], "comparison_operator": "regex", "value": "(a+)+$"}]
        },
    }
    for name, condition in conditions.items():
        body = {**right, "metadata_condition": condition}
        yield _send(f"dify: {name}", "/dify/retrieval", 400, "invalid_condition", body)
    for knowledge in ("nope", "default.x", "../x", "default\0"):
        body = {**right, "knowledge_id": knowledge}
        yield _send(f"dify: knowledge {knowledge!r}", "/dify/retrieval", 404, "knowledge_not_found", body)
    turn = {"role": "user", "content": SECRET}
    chat = "/v1/chat/completions"
    yield _send("chat: unknown model", chat, 404, "model_not_found", {"model": SECRET, "messages": [turn]})
    yield _send(
        "chat: unknown collection", chat, 404, "model_not_found", {"model": "cewen@../x", "messages": [turn]}
    )
    yield _send("chat: no messages", chat, 422, "invalid_request", {"model": "cewen", "messages": []})
    nobody = {"model": "cewen", "messages": [{"role": "nobody", "content": "x"}]}
    yield _send("chat: nobody asks", chat, 422, "empty_question", nobody)
    blank = {"model": "cewen", "messages": [{"role": "user", "content": "\u200b"}]}
    yield _send("chat: blank", chat, 422, "empty_question", blank)
    image = {"type": "image_url", "image_url": {"url": "http://169.254.169.254/latest"}}
    picture = {"model": "cewen", "messages": [{"role": "user", "content": [image]}]}
    yield _send("chat: a picture to fetch", chat, 422, "empty_question", picture)


TABLE: dict[str, Bad] = {
    bad.name: bad
    for part in (_on_every_surface, _path_traversal, _documents, _others, _dify_and_chat)
    for bad in part()
}
