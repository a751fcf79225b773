"""How many requests a minute: a token bucket for each key, or for each address where no key was shown.

Plain ASGI, after the key was looked up and before anybody is refused for it, so that guessing keys is
counted like anything else (by address; it does not lock out a neighbour who has the right key). What needs
no key is counted apart by address: documents, sources and the reference, which cost time to make, like
anything else, the first page and static files generously, because one page is a dozen of them. Health checks
are not counted: they cost less than counting, and an orchestrator takes a refusal for an illness.

The address is the server's word (`scope["client"]`); it alone knows which proxies to believe. What is
computed at the same time is another matter, `limits.AdmissionGate`. Each process counts for itself.
"""

from __future__ import annotations

import ipaddress
import math
import time
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors.handling import error_response
from api.errors.shapes import path_below_root
from api.guards.auth import Caller, caller_of, closing

_UNCOUNTED = frozenset({"/healthz", "/readyz"})
_PAGES_FACTOR = 10
_LEAST_BURST = 10
_MAX_BUCKETS = 20_000  # some 5 MB
_SWEEP_SECONDS = 60.0
_ROUNDING = 1e-6  # of a token: who waits as long as we said must not be refused for the last bit


class TokenBuckets:
    """Buckets by name. One that is full again is the same as none, and is dropped.

    A bucket holds at most `burst` tokens, a tenth of a minute's but at least ten, and gains
    `per_minute / 60` a second; a request takes one.

    Args:
        clock: Seconds, monotonic.
        max_buckets: More are not kept; the one longest unused goes first.
    """

    def __init__(
        self, clock: Callable[[], float] = time.monotonic, *, max_buckets: int = _MAX_BUCKETS
    ) -> None:
        self._clock = clock
        self._max_buckets = max_buckets
        self._buckets: dict[str, tuple[float, float, int]] = {}  # tokens, since when, per_minute
        self._swept_at = clock()

    def __len__(self) -> int:
        return len(self._buckets)

    def take(self, name: str, per_minute: int) -> float:
        """Take a token: 0.0 if there was one, else the seconds until there is."""
        now = self._clock()
        if now - self._swept_at >= _SWEEP_SECONDS:
            self._sweep(now)
        # Taken out and put back at the end, so that the first is always the one longest unused.
        tokens = _tokens_at(now, *self._buckets.pop(name)) if name in self._buckets else math.inf
        tokens = min(tokens, float(burst(per_minute)))
        wait = 0.0 if tokens >= 1.0 - _ROUNDING else (1.0 - tokens) * 60.0 / per_minute
        self._buckets[name] = (tokens if wait else tokens - 1.0, now, per_minute)
        if len(self._buckets) > self._max_buckets:
            del self._buckets[next(iter(self._buckets))]
        return wait

    def _sweep(self, now: float) -> None:
        self._swept_at = now
        self._buckets = {
            name: bucket
            for name, bucket in self._buckets.items()
            if _tokens_at(now, *bucket) < burst(bucket[2])
        }


def burst(per_minute: int) -> int:
    """How many requests may come at once."""
    return max(_LEAST_BURST, per_minute // 10)


def _tokens_at(now: float, tokens: float, since: float, per_minute: int) -> float:
    return tokens + (now - since) * per_minute / 60.0


class RateLimitMiddleware:
    """Refuse with 429 who has no token left, and say when to come again.

    Args:
        app: What comes next.
        per_minute: For each key that has no number of its own, and for each address; 0 for no limit.
        clock: Seconds, monotonic.
    """

    def __init__(self, app: ASGIApp, *, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self._per_minute = per_minute
        self._buckets = TokenBuckets(clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] != "http" or path_below_root(scope) in _UNCOUNTED:
            await self.app(scope, receive, send)
            return
        name, per_minute = self._bucket_for(caller_of(scope), scope)
        wait = self._buckets.take(name, per_minute) if per_minute else 0.0
        if not wait:
            await self.app(scope, receive, send)
            return
        seconds = max(1, math.ceil(wait - _ROUNDING))
        message = f"请求太频繁：每分钟最多 {per_minute} 个。请在 {seconds} 秒后再试。"
        headers = {"Retry-After": str(seconds), **closing(scope)}
        await error_response(scope, "rate_limited", message, headers=headers)(scope, receive, send)

    def _bucket_for(self, caller: Caller, scope: Scope) -> tuple[str, int]:
        """Name and size."""
        if caller.needed is None:
            path = path_below_root(scope)
            if path == "/" or path.startswith("/static/"):
                return f"pages {_address(scope)}", self._per_minute * _PAGES_FACTOR
            return f"documents {_address(scope)}", self._per_minute
        if caller.key is None:
            return f"address {_address(scope)}", self._per_minute
        own = caller.key.per_minute
        return f"key {caller.key.key_id}", self._per_minute if own is None else own


def _address(scope: Scope) -> str:
    """Whom to count together: an IPv4 address, or an IPv6 network, of which one caller has all addresses."""
    host = scope["client"][0] if scope.get("client") else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""  # a proxy that hands on whatever its callers say of themselves
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address) >> 64 << 64, 64)))
