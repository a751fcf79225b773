"""Dify's side of its External Knowledge API, played from its documents and its code.

What is imitated: saving an endpoint (`ExternalDatasetService.check_endpoint_and_api_key`), fetching records
(`fetch_external_knowledge_retrieval`, `process_external_api`), and what becomes of them in a chat
(`DatasetRetrieval._context`), in a workflow (its retrieval node) and in the citation panel of the web client
(`citation/index.tsx`). No line of it is Dify's.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import httpx

DATASET_ID = "1f0e7c1a-dataset"
DATASET_NAME = "外部知识库"


class RegistrationError(Exception):
    """Dify would not save this endpoint."""


@dataclass
class DifyDocument:
    """What Dify keeps of a record."""

    page_content: Any
    metadata: dict[str, Any]


@dataclass
class Entry:
    """One entry of the citation panel."""

    name: str
    contents: list[str] = field(default_factory=list)


class Dify:
    """A Dify that has one external knowledge base.

    Args:
        endpoint: As typed into its form.
        api_key: As typed into its form.
        knowledge_id: The external knowledge id.
    """

    def __init__(self, endpoint: str, *, api_key: str = "a-key", knowledge_id: str = "default") -> None:
        self.endpoint, self.api_key, self.knowledge_id = endpoint, api_key, knowledge_id

    def save_endpoint(self) -> httpx.Response:
        """The probe: a POST with a key and nothing else; three statuses count as failure."""
        headers = {"Authorization": f"Bearer {self.api_key}"}
        reply = httpx.post(f"{self.endpoint}/retrieval", headers=headers)
        if reply.status_code in {403, 404, 502}:
            raise RegistrationError(reply.status_code)
        return reply

    def request(self, query: str, setting: dict[str, Any], condition: dict[str, Any] | None) -> bytes:
        """The body: ASCII with escapes, `top_k` as the form has it, the threshold 0.0 unless switched on."""
        enabled = setting.get("score_threshold_enabled") or False
        body = {
            "retrieval_setting": {
                "top_k": setting.get("top_k"),
                "score_threshold": setting.get("score_threshold", 0.0) if enabled else 0.0,
            },
            "query": query,
            "knowledge_id": self.knowledge_id,
            "metadata_condition": condition,
        }
        return json.dumps(body).encode()

    def fetch(
        self, query: str, condition: dict[str, Any] | None = None, **setting: Any
    ) -> list[dict[str, Any]]:
        """Records; nothing at all, and no word of it, if the reply is not 200."""
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.api_key}"}
        url = f"{self.endpoint}/retrieval"
        content = self.request(query, {"top_k": 4} | setting, condition)
        reply = httpx.post(url, content=content, headers=headers, follow_redirects=True, timeout=60)
        records: list[dict[str, Any]] = reply.json().get("records", []) if reply.status_code == 200 else []
        return records

    def documents(self, records: list[dict[str, Any]]) -> list[DifyDocument]:
        """Records as Dify's documents: it writes into the metadata, and falls over where that is null."""
        documents = [DifyDocument(record.get("content"), record["metadata"]) for record in records]
        for document, record in zip(documents, records, strict=True):
            document.metadata["score"] = record.get("score")
            document.metadata["title"] = record.get("title")
            document.metadata["dataset_id"] = DATASET_ID
            document.metadata["dataset_name"] = DATASET_NAME
        return documents

    def context(self, documents: list[DifyDocument]) -> str:
        """What the model of a chat app is given: contents only, best first."""
        best = sorted(documents, key=lambda document: document.metadata.get("score") or 0.0, reverse=True)
        return "\n".join(document.page_content for document in best)

    def node_output(self, documents: list[DifyDocument]) -> list[dict[str, Any]]:
        """What the retrieval node of a workflow hands on."""
        return [
            {
                "metadata": {
                    "document_id": str(found.metadata.get("document_id") or found.metadata.get("title")),
                    "document_name": found.metadata.get("title") or "",
                    "score": float(found.metadata.get("score") or 0.0),
                    "doc_metadata": found.metadata,
                },
                "title": found.metadata.get("title") or "",
                "content": found.page_content,
            }
            for found in documents
        ]

    def panel(self, documents: list[DifyDocument]) -> list[Entry]:
        """The citation panel: one entry for all records of one document id, named after the first of them."""
        entries: dict[str, Entry] = {}
        for node in self.node_output(documents):
            key, name = node["metadata"]["document_id"], node["metadata"]["document_name"]
            entries.setdefault(key, Entry(name)).contents.append(node["content"])
        return list(entries.values())
