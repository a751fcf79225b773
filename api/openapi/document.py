"""The OpenAPI document as published: FastAPI's, made true and made useful.

True: errors are ours, not the framework's. Useful: the access key is named where it is needed, and every
operation that answers shows a request and a reply (`openapi.examples`), which import tools show to people.
"""

from __future__ import annotations

from typing import Any

from api.openapi.examples import REPLIES, REQUESTS
from api.wire.document_schemas import UPLOAD_BODIES
from api.wire.schemas import ErrorReply

KEY_SCHEME = "apiKey"
_JSON = "application/json"


def finish_document(document: dict[str, Any], *, key_needed: bool) -> dict[str, Any]:
    """Complete the framework's document in place, and give it back.

    Args:
        document: As FastAPI makes it.
        key_needed: Whether this service asks for an access key.
    """
    for methods in document["paths"].values():
        for operation in methods.values():
            _drop_foreign_422(operation["responses"])
            _show_example(operation)
            if {"401", "403"} & operation["responses"].keys():
                required = {KEY_SCHEME: list[str]()}
                operation["security"] = [required] if key_needed else [{}, required]
    components = document["components"]
    schemas = components["schemas"]
    for foreign in ("HTTPValidationError", "ValidationError"):
        schemas.pop(foreign, None)
    for model in (ErrorReply, *UPLOAD_BODIES):
        ours = model.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(ours.pop("$defs", {}), **{model.__name__: ours})
    components["schemas"] = dict(sorted(schemas.items()))
    components["securitySchemes"] = {
        KEY_SCHEME: {"type": "http", "scheme": "bearer", "description": "访问密钥；没有设密钥的服务不需要"}
    }
    return document


def main_status(operation: dict[str, Any]) -> str:
    """The status of an operation's ordinary success: 201 or 202 where it is declared beside others."""
    successes = [status for status in operation["responses"] if status.startswith("2")]
    return next((status for status in ("201", "200") if status in successes), successes[0])


def _drop_foreign_422(responses: dict[str, Any]) -> None:
    """Remove the 422 that FastAPI adds to any route with a parameter; ours refuse with other statuses."""
    schema = responses.get("422", {}).get("content", {}).get(_JSON, {}).get("schema", {})
    if schema.get("$ref", "").endswith("/HTTPValidationError"):
        del responses["422"]


def _show_example(operation: dict[str, Any]) -> None:
    name = operation["operationId"]
    if name in REQUESTS:
        operation["requestBody"]["content"][_JSON]["example"] = REQUESTS[name]
    if name in REPLIES:
        status = main_status(operation)
        operation["responses"][status]["content"][_JSON]["example"] = REPLIES[name]
