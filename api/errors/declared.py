"""Which errors a route declares in the OpenAPI document, written from the table of codes."""

from __future__ import annotations

from typing import Any

from api.errors.codes import CODES

# Any request may meet these, whatever its route.
EVERYWHERE = ("headers_too_large", "internal_error")
NEEDS_KEY = ("api_key_missing", "api_key_invalid", "scope_missing", "rate_limited")
NEEDS_ENGINE = ("not_ready", "startup_failed", "shutting_down", "unavailable")
NEEDS_DOCUMENT = ("document_not_found", "rate_limited", *NEEDS_ENGINE)
CHANGES = ("foreign_page", "library_read_only", "library_unwritable")
IN_COLLECTION = ("collection_not_found",)
CHOOSES = (*IN_COLLECTION, "invalid_filters")
HAS_JSON_BODY = (
    *NEEDS_KEY,
    "malformed_json",
    "duplicate_key",
    "request_timeout",
    "body_too_large",
    "unsupported_media_type",
    "unsupported_content_encoding",
    "invalid_request",
    "invalid_text",
    "invalid_number",
)
TAKES_FILES = (
    *HAS_JSON_BODY,
    "malformed_multipart",
    "too_large",
    "unsupported_document",
    "unreadable_document",
    "document_too_large",
    "document_without_text",
    "document_conflict",
    "invalid_metadata",
    "overloaded",
)
COMPUTES = ("overloaded", "citation_mismatch", "answer_timeout", *NEEDS_ENGINE)

Responses = dict[int | str, dict[str, Any]]


def declare(*codes: str, streams: str = "") -> Responses:
    """FastAPI's `responses` for these codes and those that can happen everywhere.

    Args:
        codes: Error codes of the route.
        streams: What the events of a streamed success are, if there are any.
    """
    by_status: dict[int, list[str]] = {}
    for code in dict.fromkeys((*codes, *EVERYWHERE)):
        by_status.setdefault(CODES[code].status, []).append(code)
    responses: Responses = {status: _response(status, by_status[status]) for status in sorted(by_status)}
    if streams:
        # No type: a validator would hold each event's data against it.
        stream = {"schema": {"description": streams}}
        responses[200] = {"content": {"text/event-stream": stream}}
    return responses


def _response(status: int, codes: list[str]) -> dict[str, Any]:
    described = "；".join(f"`{code}` {CODES[code].meaning}" for code in codes)
    # Written out because FastAPI would give an error the media type of the route's success. The
    # schema itself is added by `api.openapi.document`.
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorReply"}}}
    response: dict[str, Any] = {"description": described, "content": content}
    if status in {429, 503}:
        response["headers"] = {"Retry-After": {"description": "多少秒后再试", "schema": {"type": "integer"}}}
    return response
