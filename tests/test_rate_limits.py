"""Requests a minute: the arithmetic of a bucket, whom it is for, and how a refusal looks on each surface."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from starlette.types import Message

from api.app import create_app
from api.guards.auth import ApiKeyMiddleware
from api.guards.rate_limits import RateLimitMiddleware, TokenBuckets, burst
from api.keys.model import Key, KeyRing
from api.keys.rings import StaticKeyRing
from api.settings import ApiSettings
from rag.errors import ConfigError
from tests.api_fakes import LIGHTHOUSE, FakeEngine, client_for
from tests.test_keys import Clock
from tests.test_middleware import http_scope


@pytest.fixture
def clock() -> Clock:
    return Clock()


# One bucket.


@pytest.mark.parametrize(("per_minute", "size"), [(600, 60), (100, 10), (1, 10), (99_999, 9_999)])
def test_the_burst_is_a_tenth_of_a_minute_and_at_least_ten(per_minute: int, size: int) -> None:
    assert burst(per_minute) == size


def test_a_bucket_empties_and_fills(clock: Clock) -> None:
    buckets = TokenBuckets(clock)
    assert [buckets.take("a", 60) for _ in range(10)] == [0.0] * 10
    assert buckets.take("a", 60) == pytest.approx(1.0)
    clock.now += 0.25
    assert buckets.take("a", 60) == pytest.approx(0.75)  # refusals cost nothing
    clock.now += 0.75
    assert buckets.take("a", 60) == 0.0
    assert buckets.take("a", 60) == pytest.approx(1.0)
    clock.now += 1000.0
    assert [buckets.take("a", 60) for _ in range(11)].count(0.0) == 10  # never more than full


def test_buckets_know_nothing_of_each_other(clock: Clock) -> None:
    buckets = TokenBuckets(clock)
    for _ in range(11):
        buckets.take("a", 60)
    assert buckets.take("b", 60) == 0.0


@given(per_minute=st.integers(1, 100_000), pauses=st.lists(st.floats(0, 5), max_size=40))
def test_no_more_than_promised_and_no_longer_than_said(per_minute: int, pauses: list[float]) -> None:
    clock = Clock()
    buckets = TokenBuckets(clock)
    started = clock.now
    for passed, pause in enumerate(pauses, 1):
        clock.now += pause
        wait = buckets.take("a", per_minute)
        if wait:
            assert 0.0 < wait <= 60.0 / per_minute + 1e-6
            clock.now += wait
            assert buckets.take("a", per_minute) == 0.0
        assert passed <= burst(per_minute) + (clock.now - started) * per_minute / 60.0 + 1e-3


def test_who_waits_as_long_as_said_is_let_in_whatever_the_last_bit() -> None:
    for per_minute in range(1, 2000):
        clock = Clock()
        clock.now = 1e6 / 7
        buckets = TokenBuckets(clock)
        while not (wait := buckets.take("a", per_minute)):
            pass
        clock.now += wait
        assert buckets.take("a", per_minute) == 0.0, per_minute


def test_buckets_that_are_full_again_are_dropped(clock: Clock) -> None:
    buckets = TokenBuckets(clock)
    for number in range(100):
        buckets.take(f"idle {number}", 600)
    for _ in range(10):
        buckets.take("slow", 1)
    clock.now += 60.0
    buckets.take("new", 600)
    assert len(buckets) == 2
    assert buckets.take("slow", 1) == 0.0  # one of its ten has come back
    assert buckets.take("slow", 1) > 0.0


def test_there_are_never_more_buckets_than_allowed(clock: Clock) -> None:
    buckets = TokenBuckets(clock, max_buckets=3)
    for name in ("a", "b", "c", "a", "d", "e"):
        for _ in range(10):
            buckets.take(name, 1)
    assert len(buckets) == 3
    assert buckets.take("a", 1) > 0.0  # used after b and c, so still there
    assert buckets.take("b", 1) == 0.0


# Whom a bucket is for.


class TwoKeys:
    """`small` may send few, `plain` as many as all."""

    required = True

    def find(self, token: str) -> Key | None:
        per_minute = {"small": 6, "plain": None, "free": 0}
        return Key(token, frozenset({"ask"}), per_minute[token]) if token in per_minute else None


class Door:
    """The middleware with a clock of its own, over an application that always answers 200."""

    def __init__(self, clock: Clock, keys: KeyRing, per_minute: int = 600) -> None:
        limited = RateLimitMiddleware(PlainTextResponse("ok"), per_minute=per_minute, clock=clock)
        self._app = ApiKeyMiddleware(limited, keys=keys)

    def knock(
        self, path: str = "/v1/documents", key: str = "", client: str | None = "192.0.2.1"
    ) -> tuple[int, int]:
        """Status and Retry-After."""
        headers = [(b"authorization", f"Bearer {key}".encode())] if key else []
        scope = http_scope(path=path, headers=headers, client=(client, 1) if client is not None else None)
        sent: list[Message] = []

        async def receive() -> Message:
            raise AssertionError("the body is not read before there is a token")

        async def send(message: Message) -> None:
            sent.append(message)

        # Nothing here ever waits, so no event loop is needed.
        with pytest.raises(StopIteration):
            self._app(scope, receive, send).send(None)
        return sent[0]["status"], int(dict(sent[0]["headers"]).get(b"retry-after", 0))

    def fill(self, **options: Any) -> int:
        """How many pass at once, up to 1000."""
        return next((count for count in range(1000) if self.knock(**options)[0] == 429), 1000)


def test_each_key_has_its_own_bucket_wherever_it_calls_from(clock: Clock) -> None:
    door = Door(clock, TwoKeys())
    assert door.fill(key="plain") == 60
    assert door.knock(key="plain", client="192.0.2.2")[0] == 429
    assert door.knock(path="/v1/ask", key="plain")[0] == 429
    assert door.knock(key="small")[0] == 200


def test_a_key_may_have_its_own_limit(clock: Clock) -> None:
    door = Door(clock, TwoKeys())
    assert door.fill(key="small") == 10
    assert door.knock(key="small") == (429, 10)
    clock.now += 9.5
    assert door.knock(key="small") == (429, 1)
    clock.now += 1.0
    assert door.knock(key="small")[0] == 200
    assert door.fill(key="free") == 1000
    assert Door(clock, TwoKeys(), per_minute=0).fill(key="small") == 10


def test_without_keys_each_address_has_its_own(clock: Clock) -> None:
    door = Door(clock, StaticKeyRing(""))
    assert door.fill(key="ignored") == 60
    assert door.knock(key="another")[0] == 429
    assert door.knock(client="192.0.2.2")[0] == 200


@pytest.mark.parametrize("key", ["", "wrong"])
def test_guessing_is_counted_by_address_and_locks_out_no_neighbour(clock: Clock, key: str) -> None:
    door = Door(clock, TwoKeys())
    assert door.fill(key=key) == 60
    assert door.knock(key="yet another guess")[0] == 429
    assert door.knock(key="plain")[0] == 200


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::3", "2001:db8:1:2:ffff::4", True),
        ("2001:db8:1:2::3", "2001:db8:1:3::3", False),
        ("::1", "::2", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("testclient", "testclient", True),
        (None, None, True),
    ],
)
def test_what_counts_as_one_address(clock: Clock, one: str | None, other: str | None, same: bool) -> None:
    door = Door(clock, StaticKeyRing(""))
    door.fill(client=one)
    assert (door.knock(client=other)[0] == 429) == same


def test_pages_have_a_generous_bucket_of_their_own(clock: Clock) -> None:
    door = Door(clock, TwoKeys())
    assert door.fill(path="/static/base.css") == 600
    assert door.knock(path="/")[0] == 429
    assert door.knock(key="plain")[0] == 200


def test_documents_that_need_no_key_are_counted_like_requests_that_do(clock: Clock) -> None:
    door = Door(clock, TwoKeys())
    assert door.fill(path=f"/documents/{LIGHTHOUSE}") == 60
    for path in ("/docs", "/openapi.json", "/openapi-tools.json", f"/v1/documents/{LIGHTHOUSE}/source"):
        assert door.knock(path=path)[0] == 429
    for path in ("/", "/static/base.css"):
        assert door.knock(path=path)[0] == 200
    assert door.knock(key="plain")[0] == 200


def test_who_calls_himself_something_that_is_no_address_is_counted_with_all_who_do(clock: Clock) -> None:
    door = Door(clock, TwoKeys())
    assert sum(door.knock(client=f"me-{number}")[0] != 429 for number in range(200)) == 60


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_health_checks_are_not_counted(clock: Clock, path: str) -> None:
    assert Door(clock, TwoKeys()).fill(path=path) == 1000


def test_no_limit(clock: Clock) -> None:
    assert Door(clock, StaticKeyRing(""), per_minute=0).fill() == 1000
    with pytest.raises(ConfigError, match="requests_per_minute 是 -1"):
        replace(ApiSettings(), requests_per_minute=-1)


# How a refusal looks.


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/documents", {"error": {"type": "unavailable", "code": "rate_limited"}}),
        ("POST", "/mcp", {"error": {"type": "unavailable", "code": "rate_limited"}}),
        (
            "POST",
            "/v1/chat/completions",
            {"error": {"type": "rate_limit_error", "code": "rate_limit_exceeded"}},
        ),
        ("GET", "/v1/models", {"error": {"type": "rate_limit_error", "code": "rate_limit_exceeded"}}),
        ("POST", "/dify/retrieval", {"error_code": 429}),
        ("POST", "/retrieval", {"error_code": 429}),
    ],
)
def test_each_format_has_its_own_refusal(method: str, path: str, body: dict[str, Any]) -> None:
    with client_for(settings=ApiSettings(requests_per_minute=1)) as client:
        for _ in range(10):
            client.get("/v1/examples")
        reply = client.request(method, path)
    assert reply.status_code == 429
    assert 1 <= int(reply.headers["retry-after"]) <= 60
    assert reply.headers["x-request-id"]
    said = reply.json()
    assert "每分钟最多 1 个" in str(said)
    for name, value in body.items():
        assert value.items() <= said[name].items() if isinstance(value, dict) else said[name] == value


def test_a_browser_that_opens_too_many_pages_gets_a_page() -> None:
    with client_for(settings=ApiSettings(requests_per_minute=1)) as client:
        for _ in range(10):
            client.get("/")
        reply = client.get("/", headers={"Accept": "text/html"})
    assert (reply.status_code, reply.headers["content-type"]) == (429, "text/html; charset=utf-8")
    assert "请求太频繁" in reply.text


def test_what_is_refused_is_not_computed() -> None:
    engine = FakeEngine()
    with client_for(engine, ApiSettings(requests_per_minute=1)) as client:
        replies = [client.post("/v1/ask", json={"question": "清晨熄灯"}).status_code for _ in range(12)]
    assert replies == [200] * 10 + [429] * 2
    assert len(engine.asked) == 10


def test_a_key_without_the_scope_is_counted_too() -> None:
    class Reader:
        required = True

        def find(self, token: str) -> Key | None:
            return Key(token, frozenset({"read"}))

    app = create_app(FakeEngine, ApiSettings(requests_per_minute=1), Reader())
    with TestClient(app, headers={"Authorization": "Bearer k"}) as client:
        replies = [client.post("/v1/ask").status_code for _ in range(11)]
    assert replies == [403] * 10 + [429]
