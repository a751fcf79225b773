"""A live server by its URL, through the published REST interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx

from evals.service import Hit, Reply, Subject, read_document, read_hit, read_reply
from evals.sources import SourceText, read_untouched
from rag.errors import CewenError, UnavailableError
from rag.records import Turn

_TIMEOUT_SECONDS = 60.0


class HttpService:
    """A server behind the seam.

    Args:
        client: With the server's base URL; whoever made it closes it.
    """

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        """Answer a question."""
        turns = [{"role": turn.role, "content": turn.content} for turn in history]
        body = {"question": question, "history": turns, "explain": True}
        return read_reply(self.json("POST", "/v1/ask", body))

    def search(self, query: str, top_k: int) -> tuple[Hit, ...]:
        """The best passages, best first."""
        data = self.json("POST", "/v1/search", {"query": query, "top_k": top_k})
        return tuple(read_hit(row) for row in data["hits"])

    def json(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The JSON object of a reply.

        Raises:
            UnavailableError: If the server cannot be reached or is not ready.
            CewenError: If it refuses, with its code.
        """
        data: dict[str, Any] = self.fetch(method, path, body).json()
        return data

    def fetch(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> httpx.Response:
        """A successful reply; raises as `json` does."""
        try:
            response = self._request(method, path, body)
        except httpx.TransportError as error:
            raise UnavailableError(f"连不上 {self._client.base_url}：{error}。请先启动服务。") from error
        if response.status_code == httpx.codes.SERVICE_UNAVAILABLE:
            raise UnavailableError(f"{self._client.base_url} 还没有准备好（503）。请稍后再试。")
        if response.is_error:
            raise CewenError(f"{method} {path} 返回 {response.status_code}", code=_code(response))
        return response

    def _request(self, method: str, path: str, body: Mapping[str, Any] | None) -> httpx.Response:
        """Send once, and once more if a kept connection turns out to be closed; asking twice does no harm."""
        try:
            return self._client.request(method, path, json=body)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            return self._client.request(method, path, json=body)


def _code(response: httpx.Response) -> str:
    try:
        return str(response.json()["error"]["code"])
    except (ValueError, KeyError, TypeError):
        return f"http_{response.status_code}"


def new_client(url: str) -> httpx.Client:
    """A client for a server's base URL. Proxies of the environment are not used."""
    return httpx.Client(base_url=url.rstrip("/"), timeout=_TIMEOUT_SECONDS, trust_env=False)


def connect(client: httpx.Client, seeds: Path | None = None) -> Subject:
    """The service behind a client.

    Args:
        client: See `new_client`.
        seeds: Where the untouched texts lie; without it the server's own `/source` is judged against,
            under the checksum computed here.

    Raises:
        UnavailableError: If the server cannot be reached or is not ready.
        CewenError: If it refuses a request.
    """
    service = HttpService(client)
    ready = service.json("GET", "/readyz")
    ids = [row["id"] for row in service.json("GET", "/v1/documents")["documents"]]
    documents = tuple(read_document(service.json("GET", f"/v1/documents/{name}")) for name in ids)
    if seeds is not None:
        sources = read_untouched(seeds)
    else:
        one_each = {document.source_sha256: document.document_id for document in documents}
        sources = tuple(_source(service, name) for name in one_each.values())
    return Subject(service, sources, documents, {"fingerprint": str(ready["fingerprint"])})


def _source(service: HttpService, document_id: str) -> SourceText:
    response = service.fetch("GET", f"/v1/documents/{document_id}/source")
    return SourceText.of(document_id, response.content.decode("utf-8"))
