"""The fake service of the evaluation tests behind a real socket on the loopback interface."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from time import monotonic
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from evals.service import DocumentView
from rag.records import Turn
from tests.evals_fakes import SOURCE, FakeService, subject


def app_of(service: FakeService) -> Starlette:
    (document,) = subject(service).documents

    async def ready(_: Request) -> JSONResponse:
        return JSONResponse({"status": "ready", "fingerprint": "fake-1"})

    async def documents(_: Request) -> JSONResponse:
        return JSONResponse({"documents": [_shown(document)]})

    async def one(_: Request) -> JSONResponse:
        return JSONResponse(_shown(document))

    async def source(_: Request) -> PlainTextResponse:
        return PlainTextResponse(SOURCE.text)

    async def ask(request: Request) -> JSONResponse:
        body = await request.json()
        turns = [Turn(turn["role"], turn["content"]) for turn in body["history"]]
        reply = service.ask(body["question"], turns)
        explain = {"explain": {"passages": [{"raw": reply.raw}]}} if body["explain"] else {}
        return JSONResponse(asdict(reply) | explain)

    async def search(request: Request) -> JSONResponse:
        body = await request.json()
        return JSONResponse({"hits": [asdict(hit) for hit in service.search(body["query"], body["top_k"])]})

    return Starlette(
        routes=[
            Route("/readyz", ready),
            Route("/v1/documents", documents),
            Route("/v1/documents/{name}", one),
            Route("/v1/documents/{name}/source", source),
            Route("/v1/ask", ask, methods=["POST"]),
            Route("/v1/search", search, methods=["POST"]),
        ]
    )


def _shown(document: DocumentView) -> dict[str, object]:
    return {"id": document.document_id, **asdict(document)}


@contextmanager
def serving(service: FakeService) -> Iterator[str]:
    """The base URL of a server of the fake service that runs until the block ends."""
    with serving_app(app_of(service)) as url:
        yield url


@contextmanager
def serving_app(app: ASGIApp, **options: Any) -> Iterator[str]:
    """The base URL of a server of any application; with more options of `uvicorn.Config`."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, **{"log_level": "critical", **options}))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    limit = monotonic() + 60
    while not server.started:
        thread.join(0.01)
        assert thread.is_alive(), "the server did not start"
        assert monotonic() < limit, "the server took too long to start"
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)
