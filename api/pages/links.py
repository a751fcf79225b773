"""Citation links as a caller elsewhere needs them: absolute.

Our own replies give links as the settings have them, relative where no public address is set, because a
browser on our pages resolves them. A chat client has no page to resolve them against.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import cast
from urllib.parse import urljoin

from starlette.requests import Request

from api.settings import ApiSettings

Linker = Callable[[str], str]
"""Makes a link absolute; one that is already is given back as it is."""


def linker_to(address: str) -> Linker:
    """A linker for a service reached at `address`, e.g. "https://cewen.example" or with a path after it."""
    base = address.rstrip("/")

    def absolute(url: str) -> str:
        return f"{base}{url}" if url.startswith("/") else urljoin(f"{base}/", url)

    return absolute


def linker_of(request: Request) -> Linker:
    """A linker for the address that the settings name or, without one, that this request was sent to."""
    settings = cast("ApiSettings", request.app.state.settings)
    return linker_to(settings.public_url or str(request.base_url))
