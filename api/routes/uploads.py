"""`POST`, `PUT` and `DELETE` of `/v1/documents`: what the corpus holds, changed.

A body is taken apart and converted in a thread, one at a time, while the request holds a place among few
(`api.uploads.gate`). The place is given back before the wait for the library begins, so that a caller who
waits for the text to be encoded keeps nobody from uploading.

A caller who leaves before the library has accepted the text ends the upload: the conversion is killed, and
nothing is kept. What was accepted is durable and goes on without a caller; `DELETE /v1/jobs/{id}` calls it
off.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from time import monotonic
from typing import Annotated

import anyio.to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import JSONResponse, Response

from api.engine_slot import OpenLibrary
from api.errors.declared import (
    CHANGES,
    HAS_JSON_BODY,
    NEEDS_ENGINE,
    NEEDS_KEY,
    TAKES_FILES,
    Responses,
    declare,
)
from api.library.lookup import no_document
from api.library_records import Job
from api.ports import Library
from api.routes.documents import checked_id
from api.routes.jobs import job_headers
from api.uploads.gate import UploadPlace, place_of
from api.uploads.reading import convert_draft, read_draft
from api.wire.document_convert import added_reply, described_reply, job_out, removed_reply, said_in
from api.wire.document_schemas import (
    AddedReply,
    CollectionName,
    DescribedReply,
    JobReply,
    MetadataChangeIn,
    RemovedReply,
    body_kinds,
)
from api.wire.streaming import whole_answer
from api.wire.strict_route import StrictJsonRoute
from rag.errors import CewenError, InputError, UnavailableError
from rag.metadata import Filters
from rag.records import DEFAULT_COLLECTION

router = APIRouter(tags=["文库"])
_json_router = APIRouter(route_class=StrictJsonRoute, tags=["文库"])

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
    200: {
        "model": AddedReply,
        "description": "内容相同的早已在库里；另给了名称或元数据的，改了什么写在 notes 里",
    },
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
_ENDED = ("collection_not_found", "job_cancelled", "upload_abandoned")
_ERRORS = (*NEEDS_KEY, *TAKES_FILES, *_ENDED, *CHANGES, *NEEDS_ENGINE)


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
    description=f"{_BODIES}编号是文档的或文稿的；那份文稿的各篇同时让位给新的，"
    "中间没有一刻两者都在或都不在。一项书目信息也没写，就沿用旧的那一份的，notes 里说明。",
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


@_json_router.patch(
    "/v1/documents/{document_id}",
    operation_id="describeDocument",
    summary="改一份文稿的书目信息",
    description="只改书目信息，正文、向量、编号都不动，什么也不重新编码；答复时起，筛选、标题、引文都用新的。"
    "编号是文档的或文稿的，改的是整份文稿的。改过的文稿排到列表最后。",
    response_description="各篇现在的样子",
    responses=declare(
        *HAS_JSON_BODY,
        "invalid_metadata",
        "document_not_found",
        "collection_not_found",
        "overloaded",
        *CHANGES,
        *NEEDS_ENGINE,
    ),
)
def describe_document(
    document_id: str,
    change: MetadataChangeIn,
    library: OpenLibrary,
    collection: CollectionName = DEFAULT_COLLECTION,
) -> DescribedReply:
    """Change what is said of a source."""
    if not change.model_fields_set:
        raise InputError(
            "没有写要改什么。请写 title、authors、date、source_url、tags 中至少一项；要去掉的写 null。",
            code="invalid_request",
        )
    ids = library.describe(collection, checked_id(document_id), said_in(change))
    entries = library.entries(collection, Filters(document_ids=ids))
    if not entries:  # somebody has removed them meanwhile
        raise no_document(collection, document_id)
    return described_reply(entries)


@router.delete(
    "/v1/documents/{document_id}",
    operation_id="removeDocument",
    summary="删除一篇文档，或一份文稿的各篇",
    description="编号是文档的或文稿的。答复时起不会再被检索到，它的文字也不再显示；"
    "一份文稿的最后一篇删去时，文字从存储里擦去。",
    response_description="删除了哪些",
    responses=declare(
        *NEEDS_KEY,
        "invalid_request",
        "document_not_found",
        "collection_not_found",
        "overloaded",
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
        begin = partial(_begin, parts, request, library, replaces)
        job = await whole_answer(begin, request)
    place.leave()
    job = await _awaited(job, library, wait, request, place)
    if job.state == "cancelled":
        raise CewenError("这份文稿的任务已被取消，没有加入文库。需要时请重新添加。", code="job_cancelled")
    if job.state == "failed":
        if job.kept and not job.took_over and not await request.is_disconnected():
            await anyio.to_thread.run_sync(_let_go, job, library, limiter=place.waiters)
        raise CewenError(job.error_message or "", code=job.error_code)
    if job.state != "done":
        going_on = JobReply(job=job_out(job)).model_dump()
        return JSONResponse(going_on, status_code=202, headers=job_headers(job, request))
    reply = await anyio.to_thread.run_sync(_added, job, library)
    return JSONResponse(reply.model_dump(), status_code=201 if job.created else 200)


def _begin(
    parts: list[bytes],
    request: Request,
    library: Library,
    replaces: str | None,
    left: Callable[[], bool],
) -> Job:
    draft = read_draft(parts, request.headers)
    library.engine(draft.collection)  # refuses a wrong name before anything is converted
    upload = convert_draft(draft, left)
    if left():
        raise UnavailableError("发送的一方已经离开，没有收下。", code="upload_abandoned")
    return library.add(draft.collection, upload, replaces=replaces)


async def _awaited(job: Job, library: Library, seconds: float, request: Request, place: UploadPlace) -> Job:
    """The job once it has ended or the time is over; sooner if the caller has gone, or the service goes.

    Whoever waits when the service leaves would be cut off; what was accepted is done after the next start.
    """
    deadline, leaving = monotonic() + seconds, request.app.state.observing.leaving
    while (
        not job.ended
        and not leaving.begun
        and (left := deadline - monotonic()) > 0
        and not await request.is_disconnected()
    ):
        job = await anyio.to_thread.run_sync(
            library.wait, job.job_id, min(left, _SLICE_SECONDS), limiter=place.waiters
        )
    return job


def _let_go(job: Job, library: Library) -> None:
    """Keep no text of which the caller is told here that it is refused."""
    with suppress(CewenError):  # a disk that is full, say: it is done again at the next start
        library.cancel(job.job_id)


def _added(job: Job, library: Library) -> AddedReply:
    entries = library.entries(job.collection, Filters(document_ids=job.document_ids))
    return added_reply(job, entries)


router.include_router(_json_router)
