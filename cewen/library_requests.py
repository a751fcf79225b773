"""What is sent to change the documents of a library, or to see what it holds. As `requests`."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import Any

from cewen.envelopes import DocumentList
from cewen.errors import ConfigError
from cewen.library_models import Document, Metadata
from cewen.replies import parse
from cewen.requests import (
    JSON,
    FiltersLike,
    Request,
    document_path,
    fields_of,
    json_body,
    query_of,
)

PAGE_LIMIT = 1000
"""Most documents of one reply, as the service has it."""

MetadataLike = Metadata | Mapping[str, Any]
"""Metadata, or its fields by name."""

# What the list calls the fields of `Filters`.
_LISTED_AS = {
    "titles": "title",
    "authors": "author",
    "tags": "tag",
    "names": "name",
    "date_from": "date_from",
    "date_to": "date_to",
    "source_url": "source_url",
}


class Listing:
    """A list of documents that comes in pages.

    Args:
        collection: Of which.
        filters: Only what matches.
        limit: Most documents; None for all.
        offset: How many to pass over.

    Raises:
        ConfigError: If the filters have a field that a list cannot be filtered by.
    """

    def __init__(
        self, collection: str | None, filters: FiltersLike | None, limit: int | None, offset: int
    ) -> None:
        wanted = fields_of(filters) or {}
        if unknown := sorted(wanted.keys() - _LISTED_AS):
            raise ConfigError(f"列出文档不能按 {'、'.join(unknown)} 筛选，可用的有 {'、'.join(_LISTED_AS)}。")
        self._query = {"collection": collection} | {_LISTED_AS[name]: wanted[name] for name in wanted}
        self._limit = limit
        self._offset: int | None = offset
        self._pages: list[str] = []
        self._found: list[Document] = []
        self._total: int | None = None

    def next_request(self) -> Request | None:
        """`GET /v1/documents` for the page to come; None when there is none."""
        left = None if self._limit is None else self._limit - len(self._found)
        if self._offset is None or (left is not None and left <= 0 and self._pages):
            return None
        most = None if left is None else min(left, PAGE_LIMIT)
        place = {"offset": self._offset or None, "limit": most}
        return Request("GET", f"/v1/documents{query_of({**self._query, **place})}")

    def take(self, body: str) -> None:
        """The page that came.

        Raises:
            InvalidReplyError: If it is none.
        """
        page = parse(DocumentList, body)
        self._pages.append(body)
        self._found += page.documents
        self._total = page.total
        self._offset = page.next_offset

    @property
    def documents(self) -> tuple[Document, ...]:
        """What came."""
        return tuple(self._found)

    @property
    def body(self) -> str:
        """What came, as one reply: unchanged if it is one."""
        if len(self._pages) == 1:
            return self._pages[0]
        listed = [document for page in self._pages for document in json.loads(page)["documents"]]
        whole = {"documents": listed, "total": self._total, "next_offset": self._offset}
        return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def text_request(
    text: str,
    *,
    name: str | None,
    metadata: MetadataLike | None,
    collection: str | None,
    origin: str | None,
    wait: float,
    replaces: str | None = None,
) -> Request:
    """`POST /v1/documents`, or `PUT /v1/documents/{id}`, with a text.

    Raises:
        NotFoundError: If what is to be replaced has no id.
    """
    given = _metadata(metadata)
    fields = {
        "text": text,
        "name": name,
        "collection": collection,
        "metadata": given or None,
        "origin": origin,
    }
    return _upload(json_body(fields), JSON, wait, replaces)


def file_request(
    data: bytes,
    *,
    name: str,
    metadata: MetadataLike | None,
    collection: str | None,
    origin: str | None,
    wait: float,
    replaces: str | None = None,
) -> Request:
    """As `text_request`, with the bytes of a file."""
    fields = {"collection": collection, "origin": origin, **_metadata(metadata)}
    boundary = secrets.token_hex(16)
    body = bytearray()
    for field, value in fields.items():
        for one in value if isinstance(value, list | tuple) else (value,):
            if one is not None:
                body += _part(boundary, f'name="{_quoted(field)}"') + _utf8(str(one)) + b"\r\n"
    body += _part(boundary, f'name="file"; filename="{_quoted(name)}"')
    body += data
    body += f"\r\n--{boundary}--\r\n".encode()
    return _upload(bytes(body), f"multipart/form-data; boundary={boundary}", wait, replaces)


def remove_request(identifier: str, collection: str | None) -> Request:
    """`DELETE /v1/documents/{id}`.

    Raises:
        NotFoundError: If that is no id.
    """
    path = f"{document_path(identifier)}{query_of({'collection': collection})}"
    return Request("DELETE", path, repeatable=False)


def describe_request(identifier: str, collection: str | None, changes: Mapping[str, Any]) -> Request:
    """`PATCH /v1/documents/{id}`.

    Raises:
        NotFoundError: If that is no id.
    """
    path = f"{document_path(identifier)}{query_of({'collection': collection})}"
    # Not `json_body`, which leaves null away; here it says something.
    return Request("PATCH", path, body=_utf8(json.dumps(dict(changes), ensure_ascii=False, default=list)))


def _upload(body: bytes, content_type: str, wait: float, replaces: str | None) -> Request:
    query = query_of({"wait": f"{wait:g}"})
    if replaces is None:
        # The same content is there once, however often it is added.
        return Request("POST", f"/v1/documents{query}", body=body, content_type=content_type)
    # Nor does replacing once more what was replaced by this very text change anything.
    path = f"{document_path(replaces)}{query}"
    return Request("PUT", path, body=body, content_type=content_type)


def _metadata(metadata: MetadataLike | None) -> dict[str, Any]:
    if isinstance(metadata, Metadata):
        return metadata.model_dump(mode="json", exclude_defaults=True)
    return dict(metadata or {})


def _part(boundary: str, disposition: str) -> bytes:
    return (
        b"--" + boundary.encode() + b"\r\nContent-Disposition: form-data; " + _utf8(disposition) + b"\r\n\r\n"
    )


def _quoted(name: str) -> str:
    # As browsers do: https://html.spec.whatwg.org/multipage/form-control-infrastructure.html#multipart-form-data
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _utf8(text: str) -> bytes:
    # Half a character is sent as it is; the service refuses it and says where.
    return text.encode("utf-8", "surrogatepass")
