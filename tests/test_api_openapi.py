from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator, validate

from api.app import create_app
from api.errors.codes import CODES
from api.errors.declared import declare
from api.openapi.document import main_status
from api.openapi.examples import PAGE, REPLIES, REQUESTS
from api.openapi.file import OPENAPI_FILE, openapi_text
from api.settings import ApiSettings
from tests.api_fakes import FakeEngine

DOCUMENT: dict[str, Any] = json.loads(openapi_text())
OPERATIONS = {
    details["operationId"]: (method.upper(), path, details)
    for path, methods in DOCUMENT["paths"].items()
    for method, details in methods.items()
}
OPENAI = ("createChatCompletion", "listModels", "getModel")
ERROR_SHAPES = {"difyRetrieval": "DifyErrorReply"} | dict.fromkeys(OPENAI, "OpenAiErrorReply")
"""Operations of other people's formats, whose errors have the shape of that format."""


def test_the_committed_document_is_the_one_served() -> None:
    committed = OPENAPI_FILE.read_text(encoding="utf-8")
    assert committed == openapi_text(), "the interface has changed: run `python -m api.openapi` and review it"


def test_operation_ids_are_stable() -> None:
    assert {name: operation[:2] for name, operation in OPERATIONS.items()} == {
        "ask": ("POST", "/v1/ask"),
        "search": ("POST", "/v1/search"),
        "sendFeedback": ("POST", "/v1/feedback"),
        "createChatCompletion": ("POST", "/v1/chat/completions"),
        "listModels": ("GET", "/v1/models"),
        "getModel": ("GET", "/v1/models/{model}"),
        "difyRetrieval": ("POST", "/dify/retrieval"),
        "listDocuments": ("GET", "/v1/documents"),
        "getDocument": ("GET", "/v1/documents/{document_id}"),
        "addDocument": ("POST", "/v1/documents"),
        "replaceDocument": ("PUT", "/v1/documents/{document_id}"),
        "describeDocument": ("PATCH", "/v1/documents/{document_id}"),
        "removeDocument": ("DELETE", "/v1/documents/{document_id}"),
        "getDocumentSource": ("GET", "/v1/documents/{document_id}/source"),
        "listCollections": ("GET", "/v1/collections"),
        "createCollection": ("POST", "/v1/collections"),
        "removeCollection": ("DELETE", "/v1/collections/{name}"),
        "listJobs": ("GET", "/v1/jobs"),
        "getJob": ("GET", "/v1/jobs/{job_id}"),
        "cancelJob": ("DELETE", "/v1/jobs/{job_id}"),
        "retryJob": ("POST", "/v1/jobs/{job_id}/retry"),
        "calibrate": ("POST", "/v1/collections/{name}/calibration"),
        "getCalibration": ("GET", "/v1/collections/{name}/calibration"),
        "forgetCalibration": ("DELETE", "/v1/collections/{name}/calibration"),
        "reindex": ("POST", "/v1/admin/reindex"),
        "resolveCitation": ("POST", "/v1/citations/resolve"),
        "listExamples": ("GET", "/v1/examples"),
        "healthz": ("GET", "/healthz"),
        "readyz": ("GET", "/readyz"),
    }


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_declares_our_errors_and_no_other(name: str) -> None:
    _, _, details = OPERATIONS[name]
    assert any("\u4e00" <= char <= "\u9fff" for char in details["summary"])
    statuses = set(details["responses"])
    # That format knows no 431, and answers too many requests with 429.
    assert {"400" if name in OPENAI else "431", "500"} < statuses
    for status, response in details["responses"].items():
        if status >= "400":
            assert list(response["content"]) == ["application/json"]
            schema = response["content"]["application/json"]["schema"]
            assert schema == {"$ref": f"#/components/schemas/{ERROR_SHAPES.get(name, 'ErrorReply')}"}
            assert ("Retry-After" in response.get("headers", {})) == (status in {"429", "503"})


def test_references_lead_somewhere_and_nothing_of_the_framework_is_left() -> None:
    text = json.dumps(DOCUMENT)
    schemas = DOCUMENT["components"]["schemas"]
    assert "ValidationError" not in text
    for name in schemas:
        assert f"#/components/schemas/{name}" in text
    for reference in _references(DOCUMENT):
        assert reference.removeprefix("#/components/schemas/") in schemas


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if "$ref" in node else []
        return own + [found for value in node.values() for found in _references(value)]
    if isinstance(node, list):
        return [found for value in node for found in _references(value)]
    return []


def test_what_needs_the_key_says_so() -> None:
    assert DOCUMENT["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    closed = create_app(FakeEngine, ApiSettings(api_key="k")).openapi()
    for path, methods in closed["paths"].items():
        for method, operation in methods.items():
            guarded = bool({"401", "403"} & operation["responses"].keys())
            assert guarded == (path.startswith(("/v1/", "/dify")) and not path.endswith("/source"))
            assert operation.get("security", []) == ([{"apiKey": []}] if guarded else [])
            open_choice = DOCUMENT["paths"][path][method].get("security", [])
            assert open_choice == ([{}, {"apiKey": []}] if guarded else [])


def test_what_needs_a_key_may_lack_a_scope_and_all_but_health_may_be_too_often() -> None:
    for name, (_, path, operation) in OPERATIONS.items():
        statuses = operation["responses"].keys()
        guarded = "security" in operation
        assert ("403" in statuses) == guarded, name
        assert ("429" in statuses) == (path not in {"/healthz", "/readyz"}), name
        for status, code in (("403", "scope_missing"), ("429", "rate_limited")):
            if status in statuses and name not in ERROR_SHAPES:
                assert f"`{code}`" in operation["responses"][status]["description"]


@pytest.mark.parametrize("name", REPLIES)
def test_every_reply_shown_fits_its_schema(name: str) -> None:
    operation = OPERATIONS[name][2]
    content = operation["responses"][main_status(operation)]["content"]["application/json"]
    assert content["example"] == REPLIES[name]
    validator(content["schema"]).validate(REPLIES[name])


@pytest.mark.parametrize("name", REQUESTS)
def test_every_request_shown_fits_its_schema(name: str) -> None:
    content = OPERATIONS[name][2]["requestBody"]["content"]["application/json"]
    assert content["example"] == REQUESTS[name]
    validator(content["schema"]).validate(REQUESTS[name])


def validator(schema: dict[str, Any]) -> Draft202012Validator:
    return Draft202012Validator({**schema, "components": DOCUMENT["components"]})


def test_the_citation_shown_is_true() -> None:
    (cited,) = REPLIES["ask"]["citations"]
    span = PAGE[cited["start_char"] : cited["end_char"]]
    assert "".join(span.split()) == cited["quote"]
    first = PAGE.count("\n", 0, cited["start_char"]) + 1
    assert (first, first + span.rstrip("\n").count("\n")) == (cited["start_line"], cited["end_line"])


def test_the_document_is_valid_openapi() -> None:
    validate(DOCUMENT, cls=OpenAPIV31SpecValidator)


def test_the_request_schemas_name_their_limits() -> None:
    question = DOCUMENT["components"]["schemas"]["AskRequest"]["properties"]["question"]
    assert (question["minLength"], question["maxLength"]) == (1, 2000)
    for name in ("AskRequest", "SearchRequest", "TurnIn"):
        assert DOCUMENT["components"]["schemas"][name]["additionalProperties"] is False


def test_the_public_address_is_named_where_there_is_one() -> None:
    assert "servers" not in DOCUMENT
    settings = ApiSettings(public_url="https://cewen.example")
    assert create_app(FakeEngine, settings).openapi()["servers"] == [{"url": "https://cewen.example"}]


def test_declare_groups_codes_by_status() -> None:
    declared = declare("overloaded", "not_ready", "empty_query")
    assert list(declared) == [422, 431, 500, 503]
    for code in ("overloaded", "not_ready"):
        assert f"`{code}` {CODES[code].meaning}" in declared[503]["description"]
