"""What is sent: one record per route. Limits on texts and numbers are the service's business alone.

An option that is None is not sent, so that the service's own default holds. What changes a library stands in
`library_requests`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from cewen.errors import NotFoundError
from cewen.library_models import Filters
from cewen.models import Turn

JSON = "application/json"
EVENTS = "text/event-stream"
PLAIN = "text/plain"

FiltersLike = Filters | Mapping[str, Any]
"""Filters, or their fields by name."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request without address and key.

    Attributes:
        method: HTTP method.
        path: From the service's root, percent-encoded.
        accept: Media type of the reply.
        body: What is sent, or None.
        content_type: Media type of the body.
        repeatable: Whether it may be sent again when nobody knows whether the first was carried out.
    """

    method: str
    path: str
    accept: str = JSON
    body: bytes | None = None
    content_type: str = JSON
    repeatable: bool = True

    @property
    def headers(self) -> dict[str, str]:
        """The headers that depend on the request."""
        sends = {} if self.body is None else {"Content-Type": self.content_type}
        return {"Accept": self.accept, **sends}


READY = Request("GET", "/readyz")


def ask_request(
    question: str,
    history: Iterable[Turn],
    top_k: int | None,
    generator: str | None,
    *,
    explain: bool,
    collection: str | None = None,
    filters: FiltersLike | None = None,
    stream: bool = False,
) -> Request:
    """`POST /v1/ask`."""
    turns = [{"role": turn.role, "content": turn.content} for turn in history]
    fields = {
        "question": question,
        "history": turns or None,
        "top_k": top_k,
        "generator": generator,
        "collection": collection,
        "filters": fields_of(filters),
        "explain": explain or None,
        "stream": stream or None,
    }
    return Request("POST", "/v1/ask", EVENTS if stream else JSON, json_body(fields))


def search_request(
    query: str,
    top_k: int | None,
    score_threshold: float | None,
    *,
    collection: str | None = None,
    filters: FiltersLike | None = None,
) -> Request:
    """`POST /v1/search`."""
    fields = {
        "query": query,
        "collection": collection,
        "filters": fields_of(filters),
        "top_k": top_k,
        "score_threshold": score_threshold,
    }
    return Request("POST", "/v1/search", JSON, json_body(fields))


def examples_request(collection: str | None) -> Request:
    """`GET /v1/examples`."""
    return Request("GET", f"/v1/examples{query_of({'collection': collection})}")


def feedback_request(answer_id: str, verdict: str, note: str | None) -> Request:
    """`POST /v1/feedback`."""
    fields = {"answer_id": answer_id, "verdict": verdict, "note": note}
    return Request("POST", "/v1/feedback", JSON, json_body(fields))


def document_request(document_id: str, collection: str | None = None) -> Request:
    """`GET /v1/documents/{id}`.

    Raises:
        NotFoundError: If the id is none and would lead to another address.
    """
    return Request("GET", f"{document_path(document_id)}{query_of({'collection': collection})}")


def source_request(document_id: str, collection: str | None = None) -> Request:
    """`GET /v1/documents/{id}/source`.

    Raises:
        NotFoundError: As `document_request`.
    """
    query = query_of({"collection": collection})
    return Request("GET", f"{document_path(document_id)}/source{query}", PLAIN)


def document_path(document_id: str) -> str:
    """The path of a document or source.

    Raises:
        NotFoundError: As `document_request`.
    """
    if not is_segment(document_id):
        raise NotFoundError(
            f"没有编号为 {document_id!r} 的文档。请用 documents() 查看现有文档。", code="document_not_found"
        )
    return f"/v1/documents/{segment(document_id)}"


def is_segment(name: str) -> bool:
    """Whether a name can stand in a path and stay one name."""
    # "", "." and ".." are no names in a path, and servers read an encoded slash as a slash.
    return bool(name.strip(".")) and "/" not in name


def segment(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="", errors="surrogatepass")


def query_of(fields: Mapping[str, object]) -> str:
    """A query with its question mark, of what is not None; a sequence is one field several times."""
    given = {name: value for name, value in fields.items() if value is not None}
    text = urlencode(given, doseq=True, errors="surrogatepass")
    return f"?{text}" if text else ""


def fields_of(filters: FiltersLike | None) -> dict[str, Any] | None:
    """Filters as they are sent; None if there are none."""
    if filters is None:
        return None
    given = (
        filters.model_dump(mode="json", exclude_defaults=True) if isinstance(filters, Filters) else filters
    )
    return dict(given)


def json_body(fields: Mapping[str, Any]) -> bytes:
    """JSON of what is not None, in UTF-8."""
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return json.dumps(given, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        # Half an emoji, say. The service refuses it with a message that says what and where.
        return json.dumps(given).encode("ascii")
