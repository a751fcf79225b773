"""`GET /v1/documents…`: what the corpus holds, and the stored text byte for byte."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request
from starlette.responses import PlainTextResponse, Response

from api.convert import document_detail, document_out
from api.declared_errors import NEEDS_DOCUMENT, NEEDS_ENGINE, NEEDS_KEY, declare
from api.engine_slot import OpenEngine
from api.ports import Engine
from api.schemas import DocumentDetailOut, DocumentListReply
from rag.errors import NotFoundError
from rag.inputs import excerpt
from rag.records import Document

router = APIRouter(tags=["文库"])

_DOCUMENT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def find_document(engine: Engine, document_id: str) -> Document:
    """The document of that id.

    Raises:
        NotFoundError: `document_not_found`. An id that cannot be one never reaches the engine.
    """
    if not _DOCUMENT_ID.fullmatch(document_id):
        raise NotFoundError(
            f"没有编号为{excerpt(document_id)}的文档。请用 GET /v1/documents 查看现有文档。",
            code="document_not_found",
        )
    return engine.document(document_id)


@router.get(
    "/v1/documents",
    operation_id="listDocuments",
    summary="列出全部文档",
    description="按阅读次序，只有标题、作者等，不含正文；正文用编号去取。",
    response_description="文库中的全部文档",
    responses=declare(*NEEDS_KEY, *NEEDS_ENGINE),
)
def list_documents(engine: OpenEngine) -> DocumentListReply:
    """List every document, in reading order."""
    return DocumentListReply(documents=[document_out(document) for document in engine.documents()])


@router.get(
    "/v1/documents/{document_id}",
    operation_id="getDocument",
    summary="取一篇文档的正文",
    description="各段文字已接续折行；偏移和行号都指向源文件。",
    response_description="文档及其正文",
    responses=declare(*NEEDS_KEY, *NEEDS_DOCUMENT),
)
def get_document(document_id: str, engine: OpenEngine) -> DocumentDetailOut:
    """Give one document with its paragraphs."""
    return document_detail(find_document(engine, document_id))


@router.get(
    "/v1/documents/{document_id}/source",
    operation_id="getDocumentSource",
    summary="取源文件的文字，一字不改",
    description="UTF-8 编码；引文的 `start_char`、`end_char` 就是对这份文字按 Unicode 码位计数。"
    "ETag 是内容的 SHA-256，与 `source_sha256` 相同。",
    response_class=PlainTextResponse,
    response_description="源文件的文字",
    responses={304: {"description": "与 If-None-Match 所带的相同，内容从略"}, **declare(*NEEDS_DOCUMENT)},
)
def get_document_source(document_id: str, engine: OpenEngine, request: Request) -> Response:
    """Give the stored source text, byte for byte."""
    source = find_document(engine, document_id).source
    headers = {"ETag": f'"{source.sha256}"'}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or source.sha256 in re.findall(r'"([^"]*)"', known):
        return Response(status_code=304, headers=headers)
    return PlainTextResponse(source.text.encode("utf-8"), headers=headers)
