"""A retriever for LangChain. Needs the extra `cewen[langchain]`; nothing else of `cewen` imports this.

What is found, and its metadata, is decided in `cewen.retrieving`.
"""

from __future__ import annotations

from typing import Any, Self

from pydantic import Field, SecretStr, model_validator

from cewen.async_client import AsyncClient
from cewen.client import Client
from cewen.connection import DEFAULT_BASE_URL
from cewen.library_models import Filters
from cewen.retrieving import NOT_PICKLED, Found, Mode, Retrieval

try:
    from langchain_core.callbacks import AsyncCallbackManagerForRetrieverRun, CallbackManagerForRetrieverRun
    from langchain_core.documents import Document
    from langchain_core.retrievers import BaseRetriever
except ImportError as error:
    raise ImportError(
        "cewen.langchain 需要 langchain-core。请运行：pip install 'cewen[langchain]'"
    ) from error


class CewenRetriever(BaseRetriever):
    """Passages, or the verified citations of an answer, as LangChain documents.

    Give a client (it is used and left open), or an address and a key. The key is shown nowhere, and is left
    out when the retriever is dumped or pickled; a retriever with a client cannot be pickled.

    Attributes:
        base_url: The service's address.
        api_key: Its key, or None.
        client: For `invoke`; for `ainvoke` too if there is no `async_client`, in a thread.
        async_client: For `ainvoke`.
        mode: "passages": hits of a search, best first. "answer": citations by number, none for an abstention.
        top_k: 1-50; most passages to give, or to answer from. None: the service's default.
        score_threshold: 0-1; only what has at least this score. None: all.
        collection: Which is asked. None: "default".
        filters: Only documents that match. None: all.

    Raises:
        ConfigError: If address or key cannot be used.
    """

    base_url: str = DEFAULT_BASE_URL
    api_key: SecretStr | None = Field(default=None, exclude=True, repr=False)
    client: Client | None = Field(default=None, exclude=True, repr=False)
    async_client: AsyncClient | None = Field(default=None, exclude=True, repr=False)
    mode: Mode = "passages"
    top_k: int | None = None
    score_threshold: float | None = None
    collection: str | None = None
    filters: Filters | None = None

    @model_validator(mode="after")
    def _usable(self) -> Self:
        self._retrieval()
        return self

    def __getstate__(self) -> dict[Any, Any]:
        if self.client is not None or self.async_client is not None:
            raise TypeError(NOT_PICKLED)
        state = super().__getstate__()
        return {**state, "__dict__": {**state["__dict__"], "api_key": None}}

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun | None = None,  # noqa: ARG002 -- LangChain passes it
    ) -> list[Document]:
        return [_document(found) for found in self._retrieval().find(query)]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: AsyncCallbackManagerForRetrieverRun | None = None,  # noqa: ARG002 -- LangChain passes it
    ) -> list[Document]:
        return [_document(found) for found in await self._retrieval().afind(query)]

    def _retrieval(self) -> Retrieval:
        return Retrieval(
            base_url=self.base_url,
            api_key=self.api_key,
            client=self.client,
            async_client=self.async_client,
            mode=self.mode,
            top_k=self.top_k,
            score_threshold=self.score_threshold,
            collection=self.collection,
            filters=self.filters,
        )


def _document(found: Found) -> Document:
    return Document(id=found.id, page_content=found.text, metadata=found.metadata)
