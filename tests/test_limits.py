from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from time import monotonic

import anyio
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Message, Receive, Scope, Send

from api.guards.limits import AdmissionGateMiddleware, RequestLimitsMiddleware
from tests.test_middleware import body_of, headers_of, http_scope


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await Request(scope, receive).body()
    await PlainTextResponse(body)(scope, receive, send)


def limits(**changes: float) -> RequestLimitsMiddleware:
    settings = {"max_header_bytes": 100, "max_body_bytes": 10, "body_timeout_seconds": 5.0, **changes}
    return RequestLimitsMiddleware(echo, **settings)  # type: ignore[arg-type]


def send_body(
    app: RequestLimitsMiddleware, parts: Iterable[bytes], *, complete: bool = True, **scope: object
) -> tuple[list[Message], int]:
    """Send a body in parts; returns what came back and how many messages the application took.

    An incomplete body is followed by silence, as from a caller that stops sending and stays connected.
    """
    sent: list[Message] = []
    messages: list[Message] = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if complete:
        messages.append({"type": "http.request", "body": b"", "more_body": False})
    taken = 0

    async def receive() -> Message:
        nonlocal taken
        if taken == len(messages):
            await anyio.sleep_forever()
        taken += 1
        return messages[taken - 1]

    async def send(message: Message) -> None:
        sent.append(message)

    anyio.run(app, http_scope(**scope), receive, send)
    return sent, taken


def refusal(sent: list[Message]) -> tuple[int, str]:
    return sent[0]["status"], json.loads(body_of(sent))["error"]["code"]


def test_a_body_up_to_the_limit_arrives_whole() -> None:
    sent, _ = send_body(limits(), [b"01234", b"", b"56789"])
    assert body_of(sent) == b"0123456789"


def test_one_byte_more_is_refused_without_reading_on() -> None:
    sent, taken = send_body(limits(), [b"01234", b"567890", b"x" * 1_000_000])
    assert refusal(sent) == (413, "body_too_large")
    assert taken == 2
    assert headers_of(sent)["connection"] == "close"


def test_a_declared_length_is_refused_without_reading_at_all() -> None:
    sent, taken = send_body(limits(), [b"x"], headers=[(b"content-length", b"11")])
    assert refusal(sent) == (413, "body_too_large")
    assert taken == 0


def test_a_declared_length_within_the_limit_is_not_believed() -> None:
    sent, _ = send_body(limits(), [b"x" * 11], headers=[(b"content-length", b"5")])
    assert refusal(sent) == (413, "body_too_large")


def test_a_length_with_more_digits_than_an_integer_holds() -> None:
    sent, _ = send_body(limits(), [], headers=[(b"content-length", b"9" * 60)])
    assert refusal(sent) == (413, "body_too_large")


def test_a_half_sent_body_is_given_up() -> None:
    began = monotonic()
    sent, _ = send_body(limits(body_timeout_seconds=0.01), [b"half"], complete=False)
    assert monotonic() - began < 5
    assert refusal(sent) == (408, "request_timeout")
    assert headers_of(sent)["connection"] == "close"


def test_http_2_has_no_connection_header() -> None:
    sent, _ = send_body(limits(), [b"x" * 11], http_version="2")
    assert "connection" not in headers_of(sent)


def test_a_caller_that_has_gone_gets_nothing() -> None:
    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        raise AssertionError(f"sent {message['type']} to nobody")

    anyio.run(limits(), http_scope(), receive, send)


def test_headers_are_counted_together() -> None:
    at_limit = [(b"a", b"x" * 49), (b"b", b"x" * 49)]
    assert send_body(limits(), [], headers=at_limit)[0][0]["status"] == 200
    sent, _ = send_body(limits(), [], headers=[*at_limit, (b"c", b"")])
    assert refusal(sent) == (431, "headers_too_large")


def test_after_the_body_the_application_hears_the_server_again() -> None:
    heard: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        heard.extend([(await receive())["type"], (await receive())["type"]])

    said: list[Message] = [{"type": "http.request", "body": b"x"}, {"type": "http.disconnect"}]
    messages = iter(said)

    async def receive() -> Message:
        return next(messages)

    async def send(message: Message) -> None:
        pass

    limited = RequestLimitsMiddleware(app, max_header_bytes=9, max_body_bytes=9, body_timeout_seconds=5)
    anyio.run(limited, http_scope(), receive, send)
    assert heard == ["http.request", "http.disconnect"]


class Crowd:
    """Callers at a gate whose inside waits for `doors` to open."""

    def __init__(self, *, max_concurrent: int, max_waiting: int, wait_seconds: float) -> None:
        self.doors = anyio.Event()
        self.inside = 0
        self.most_inside = 0
        self.statuses: list[int] = []
        self.order: list[int] = []
        self.gate = AdmissionGateMiddleware(
            self._work,
            paths=["/v1/ask"],
            max_concurrent=max_concurrent,
            max_waiting=max_waiting,
            wait_seconds=wait_seconds,
        )

    async def _work(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        self.order.append(scope["caller"])
        await self.doors.wait()
        self.inside -= 1
        if scope.get("fails"):
            raise RuntimeError("inside")
        await PlainTextResponse("done")(scope, receive, send)

    async def call(self, caller: int, path: str = "/v1/ask", **scope: object) -> None:
        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.statuses.append(message["status"])

        async def receive() -> Message:
            raise AssertionError("the gate reads nothing")

        await self.gate(http_scope(path=path, caller=caller, **scope), receive, send)


async def settled() -> None:
    """Let every task run until it waits for something."""
    await anyio.wait_all_tasks_blocked()


def test_of_twenty_callers_two_run_eight_wait_ten_are_refused_at_once() -> None:
    async def scenario() -> None:
        crowd = Crowd(max_concurrent=2, max_waiting=8, wait_seconds=60)
        async with anyio.create_task_group() as group:
            for caller in range(20):
                group.start_soon(crowd.call, caller)
            await settled()
            assert crowd.inside == 2
            assert crowd.gate.waiting == 8
            assert crowd.statuses == [503] * 10
            crowd.doors.set()
        assert crowd.statuses == [503] * 10 + [200] * 10
        assert crowd.most_inside == 2
        assert crowd.order == list(range(10))
        assert crowd.gate.waiting == 0

    anyio.run(scenario)


def test_who_waits_too_long_is_refused_and_leaves_no_trace() -> None:
    async def scenario() -> None:
        crowd = Crowd(max_concurrent=1, max_waiting=1, wait_seconds=0.01)
        async with anyio.create_task_group() as group:
            group.start_soon(crowd.call, 0)
            await settled()
            await crowd.call(1)
            assert crowd.statuses == [503]
            assert crowd.gate.waiting == 0
            crowd.doors.set()
        await crowd.call(2)
        assert crowd.statuses == [503, 200, 200]

    anyio.run(scenario)


def test_a_failure_inside_frees_the_place() -> None:
    async def scenario() -> None:
        crowd = Crowd(max_concurrent=1, max_waiting=0, wait_seconds=0)
        crowd.doors.set()
        for caller in range(3):
            with pytest.raises(RuntimeError, match="inside"):
                await crowd.call(caller, fails=True)
        await crowd.call(3)
        assert crowd.statuses == [200]

    anyio.run(scenario)


def test_a_caller_that_is_cancelled_while_it_waits_frees_its_place_in_the_queue() -> None:
    async def scenario() -> None:
        crowd = Crowd(max_concurrent=1, max_waiting=1, wait_seconds=60)
        async with anyio.create_task_group() as group:
            group.start_soon(crowd.call, 0)
            await settled()
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as waiting:
                    waiting.start_soon(crowd.call, 1)
                    await settled()
                    assert crowd.gate.waiting == 1
                    scope.cancel()
            assert crowd.gate.waiting == 0
            group.start_soon(crowd.call, 2)
            await settled()
            crowd.doors.set()
        assert crowd.order == [0, 2]

    anyio.run(scenario)


@pytest.mark.parametrize("path", ["/healthz", "/v1/documents", "/v1/ask/", "/"])
def test_other_paths_pass_a_full_gate(path: str) -> None:
    async def scenario() -> None:
        crowd = Crowd(max_concurrent=1, max_waiting=0, wait_seconds=0)
        async with anyio.create_task_group() as group:
            group.start_soon(crowd.call, 0)
            await settled()
            group.start_soon(crowd.call, 1, path)
            await settled()
            assert crowd.inside == 2
            crowd.doors.set()

    anyio.run(scenario)


def test_a_path_prefix_is_no_way_around_the_gate() -> None:
    async def scenario() -> None:
        crowd = Crowd(max_concurrent=1, max_waiting=0, wait_seconds=0)
        async with anyio.create_task_group() as group:
            group.start_soon(crowd.call, 0)
            await settled()
            group.start_soon(partial(crowd.call, 1, "/prefix/v1/ask", root_path="/prefix"))
            await settled()
            assert crowd.inside == 1
            assert crowd.statuses == [503]
            crowd.doors.set()

    anyio.run(scenario)
