"""Who may call: one access key, asked for on everything that answers from the corpus.

Plain ASGI, before the body is read. What a browser opens stays open, because a link carries no key: the ask
page (which asks for the key itself), the reference, and the page and source of a document, whose address
holds the document's id, a piece of a hash that nobody guesses. Lists, search and answers need the key.
"""

from __future__ import annotations

import hmac
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.error_codes import CODES
from api.error_shapes import DIFY_PATHS, MCP_PATH, path_below_root
from api.errors import error_response

_BEARER = re.compile(r"bearer[ \t]+(\S+)[ \t]*", re.IGNORECASE)
_SOURCE = re.compile(r"/v1/documents/[^/]+/source")


class ApiKeyMiddleware:
    """Refuse what needs the key and does not bring it (401; 403 where Dify calls).

    Args:
        app: What comes next.
        api_key: The key; "" lets everyone in.
    """

    def __init__(self, app: ASGIApp, *, api_key: str) -> None:
        self.app = app
        self._key = api_key.encode("utf-8")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        if scope["type"] == "http" and self._key and _is_guarded(path_below_root(scope)):
            fault = self._fault(Headers(scope=scope).get("authorization", ""))
            if fault:
                row = CODES[fault]
                # The body is still on its way; over HTTP/1 only closing stops a server reading it.
                closing = {"Connection": "close"} if scope.get("http_version", "1.1").startswith("1") else {}
                response = error_response(scope, fault, f"{row.meaning}。{row.action}。", headers=closing)
                await response(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _fault(self, header: str) -> str:
        """The code of what is wrong with an Authorization header; "" if it holds the key."""
        found = _BEARER.fullmatch(header)
        if found is None:
            return "api_key_missing"
        same = hmac.compare_digest(found[1].encode("utf-8", "surrogateescape"), self._key)
        return "" if same else "api_key_invalid"


def _is_guarded(path: str) -> bool:
    if _SOURCE.fullmatch(path):
        return False
    return path.startswith(("/v1/", f"{MCP_PATH}/")) or path in {MCP_PATH, *DIFY_PATHS}
