"""A real service to be hammered: a real library in a folder of its own, a quick encoder, a real socket.

Requests are counted where they arrive, by route and status. When the documents that are asked about are gone,
others are put in before the next request, so that the last of many thousand still meets some: each time with
another line in them, because the very documents that were deleted must stay so.
"""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.app import create_app
from api.assembly import Library, open_library
from api.guards.http_protocol import PromptH11Protocol
from api.library_records import Upload
from api.settings import ApiSettings
from rag.reading.decoding import source_from_text
from rag.settings import read_settings
from tests.api_fakes import PAGE
from tests.counting_encoder import CountingEncoder
from tests.evals_server import serving_app

QUESTION = "望海角灯塔建于哪一年？"


class _Hasty(PromptH11Protocol):
    head_seconds = 1.0


_AS_SERVED: dict[str, Any] = {
    "http": _Hasty,
    "ws": "none",
    "h11_max_incomplete_event_size": 262_144,
    "log_config": None,
    "log_level": None,
}
_AS_SERVED |= {"access_log": False, "server_header": False}
"""As `cewen serve` has it."""
_PRINTED = itertools.count(1)
_CHANGING = frozenset({"POST", "PUT", "DELETE"})


@dataclass
class Hammered:
    """A service that is being hammered.

    Attributes:
        url: Its address.
        app: The application.
        counts: (method, route or "-", status) of every request that came; a status of 0 is none.
    """

    url: str
    app: FastAPI
    counts: Counter[tuple[str, str, int]] = field(default_factory=Counter)

    @property
    def library(self) -> Library:
        """What it answers from, for looking at it past HTTP."""
        library: Library = self.app.state.engine_slot.library()
        return library

    @property
    def requests(self) -> int:
        """How many have come."""
        return self.counts.total()

    def clear(self) -> None:
        """Begin again with one page and no other collection, so that the service stays small."""
        for each in self.library.collections():
            self.library.remove_collection(each.name)
        fill(self.library)

    def table(self) -> str:
        """The counts for people: a line a route."""
        routes: dict[tuple[str, str], list[str]] = {}
        for (method, route, status), number in sorted(self.counts.items()):
            routes.setdefault((route, method), []).append(f"{status}: {number}")
        lines = [
            f"{method:7} {route:34} {', '.join(each)}" for (route, method), each in sorted(routes.items())
        ]
        statuses: Counter[int] = Counter()
        for (_, _, status), number in self.counts.items():
            statuses[status] += number
        lines.append(f"{self.requests} requests; {dict(sorted(statuses.items()))}")
        return "\n".join(lines)


class _Keeper:
    """Counts what passes, and puts documents back where they are gone."""

    def __init__(self, app: ASGIApp, counts: Counter[tuple[str, str, int]], library: Any) -> None:
        self.app = app
        self._counts = counts
        self._library = library
        self._changed = False
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        if self._changed:
            self._changed = False
            await anyio.to_thread.run_sync(self._restore)
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        finally:
            self._counts[scope["method"], getattr(scope.get("route"), "path", "-"), status] += 1
            if scope["method"] in _CHANGING and 200 <= status < 300:
                self._changed = True

    def _restore(self) -> None:
        library: Library = self._library()
        with self._lock:
            if not library.entries("default"):
                fill(library)


def fill(library: Library) -> None:
    """Put a page of two articles into "default", a new one each time."""
    text = f"{PAGE}这是第{next(_PRINTED)}次印的。\n"
    job = library.add("default", Upload(source_from_text("page.txt", text)))
    assert library.wait(job.job_id, 30).state == "done"


@contextmanager
def hammered(folder: Path, **limits: Any) -> Iterator[Hammered]:
    """A service over two articles; it ends with the block.

    Args:
        folder: Empty; for the store, the index and feedback.
        limits: For `ApiSettings`.
    """
    (folder / "seeds").mkdir()
    settings = read_settings(
        seeds_dir=folder / "seeds",
        index_dir=folder / "index",
        store_dir=folder / "store",
        data_dir=folder / "data",
        reader="off",
    )

    def opened() -> Library:
        library = open_library(settings, encoder=CountingEncoder())
        fill(library)
        return library

    app = create_app(opened, ApiSettings(data_dir=folder / "data", **limits))
    counts: Counter[tuple[str, str, int]] = Counter()
    keeper = _Keeper(app, counts, app.state.engine_slot.library)
    with serving_app(keeper, **_AS_SERVED) as url:
        assert app.state.engine_slot.wait(60)
        yield Hammered(url, app, counts)
