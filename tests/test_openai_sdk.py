"""The official `openai` package against a running service: what it accepts, raises and shows."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import openai
import pytest
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam

from api.app import create_app
from api.settings import ApiSettings
from rag.errors import UnavailableError
from rag.records import AnswerEvent
from tests.api_fakes import FINGERPRINT, FakeEngine
from tests.evals_server import serving_app
from tests.openai_fakes import QUESTION, UNKNOWN, Saying, sentence
from tests.test_api_streaming import LIMIT_SECONDS, Waiting
from tests.test_openai_completion import Breaking

ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": QUESTION}]
LIVE_QUESTION = "“141”基层智治体系覆盖了多少个乡镇街道？"


@contextmanager
def served(engine: FakeEngine | None = None, settings: ApiSettings | None = None) -> Iterator[str]:
    app = create_app(lambda: engine or FakeEngine(), settings or ApiSettings())
    with serving_app(app) as url:
        assert app.state.engine_slot.wait(10)
        yield url


@contextmanager
def client_of(url: str, key: str = "any") -> Iterator[openai.OpenAI]:
    with httpx.Client(trust_env=False, timeout=LIMIT_SECONDS) as http:
        yield openai.OpenAI(base_url=f"{url}/v1", api_key=key, http_client=http, max_retries=0)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with served() as address:
        yield address


@pytest.fixture(scope="module")
def client(url: str) -> Iterator[openai.OpenAI]:
    with client_of(url) as opened:
        yield opened


def extra(model: openai.BaseModel) -> dict[str, Any]:
    """What the package keeps though it does not know it."""
    return model.model_extra or {}


def joined(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def test_an_answer(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(model="cewen", messages=ASKED, temperature=0, seed=1, user="u")
    message = reply.choices[0].message
    assert message.content == "守塔人每天傍晚点灯，清晨熄灯。[1]"
    assert message.refusal is None
    assert message.annotations
    (note,) = message.annotations
    place = note.url_citation
    assert message.content[place.start_index : place.end_index] == "[1]"
    assert place.url.startswith("http://127.0.0.1:")
    assert "第" in place.title
    assert reply.system_fingerprint == FINGERPRINT
    assert reply.usage
    assert reply.usage.total_tokens == len(QUESTION) + len(message.content)
    assert extra(reply)["citations"] == [place.url]
    assert extra(reply)["cewen"]["citations"][0]["url"] == place.url
    assert reply._request_id


def test_an_abstention(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="cewen", messages=[{"role": "system", "content": "简短"}, {"role": "user", "content": UNKNOWN}]
    )
    assert reply.choices[0].message.content == "文库里没有说到这件事。"
    assert reply.choices[0].message.annotations == []
    assert extra(reply)["cewen"]["status"] == "abstained"


def test_a_stream(client: openai.OpenAI) -> None:
    chunks = list(
        client.chat.completions.create(
            model="cewen", messages=ASKED, stream=True, stream_options={"include_usage": True}
        )
    )
    assert joined(chunks) == "守塔人每天傍晚点灯，清晨熄灯。[1]"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    notes = [note for chunk in chunks[:-1] for note in extra(chunk.choices[0].delta).get("annotations", [])]
    assert notes[0]["url_citation"]["url"] == extra(chunks[-2])["citations"][0]
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert [chunk.usage for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)


def test_the_stream_helper_puts_the_whole_together(client: openai.OpenAI) -> None:
    whole = client.chat.completions.create(model="cewen", messages=ASKED)
    with client.chat.completions.stream(model="cewen", messages=ASKED) as stream:
        events = list(stream)
        final = stream.get_final_completion()
    assert {"chunk", "content.delta", "content.done"} <= {event.type for event in events}
    message = final.choices[0].message
    assert message.content == whole.choices[0].message.content
    assert [unplaced(each) for each in message.model_dump()["annotations"]] == annotations_of(whole)
    # It puts together choices only; what stands beside them is in the last chunk.
    assert "cewen" not in extra(final)
    chunks = [event.chunk for event in events if event.type == "chunk"]
    assert extra(chunks[-1])["cewen"] == extra(whole)["cewen"]


def annotations_of(reply: openai.BaseModel) -> list[dict[str, Any]]:
    annotations: list[dict[str, Any]] = reply.model_dump()["choices"][0]["message"]["annotations"]
    return annotations


def unplaced(annotation: dict[str, Any]) -> dict[str, Any]:
    """What the parts of a list are put together by is of the stream, not of the annotation."""
    return {name: value for name, value in annotation.items() if name != "index"}


SEVERAL = [sentence("甲。", 1), sentence("乙。", 2, 1), sentence("丙。", 3), sentence("丁。", 2)]
MARKS = ["[1]", "[2]", "[1]", "[3]", "[2]"]


def check_several(whole: Any, final: Any, chunks: list[ChatCompletionChunk]) -> None:
    """The same text and annotations from all three ways of asking, each annotation at its mark."""
    wanted = annotations_of(whole)
    assert all("index" not in each for each in wanted)
    places = [each["url_citation"] for each in wanted]
    text = whole.choices[0].message.content
    assert [text[each["start_index"] : each["end_index"]] for each in places] == MARKS
    assert final.choices[0].message.content == joined(chunks) == text
    assert [unplaced(each) for each in annotations_of(final)] == wanted
    notes = [
        note
        for chunk in chunks
        for choice in chunk.choices
        for note in extra(choice.delta).get("annotations", [])
    ]
    assert [note["index"] for note in notes] == list(range(len(MARKS)))
    assert [unplaced(note) for note in notes] == wanted


def test_several_marks_in_every_way_of_asking() -> None:
    with served(Saying(SEVERAL)) as url, client_of(url) as client:
        whole = client.chat.completions.create(model="cewen", messages=ASKED)
        with client.chat.completions.stream(model="cewen", messages=ASKED) as stream:
            final = stream.get_final_completion()
        chunks = list(client.chat.completions.create(model="cewen", messages=ASKED, stream=True))
    check_several(whole, final, chunks)


def test_several_marks_asynchronously() -> None:
    async def main(url: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=LIMIT_SECONDS) as http:
            client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", http_client=http)
            whole = await client.chat.completions.create(model="cewen", messages=ASKED)
            async with client.chat.completions.stream(model="cewen", messages=ASKED) as stream:
                final = await stream.get_final_completion()
            parts = await client.chat.completions.create(model="cewen", messages=ASKED, stream=True)
            check_several(whole, final, [chunk async for chunk in parts])

    with served(Saying(SEVERAL)) as url:
        asyncio.run(main(url))


def test_asynchronously(url: str) -> None:
    async def main() -> tuple[str | None, str]:
        async with httpx.AsyncClient(trust_env=False, timeout=LIMIT_SECONDS) as http:
            client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", http_client=http)
            whole = await client.chat.completions.create(model="cewen", messages=ASKED)
            stream = await client.chat.completions.create(model="cewen", messages=ASKED, stream=True)
            return whole.choices[0].message.content, joined([chunk async for chunk in stream])

    whole, streamed = asyncio.run(main())
    assert whole == streamed == "守塔人每天傍晚点灯，清晨熄灯。[1]"


def test_the_raw_response(client: openai.OpenAI) -> None:
    raw = client.chat.completions.with_raw_response.create(model="cewen", messages=ASKED)
    assert raw.headers["content-type"] == "application/json"
    assert raw.request_id
    assert raw.parse().choices[0].finish_reason == "stop"


def test_the_models(client: openai.OpenAI) -> None:
    assert [model.id for model in client.models.list()] == ["cewen", "cewen-footnotes"]
    assert client.models.retrieve("cewen").owned_by == "cewen"


def test_text_parts_and_pictures(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="cewen",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": QUESTION},
                    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}},
                ],
            }
        ],
    )
    assert extra(reply)["cewen"]["status"] == "answered"


def test_tools_and_formats_are_ignored(client: openai.OpenAI) -> None:
    reply = client.chat.completions.create(
        model="cewen",
        messages=ASKED,
        n=2,
        tools=[{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
        response_format={"type": "json_object"},
        extra_body={"anything": {"at": "all"}},
    )
    assert len(reply.choices) == 1
    assert reply.choices[0].message.tool_calls is None


def test_a_limit_on_tokens() -> None:
    with served(Saying([sentence("甲。", 1), sentence("乙。", 2)])) as url, client_of(url) as client:
        reply = client.chat.completions.create(model="cewen", messages=ASKED, max_tokens=5)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("甲。[1]", "length")


def test_a_model_that_is_not_there(client: openai.OpenAI) -> None:
    for call in (
        lambda: client.chat.completions.create(model="gpt-4o", messages=ASKED),
        lambda: client.models.retrieve("gpt-4o"),
        lambda: client.chat.completions.create(model="gpt-4o", messages=ASKED, stream=True),
    ):
        with pytest.raises(openai.NotFoundError, match="cewen-footnotes") as caught:
            call()
        assert (caught.value.code, caught.value.param) == ("model_not_found", "model")


def test_a_bad_request(client: openai.OpenAI) -> None:
    long: list[ChatCompletionMessageParam] = [{"role": "user", "content": "灯" * 2001}]
    for stream in (False, True):
        with pytest.raises(openai.BadRequestError, match="2000") as caught:
            client.chat.completions.create(model="cewen", messages=long, stream=stream)
        assert (caught.value.code, caught.value.param) == ("context_length_exceeded", "messages")
        assert caught.value.request_id


def test_the_key() -> None:
    with served(settings=ApiSettings(api_key="right")) as url:
        with client_of(url, "wrong") as client, pytest.raises(openai.AuthenticationError) as caught:
            client.models.list()
        assert caught.value.code == "invalid_api_key"
        with client_of(url, "right") as client:
            assert client.chat.completions.create(model="cewen", messages=ASKED).choices


def test_too_many_at_once() -> None:
    begun, done = threading.Event(), threading.Event()

    def busy() -> None:
        begun.set()
        assert done.wait(LIMIT_SECONDS)

    settings = ApiSettings(max_concurrent=1, max_waiting=0)
    with served(FakeEngine(before=busy), settings) as url, client_of(url) as client:
        first = threading.Thread(
            target=client.chat.completions.create, kwargs={"model": "cewen", "messages": ASKED}
        )
        first.start()
        try:
            assert begun.wait(LIMIT_SECONDS)
            with pytest.raises(openai.RateLimitError) as caught:
                client.chat.completions.create(model="cewen", messages=ASKED)
            assert caught.value.code == "rate_limit_exceeded"
            assert int(caught.value.response.headers["retry-after"]) > 0
            assert client.models.list().data
        finally:
            done.set()
            first.join(LIMIT_SECONDS)


def test_an_answer_that_breaks_off() -> None:
    with served(Breaking(UnavailableError("正在关闭。"))) as url, client_of(url) as client:
        stream = client.chat.completions.create(model="cewen", messages=ASKED, stream=True)
        got: list[ChatCompletionChunk] = []
        with pytest.raises(openai.APIError, match="正在关闭。"):
            got.extend(stream)
        with pytest.raises(openai.InternalServerError, match="正在关闭。"):
            client.chat.completions.create(model="cewen", messages=ASKED)


def test_who_closes_the_stream_is_not_computed_for() -> None:
    engine = Waiting()
    with served(engine) as url, client_of(url) as client:
        stream = client.chat.completions.create(
            model="cewen", messages=[{"role": "user", "content": "灯塔多高"}], stream=True
        )
        for chunk in stream:
            if chunk.choices[0].delta.content:
                break
        stream.close()
        assert engine.gave_up.acquire(timeout=LIMIT_SECONDS)


class Held(FakeEngine):
    """Begins to answer when it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go = threading.Event()

    def stream(self, question: str, **options: Any) -> Iterator[AnswerEvent]:
        return self._held(super().stream(question, **options))

    def _held(self, events: Iterator[AnswerEvent]) -> Iterator[AnswerEvent]:
        assert self.go.wait(LIMIT_SECONDS)
        yield from events


def test_the_first_chunk_comes_before_the_answer() -> None:
    engine = Held()
    with served(engine) as url, client_of(url) as client:
        stream = client.chat.completions.create(model="cewen", messages=ASKED, stream=True)
        assert next(stream).choices[0].delta.role == "assistant"
        engine.go.set()
        assert joined(list(stream)) == "守塔人每天傍晚点灯，清晨熄灯。[1]"


def test_over_the_sample_corpus(live_url: str) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "user", "content": LIVE_QUESTION}]
    with client_of(live_url) as client:
        reply = client.chat.completions.create(model="cewen", messages=messages)
        chunks = list(
            client.chat.completions.create(
                model="cewen", messages=messages, stream=True, stream_options={"include_usage": True}
            )
        )
    message = reply.choices[0].message
    assert message.content == joined(chunks)
    assert reply.usage == chunks[-1].usage
    assert message.annotations
    for note in message.annotations:
        place = note.url_citation
        number = int(message.content[place.start_index + 1 : place.end_index - 1])
        cited = extra(reply)["cewen"]["citations"][number - 1]
        source = httpx.get(f"{live_url}/v1/documents/{cited['document_id']}/source", trust_env=False).text
        span = source[cited["start_char"] : cited["end_char"]]
        assert "".join(span.split()) == "".join(cited["quote"].split())
        assert httpx.get(place.url, trust_env=False).status_code == 200
    # Over the real engine every part is followed by its annotations.
    kinds = [next(iter(chunk.choices[0].delta.model_dump(exclude_none=True)), "") for chunk in chunks[1:-2]]
    assert kinds == ["content", "annotations"] * (len(kinds) // 2)


def test_a_followup_over_the_sample_corpus(live_url: str) -> None:
    with client_of(live_url) as client:
        first = client.chat.completions.create(
            model="cewen-footnotes", messages=[{"role": "user", "content": LIVE_QUESTION}]
        )
        said = first.choices[0].message.content
        messages: list[ChatCompletionMessageParam] = [
            {"role": "user", "content": LIVE_QUESTION},
            {"role": "assistant", "content": said},
            {"role": "user", "content": "那它覆盖了多少个网格？"},
        ]
        reply = client.chat.completions.create(model="cewen", messages=messages)
    own = extra(reply)["cewen"]
    assert own["resolved_question"] == "“141”基层智治体系覆盖了多少个网格？"
    assert "6.5万个网格" in own["citations"][0]["quote"]
