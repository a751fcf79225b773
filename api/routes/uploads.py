"""`POST`, `PUT` and `DELETE` of `/v1/documents`: what the corpus holds, changed.

A body is taken apart and converted in a thread, one at a time, while the request holds a place among few
(`api.uploads.gate`). The place is given back before the wait for the library begins, so that a caller who
waits for the text to be encoded keeps nobody from uploading.
"""

from __future__ import annotations

from time import monotonic
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.engine_slot import OpenLibrary
from api.errors.declared import CHANGES, NEEDS_ENGINE, NEEDS_KEY, TAKES_FILES, Responses, declare
from api.library_records import DEFAULT_COLLECTION, Job
from api.ports import Library
from api.routes.documents import checked_id
from api.routes.jobs import job_headers
from api.uploads.gate import UploadPlace, place_of
from api.uploads.reading import convert_draft, read_draft
from api.wire.document_convert import added_reply, job_out, removed_reply
from api.wire.document_schemas import AddedReply, CollectionName, JobReply, RemovedReply, body_kinds
from rag.errors import CewenError
from rag.metadata import Filters

router = APIRouter(tags=["文库"])

MAX_WAIT_SECONDS = 120
_SLICE_SECONDS = 1.0
"""After so long in one go a waiting upload looks whether its caller is still there, and lets others look."""

Wait = Annotated[
    float,
    Query(
        ge=0,
        le=MAX_WAIT_SECONDS,
        allow_inf_nan=False,
        description="最多等多少秒；到时还没有完成，答 202 和任务的编号",
    ),
]

_BODIES = (
    "正文有两种写法。`application/json`：文字本身，按原样存放。`multipart/form-data`：一个文件"
    "（.txt、.md、.html、.htm、.docx、.pdf，最多 20 MB），由服务转成文字。"
)
_REPLIES: Responses = {
    200: {"model": AddedReply, "description": "内容相同的早已在库里，没有改动"},
    201: {"model": AddedReply, "description": "已经添加，可以检索了"},
    202: {
        "model": JobReply,
        "description": "已经收下，断电也不会丢；还在编码，完成后才能检索",
        "headers": {
            "Location": {"description": "任务的地址", "schema": {"type": "string"}},
            "Retry-After": {"description": "多少秒后再看", "schema": {"type": "integer"}},
        },
    },
}
_ERRORS = (*NEEDS_KEY, *TAKES_FILES, "collection_not_found", *CHANGES, *NEEDS_ENGINE)


@router.post(
    "/v1/documents",
    operation_id="addDocument",
    summary="添加一份文稿",
    description=f"{_BODIES}答 201 时已经可以检索。",
    status_code=201,
    response_model=AddedReply,
    responses={**declare(*_ERRORS), **_REPLIES},
    openapi_extra=body_kinds(),
)
async def add_document(request: Request, library: OpenLibrary, wait: Wait = 30) -> Response:
    """Add a text, or a file's text."""
    return await _take(request, library, wait, None)


@router.put(
    "/v1/documents/{document_id}",
    operation_id="replaceDocument",
    summary="用一份文稿代替另一份",
    description=f"{_BODIES}编号是文档的或文稿的；那份文稿的各篇同时让位给新的，中间没有一刻两者都在或都不在。",
    status_code=201,
    response_model=AddedReply,
    responses={**declare(*_ERRORS, "document_not_found"), **_REPLIES},
    openapi_extra=body_kinds(),
)
async def replace_document(
    document_id: str, request: Request, library: OpenLibrary, wait: Wait = 30
) -> Response:
    """Put a text in the place of another."""
    return await _take(request, library, wait, checked_id(document_id))


@router.delete(
    "/v1/documents/{document_id}",
    operation_id="removeDocument",
    summary="删除一篇文档，或一份文稿的各篇",
    description="编号是文档的或文稿的。答复时起不会再被检索到，文字也已从存储里擦去。",
    response_description="删除了哪些",
    responses=declare(
        *NEEDS_KEY,
        "invalid_request",
        "document_not_found",
        "collection_not_found",
        *CHANGES,
        *NEEDS_ENGINE,
    ),
)
def remove_document(
    document_id: str, library: OpenLibrary, collection: CollectionName = DEFAULT_COLLECTION
) -> RemovedReply:
    """Remove a document, or all documents of a source."""
    return removed_reply(library.remove(collection, checked_id(document_id)))


async def _take(request: Request, library: Library, wait: float, replaces: str | None) -> Response:
    """Read the body, hand it to the library, and wait a while for the end of the job."""
    place = place_of(request.scope)
    parts = [part async for part in request.stream() if part]
    async with place.converting:
        job = await anyio.to_thread.run_sync(_begin, parts, request, library, replaces)
    place.leave()
    job = await _awaited(job, library, wait, request, place)
    if job.state == "failed":
        raise CewenError(job.error_message or "", code=job.error_code)
    if job.state != "done":
        going_on = JobReply(job=job_out(job)).model_dump()
        return JSONResponse(going_on, status_code=202, headers=job_headers(job, request))
    reply = await anyio.to_thread.run_sync(_added, job, library)
    return JSONResponse(reply.model_dump(), status_code=201 if job.created else 200)


def _begin(parts: list[bytes], request: Request, library: Library, replaces: str | None) -> Job:
    draft = read_draft(parts, request.headers)
    library.engine(draft.collection)  # refuses a wrong name before anything is converted
    return library.add(draft.collection, convert_draft(draft), replaces=replaces)


async def _awaited(job: Job, library: Library, seconds: float, request: Request, place: UploadPlace) -> Job:
    """The job once it has ended or the time is over; sooner if the caller has gone."""
    deadline = monotonic() + seconds
    while not job.ended and (left := deadline - monotonic()) > 0 and not await request.is_disconnected():
        job = await anyio.to_thread.run_sync(
            library.wait, job.job_id, min(left, _SLICE_SECONDS), limiter=place.waiters
        )
    return job


def _added(job: Job, library: Library) -> AddedReply:
    entries = library.entries(job.collection, Filters(document_ids=job.document_ids))
    return added_reply(job, entries)
