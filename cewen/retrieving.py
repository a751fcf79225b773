"""What a retriever finds, before it is put into a framework's own classes: shared by both adapters.

Needs no framework. A retriever given an address opens a client for each call and closes it again: so it
belongs to no event loop, may be used by many threads, and leaves nothing open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

from pydantic import SecretStr

from cewen.async_client import AsyncClient
from cewen.client import Client
from cewen.connection import checked_base_url, checked_key
from cewen.errors import ConfigError
from cewen.models import Answer, Citation, Passage, SearchResult
from cewen.requests import FiltersLike

Mode = Literal["passages", "answer"]
NOT_PICKLED = "给了 client 或 async_client 的检索器不能序列化（pickle）。请改给 base_url。"


@dataclass(frozen=True, slots=True)
class Found:
    """One passage or citation.

    Attributes:
        id: The chunk's id, or `document_id:start_char-end_char`: the same again for the same find.
        text: The passage's text, or the quote.
        score: Public relevance, 0-1.
        metadata: Plain values, see `docs/client.md`.
    """

    id: str
    text: str
    score: float
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Retrieval:
    """How to find.

    Attributes:
        base_url: The service's address, for clients that are opened per call.
        api_key: The key for these, or None.
        client: Used in place of these, and left open; also by `afind`, which then waits in a thread.
        async_client: As `client`, for `afind` alone.
        mode: "passages" searches; "answer" asks and gives the citations, none for an abstention.
        top_k: 1-50; most passages to give, or to answer from. None: the service's default.
        score_threshold: 0-1; only what has at least this score. None: all.
        collection: Which is asked. None: "default".
        filters: Only documents that match. None: all.

    Raises:
        ConfigError: If address, key or mode cannot be used.
    """

    base_url: str
    api_key: SecretStr | None
    client: Client | None
    async_client: AsyncClient | None
    mode: Mode
    top_k: int | None
    score_threshold: float | None
    collection: str | None = None
    filters: FiltersLike | None = None

    def __post_init__(self) -> None:
        checked_base_url(self.base_url)
        if self.api_key is not None:
            checked_key(self.api_key.get_secret_value())
        if self.mode not in get_args(Mode):
            raise ConfigError(
                f'mode 是 {self.mode!r}，只能是 "passages"（检索到的段落）或 "answer"（答案的引文）。'
            )

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _: object) -> Self:
        return self

    def __reduce__(self) -> tuple[type[Retrieval], tuple[object, ...]]:
        """What is pickled: all but the key. A copy made otherwise keeps it."""
        if self.client is not None or self.async_client is not None:
            raise TypeError(NOT_PICKLED)
        rest = (self.mode, self.top_k, self.score_threshold, self.collection, self.filters)
        return Retrieval, (self.base_url, None, None, None, *rest)

    def find(self, query: str) -> list[Found]:
        """Best first (passages), or by number (citations).

        Raises:
            CewenError: As the client; a ConfigError if only an asynchronous client was given.
        """
        if self.client is not None:
            return self._find(self.client, query)
        if self.async_client is not None:
            raise ConfigError(
                "只给了 async_client，不能同步检索。请改用异步的方法（ainvoke、aretrieve），或再给 client。"
            )
        with Client(self.base_url, api_key=self._key) as client:
            return self._find(client, query)

    async def afind(self, query: str) -> list[Found]:
        """As `find`.

        Raises:
            CewenError: As the client.
        """
        if self.async_client is not None:
            return await self._afind(self.async_client, query)
        if self.client is not None:
            import asyncio

            return await asyncio.to_thread(self._find, self.client, query)
        async with AsyncClient(self.base_url, api_key=self._key) as client:
            return await self._afind(client, query)

    @property
    def _key(self) -> str | None:
        return self.api_key.get_secret_value() if self.api_key else None

    @property
    def _options(self) -> dict[str, Any]:
        return {"top_k": self.top_k, "collection": self.collection, "filters": self.filters}

    def _find(self, client: Client, query: str) -> list[Found]:
        if self.mode == "answer":
            return self._cited(client.ask(query, **self._options), client.absolute_url)
        found = client.search(query, score_threshold=self.score_threshold, **self._options)
        return _passages(found, client.absolute_url)

    async def _afind(self, client: AsyncClient, query: str) -> list[Found]:
        if self.mode == "answer":
            return self._cited(await client.ask(query, **self._options), client.absolute_url)
        found = await client.search(query, score_threshold=self.score_threshold, **self._options)
        return _passages(found, client.absolute_url)

    def _cited(self, answer: Answer, absolute: Callable[[str], str]) -> list[Found]:
        least = self.score_threshold or 0.0
        return [
            _citation(citation, answer, absolute) for citation in answer.citations if citation.score >= least
        ]


def _passages(result: SearchResult, absolute: Callable[[str], str]) -> list[Found]:
    return [
        Found(
            hit.chunk_id,
            hit.text,
            hit.score,
            {**_place(hit, absolute), "rank": hit.rank, "chunk_id": hit.chunk_id},
        )
        for hit in result.hits
    ]


def _citation(citation: Citation, answer: Answer, absolute: Callable[[str], str]) -> Found:
    metadata = {
        **_place(citation, absolute),
        "number": citation.number,
        "match": citation.match,
        "source_sha256": citation.source_sha256,
        "answer": answer.answer,
        "status": answer.status,
        "confidence": answer.confidence,
    }
    return Found(
        f"{citation.document_id}:{citation.start_char}-{citation.end_char}",
        citation.quote,
        citation.score,
        metadata,
    )


def _place(piece: Passage | Citation, absolute: Callable[[str], str]) -> dict[str, Any]:
    url = absolute(piece.url)
    return {
        "document_id": piece.document_id,
        "title": piece.title,
        "authors": list(piece.authors),
        "paragraph": piece.paragraph,
        "start_char": piece.start_char,
        "end_char": piece.end_char,
        "start_line": piece.start_line,
        "end_line": piece.end_line,
        "url": url,
        "source": url,  # where chains look for what they cite
        "score": piece.score,
    }
