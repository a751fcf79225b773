"""Whether the page that a browser sends a request from is one of this service.

A browser sends forms of files to any address without asking, and a page elsewhere can point its own name at
this machine (DNS rebinding). Where no key is asked for, such a page could change what this service holds.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors.codes import CODES
from api.errors.handling import error_response
from api.guards.auth import caller_of, closing

_PORTS = {"http": 80, "https": 443}


class _Place(NamedTuple):
    scheme: str
    host: str
    port: int


class OwnPages:
    """The pages that may call.

    Args:
        public_url: Where others reach this service; "" if that is not said.
        origins: Other places whose pages may call.
    """

    def __init__(self, public_url: str, origins: Iterable[str]) -> None:
        self._known = {_place_of(url) for url in (public_url, *origins)}

    def named(self, host: str) -> bool:
        """Whether a header `Host` is one that nobody else can point here: an IP address, or a known name."""
        place = _place_of(f"http://{host}")
        known = {place.host for place in self._known if place}
        return place is not None and (_is_address(place.host) or place.host in known)

    def hold(self, origin: str, host: str) -> bool:
        """Whether one of them may have sent a request with these headers `Origin` and `Host`.

        A page elsewhere can point its own name at this machine; then Origin and Host agree. So a name is
        believed only if the settings name it; a bare IP address cannot be pointed elsewhere.
        """
        sent = _place_of(origin)
        if sent is None:
            return False
        here = _place_of(f"{sent.scheme}://{host}")
        return sent in self._known or (sent == here and _is_address(sent.host))


class ForeignPagesMiddleware:
    """Refuse other sites' pages where no key is needed (403): changes, and under a name pointed here all.

    With a key there is nothing to refuse: no browser adds it to a request by itself.

    Args:
        app: What comes next; what comes before has found the caller.
        pages: The pages that may.
        local_only: Whether the service listens to this machine alone: then whatever needs a key elsewhere is
            answered under names of this machine only, because a page that is read here sends no Origin.
    """

    def __init__(self, app: ASGIApp, *, pages: OwnPages, local_only: bool) -> None:
        self.app = app
        self._pages = pages
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and self._is_foreign(scope):
            row = CODES["foreign_page"]
            message = f"{row.meaning}。{row.action}。"
            refusal = error_response(scope, "foreign_page", message, headers=closing(scope))
            await refusal(scope, receive, send)
            return
        await self.app(scope, receive, send)

    def _is_foreign(self, scope: Scope) -> bool:
        caller = caller_of(scope)
        headers = Headers(scope=scope)
        if caller.key is not None or caller.needed is None:
            return False
        if self._local_only and not self._pages.named(headers.get("host", "")):
            return True
        if caller.needed not in ("write", "admin"):
            return False
        origin = headers.get("origin", "")
        return bool(origin) and not self._pages.hold(origin, headers.get("host", ""))


def _place_of(url: str) -> _Place | None:
    """What of an address an origin consists of; None if it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
    except (ValueError, KeyError):
        return None
    return _Place(parts.scheme, parts.hostname, port) if parts.hostname else None


def _is_address(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
