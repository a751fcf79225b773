"""A retriever for LlamaIndex. Needs the extra `cewen[llamaindex]`; nothing else of `cewen` imports this.

What is found, and its metadata, is decided in `cewen.retrieving`.
"""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr

from cewen.async_client import AsyncClient
from cewen.client import Client
from cewen.connection import DEFAULT_BASE_URL
from cewen.requests import FiltersLike
from cewen.retrieving import Found, Mode, Retrieval

try:
    from llama_index.core.retrievers import BaseRetriever
    from llama_index.core.schema import (
        NodeRelationship,
        NodeWithScore,
        QueryBundle,
        RelatedNodeInfo,
        TextNode,
    )
except ImportError as error:
    raise ImportError(
        "cewen.llamaindex 需要 llama-index-core。请运行：pip install 'cewen[llamaindex]'"
    ) from error

# Numbers and addresses are for programs: a language model is shown who says it and where it is printed.
_SHOWN_TO_MODELS = frozenset({"title", "authors", "start_line", "end_line"})
_EMBEDDED = frozenset({"title", "authors"})


class CewenRetriever(BaseRetriever):
    """Passages, or the verified citations of an answer, as LlamaIndex nodes.

    Give a client (it is used and left open), or an address and a key. The key is shown nowhere, and is left
    out when the retriever is pickled; a retriever with a client cannot be pickled.

    Args:
        base_url: The service's address.
        api_key: Its key, or None.
        client: For `retrieve`; for `aretrieve` too if there is no `async_client`, in a thread.
        async_client: For `aretrieve`.
        mode: "passages": hits of a search, best first. "answer": citations by number, none for an abstention.
        top_k: 1-50; most passages to give, or to answer from. None: the service's default.
        score_threshold: 0-1; only what has at least this score. None: all.
        collection: Which is asked. None: "default".
        filters: Only documents that match. None: all.
        options: As LlamaIndex's `BaseRetriever` takes them.

    Raises:
        ConfigError: If address, key or mode cannot be used.
    """

    def __init__(
        self,
        base_url: str = DEFAULT_BASE_URL,
        *,
        api_key: str | SecretStr | None = None,
        client: Client | None = None,
        async_client: AsyncClient | None = None,
        mode: Mode = "passages",
        top_k: int | None = None,
        score_threshold: float | None = None,
        collection: str | None = None,
        filters: FiltersLike | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self._retrieval = Retrieval(
            base_url=base_url,
            api_key=SecretStr(api_key) if isinstance(api_key, str) else api_key,
            client=client,
            async_client=async_client,
            mode=mode,
            top_k=top_k,
            score_threshold=score_threshold,
            collection=collection,
            filters=filters,
        )

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(found) for found in self._retrieval.find(query_bundle.query_str)]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return [_node(found) for found in await self._retrieval.afind(query_bundle.query_str)]


def _node(found: Found) -> NodeWithScore:
    metadata = found.metadata
    document = RelatedNodeInfo(
        node_id=metadata["document_id"],
        metadata={"title": metadata["title"], "authors": metadata["authors"]},
    )
    node = TextNode(
        id_=found.id,
        text=found.text,
        start_char_idx=metadata["start_char"],
        end_char_idx=metadata["end_char"],
        metadata=metadata,
        excluded_llm_metadata_keys=sorted(metadata.keys() - _SHOWN_TO_MODELS),
        excluded_embed_metadata_keys=sorted(metadata.keys() - _EMBEDDED),
        relationships={NodeRelationship.SOURCE: document},
    )
    return NodeWithScore(node=node, score=found.score)
