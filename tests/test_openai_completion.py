"""Chat completions over a fake engine: whole and streamed say the same, and no citation is out of place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from api.openai_chat.completion import Chunk, Completion, Wanted, folded
from api.openai_chat.footnotes import footnotes
from api.openai_chat.schemas import ChatCompletionOut
from api.settings import ApiSettings
from rag.errors import CitationError, UnavailableError
from rag.records import Answer, AnswerEvent, AnswerSentence, CitationsKnown, Degradation, TextAdded
from tests.api_fakes import FINGERPRINT, FakeEngine, client_for
from tests.openai_fakes import QUESTION, UNKNOWN, Saying, chunks_of, citation, sentence

CHAT = "/v1/chat/completions"
TWO = [sentence("灯塔高三十二米。", 1), sentence("𠮷田点灯[1]。", 2, 1)]


def chat(client: TestClient, question: str = QUESTION, **more: Any) -> Any:
    body = {"model": "cewen", "messages": [{"role": "user", "content": question}], **more}
    return client.post(CHAT, json=body)


def whole(client: TestClient, question: str = QUESTION, **more: Any) -> dict[str, Any]:
    reply = chat(client, question, **more)
    assert reply.status_code == 200, reply.text
    body: dict[str, Any] = reply.json()
    return body


def streamed(client: TestClient, question: str = QUESTION, **more: Any) -> list[Chunk]:
    reply = chat(client, question, stream=True, **more)
    assert reply.status_code == 200, reply.text
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    return chunks_of(reply.content)


def timeless(body: Chunk) -> Chunk:
    return {key: value for key, value in body.items() if key not in {"id", "created"}}


def contents(chunks: list[Chunk]) -> list[str]:
    return [
        choice["delta"]["content"]
        for chunk in chunks
        for choice in chunk["choices"]
        if "content" in choice["delta"]
    ]


def check_annotations(body: dict[str, Any]) -> None:
    """Each range holds the mark of the citation whose link it carries."""
    message = body["choices"][0]["message"]
    for each in message["annotations"]:
        place = each["url_citation"]
        mark = message["content"][place["start_index"] : place["end_index"]]
        number = int(mark[1:-1])
        assert mark == f"[{number}]"
        assert place["url"] == body["citations"][number - 1] == body["cewen"]["citations"][number - 1]["url"]
        assert place["title"] == body["search_results"][number - 1]["title"]


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for() as opened:
        yield opened


def test_an_answer(client: TestClient) -> None:
    body = whole(client)
    native = client.post("/v1/ask", json={"question": QUESTION}).json()
    assert body["id"].startswith("chatcmpl-")
    assert (body["object"], body["model"], body["system_fingerprint"]) == (
        "chat.completion",
        "cewen",
        FINGERPRINT,
    )
    (choice,) = body["choices"]
    assert (choice["index"], choice["finish_reason"], choice["logprobs"]) == (0, "stop", None)
    message = choice["message"]
    assert (message["role"], message["content"], message["refusal"]) == ("assistant", native["answer"], None)
    (cited,) = native["citations"]
    url = f"http://testserver{cited['url']}"
    assert body["citations"] == [url]
    (found,) = body["search_results"]
    assert (found["url"], found["snippet"]) == (url, cited["quote"])
    (note,) = message["annotations"]
    assert note["url_citation"] == {
        "start_index": len(native["answer"]) - 3,
        "end_index": len(native["answer"]),
        "title": found["title"],
        "url": url,
    }
    own = body["cewen"]
    assert own["citations"] == [cited | {"url": url}]
    assert {key: own[key] for key in own if key != "citations"} == {
        key: native[key] for key in native if key not in {"citations", "answer", "fingerprint", "timings_ms"}
    }
    asked, said = len(QUESTION), len(native["answer"])
    assert body["usage"] == {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said}


def test_an_abstention_is_said_in_the_content(client: TestClient) -> None:
    body = whole(client, UNKNOWN)
    message = body["choices"][0]["message"]
    assert (message["content"], message["refusal"], message["annotations"]) == (
        "文库里没有说到这件事。",
        None,
        [],
    )
    assert body["choices"][0]["finish_reason"] == "stop"
    assert (body["citations"], body["search_results"]) == ([], [])
    own = body["cewen"]
    assert (own["status"], own["reason"], own["sentences"], own["citations"]) == (
        "abstained",
        "not_stated",
        [],
        [],
    )
    assert own["related"]
    assert all(passage["url"].startswith("http://testserver/documents/") for passage in own["related"])


def test_the_stream_has_the_documented_form(client: TestClient) -> None:
    reply = chat(client, stream=True)
    assert reply.content.startswith(b'data: {"id":')
    chunks = chunks_of(reply.content)
    first, *between, last = chunks
    assert first["choices"] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "logprobs": None, "finish_reason": None}
    ]
    for chunk in chunks:
        assert (chunk["object"], chunk["model"]) == ("chat.completion.chunk", "cewen")
        assert (chunk["id"], chunk["created"]) == (first["id"], first["created"])
        assert chunk["system_fingerprint"] == FINGERPRINT
        assert "usage" not in chunk
    for chunk in between:
        assert chunk["choices"][0]["finish_reason"] is None
        assert list(chunk["choices"][0]["delta"]) in (["content"], ["annotations"])
        assert "cewen" not in chunk
    assert (last["choices"][0]["delta"], last["choices"][0]["finish_reason"]) == ({}, "stop")
    assert last["citations"]
    assert last["cewen"]["status"] == "answered"


def test_usage_comes_last_where_it_is_asked_for(client: TestClient) -> None:
    *chunks, last = streamed(client, stream_options={"include_usage": True, "include_obfuscation": False})
    assert (last["choices"], last["usage"]) == ([], whole(client)["usage"])
    assert last["id"] == chunks[0]["id"]
    assert all(chunk["usage"] is None for chunk in chunks)
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("options", [None, {}, {"include_usage": None}, {"include_usage": False}])
def test_usage_is_not_sent_unasked(client: TestClient, options: Any) -> None:
    assert all("usage" not in chunk for chunk in streamed(client, stream_options=options))


@pytest.mark.parametrize("model", ["cewen", "cewen-footnotes"])
@pytest.mark.parametrize("question", [QUESTION, UNKNOWN])
def test_stream_and_whole_say_the_same(client: TestClient, model: str, question: str) -> None:
    chunks = streamed(client, question, model=model, stream_options={"include_usage": True})
    assert timeless(folded(chunks)) == timeless(whole(client, question, model=model))


def test_each_part_is_followed_by_its_annotations() -> None:
    with client_for(Saying(TWO, layout=[True, True])) as client:
        deltas = [chunk["choices"][0]["delta"] for chunk in streamed(client)]
        body = whole(client)
    assert [list(delta) for delta in deltas[1:]] == [["content"], ["annotations"]] * 2 + [[]]
    assert [delta["content"] for delta in deltas[1:] if "content" in delta] == [
        "灯塔高三十二米。[1]",
        "\n𠮷田点灯[1]。[2][1]",
    ]
    check_annotations(body)
    places = [each["url_citation"]["start_index"] for each in body["choices"][0]["message"]["annotations"]]
    assert places == [8, 20, 23]


def test_a_source_that_says_a_mark_itself_is_annotated_rightly() -> None:
    sentences = [sentence("塔。", 1), sentence("灯高三丈。[1]", 2), sentence("港。", 1)]
    engine = Saying(sentences, [citation(1), citation(2, "灯高三丈。[1]")])
    with client_for(engine) as client:
        deltas = [chunk["choices"][0]["delta"] for chunk in streamed(client)]
        body = whole(client)
    kinds = [*(list(delta)[:1] for delta in deltas[1:])]
    assert kinds == [["content"], ["annotations"]] * 3 + [[]]
    check_annotations(body)
    places = [each["url_citation"]["start_index"] for each in body["choices"][0]["message"]["annotations"]]
    assert places == [2, 13, 18]


def test_footnotes_are_text_after_the_answer() -> None:
    engine = Saying(TWO)
    with client_for(engine) as client:
        plain, noted = whole(client), whole(client, model="cewen-footnotes")
    block = footnotes(engine.checked.citations, lambda url: f"http://testserver{url}")
    text = plain["choices"][0]["message"]["content"]
    assert noted["choices"][0]["message"]["content"] == text + block
    assert noted["usage"]["completion_tokens"] == len(text + block)
    for key in ("citations", "search_results", "cewen"):
        assert noted[key] == plain[key]
    assert noted["choices"][0]["message"]["annotations"] == plain["choices"][0]["message"]["annotations"]
    assert (plain["model"], noted["model"]) == ("cewen", "cewen-footnotes")


def test_an_abstention_has_no_footnotes(client: TestClient) -> None:
    assert whole(client, UNKNOWN, model="cewen-footnotes")["choices"][0]["message"]["content"][-1] == "。"


THREE = [sentence("甲。", 1), sentence("乙。", 2, 1), sentence("丙。", 3)]
LENGTHS = (5, 13, 18)  # of the text after each; a character is a token here


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
@pytest.mark.parametrize(
    ("limit", "kept"),
    # Local programs say -1, or 0, for no limit.
    [(1, 1), (5, 1), (12, 1), (13, 2), (17, 2), (18, 3), (10**30, 3), (None, 3), (0, 3), (-1, 3), (-2, 3)],
)
def test_sentences_that_do_not_fit_are_left_out(name: str, limit: int | None, kept: int) -> None:
    more: dict[str, Any] = {name: limit}
    with client_for(Saying(THREE)) as client:
        body = whole(client, **more)
        chunks = streamed(client, stream_options={"include_usage": True}, **more)
    assert timeless(folded(chunks)) == timeless(body)
    check_annotations(body)
    assert len(body["choices"][0]["message"]["content"]) == LENGTHS[kept - 1]
    assert body["choices"][0]["finish_reason"] == ("stop" if kept == 3 else "length")
    assert len(body["citations"]) == len(body["search_results"]) == kept
    assert [each["text"] for each in body["cewen"]["sentences"]] == ["甲。", "乙。", "丙。"][:kept]
    assert [each["number"] for each in body["cewen"]["citations"]] == [1, 2, 3][:kept]
    assert body["usage"]["completion_tokens"] == LENGTHS[kept - 1]


def test_the_newer_name_of_the_limit_comes_first() -> None:
    with client_for(Saying(THREE)) as client:
        body = whole(client, max_tokens=1, max_completion_tokens=13)
        unlimited = whole(client, max_tokens=1, max_completion_tokens=-1)
    assert len(body["choices"][0]["message"]["content"]) == 13
    assert unlimited["choices"][0]["finish_reason"] == "stop"


class Abstaining(FakeEngine):
    """Abstains in one part, as the real engine does."""

    def stream(self, question: str, **options: Any) -> Iterator[AnswerEvent]:
        answer = self.ask(question, **options)
        return iter([CitationsKnown(()), TextAdded(answer.answer), answer])


def test_an_abstention_is_never_cut() -> None:
    with client_for(Abstaining()) as client:
        (choice,) = whole(client, UNKNOWN, max_tokens=1)["choices"]
    assert (choice["finish_reason"], choice["message"]["content"]) == ("stop", "文库里没有说到这件事。")


SENTENCES = st.lists(
    st.builds(
        lambda text, numbers: AnswerSentence(text, tuple(numbers), "exact"),
        st.lists(st.sampled_from(["[1]", "[2]", "灯", "。", "𠮷", " ", "a"]), max_size=4).map("".join),
        st.lists(st.integers(1, 4), min_size=1, max_size=3, unique=True),
    ),
    min_size=1,
    max_size=5,
)


@given(SENTENCES, st.integers(0, 31), st.integers(1, 60) | st.none(), st.booleans())
def test_whatever_is_said_both_ways_agree(
    sentences: list[AnswerSentence], lines: int, limit: int | None, notes: bool
) -> None:
    said = "".join(each.text for each in sentences)
    engine = Saying(
        sentences,
        [citation(number, said) for number in range(1, 5)],
        [bool(lines >> place & 1) for place in range(len(sentences))],
    )
    made = []
    for with_usage in (True, False):
        wanted = Wanted(
            model="cewen",
            collection="default",
            with_footnotes=notes,
            texts=["灯"],
            max_tokens=limit,
            with_usage=with_usage,
        )
        completion = Completion(engine, wanted, lambda url: f"http://x{url}")
        made.append([completion.opening(), *completion.chunks(engine.stream("灯"))])
    counted, uncounted = made
    body = folded(counted)
    ChatCompletionOut.model_validate(body)
    assert timeless(folded(uncounted)) == {
        key: value for key, value in timeless(body).items() if key != "usage"
    }
    assert "".join(contents(counted)) == body["choices"][0]["message"]["content"]
    check_annotations(body)
    shown = body["cewen"]["sentences"]
    assert len(body["choices"][0]["message"]["annotations"]) == sum(len(each["citations"]) for each in shown)
    assert body["choices"][0]["finish_reason"] == ("stop" if len(shown) == len(sentences) else "length")


def test_links_use_the_public_address() -> None:
    with client_for(settings=ApiSettings(public_url="https://cewen.example/a")) as client:
        body = whole(client)
    assert body["citations"][0].startswith("https://cewen.example/a/documents/")
    check_annotations(body)


def test_history_reaches_the_engine() -> None:
    engine = FakeEngine()
    messages = [{"role": "user", "content": "灯塔多高？"}, {"role": "assistant", "content": "三十二米。[1]"}]
    with client_for(engine) as client:
        for stream in (False, True):
            chat(client, messages=[*messages, {"role": "user", "content": QUESTION}], stream=stream)
    assert [[turn.content for turn in asked["history"]] for asked in engine.asked] == [  # type: ignore[attr-defined]
        ["灯塔多高？", "三十二米。[1]"]
    ] * 2


def test_line_ends_of_any_kind_do_not_break_a_line() -> None:
    odd = "一\n二\r三\u2028四\u2029五\x85六\x0b七\x1c八"
    with client_for(Saying([sentence(odd, 1)])) as client:
        reply = chat(client, stream=True)
    assert len(reply.text.splitlines()) == 2 * len(chunks_of(reply.content)) + 2
    assert contents(chunks_of(reply.content)) == ["", f"{odd}[1]"]


class Breaking(FakeEngine):
    """Breaks off after its first part."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def stream(self, question: str, **options: Any) -> Iterator[AnswerEvent]:
        return self._broken(self.ask(question, **options))

    def _broken(self, _: Answer) -> Iterator[AnswerEvent]:
        yield CitationsKnown((citation(1),))
        yield TextAdded("灯。[1]", sentence("灯。", 1))
        raise self._error


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (UnavailableError("正在关闭。"), 503, "unavailable"),
        (CitationError("密文"), 500, "citation_mismatch"),
        (ValueError("密文"), 500, "internal_error"),
    ],
)
def test_an_engine_that_breaks_off(error: Exception, status: int, code: str) -> None:
    with client_for(Breaking(error)) as client:
        reply = chat(client)
        stream = chat(client, stream=True)
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert stream.status_code == 200
    *blocks, last, rest = stream.text.split("\n\n")
    assert len(blocks) == 3
    assert rest == ""
    told = json.loads(last.removeprefix("data: "))
    assert told == reply.json()
    assert set(told["error"]) == {"message", "type", "param", "code"}
    assert "密文" not in stream.text + reply.text


def test_a_finished_answer_that_is_another_is_an_error() -> None:
    class Other(Saying):
        def ask(self, question: str, **options: Any) -> Answer:
            return replace(super().ask(question, **options), sentences=(sentence("别的。", 1),))

    with client_for(Other(TWO)) as client:
        reply = chat(client)
    assert (reply.status_code, reply.json()["error"]["code"]) == (500, "citation_mismatch")


def test_a_degradation_is_told() -> None:
    class Degraded(FakeEngine):
        def ask(self, question: str, **options: Any) -> Answer:
            degraded = Degradation("openai", "generator_timeout", "语言模型没有答完。")
            return replace(super().ask(question, **options), degraded=degraded)

    with client_for(Degraded()) as client:
        assert whole(client)["cewen"]["degraded"]["code"] == "generator_timeout"
