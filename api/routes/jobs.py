"""`/v1/jobs` and `POST /v1/admin/reindex`: work that takes its time, looked at, and called off."""

from __future__ import annotations

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from api.engine_slot import OpenLibrary
from api.errors.declared import CHANGES, HAS_JSON_BODY, NEEDS_ENGINE, NEEDS_KEY, declare
from api.errors.handling import RETRY_AFTER_SECONDS
from api.guards.auth import caller_of, scope_missing
from api.library.lookup import no_collection
from api.library_records import Job, JobState
from api.wire.document_convert import job_out
from api.wire.document_schemas import CollectionName, JobListReply, JobOut, JobReply, ReindexIn
from api.wire.strict_route import StrictJsonRoute
from rag.errors import InputError, NotFoundError
from rag.inputs import excerpt

router = APIRouter(tags=["文库"])
_json_router = APIRouter(route_class=StrictJsonRoute, tags=["文库"])

MAX_LISTED = 1000
_JOB_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def job_headers(job: Job, request: Request) -> dict[str, str]:
    """Where to look for a job that goes on, and when to look again."""
    root = request.scope.get("root_path", "").rstrip("/")
    return {"Location": f"{root}/v1/jobs/{job.job_id}", "Retry-After": str(RETRY_AFTER_SECONDS)}


@router.get(
    "/v1/jobs",
    operation_id="listJobs",
    summary="列出各件工作",
    description="没有结束的都在，最后结束的也在；后来的在前。重新启动后不再记得早先结束的。",
    response_description="各件工作此刻的样子",
    responses=declare(*NEEDS_KEY, "collection_not_found", "invalid_request", *NEEDS_ENGINE),
)
def list_jobs(
    library: OpenLibrary,
    collection: Annotated[CollectionName | None, Query(description="只要这个文库的")] = None,
    state: Annotated[list[JobState] | None, Query(description="只要这样的；写几次就是其中任何一个")] = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LISTED, description="最多几件")] = 100,
) -> JobListReply:
    """List jobs, the latest first; also those of a collection that has been removed."""
    jobs = [job for job in reversed(library.jobs()) if collection in (None, job.collection)]
    if collection is not None and not jobs and collection not in {one.name for one in library.collections()}:
        raise no_collection(collection)
    found = [job for job in jobs if not state or job.state in state]
    return JobListReply(jobs=[job_out(job) for job in found[:limit]], total=len(found))


@router.get(
    "/v1/jobs/{job_id}",
    operation_id="getJob",
    summary="看一件工作做到哪里了",
    description="添加文档的任务完成后才能检索到；失败时说明原因。重新启动后不再记得早先完成的。",
    response_description="此刻的样子",
    responses=declare(*NEEDS_KEY, "job_not_found", *NEEDS_ENGINE),
)
def get_job(job_id: str, library: OpenLibrary) -> JobOut:
    """Tell how far a job is."""
    return job_out(library.job(_checked(job_id)))


@router.delete(
    "/v1/jobs/{job_id}",
    operation_id="cancelJob",
    summary="取消一件工作",
    description="答复时起，它要做的不会再发生，断电重启也不会；正在编码的做完手上这一批就停。"
    "已经取消的再取消，答复相同。重新编码和标定要有 admin 权限才能取消。",
    response_description="取消以后的样子；`notes` 说明留下了什么",
    responses=declare(*NEEDS_KEY, "job_not_found", "job_ended", "overloaded", *CHANGES, *NEEDS_ENGINE),
)
def cancel_job(job_id: str, library: OpenLibrary, request: Request) -> JobOut:
    """Call a job off."""
    key = caller_of(request.scope).key
    # Whoever may not begin it may not end it.
    if library.job(_checked(job_id)).kind != "add" and key is not None and not key.allows("admin"):
        raise InputError(scope_missing(key, "admin"), code="scope_missing")
    return job_out(library.cancel(job_id))


@router.post(
    "/v1/jobs/{job_id}/retry",
    operation_id="retryJob",
    summary="再做一次失败的添加",
    description="失败而文字还在的任务（`kept` 为 true），用原来的编号再做一次。",
    status_code=202,
    response_description="任务",
    responses=declare(*NEEDS_KEY, "job_not_found", "job_ended", "overloaded", *CHANGES, *NEEDS_ENGINE),
)
def retry_job(job_id: str, library: OpenLibrary, request: Request, response: Response) -> JobReply:
    """Do a job again that has kept its text."""
    job = library.retry(_checked(job_id))
    response.headers.update(job_headers(job, request))
    return JobReply(job=job_out(job))


def _checked(job_id: str) -> str:
    if not _JOB_ID.fullmatch(job_id):
        raise NotFoundError(f"没有编号为{excerpt(job_id)}的任务。", code="job_not_found")
    return job_id


@_json_router.post(
    "/v1/admin/reindex",
    operation_id="reindex",
    summary="把一个文库重新编码，可以换编码模型",
    description="在后台进行，期间照常作答；全部完成后一次换上。",
    status_code=202,
    response_description="任务",
    responses=declare(*HAS_JSON_BODY, "collection_not_found", "overloaded", *CHANGES, *NEEDS_ENGINE),
)
def reindex(body: ReindexIn, library: OpenLibrary, request: Request, response: Response) -> JobReply:
    """Begin to encode a collection anew."""
    job = library.reindex(body.collection, body.encoder)
    response.headers.update(job_headers(job, request))
    return JobReply(job=job_out(job))


router.include_router(_json_router)
