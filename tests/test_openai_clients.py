"""What chat clients do that are no packages of ours: replayed from their sources, over a real socket.

Each replay reads the reply as the client does and nothing more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.openai_fakes import QUESTION, UNKNOWN, Saying, sentence
from tests.test_openai_sdk import LIVE_QUESTION, served

ENGINE_SENTENCES = [sentence("灯塔高三十二米。", 1), sentence("清晨熄灯。", 2, 1), sentence("港在北。", 2)]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served(Saying(ENGINE_SENTENCES)) as address:
        yield address


@pytest.fixture(scope="module")
def http() -> Iterator[httpx.Client]:
    with httpx.Client(trust_env=False, timeout=20) as client:
        yield client


def lines_of(http: httpx.Client, url: str, body: dict[str, Any]) -> list[str]:
    """The lines of a stream as an HTTP library cuts them."""
    headers = {"Authorization": "Bearer sk-any", "Accept": "text/event-stream"}
    with http.stream("POST", f"{url}/v1/chat/completions", json=body, headers=headers) as reply:
        assert reply.status_code == 200
        return list(reply.iter_lines())


def open_webui(lines: list[str]) -> tuple[str, list[dict[str, Any]], dict[str, Any]]:
    """Text, sources and usage as Open WebUI's `process_chat_response` takes them from the lines."""
    content, sources, usage = "", list[dict[str, Any]](), dict[str, Any]()
    for line in lines:
        if not line.strip() or not line.startswith("data:"):
            continue
        try:
            data = json.loads(line[len("data:") :].strip())
        except json.JSONDecodeError:
            assert line == "data: [DONE]"
            continue
        usage |= data.get("usage", {}) or {}
        choices = data.get("choices", [])
        if not choices:
            assert not data.get("error", {})
            continue
        delta = choices[0].get("delta", {})
        for annotation in delta.get("annotations") or []:
            if annotation.get("type") == "url_citation" and "url_citation" in annotation:
                place = annotation["url_citation"]
                link = place.get("url", "")
                title = place.get("title", link)
                sources.append({"source": {"name": title, "url": link}, "document": [title]})
        content += delta.get("content") or ""
    return content, sources, usage


def shown_sources(sources: list[dict[str, Any]]) -> list[str]:
    """Open WebUI numbers its sources by the order in which their links first come."""
    return list(dict.fromkeys(each["source"]["url"] for each in sources))


def test_open_webui(url: str, http: httpx.Client) -> None:
    models = http.get(f"{url}/v1/models", headers={"Authorization": "Bearer sk-any"}).json()["data"]
    assert [model["id"] for model in models] == ["cewen", "cewen-footnotes"]
    body = {
        "stream": True,
        "model": models[0]["id"],
        "messages": [{"role": "system", "content": ""}, {"role": "user", "content": QUESTION}],
        "stream_options": {"include_usage": True},
        "metadata": {"chat_id": "c"},
    }
    content, sources, usage = open_webui(lines_of(http, url, body))
    assert content == "灯塔高三十二米。[1]清晨熄灯。[2][1]港在北。[2]"
    assert len(sources) == 4
    # Its "[n]" is therefore our "[n]".
    whole = http.post(f"{url}/v1/chat/completions", json=body | {"stream": False}).json()
    assert shown_sources(sources) == whole["citations"]
    assert all("第3–4行：" in each["document"][0] for each in sources)
    assert usage == whole["usage"]


def test_open_webui_over_the_sample_corpus(live_url: str, http: httpx.Client) -> None:
    body = {"model": "cewen", "stream": True, "messages": [{"role": "user", "content": LIVE_QUESTION}]}
    content, sources, _ = open_webui(lines_of(http, live_url, body))
    whole = http.post(f"{live_url}/v1/chat/completions", json=body | {"stream": False}).json()
    assert content == whole["choices"][0]["message"]["content"]
    assert shown_sources(sources) == whole["citations"]


def test_open_webui_asking_for_a_title(http: httpx.Client) -> None:
    # It asks the same model for a title, tags and follow-ups unless told not to; a refusal must be a
    # well-formed one, an abstention an ordinary reply.
    with served() as url:
        task = (
            "### Task:\nGenerate a concise, 3-5 word title with an emoji.\n### Chat History:\n" + "灯塔" * 20
        )
        body = {"model": "cewen", "stream": False, "messages": [{"role": "user", "content": task}]}
        reply = http.post(f"{url}/v1/chat/completions", json=body)
        assert reply.json()["cewen"]["status"] == "abstained"
        body["messages"] = [{"role": "user", "content": task * 50}]
        assert http.post(f"{url}/v1/chat/completions", json=body).status_code == 400


def nextchat(lines: list[str]) -> str:
    """NextChat: `choices[0].delta.content` of every message until `[DONE]`."""
    text = ""
    for line in lines:
        data = line.removeprefix("data: ")
        if data == "[DONE]":
            return text
        if line.startswith("data: ") and (choices := json.loads(data).get("choices")):
            text += choices[0]["delta"].get("content") or ""
    raise AssertionError("the stream did not end")


@pytest.mark.parametrize(
    "more",
    [
        {  # NextChat
            "temperature": 0.5,
            "presence_penalty": 0,
            "frequency_penalty": 0,
            "top_p": 1,
            "max_tokens": 4000,
        },
        {  # FastGPT
            "chatId": "c",
            "detail": False,
            "stop": "",
            "max_tokens": 8000,
            "stream_options": {"include_usage": True},
            "enable_thinking": False,
        },
    ],
)
def test_clients_that_send_fields_of_their_own(url: str, http: httpx.Client, more: dict[str, Any]) -> None:
    body = {"model": "cewen-footnotes", "stream": True, "messages": [{"role": "user", "content": QUESTION}]}
    text = nextchat(lines_of(http, url, body | more))
    assert text.startswith("灯塔高三十二米。[1]清晨熄灯。[2][1]港在北。[2]\n\n---\n\n**引文出处**")


@pytest.mark.parametrize("stream", [False, True])
def test_a_client_that_knows_perplexity(url: str, http: httpx.Client, stream: bool) -> None:
    body = {"model": "cewen", "messages": [{"role": "user", "content": QUESTION}], "stream": stream}
    if stream:
        found: dict[str, Any] = {}
        for line in lines_of(http, url, body):
            if line.startswith("data: {"):
                chunk = json.loads(line.removeprefix("data: "))
                found |= {key: chunk[key] for key in ("citations", "search_results") if key in chunk}
    else:
        found = http.post(f"{url}/v1/chat/completions", json=body).json()
    assert [each["url"] for each in found["search_results"]] == found["citations"]
    assert len(found["citations"]) == 2
    assert all(set(each) == {"title", "url", "snippet"} for each in found["search_results"])
    assert all(link.startswith(f"{url}/documents/") for link in found["citations"])


def test_an_abstention_has_no_sources(http: httpx.Client) -> None:
    with served() as url:
        body = {"model": "cewen", "stream": True, "messages": [{"role": "user", "content": UNKNOWN}]}
        content, sources, _ = open_webui(lines_of(http, url, body))
    assert (content, sources) == ("文库里没有说到这件事。", [])
