"""The pages for people: ask (`/`), a document in its printed lines (`/documents/{id}`), reference (`/docs`).

They are not part of the OpenAPI document. Pages render in worker threads, like everything that computes.
"""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse

from api.engine_slot import OpenEngine
from api.error_codes import CODES
from api.links import linker_of
from api.openapi_tools import tools_document
from api.reference import operations
from api.rendering import modules_of, render
from api.routes_documents import find_document
from api.settings import ApiSettings
from api.source_page import KIND_NAMES, parse_chars, source_page
from rag.inputs import MAX_HISTORY_TURNS, MAX_QUESTION_CHARS, MAX_TURN_CHARS

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
reference_router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def ask_page(request: Request) -> HTMLResponse:
    """The page with the question box."""
    settings = cast("ApiSettings", request.app.state.settings)
    return render(
        "ask.html",
        request.scope,
        docs=settings.docs,
        modules=modules_of("ask.js"),
        max_chars=MAX_QUESTION_CHARS,
        max_turns=MAX_HISTORY_TURNS,
        max_turn_chars=MAX_TURN_CHARS,
        max_bytes=settings.max_body_bytes,
    )


@router.get("/documents/{document_id}")
def document_page(
    document_id: str, engine: OpenEngine, request: Request, chars: str | None = None
) -> HTMLResponse:
    """A document with its printed lines; `?chars=START-END` marks those source characters."""
    document = find_document(engine, document_id)
    marked = parse_chars(chars, len(document.source.text))
    page = source_page(document, engine.documents(), marked)
    modules = modules_of("source.js")
    return render("source.html", request.scope, page=page, kinds=KIND_NAMES, modules=modules)


@reference_router.get("/docs")
def reference_page(request: Request) -> HTMLResponse:
    """The API reference, written from the same document that `/openapi.json` serves."""
    return render("reference.html", request.scope, operations=operations(request.app.openapi()), codes=CODES)


@reference_router.get("/openapi-tools.json", response_class=JSONResponse)
def tools(request: Request) -> JSONResponse:
    """The document for platforms that import tools, with the address they reached us at."""
    return JSONResponse(tools_document(request.app.openapi(), linker_of(request)("/").rstrip("/")))
