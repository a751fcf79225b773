"""What is wrong with a field is said in Chinese, whatever a request can get wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.errors.validation import _SENTENCES
from api.openapi.file import openapi_text
from tests.api_fakes import LIGHTHOUSE, FakeLibrary, client_for
from tests.test_api_bad_input import check_refusal

DOCUMENT: dict[str, Any] = json.loads(openapi_text())

# By what a schema says, the kinds of error that pydantic has for it, from text or from JSON.
KINDS: dict[str, tuple[str, ...]] = {
    "type: integer": ("int_type", "int_parsing", "int_parsing_size", "int_from_float"),
    "type: number": ("float_type", "float_parsing", "finite_number"),
    "type: boolean": ("bool_type", "bool_parsing"),
    "type: string": ("string_type", "string_unicode"),
    "type: array": ("list_type",),
    "type: object": ("model_type", "model_attributes_type", "dict_type"),
    "type: null": (),
    "enum": ("literal_error",),
    "const": ("literal_error",),
    "minimum": ("greater_than_equal",),
    "maximum": ("less_than_equal",),
    "exclusiveMinimum": ("greater_than",),
    "exclusiveMaximum": ("less_than",),
    "minLength": ("string_too_short",),
    "maxLength": ("string_too_long",),
    "minItems": ("too_short",),
    "maxItems": ("too_long",),
    "pattern": ("string_pattern_mismatch",),
    "required": ("missing",),
    "additionalProperties": ("extra_forbidden",),
}
SILENT = {"title", "description", "default", "examples", "contentMediaType", "format", "$ref", "not"}
INSIDE = {"anyOf", "oneOf", "allOf", "items", "properties"}


def words_of(schema: Any) -> Iterator[str]:
    """What a schema and the ones in it say that a value can go against."""
    for key, value in schema.items():
        if key in INSIDE:
            inner = value.values() if key == "properties" else value if isinstance(value, list) else [value]
            for each in inner:
                yield from words_of(each)
        elif key == "type":
            yield f"type: {value}"
        elif key not in SILENT:
            yield key


def test_every_kind_of_error_that_a_request_can_have_has_its_words() -> None:
    operations = [each for methods in DOCUMENT["paths"].values() for each in methods.values()]
    parameters = [each["schema"] for operation in operations for each in operation.get("parameters", ())]
    said = {
        word
        for schema in (*parameters, *DOCUMENT["components"]["schemas"].values())
        for word in words_of(schema)
    }
    assert {"type: integer", "type: number", "type: array", "minimum"} <= said
    assert said <= KINDS.keys(), "say here which errors this can give"
    kinds = {kind for word in said for kind in KINDS[word]}
    assert kinds <= _SENTENCES.keys()


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for(FakeLibrary()) as opened:
        yield opened


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("limit=abc", "“limit”应为整数"),
        ("limit=", "“limit”应为整数"),
        ("limit=1.5", "“limit”应为整数"),
        (f"limit={'9' * 5000}", "“limit”应为整数"),
        ("offset=-1", "“offset”不能小于 0"),
        ("tag=" + "x" * 501, "“tag[0]”最多 500 个字符"),
        ("tags=茶", "“tags”不认识这个字段"),
    ],
)
def test_a_query_that_is_refused(client: TestClient, query: str, said: str) -> None:
    message = check_refusal(client.get(f"/v1/documents?{query}"), 422, "invalid_request")
    assert said in message
    assert "值不合要求（" not in message


@pytest.mark.parametrize("wait", ["abc", "", "nan", "inf", "-1", "1e999"])
def test_a_number_that_is_refused(client: TestClient, wait: str) -> None:
    reply = client.post(f"/v1/documents?wait={wait}", json={"text": "灯塔"})
    assert "值不合要求（" not in check_refusal(reply, 422, "invalid_request")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("tag=", "的 tag 是空的"),
        ("tag=村志&tag=", "的 tag 第 2 项是空的"),
        ("author=%20", "的 author 是空的"),
        ("date_from=2024&date_to=2023", "的 date_from “2024” 晚于 date_to “2023”"),
    ],
)
def test_a_condition_is_named_as_it_was_sent(client: TestClient, query: str, said: str) -> None:
    assert said in check_refusal(client.get(f"/v1/documents?{query}"), 422, "invalid_filters")


def test_jobs_of_a_collection_that_is_not_there(client: TestClient) -> None:
    check_refusal(client.get("/v1/jobs?collection=zz"), 404, "collection_not_found")
    assert client.get("/v1/jobs?collection=default").json()["total"] == 0
    assert client.get(f"/v1/documents/{LIGHTHOUSE}").status_code == 200


def test_jobs_of_a_collection_that_was_removed_are_still_told() -> None:
    library = FakeLibrary()
    library.hold = True
    with client_for(library) as client:
        client.post("/v1/collections", json={"name": "sky"})
        client.post("/v1/documents?wait=0", json={"text": "观星台建在山顶。", "collection": "sky"})
        client.delete("/v1/collections/sky")
        assert client.get("/v1/jobs?collection=sky").json()["total"] == 1
        assert client.get("/v1/jobs?collection=sky&state=running").json()["total"] == 0
