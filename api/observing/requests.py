"""One request as it is observed: its id, its surface, what it was refused with, what was answered in it.

The record travels in a context variable, which worker threads and tasks inherit, so that the log knows the
request id everywhere. It holds no text of anybody's.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field

from starlette.routing import Match
from starlette.types import Scope

from api.errors.shapes import DIFY_PATHS, MCP_PATH, OPENAI_PATHS

PROBES = "probes"
"""Health, readiness and metrics: asked every few seconds, so they are kept apart from what people do."""

METRICS_PATH = "/metrics"
HEALTH_PATH = "/healthz"
UNMATCHED = "-"
"""Stands for the address of a request that no route has. The address itself may hold anything."""

SURFACES = ("native", "openai", "dify", "mcp", "pages", PROBES)
_PROBE_PATHS = frozenset({HEALTH_PATH, "/readyz", METRICS_PATH})
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that was finished within a request.

    Attributes:
        ended_ns: When, in nanoseconds since 1970.
        timings_ms: Its stages, in the order in which they ran, and "total".
    """

    ended_ns: int
    timings_ms: Mapping[str, float]


@dataclass(slots=True)
class ObservedRequest:
    """What is known of a request.

    Attributes:
        request_id: As in the reply's header.
        surface: One of `SURFACES`.
        refusals: Codes of the errors it was answered with; usually none or one.
        answers: Usually none or one.
    """

    request_id: str
    surface: str
    refusals: list[str] = field(default_factory=list)
    answers: list[Answered] = field(default_factory=list)


CURRENT: ContextVar[ObservedRequest | None] = ContextVar("cewen_request", default=None)
"""The request that this task or thread works for."""


def surface_of(path: str) -> str:
    """Which of the surfaces a path (below any prefix of a proxy) belongs to."""
    if path in _PROBE_PATHS:
        return PROBES
    if path in OPENAI_PATHS or path.startswith("/v1/models/"):
        return "openai"
    if path in DIFY_PATHS:
        return "dify"
    if path.rstrip("/") == MCP_PATH:
        return "mcp"
    return "native" if path.startswith("/v1/") else "pages"


def method_of(scope: Scope) -> str:
    """The method, or "other": a caller may invent any."""
    return scope["method"] if scope["method"] in _METHODS else "other"


def template_of(scope: Scope) -> str:
    """The address as the route has it, with `{…}` for its variable parts, or `UNMATCHED`.

    Ids of documents open pages without a key, and an unknown address may hold a question; neither belongs
    into a log.
    """
    route = scope.get("route") or _route_not_reached(scope)
    return getattr(route, "path", UNMATCHED)


def _route_not_reached(scope: Scope) -> object:
    """The route of a request that was refused on its way to it."""
    router = getattr(scope.get("app"), "router", None)
    for route in getattr(router, "routes", ()):
        match, found = route.matches(scope)
        if match is not Match.NONE:
            return found.get("route", route)
    return None
