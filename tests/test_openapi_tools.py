"""The document for platforms that import tools: valid 3.0, small, and true of what the service answers."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator, validate

from api.openapi.file import openapi_text
from api.openapi.tools import TOOLS, tools_document
from api.settings import ApiSettings
from tests.api_fakes import LIGHTHOUSE, client_for

FULL: dict[str, Any] = json.loads(openapi_text())
DOCUMENT = tools_document(FULL, "https://cewen.example")
OPERATIONS = {
    operation["operationId"]: (method, path, operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
}
BODIES: dict[str, Any] = {
    "ask": {"question": "清晨熄灯"},
    "search": {"query": "灯塔"},
    "listDocuments": None,
    "getDocument": None,
}


def test_it_is_valid_openapi_of_the_version_that_importers_read() -> None:
    assert DOCUMENT["openapi"] == "3.0.3"
    validate(DOCUMENT, cls=OpenAPIV30SpecValidator)


def test_it_holds_the_tools_and_nothing_else() -> None:
    assert set(OPERATIONS) == set(TOOLS)
    assert DOCUMENT["servers"] == [{"url": "https://cewen.example"}]
    for _, _, operation in OPERATIONS.values():
        assert set(operation["responses"]) == {"200"}
        assert operation["description"]
        for parameter in operation.get("parameters", []):
            assert parameter["description"]


def test_it_is_in_the_words_of_3_0() -> None:
    text = json.dumps(DOCUMENT)
    for word in ("anyOf", '"null"', "const", "examples", "event-stream", "additionalProperties"):
        assert word not in text
    assert len(text) < 20_000


def test_nothing_in_it_lacks_a_description() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, described in schema["properties"].items():
            assert described.get("description") or "$ref" in described, (name, field)


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("asked", ["清晨熄灯", "火星上有灯塔吗"])
def test_what_the_service_answers_fits(name: str, asked: str) -> None:
    method, path, operation = OPERATIONS[name]
    body = BODIES[name]
    if name == "ask":
        body = {"question": asked}
    with client_for() as client:
        url = path.replace("{document_id}", LIGHTHOUSE)
        reply = client.request(method, url, json=body) if body else client.request(method, url)
    assert reply.status_code == 200
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    OAS30Validator({**schema, "components": DOCUMENT["components"]}).validate(reply.json())


def test_a_key_is_named_where_one_is_needed() -> None:
    assert "security" not in OPERATIONS["ask"][2]
    with client_for(settings=ApiSettings(api_key="k")) as client:
        served = client.get("/openapi-tools.json").json()
    assert served["paths"]["/v1/ask"]["post"]["security"] == [{"apiKey": []}]
    assert served["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    assert served["servers"] == [{"url": "http://testserver"}]
