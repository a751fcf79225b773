"""What is sent: one record per route. Limits on texts and numbers are the service's business alone.

An option that is None is not sent, so that the service's own default holds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cewen.errors import NotFoundError
from cewen.models import Turn

JSON = "application/json"
EVENTS = "text/event-stream"
PLAIN = "text/plain"


@dataclass(frozen=True, slots=True)
class Request:
    """A request without address and key.

    Attributes:
        method: HTTP method.
        path: From the service's root, percent-encoded.
        accept: Media type of the reply.
        body: JSON in UTF-8, or None.
    """

    method: str
    path: str
    accept: str = JSON
    body: bytes | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers that depend on the request."""
        sends = {} if self.body is None else {"Content-Type": JSON}
        return {"Accept": self.accept, **sends}


READY = Request("GET", "/readyz")
DOCUMENTS = Request("GET", "/v1/documents")
EXAMPLES = Request("GET", "/v1/examples")


def ask_request(
    question: str,
    history: Iterable[Turn],
    top_k: int | None,
    generator: str | None,
    *,
    explain: bool,
    stream: bool = False,
) -> Request:
    """`POST /v1/ask`."""
    turns = [{"role": turn.role, "content": turn.content} for turn in history]
    fields = {
        "question": question,
        "history": turns or None,
        "top_k": top_k,
        "generator": generator,
        "explain": explain or None,
        "stream": stream or None,
    }
    return Request("POST", "/v1/ask", EVENTS if stream else JSON, _json(fields))


def search_request(query: str, top_k: int | None, score_threshold: float | None) -> Request:
    """`POST /v1/search`."""
    fields = {"query": query, "top_k": top_k, "score_threshold": score_threshold}
    return Request("POST", "/v1/search", JSON, _json(fields))


def document_request(document_id: str) -> Request:
    """`GET /v1/documents/{id}`.

    Raises:
        NotFoundError: If the id is none and would lead to another address.
    """
    return Request("GET", f"/v1/documents/{_segment(document_id)}")


def source_request(document_id: str) -> Request:
    """`GET /v1/documents/{id}/source`.

    Raises:
        NotFoundError: As `document_request`.
    """
    return Request("GET", f"/v1/documents/{_segment(document_id)}/source", PLAIN)


def _segment(document_id: str) -> str:
    # "", "." and ".." are no names in a path, and servers read an encoded slash as a slash.
    if not document_id.strip(".") or "/" in document_id:
        raise NotFoundError(
            f"没有编号为 {document_id!r} 的文档。请用 documents() 查看现有文档。", code="document_not_found"
        )
    return quote(document_id, safe="", errors="surrogatepass")


def _json(fields: dict[str, Any]) -> bytes:
    given = {name: value for name, value in fields.items() if value is not None}
    try:
        return json.dumps(given, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        # Half an emoji, say. The service refuses it with a message that says what and where.
        return json.dumps(given).encode("ascii")
