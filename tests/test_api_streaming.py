"""`POST /v1/ask` with `stream`, and callers who leave, over a fake engine and a real socket."""

from __future__ import annotations

import gc
import json
import socket
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import anyio
import httpx
import pytest
import uvicorn
from starlette.testclient import TestClient
from starlette.types import Message

from api.app import create_app
from api.settings import ApiSettings
from api.wire.streaming import EventStreamResponse, encode_event
from rag.errors import CewenError, CitationError, GeneratorError, InputError, UnavailableError
from rag.records import Answer, AnswerEvent, CitationsKnown, Degradation, TextAdded
from tests.api_fakes import FakeEngine, client_for
from tests.openai_fakes import Saying, sentence
from tests.test_middleware import body_of, headers_of, http_scope

LIMIT_SECONDS = 20.0
AskEngine = Callable[[Callable[[], bool]], Iterator[AnswerEvent]]
QUESTION = "清晨熄灯"


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with client_for() as opened:
        yield opened


def streamed(events: AskEngine, **options: Any) -> EventStreamResponse:
    """The response of an engine's events."""
    return EventStreamResponse(lambda left: map(encode_event, events(left)), **options)


def events_of(body: bytes) -> list[tuple[str, Any]]:
    """Names and data of server-sent events, read as the standard says; comments are left out."""
    events: list[tuple[str, Any]] = []
    for block in body.decode("utf-8").split("\n\n")[:-1]:
        fields = [line.split(": ", 1) for line in block.split("\n")]
        name = next((value for field, value in fields if field == "event"), "")
        data = "\n".join(value for field, value in fields if field == "data")
        if name:
            events.append((name, json.loads(data)))
    return events


def post(client: TestClient, question: str = QUESTION, **more: object) -> httpx.Response:
    reply: httpx.Response = client.post("/v1/ask", json={"question": question, "stream": True, **more})  # type: ignore[assignment]
    return reply


def test_events_come_in_order_and_the_last_is_the_whole_reply(client: TestClient) -> None:
    reply = post(client)
    whole = client.post("/v1/ask", json={"question": QUESTION}).json()
    assert reply.status_code == 200
    events = events_of(reply.content)
    assert [name for name, _ in events] == ["citations", "delta", "delta", "done"]
    assert events[0][1] == {"citations": whole["citations"]}
    assert "".join(data["text"] for name, data in events if name == "delta") == whole["answer"]
    assert events[-1][1] == whole
    assert list(events[-1][1]) == list(whole)


def test_a_part_names_the_marks_that_it_ends_in() -> None:
    said = [sentence("据[1]所载。", 2, 1), sentence("丙[3]", 3)]
    with client_for(Saying(said)) as client:
        parts = [data for name, data in events_of(post(client).content) if name == "delta"]
    assert parts == [
        {"text": "据[1]所载。[2][1]", "citations": [2, 1]},
        {"text": "丙[3][3]", "citations": [3]},
    ]


def test_done_is_the_body_byte_for_byte(client: TestClient) -> None:
    for question, explain in ((QUESTION, False), (QUESTION, True), ("明年茶价", False)):
        whole = client.post("/v1/ask", json={"question": question, "explain": explain}).content
        streamed = post(client, question, explain=explain).content
        assert streamed.endswith(b"event: done\ndata: " + whole + b"\n\n")


def test_headers(client: TestClient) -> None:
    reply = client.post(
        "/v1/ask", json={"question": QUESTION, "stream": True}, headers={"X-Request-ID": "abc-1"}
    )
    assert reply.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["x-accel-buffering"] == "no"
    assert reply.headers["x-request-id"] == "abc-1"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in reply.headers["content-security-policy"]
    assert "content-length" not in reply.headers


def test_an_abstention_streams_like_an_answer(client: TestClient) -> None:
    events = events_of(post(client, "明年茶价", top_k=2).content)
    assert [name for name, _ in events] == ["citations", "delta", "delta", "done"]
    assert events[0][1] == {"citations": []}
    assert events[-1][1]["status"] == "abstained"
    assert len(events[-1][1]["related"]) == 2


def test_characters_are_sent_as_they_are(client: TestClient) -> None:
    body = post(client, "𠮷田常这样说").content
    assert "守塔人𠮷田常这样说。".encode() in body
    assert b"\\u" not in body
    events = events_of(body)
    assert "".join(data["text"] for name, data in events if name == "delta") == "守塔人𠮷田常这样说。[1]"


def test_everything_asked_for_reaches_the_engine() -> None:
    engine = FakeEngine()
    with client_for(engine) as client:
        post(client, top_k=3, generator="fake", history=[{"role": "user", "content": "灯塔"}])
    [asked] = engine.asked
    assert (asked["question"], asked["top_k"], asked["generator"]) == (QUESTION, 3, "fake")


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"generator": "nothing"}, 404, "generator_not_found"),
        ({"question": "\u3000"}, 422, "empty_question"),
        ({"question": "灯" * 2001}, 422, "question_too_long"),
        ({"top_k": 0}, 422, "invalid_request"),
        ({"stream": "ja"}, 422, "invalid_request"),
        ({"history": [{"role": "user", "content": " "}]}, 422, "empty_content"),
    ],
)
def test_what_is_wrong_with_a_request_is_an_ordinary_error(
    client: TestClient, changes: dict[str, object], status: int, code: str
) -> None:
    reply = client.post("/v1/ask", json={"question": QUESTION, "stream": True, **changes})
    assert (reply.status_code, reply.json()["error"]["code"]) == (status, code)
    assert reply.headers["content-type"] == "application/json"
    assert set(reply.json()) == {"error"}


class Breaking(FakeEngine):
    """Breaks off in the middle, or spoils its last event."""

    def __init__(self, error: Exception | None = None, **spoilt: Any) -> None:
        super().__init__()
        self._error = error
        self._spoilt = spoilt

    def stream(self, question: str, **options: Any) -> Iterator[AnswerEvent]:
        return self._broken(super().stream(question, **options))

    def _broken(self, events: Iterator[AnswerEvent]) -> Iterator[AnswerEvent]:
        for event in events:
            if isinstance(event, Answer):
                if self._error is not None:
                    raise self._error
                yield replace(event, **self._spoilt)
            else:
                yield event


@pytest.mark.parametrize(
    ("engine", "kind", "code"),
    [
        (Breaking(UnavailableError("正在关闭。")), "unavailable", "unavailable"),
        (Breaking(CitationError("偏移 3-9 不是“密文”")), "internal", "citation_mismatch"),
        (Breaking(CewenError("密文", code="plug_in_code")), "internal", "plug_in_code"),
        (Breaking(ValueError("密文")), "internal", "internal_error"),
        (Breaking(MemoryError("密文")), "internal", "internal_error"),
        (Breaking(confidence=float("nan")), "internal", "internal_error"),
        (Breaking(explain={"密文": object()}), "internal", "internal_error"),
    ],
)
def test_an_engine_that_breaks_off_says_so_in_the_stream(engine: FakeEngine, kind: str, code: str) -> None:
    with client_for(engine) as client:
        reply = client.post(
            "/v1/ask", json={"question": QUESTION, "stream": True}, headers={"X-Request-ID": "abc-2"}
        )
    events = events_of(reply.content)
    assert reply.status_code == 200
    assert [name for name, _ in events] == ["citations", "delta", "delta", "error"]
    error = events[-1][1]["error"]
    assert error.pop("message")
    assert error == {"type": kind, "code": code, "request_id": "abc-2"}
    assert "密文" not in reply.text
    if code == "unavailable":
        assert "正在关闭。" in reply.text


def test_a_degradation_is_told_both_ways() -> None:
    degraded = Degradation("openai", "generator_timeout", "语言模型没有答完。")

    class Degraded(FakeEngine):
        def ask(self, question: str, **options: Any) -> Answer:
            return replace(super().ask(question, **options), degraded=degraded)

    with client_for(Degraded()) as client:
        whole = client.post("/v1/ask", json={"question": QUESTION}).json()
        events = events_of(post(client).content)
    assert events[-1][1] == whole
    assert whole["degraded"] == {
        "generator": "openai",
        "code": "generator_timeout",
        "message": "语言模型没有答完。",
    }


# The response by itself.


async def stays() -> Message:
    """A caller who listens to the end."""
    await anyio.sleep_forever()
    raise AssertionError


def sent_by(
    response: EventStreamResponse, heard: Callable[[Message], None] = lambda _: None
) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        heard(message)

    async def main() -> None:
        with anyio.fail_after(LIMIT_SECONDS):
            await response(http_scope(), stays, send)

    anyio.run(main)
    return sent


def test_silence_is_filled_with_comments() -> None:
    pinged = threading.Event()

    def slow(left: Callable[[], bool]) -> Iterator[AnswerEvent]:
        yield TextAdded("灯")
        assert pinged.wait(LIMIT_SECONDS)
        yield TextAdded("塔")

    def heard(message: Message) -> None:
        if message.get("body") == b": ping\n\n":
            pinged.set()

    sent = sent_by(streamed(slow, ping_seconds=0.01), heard)
    assert headers_of(sent)["content-type"] == "text/event-stream; charset=utf-8"
    body = body_of(sent)
    opening = ': answering\n\nevent: delta\ndata: {"text": "灯"}\n\n: ping\n\n'
    assert body.startswith(opening.encode())
    assert events_of(body) == [("delta", {"text": "灯"}), ("delta", {"text": "塔"})]
    assert [message["more_body"] for message in sent[1:]] == [True] * (len(sent) - 2) + [False]


def test_the_first_byte_leaves_before_there_is_an_answer() -> None:
    opened = threading.Event()

    def waits(left: Callable[[], bool]) -> Iterator[AnswerEvent]:
        assert opened.wait(LIMIT_SECONDS)
        yield TextAdded("灯")

    sent = sent_by(streamed(waits), lambda message: opened.set() if "body" in message else None)
    assert sent[1]["body"] == b": answering\n\n"


def test_nothing_fills_a_stream_that_flows() -> None:
    sent = sent_by(streamed(lambda _: iter([TextAdded("灯"), TextAdded("塔")])))
    assert b": ping" not in body_of(sent)


def test_line_ends_and_separators_stay_inside_their_event() -> None:
    odd = "一\n二\r三\r\n四\u2028五\u2029六\x85七\x0b八\x00九𠮷"
    body = body_of(sent_by(streamed(lambda _: iter([TextAdded(odd), CitationsKnown(())]))))
    assert events_of(body) == [("delta", {"text": odd}), ("citations", {"citations": []})]
    assert body.count(b"\n") == 2 + 6
    # Nor may a reader that cuts lines as Python does see more of them.
    assert len(body.decode().splitlines()) == 2 + 6


def test_text_that_is_no_text_ends_in_an_error() -> None:
    body = body_of(sent_by(streamed(lambda _: iter([TextAdded("灯"), TextAdded("\ud800")]))))
    events = events_of(body)
    assert [name for name, _ in events] == ["delta", "error"]
    assert events[-1][1]["error"]["code"] == "internal_error"


def test_more_events_than_are_kept_wait_for_the_caller() -> None:
    many = [TextAdded(str(number)) for number in range(500)]
    body = body_of(sent_by(streamed(lambda _: iter(many))))
    assert [data["text"] for _, data in events_of(body)] == [event.text for event in many]


def test_who_leaves_is_seen_to_have_left() -> None:
    told: list[bool] = []
    seen = threading.Event()

    def few(left: Callable[[], bool]) -> Iterator[AnswerEvent]:
        told.append(left())
        yield TextAdded("灯")
        for _ in range(int(LIMIT_SECONDS / 0.01)):
            if left():
                break
            seen.wait(0.01)
        told.append(left())
        yield TextAdded("塔")

    sent: list[Message] = []

    async def main() -> None:
        first = anyio.Event()

        async def leaves() -> Message:
            await first.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            sent.append(message)
            if message.get("body", b"").startswith(b"event"):
                first.set()

        with anyio.fail_after(LIMIT_SECONDS):
            await streamed(few)(http_scope(), leaves, send)

    anyio.run(main)
    assert told == [False, True]
    assert "塔" not in body_of(sent).decode()


# A real server.


class Waiting(FakeEngine):
    """Begins to answer, then does nothing until it is told that nobody waits.

    Attributes:
        begun: Released once for each question.
        gave_up: Released once for each that was given up.
    """

    def __init__(self) -> None:
        super().__init__()
        self.begun = threading.Semaphore(0)
        self.gave_up = threading.Semaphore(0)
        self._pause = threading.Event()

    def ask(self, question: str, **options: Any) -> Answer:
        if question == QUESTION:
            return super().ask(question, **options)
        self._wait(options["cancelled"])
        raise AssertionError

    def stream(self, question: str, **options: Any) -> Iterator[AnswerEvent]:
        if question == QUESTION:
            return super().stream(question, **options)
        return self._begin(options["cancelled"])

    def _begin(self, cancelled: Callable[[], bool]) -> Iterator[AnswerEvent]:
        yield TextAdded("灯")
        self._wait(cancelled)

    def _wait(self, cancelled: Callable[[], bool]) -> None:
        self.begun.release()
        for _ in range(int(LIMIT_SECONDS / 0.01)):
            if cancelled():
                self.gave_up.release()
                raise GeneratorError("已取消。", code="generator_cancelled")
            self._pause.wait(0.01)


@contextmanager
def serving(engine: FakeEngine) -> Iterator[tuple[str, int]]:
    """The service on a real socket, with one place to compute."""
    app = create_app(lambda: engine, ApiSettings(max_concurrent=1, max_waiting=1, wait_seconds=LIMIT_SECONDS))
    app.state.engine_slot.open()
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off", http="h11"))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield listening.getsockname()
        finally:
            server.should_exit = True
            thread.join(30)
            assert not thread.is_alive()


def ask_raw(caller: socket.socket, question: str, *, stream: bool) -> None:
    body = json.dumps({"question": question, "stream": stream}).encode()
    head = (
        f"POST /v1/ask HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    caller.sendall(f"{head}\r\n\r\n".encode() + body)


@pytest.mark.parametrize("stream", [True, False])
def test_who_leaves_is_not_computed_for_and_frees_the_place(stream: bool) -> None:
    engine = Waiting()
    with serving(engine) as address:
        with socket.create_connection(address, timeout=LIMIT_SECONDS) as caller:
            ask_raw(caller, "灯塔多高", stream=stream)
            assert engine.begun.acquire(timeout=LIMIT_SECONDS)
            if stream:
                got = b""
                while "灯".encode() not in got:
                    received = caller.recv(65_536)
                    assert received, got
                    got += received
        assert engine.gave_up.acquire(timeout=LIMIT_SECONDS)
        url = f"http://127.0.0.1:{address[1]}/v1/ask"
        with httpx.Client(trust_env=False, timeout=LIMIT_SECONDS) as client:
            assert client.post(url, json={"question": QUESTION}).json()["status"] == "answered"


def test_over_a_real_socket_the_stream_comes_in_chunks() -> None:
    with serving(FakeEngine()) as address:
        url = f"http://127.0.0.1:{address[1]}/v1/ask"
        with httpx.Client(trust_env=False, timeout=LIMIT_SECONDS) as client:
            whole = client.post(url, json={"question": QUESTION}).json()
            reply = client.post(url, json={"question": QUESTION, "stream": True})
    assert reply.headers["transfer-encoding"] == "chunked"
    assert events_of(reply.content)[-1] == ("done", whole)


def run_leaving(events: AskEngine, *, broken: bool = False) -> None:
    """Serve events to a caller who leaves after the first one, or whose connection breaks."""

    async def main() -> None:
        first = anyio.Event()

        async def leaves() -> Message:
            await first.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message.get("body", b"").startswith(b"event"):
                if broken:
                    raise OSError("gone")
                first.set()

        with anyio.fail_after(LIMIT_SECONDS):
            await streamed(events)(http_scope(), stays if broken else leaves, send)

    anyio.run(main)


def test_who_leaves_amid_many_events_stops_them() -> None:
    def many(left: Callable[[], bool]) -> Iterator[AnswerEvent]:
        yield TextAdded("灯")
        pause = threading.Event()
        while not left():
            pause.wait(0.01)
        yield from [TextAdded("塔")] * 200

    run_leaving(many)


def test_who_leaves_before_the_engine_begins_leaves_nothing_open() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    async def send(_: Message) -> None:
        pass

    with warnings.catch_warnings(record=True) as noted:
        warnings.simplefilter("always")
        anyio.run(streamed(lambda _: iter(())), http_scope(), gone, send)
        gc.collect()  # what is left open says so when it goes
    assert noted == []


def test_the_engine_is_told_when_sending_fails() -> None:
    told: list[bool] = []

    def waits(left: Callable[[], bool]) -> Iterator[AnswerEvent]:
        yield TextAdded("灯")
        pause = threading.Event()
        for _ in range(500):
            if left():
                break
            pause.wait(0.01)
        told.append(left())

    with pytest.RaisesGroup(OSError, match=None, flatten_subgroups=True):
        run_leaving(waits, broken=True)
    assert told == [True]


def test_an_error_in_the_stream_may_quote_what_is_no_text() -> None:
    def breaks(_: Callable[[], bool]) -> Iterator[AnswerEvent]:
        yield TextAdded("灯")
        raise InputError("收到“\ud800”，不是文字。", code="invalid_text")

    events = events_of(body_of(sent_by(streamed(breaks))))
    assert events[-1][0] == "error"
    assert events[-1][1]["error"]["message"] == "收到“\\ud800”，不是文字。"
