"""What both adapters' tests share: the service they ask, and the metadata that they must give."""

from __future__ import annotations

from typing import Any

from tests.api_fakes import LIGHTHOUSE, PAGE, SHA256

QUERY = "清晨熄灯"
UNANSWERED = "明年茶价"
PLACE = {"document_id", "title", "authors", "paragraph", "start_char", "end_char", "start_line", "end_line"}
PASSAGE_KEYS = PLACE | {"url", "source", "score", "rank", "chunk_id"}
CITATION_KEYS = PLACE | {"url", "source", "score", "number", "match", "source_sha256", "answer", "status"}
CITATION_KEYS |= {"confidence"}


def check_place(metadata: dict[str, Any], text: str, base_url: str) -> None:
    """Offsets and lines lead to the text; the link leads to the service."""
    start, end = metadata["start_char"], metadata["end_char"]
    assert "".join(PAGE[start:end].split()) == text
    lines = PAGE.count("\n", 0, start) + 1, PAGE.count("\n", 0, end - 1) + 1
    assert (metadata["start_line"], metadata["end_line"]) == lines
    assert metadata["url"] == metadata["source"]
    assert metadata["url"].startswith(f"{base_url}/documents/{metadata['document_id']}?chars={start}-{end}#")


def check_passage(identity: str | None, text: str, metadata: dict[str, Any], base_url: str) -> None:
    assert set(metadata) == PASSAGE_KEYS
    assert identity == metadata["chunk_id"]
    check_place(metadata, text, base_url)


def check_citation(identity: str | None, text: str, metadata: dict[str, Any], base_url: str) -> None:
    assert set(metadata) == CITATION_KEYS
    assert identity == f"{LIGHTHOUSE}:{metadata['start_char']}-{metadata['end_char']}"
    assert text == "守塔人每天傍晚点灯，清晨熄灯。"
    told = {"number": 1, "match": "exact", "status": "answered", "confidence": 1.0, "source_sha256": SHA256}
    assert told.items() <= metadata.items()
    assert metadata["answer"] == f"{text}[1]"
    check_place(metadata, text, base_url)
