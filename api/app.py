"""The application: routes, limits and the library put together. Nothing is decided here but the order.

The library comes as a function, because opening it takes a while: the service answers `/healthz` at once
and everything else as soon as the library is there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.staticfiles import StaticFiles

from api.dify import routes as routes_dify
from api.engine_slot import EngineSlot
from api.errors.handling import HANDLERS
from api.errors.shapes import MCP_PATH
from api.feedback import routes as routes_feedback
from api.feedback.service import FeedbackService
from api.guards.auth import AccessMiddleware, ApiKeyMiddleware
from api.guards.foreign_pages import ForeignPagesMiddleware, OwnPages
from api.guards.limits import AdmissionGateMiddleware, LargeBodies, RequestLimitsMiddleware
from api.guards.middleware import (
    ErrorBoundaryMiddleware,
    HeadMiddleware,
    PlainPathMiddleware,
    RequestIdMiddleware,
    SecurityHeadersMiddleware,
)
from api.guards.rate_limits import RateLimitMiddleware
from api.keys.model import KeyRing
from api.keys.rings import StaticKeyRing
from api.mcp_server.http import McpEndpoint
from api.observing import routes as routes_observing
from api.observing.service import Observing
from api.openai_chat import routes as routes_openai
from api.openapi.document import finish_document
from api.pages.rendering import STATIC_DIR
from api.ports import Factory
from api.routes import answers as routes_answers
from api.routes import calibration as routes_calibration
from api.routes import citations as routes_citations
from api.routes import collections as routes_collections
from api.routes import documents as routes_documents
from api.routes import examples as routes_examples
from api.routes import health as routes_health
from api.routes import jobs as routes_jobs
from api.routes import pages as routes_pages
from api.routes import uploads as routes_uploads
from api.settings import ApiSettings
from api.uploads.gate import ChangesGateMiddleware, UploadGateMiddleware, is_upload

_DESCRIPTION = (
    "用中文提问，得到逐句带引文的答案：每条引文都是原文中逐字的一段，"
    "带字符区间和行号；文库没有说的，如实说没有。"
)


class CewenApp(FastAPI):
    """FastAPI with an OpenAPI document that tells the truth about errors."""

    def openapi(self) -> dict[str, Any]:
        """The OpenAPI document: FastAPI's, completed by `api.openapi.document`."""
        if self.openapi_schema is None:
            key_needed = self.state.keys.required
            self.openapi_schema = finish_document(super().openapi(), key_needed=key_needed)
        return self.openapi_schema


def create_app(factory: Factory, settings: ApiSettings | None = None, keys: KeyRing | None = None) -> FastAPI:
    """Make the application.

    Args:
        factory: Opens the library, or an engine, which is then one that never changes; called once, in a
            thread, when the server starts.
        settings: Limits and switches; the defaults if None.
        keys: The access keys; the one of the settings if None.

    Returns:
        An ASGI application. `app.state.engine_slot` is its `EngineSlot`.
    """
    settings = settings or ApiSettings()
    keys = keys or StaticKeyRing(settings.api_key)
    observing = Observing(settings)
    feedback = FeedbackService(settings)
    slot = EngineSlot(observing.around(factory, feedback.recorder))
    mcp = McpEndpoint(slot, settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        slot.start()
        try:
            async with feedback.running(), observing.running(), mcp.running():
                yield
        finally:
            await anyio.to_thread.run_sync(slot.close)

    app = CewenApp(
        title="策问 Cewen",
        version="1",
        description=_DESCRIPTION,
        servers=[{"url": settings.public_url}] if settings.public_url else None,
        openapi_url="/openapi.json" if settings.docs else None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        middleware=_middleware(settings, keys, observing),
        exception_handlers=HANDLERS,
        # FastAPI would otherwise trace every request, and export it where an environment variable says.
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.engine_slot = slot
    app.state.observing = observing
    app.state.feedback = feedback
    app.state.settings = settings
    app.state.keys = keys
    corpus = (routes_documents, routes_uploads, routes_collections, routes_calibration, routes_jobs)
    ours = (routes_answers, *corpus, routes_citations, routes_examples, routes_health, routes_pages)
    for module in (*ours, routes_feedback, routes_openai, routes_dify, routes_observing):
        app.include_router(module.router)
    if settings.docs:
        app.include_router(routes_pages.reference_router)
    app.router.routes.extend(mcp.routes)
    app.mount("/static", StaticFiles(directory=STATIC_DIR), name="static")
    return app


def _middleware(settings: ApiSettings, keys: KeyRing, observing: Observing) -> list[Middleware]:
    """Outermost first: what is refused early still gets an id, headers and our error shape."""
    return [
        Middleware(RequestIdMiddleware),
        observing.counting(),
        Middleware(SecurityHeadersMiddleware),
        Middleware(HeadMiddleware),
        *_cors(settings.cors_origins),
        Middleware(ErrorBoundaryMiddleware),
        observing.refusing(),
        Middleware(PlainPathMiddleware),
        Middleware(ApiKeyMiddleware, keys=keys),
        Middleware(RateLimitMiddleware, per_minute=settings.requests_per_minute),
        Middleware(AccessMiddleware),
        Middleware(
            ForeignPagesMiddleware,
            pages=OwnPages(settings.public_url, settings.cors_origins),
            local_only=settings.local_only,
        ),
        # Before the body is read: it may be large, and few may be in memory at once.
        Middleware(
            UploadGateMiddleware,
            places=settings.upload_places,
            max_waiting=2 * settings.upload_places,
            wait_seconds=settings.wait_seconds,
        ),
        Middleware(
            RequestLimitsMiddleware,
            max_header_bytes=settings.max_header_bytes,
            max_body_bytes=settings.max_body_bytes,
            body_timeout_seconds=settings.body_timeout_seconds,
            larger_bodies=dict.fromkeys(
                (*routes_openai.PATHS, MCP_PATH, f"{MCP_PATH}/", routes_calibration.PATTERN),
                settings.max_chat_body_bytes,
            ),
            files=LargeBodies(is_upload, settings.max_upload_bytes, settings.min_upload_rate),
        ),
        Middleware(
            ChangesGateMiddleware,
            places=settings.upload_places,
            max_waiting=2 * settings.upload_places,
            wait_seconds=settings.wait_seconds,
        ),
        Middleware(
            AdmissionGateMiddleware,
            paths=(*routes_answers.PATHS, *routes_openai.PATHS, *routes_dify.PATHS),
            max_concurrent=settings.max_concurrent,
            max_waiting=settings.waiting_places,
            wait_seconds=settings.wait_seconds,
        ),
    ]


def _cors(origins: tuple[str, ...]) -> list[Middleware]:
    """Before the key, because a browser asks without it; around all errors, so that pages can read them."""
    if not origins:
        return []
    return [
        Middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=("Authorization", "Content-Type", "MCP-Protocol-Version"),
            expose_headers=("Retry-After", "X-Request-ID"),
        )
    ]
