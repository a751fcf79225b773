"""`/mcp`: the MCP server over streamable HTTP, stateless, answering JSON.

Both eras of the protocol come through one manager of the SDK, which tells them apart by the header
`MCP-Protocol-Version`. The server never speaks first, so there is no stream to GET and no session to
DELETE. Size, key and headers are the middlewares' business, as for every other path.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import anyio
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Message, Receive, Scope, Send

from api.engine_slot import EngineSlot
from api.errors.codes import CODES
from api.errors.handling import error_response
from api.errors.shapes import MCP_PATH
from api.guards.foreign_pages import OwnPages
from api.guards.limits import GATE_KEY
from api.pages.links import linker_of
from api.settings import ApiSettings
from rag.inputs import excerpt

if TYPE_CHECKING:
    from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

    from api.mcp_server.server import Means

_INVALID_REQUEST = -32600  # of JSON-RPC


class McpEndpoint:
    """The ASGI application at `/mcp`; serves while `running` is entered.

    Args:
        slot: Where the library will be.
        settings: For the public address and other origins, whose pages may call.
    """

    def __init__(self, slot: EngineSlot, settings: ApiSettings) -> None:
        self._slot = slot
        self._pages = OwnPages(settings.public_url, settings.cors_origins)
        self._manager: StreamableHTTPSessionManager | None = None

    @property
    def routes(self) -> list[BaseRoute]:
        """With and without the last slash, because a POST must not be redirected."""
        return [Route(path, endpoint=self, include_in_schema=False) for path in (MCP_PATH, f"{MCP_PATH}/")]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Serve until left; may be entered again."""
        # Half a second of imports, which `import api.app` should not cost.
        from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

        from api.mcp_server.server import make_server, names_of

        server = make_server(self._means, lambda: names_of(self._slot.opened))
        manager = StreamableHTTPSessionManager(server, json_response=True, stateless=True)
        async with manager.run():
            self._manager = manager
            try:
                yield
            finally:
                self._manager = None

    async def _means(self, request: Request | None) -> Means:
        from api.mcp_server.server import Means

        assert request is not None  # noqa: S101 -- over HTTP there always is one
        return Means(self._slot.library(), linker_of(request), request.scope[GATE_KEY])

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        request = Request(scope, receive)
        refusal = self._refusal(request)
        if refusal:
            await refusal(scope, receive, send)
            return
        try:
            body = await request.body()
        except ClientDisconnect:
            return
        assert self._manager is not None  # noqa: S101 -- else it was refused
        await _until_left(self._manager, body, scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        scope = request.scope
        origin = request.headers.get("origin", "")
        if origin and not self._pages.hold(origin, request.headers.get("host", "")):
            return _foreign(origin)
        if request.method != "POST":
            message = f"{MCP_PATH} 只接受 POST，不支持 {request.method[:16]}。请用 MCP 客户端连接这个地址。"
            return error_response(scope, "method_not_allowed", message, headers={"Allow": "POST"})
        if self._manager is None:
            row = CODES["unavailable"]
            return error_response(scope, "unavailable", f"{row.meaning}。{row.action}。")
        return None


def _foreign(origin: str) -> Response:
    """The refusal of another site's page, in the form that the protocol has for it."""
    message = (
        f"请求来自别的网站的网页（Origin {excerpt(origin)}），不予接受。"
        "请用 MCP 客户端连接；要从自己的网页连接，请维护者设 CEWEN_PUBLIC_URL 或 CEWEN_CORS_ORIGINS。"
    )
    error = {"code": _INVALID_REQUEST, "message": message}
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": None, "error": error}
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status_code=403, media_type="application/json")


async def _until_left(
    manager: StreamableHTTPSessionManager, body: bytes, scope: Scope, receive: Receive, send: Send
) -> None:
    """Have the SDK answer, and break it off when the caller leaves, which it does not notice by itself."""
    given = False

    async def replayed() -> Message:
        nonlocal given
        if given:
            await anyio.sleep_forever()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    async def watch(tasks: anyio.abc.TaskGroup) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        tasks.cancel_scope.cancel()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(watch, tasks)
        await manager.handle_request(scope, replayed, send)
        tasks.cancel_scope.cancel()
