"""How many uploads and other changes there are at once. However many there are, questions find their places.

Few uploads hold a body in memory, and one is converted; the others wait before their bodies are read, which
costs a socket and no memory. Any other change may have to wait in a worker thread for as long as a new index
is swapped in. There are few such threads, and who reads needs one too; so few changes at once may be in them.
"""

from __future__ import annotations

import re

import anyio
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors.handling import error_response
from api.errors.shapes import path_below_root
from api.guards.auth import closing
from api.guards.limits import AdmissionGate

_PLACE_KEY = "cewen.upload"
_WAITERS = 8
_REFUSAL = (
    "同时上传的太多：已有 {places} 个正在接收或转换，等候的也已到上限。请稍后再试，或一个接一个地上传。"
)
_TOO_MANY_CHANGES = (
    "同时改动文库的太多：已有 {places} 个正在等候或进行（文库也许正在换上新的索引）。请稍后再试，"
    "或一个接一个地改动。"
)
_CHANGED = re.compile(r"/v1/(documents|collections|jobs|admin)(/.*)?", re.DOTALL)
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_UPLOADS = (("POST", re.compile(r"/v1/documents")), ("PUT", re.compile(r"/v1/documents/[^/]+", re.DOTALL)))


def is_upload(scope: Scope) -> bool:
    """Whether a request brings a document: its body may be large."""
    path = path_below_root(scope)
    return any(scope["method"] == method and pattern.fullmatch(path) for method, pattern in _UPLOADS)


def is_other_change(scope: Scope) -> bool:
    """Whether a request changes the library in another way than by bringing a document."""
    changing = scope["method"] in _CHANGING and _CHANGED.fullmatch(path_below_root(scope)) is not None
    return changing and not is_upload(scope)


class UploadPlace:
    """The place of one upload among the few.

    Args:
        gate: Whose place it is.
        converting: Lets one convert at a time.
        waiters: The threads in which uploads wait for their jobs.

    Attributes:
        converting: To be held while the body is parsed and converted.
        waiters: To be used for waiting, because threads of the common pool answer questions.
    """

    def __init__(
        self, gate: AdmissionGate, converting: anyio.Semaphore, waiters: anyio.CapacityLimiter
    ) -> None:
        self.converting = converting
        self.waiters = waiters
        self._gate = gate
        self._held = True

    def leave(self) -> None:
        """Give the place to the next: the body is no longer in memory. Later calls do nothing."""
        if self._held:
            self._held = False
            self._gate.leave()


def place_of(scope: Scope) -> UploadPlace:
    """The place that the gate has given to this upload."""
    place: UploadPlace = scope[_PLACE_KEY]
    return place


class UploadGateMiddleware:
    """Let few uploads in at once, and refuse the others with 503 before they send.

    Args:
        app: What comes next.
        places: Uploads that may hold a body in memory.
        max_waiting: Uploads that may wait for a place, their bodies unread.
        wait_seconds: How long each may wait.
    """

    def __init__(self, app: ASGIApp, *, places: int, max_waiting: int, wait_seconds: float) -> None:
        self.app = app
        self.gate = AdmissionGate(max_concurrent=places, max_waiting=max_waiting, wait_seconds=wait_seconds)
        self._converting = anyio.Semaphore(1)
        self._waiters = anyio.CapacityLimiter(_WAITERS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on once there is a place for it, or refuse it."""
        if scope["type"] != "http" or not is_upload(scope):
            await self.app(scope, receive, send)
            return
        if not await self.gate.enter():
            message = _REFUSAL.format(places=self.gate.max_concurrent)
            response = error_response(scope, "overloaded", message, headers=closing(scope))
            await response(scope, receive, send)
            return
        place = UploadPlace(self.gate, self._converting, self._waiters)
        scope[_PLACE_KEY] = place
        try:
            await self.app(scope, receive, send)
        finally:
            place.leave()


class ChangesGateMiddleware:
    """Let few other changes in at once, and refuse the rest with 503. Their bodies have been read.

    Args:
        app: What comes next.
        places: Changes that may be in worker threads.
        max_waiting: Changes that may wait for a place.
        wait_seconds: How long each may wait.
    """

    def __init__(self, app: ASGIApp, *, places: int, max_waiting: int, wait_seconds: float) -> None:
        self.app = app
        self.gate = AdmissionGate(max_concurrent=places, max_waiting=max_waiting, wait_seconds=wait_seconds)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on once there is a place for it, or refuse it."""
        if scope["type"] != "http" or not is_other_change(scope):
            await self.app(scope, receive, send)
            return
        if not await self.gate.enter():
            message = _TOO_MANY_CHANGES.format(places=self.gate.max_concurrent)
            await error_response(scope, "overloaded", message)(scope, receive, send)
            return
        try:
            await self.app(scope, receive, send)
        finally:
            self.gate.leave()
