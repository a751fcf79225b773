"""Many callers that change the same few documents and collections at once: no failure, one truth after."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from random import Random
from typing import Any

import httpx

from api.assembly import open_library
from rag.settings import read_settings
from tests.counting_encoder import CountingEncoder
from tests.hammering import QUESTION, hammered

CALLERS, EACH = 6, 25


def text_of(number: int) -> str:
    return f"第{number}篇札记\n\n灯塔第{number}次重修，是在一九零{number}年，守塔人这样说。\n"


def drawn(random: Random) -> tuple[str, str, dict[str, Any] | None]:
    """One of many requests about six documents in four collections."""
    collection, text = random.choice(["default", "a", "b", "c"]), text_of(random.randrange(6))
    source_id = hashlib.sha256(text.encode()).hexdigest()[:12]
    requests: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
        ("POST", "/v1/collections", {"name": collection}),
        ("DELETE", f"/v1/collections/{collection}", None),
        ("POST", "/v1/documents", {"text": text, "collection": collection}),
        ("PUT", f"/v1/documents/{source_id}", {"text": f"{text}又及。\n", "collection": collection}),
        ("DELETE", f"/v1/documents/{source_id}?collection={collection}", None),
        ("GET", f"/v1/documents/{source_id}-1", None),
        ("GET", f"/documents/{source_id}-1", None),
        ("GET", f"/v1/documents?collection={collection}", None),
        ("GET", "/v1/collections", None),
        ("GET", "/v1/models", None),
        ("POST", "/v1/ask", {"question": QUESTION, "collection": collection}),
        ("POST", "/v1/search", {"query": text, "collection": collection, "filters": {"tags": ["x"]}}),
        ("POST", "/v1/admin/reindex", {"collection": collection}),
    )
    return random.choice(requests)


def test_callers_at_once(tmp_path: Path) -> None:
    failed: list[Any] = []

    def call(seed: int) -> None:
        random = Random(seed)  # noqa: S311 -- a mix, no secret
        with httpx.Client(base_url=service.url, timeout=60) as client:
            for _ in range(EACH):
                method, path, body = drawn(random)
                reply = client.request(method, path, json=body)
                if reply.status_code >= 500 or "Traceback" in reply.text:
                    failed.append((method, path, reply.status_code, reply.text[:300]))

    with hammered(tmp_path, upload_places=CALLERS, max_concurrent=CALLERS) as service:
        callers = [threading.Thread(target=call, args=(seed,)) for seed in range(CALLERS)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join()
        library = service.library
        for job in library.jobs():
            assert library.wait(job.job_id, 30).error_code in {
                None,
                "collection_not_found",
                "document_not_found",
            }
        live = {
            info.name: [entry.document.document_id for entry in library.entries(info.name)]
            for info in library.collections()
        }
    assert not failed
    settings = read_settings(
        seeds_dir=tmp_path / "seeds",
        index_dir=tmp_path / "index",
        store_dir=tmp_path / "store",
        data_dir=tmp_path / "data",
        reader="off",
    )
    with open_library(settings, encoder=CountingEncoder()) as again:
        assert {
            info.name: [entry.document.document_id for entry in again.entries(info.name)]
            for info in again.collections()
        } == live
