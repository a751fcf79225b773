"""The pages for people: ask (`/`), a document in its printed lines (`/documents/{id}`), reference (`/docs`).

They are not part of the OpenAPI document. Pages render in worker threads, like everything that computes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from api.engine_slot import OpenLibrary
from api.errors.codes import CODES
from api.errors.handling import error_response, note_refusal, wants_page
from api.guards.auth import caller_of
from api.library_records import COLLECTION_NAME, CitationClaim, Resolution
from api.openapi.tools import tools_document
from api.pages.links import linker_of
from api.pages.reference import operations
from api.pages.rendering import modules_of, render, root_of
from api.pages.source_page import MAX_OFFSET, parse_chars, parse_line, source_page
from api.pages.source_views import KIND_NAMES
from api.ports import Library
from api.routes.documents import checked_id, find_document
from api.settings import ApiSettings
from rag.errors import NotFoundError
from rag.inputs import MAX_HISTORY_TURNS, MAX_QUESTION_CHARS, MAX_TURN_CHARS
from rag.records import Document

router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)
GONE: Mapping[str, str] = {"removed": "document_removed", "changed": "document_replaced"}
"""What became of a document that is gone, and the code that says so."""

reference_router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)


@router.get("/")
def ask_page(request: Request) -> HTMLResponse:
    """The page with the question box."""
    settings = cast("ApiSettings", request.app.state.settings)
    return render(
        "ask.html",
        request.scope,
        docs=settings.docs,
        feedback=settings.data_dir is not None,
        questions_stored=settings.store_questions,
        modules=modules_of("ask.js"),
        max_chars=MAX_QUESTION_CHARS,
        max_turns=MAX_HISTORY_TURNS,
        max_turn_chars=MAX_TURN_CHARS,
        max_bytes=settings.max_body_bytes,
    )


@router.get("/documents/{document_id}")
def document_page(
    document_id: str,
    library: OpenLibrary,
    request: Request,
    chars: str | None = None,
    part: str | None = None,
    line: str | None = None,
    goto: str | None = None,
    collection: str | None = None,
) -> Response:
    """A document with its printed lines; `?chars=START-END` marks those source characters.

    Of a very long source it is the part around them; `part` (as the page's own links name it) or `line`
    asks for another. `goto` is what the field for a line number sends: it leads on to that line. What is said
    of the document is as `collection` has it, if that holds it.

    An id is made from the text, so a link to a document that is gone never shows another text in its place.
    """
    chosen = collection if collection and COLLECTION_NAME.fullmatch(collection) else None
    engine = library.engine_holding(checked_id(document_id), chosen)
    try:
        document = find_document(engine, document_id)
    except NotFoundError:
        start, end = parse_chars(chars, MAX_OFFSET) or (0, 1)
        resolution = library.resolve(None, CitationClaim(document_id, start, end))
        if resolution.status not in GONE:
            raise
        return _gone(library, resolution, request, chosen)
    text = document.source.text
    here = f"{root_of(request.scope)}/documents/{document_id}"
    wanted = parse_line(goto)
    if wanted is not None:
        number = min(wanted, text.count("\n") + 1)
        also = f"&collection={chosen}" if chosen else ""
        return RedirectResponse(f"{here}?line={number}{also}#L{number}", status_code=303)
    marked = parse_chars(chars, len(text))
    page = source_page(
        document,
        engine.documents(),
        marked,
        part=parse_chars(part, len(text)),
        line=parse_line(line),
    )
    return render(
        "source.html",
        request.scope,
        page=page,
        marked=marked,
        here=here,
        collection=chosen,
        kinds=KIND_NAMES,
        modules=modules_of("source.js"),
    )


def _gone(library: Library, resolution: Resolution, request: Request, collection: str | None) -> Response:
    code = GONE[resolution.status]
    if not wants_page(request.scope):
        return error_response(request.scope, code, resolution.message)
    note_refusal(request.scope, code)
    # An id opens its document to everybody: whoever knows that of one has not been told that of another.
    told = resolution.replaced_by if caller_of(request.scope).may_read else ()
    successors = [_held(library, identifier, collection) for identifier in told]
    return render(
        "gone.html",
        request.scope,
        status=CODES[code].status,
        row=CODES[code],
        resolution=resolution,
        collection=collection,
        successors=[document for document in successors if document],
    )


def _held(library: Library, document_id: str, collection: str | None) -> Document | None:
    try:
        return library.engine_holding(document_id, collection).document(document_id)
    except NotFoundError:
        return None


@reference_router.get("/docs")
def reference_page(request: Request) -> HTMLResponse:
    """The API reference, written from the same document that `/openapi.json` serves."""
    return render("reference.html", request.scope, operations=operations(request.app.openapi()), codes=CODES)


@reference_router.get("/openapi-tools.json", response_class=JSONResponse)
def tools(request: Request) -> JSONResponse:
    """The document for platforms that import tools, with the address they reached us at."""
    return JSONResponse(tools_document(request.app.openapi(), linker_of(request)("/").rstrip("/")))
