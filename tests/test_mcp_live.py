"""The MCP server over the real engine and the sample corpus: the same answers as the REST service."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin

import anyio
import httpx
import pytest

from tests.mcp_wire import NEW, OLD, connected, structured

QUESTIONS = ("“141”基层智治体系覆盖了多少个乡镇街道？", "城市的温度是什么？", "火星上住着多少人？")


def without_chance(reply: dict[str, Any], url: str) -> dict[str, Any]:
    """A reply without what differs from one to the next, its links absolute."""
    kept = {name: value for name, value in reply.items() if name not in {"id", "timings_ms"}}
    for kind in ("citations", "related"):
        kept[kind] = [shown | {"url": urljoin(url, shown["url"])} for shown in kept[kind]]
    return kept


@pytest.mark.parametrize("revision", [OLD, NEW])
def test_the_same_as_the_rest_service(live_url: str, revision: str) -> None:
    with httpx.Client(base_url=live_url, trust_env=False, timeout=60) as rest:
        answers = [rest.post("/v1/ask", json={"question": question}).json() for question in QUESTIONS]
        hits = rest.post("/v1/search", json={"query": QUESTIONS[0]}).json()["hits"]
        documents = rest.get("/v1/documents").json()["documents"]
        first = rest.get(f"/v1/documents/{documents[0]['id']}").json()
    assert [answer["status"] for answer in answers] == ["answered", "answered", "abstained"]

    async def main() -> None:
        async with connected(live_url, revision) as client:
            for question, answer in zip(QUESTIONS, answers, strict=True):
                reply = structured(await client.call_tool("ask", {"question": question}))
                assert without_chance(reply, live_url) == without_chance(answer, live_url)
            found = structured(await client.call_tool("search", {"query": QUESTIONS[0]}))["results"]
            assert [result["id"] for result in found] == [hit["chunk_id"] for hit in hits]
            for result, hit in zip(found, hits, strict=True):
                assert result["url"] == urljoin(live_url, hit["url"])
                fetched = structured(await client.call_tool("fetch", {"id": result["id"]}))
                assert (fetched["text"], fetched["url"]) == (hit["text"], result["url"])
            whole = structured(await client.call_tool("fetch", {"id": first["id"]}))
            assert whole["text"].split("\n\n") == [paragraph["text"] for paragraph in first["paragraphs"]]

    anyio.run(main)
