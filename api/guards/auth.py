"""Who calls, and whether they may: an access key with scopes, asked for on all that answers from the corpus.

Plain ASGI, before the body is read, in two steps, so that in between the rate limit can tell callers apart
whether or not they are let in: `ApiKeyMiddleware` finds the key, `AccessMiddleware` refuses.

What a browser opens stays open, because a link carries no key: the ask page (which asks for the key itself),
the reference, and the page and source of a document, whose address holds the document's id, a piece of a
hash that nobody guesses. Lists, search and answers need a key.

Dify and MCP have one address for searching and for asking, and only the body says which is meant. Their
paths need `ask` whole: a key for search alone that worked on half of a tool would look like a broken tool.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors.codes import CODES
from api.errors.handling import error_response
from api.errors.shapes import path_below_root
from api.keys.model import SCOPES, Key, KeyRing, KeyScope

_CALLER = "cewen.caller"
_BEARER = re.compile(r"bearer[ \t]+(\S+)[ \t]*", re.IGNORECASE)

# Methods, path, scope. The first row that fits decides; a path that fits none is open to all.
_NEEDED: tuple[tuple[str, str, KeyScope | None], ...] = (
    ("*", r"/v1/documents/[^/]+/source", None),
    ("*", r"/v1/ask|/v1/chat/completions|/v1/feedback", "ask"),
    ("*", r"/mcp(/.*)?|/dify/retrieval|/retrieval", "ask"),
    ("*", r"/v1/admin(/.*)?", "admin"),
    ("*", r"/metrics", "read"),
    ("POST PUT PATCH DELETE", r"/v1/collections/[^/]+/calibration", "admin"),
    ("POST PUT PATCH DELETE", r"/v1/(documents|collections|jobs)(/.*)?", "write"),
    ("*", r"/v1/.*", "read"),
)
# DOTALL: a path may hold a line end (%0A), which must not take it past its row.
_ROWS = tuple((methods, re.compile(path, re.DOTALL), scope) for methods, path, scope in _NEEDED)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request.

    Attributes:
        key: The key they have shown; None if they have shown none, or the service is open.
        needed: The scope that the path asks for; None if it is open to all.
        fault: The code to refuse with; "" if they may come in.
        may_read: Whether they might read any document: to be asked where the path is open to all.
    """

    key: Key | None
    needed: KeyScope | None
    fault: str
    may_read: bool = False


def caller_of(scope: Scope) -> Caller:
    """The caller whom `ApiKeyMiddleware` has found."""
    caller: Caller = scope[_CALLER]
    return caller


def scope_needed(method: str, path: str) -> KeyScope | None:
    """The scope that a path below the root asks for; None if it is open to all."""
    for methods, pattern, needed in _ROWS:
        if (methods == "*" or method in methods.split()) and pattern.fullmatch(path):
            return needed
    return None


class ApiKeyMiddleware:
    """Find out who calls; see `caller_of`.

    Args:
        app: What comes next.
        keys: The keys that are accepted.
    """

    def __init__(self, app: ASGIApp, *, keys: KeyRing) -> None:
        self.app = app
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its caller."""
        if scope["type"] == "http":
            scope[_CALLER] = self._caller(scope)
        await self.app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller:
        needed = scope_needed(scope["method"], path_below_root(scope))
        if not self._keys.required:
            return Caller(None, needed, "", may_read=True)
        found = _BEARER.fullmatch(Headers(scope=scope).get("authorization", ""))
        key = self._keys.find(found[1]) if found else None
        may_read = key is not None and key.allows("read")
        if needed is None:
            return Caller(None, None, "", may_read)
        if key is None:
            return Caller(None, needed, "api_key_invalid" if found else "api_key_missing")
        return Caller(key, needed, "" if key.allows(needed) else "scope_missing", may_read)


class AccessMiddleware:
    """Refuse callers without the key that the path needs (401; 403 where Dify calls) or the scope (403).

    Args:
        app: What comes next.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or refuse it."""
        fault = caller_of(scope).fault if scope["type"] == "http" else ""
        if not fault:
            await self.app(scope, receive, send)
            return
        caller, row = caller_of(scope), CODES[fault]
        message = f"{row.meaning}。{row.action}。"
        if fault == "scope_missing" and caller.key and caller.needed:
            message = scope_missing(caller.key, caller.needed)
        response = error_response(scope, fault, message, headers=closing(scope))
        await response(scope, receive, send)


def scope_missing(key: Key, needed: KeyScope) -> str:
    """What is said to whoever shows a valid key that does not allow what is wanted."""
    granted = "、".join(one for one in SCOPES if one in key.scopes) or "没有权限"
    return f"这里要有 {needed} 权限，这个密钥的权限是 {granted}。{CODES['scope_missing'].action}。"


def closing(scope: Scope) -> dict[str, str]:
    """Headers for a refusal whose request has a body still on its way.

    Over HTTP/1 only closing the connection stops a server reading it.
    """
    return {"Connection": "close"} if scope.get("http_version", "1.1").startswith("1") else {}
