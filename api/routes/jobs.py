"""`GET /v1/jobs/{id}` and `POST /v1/admin/reindex`: work that takes its time."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response

from api.engine_slot import OpenLibrary
from api.errors.declared import CHANGES, HAS_JSON_BODY, NEEDS_ENGINE, NEEDS_KEY, declare
from api.errors.handling import RETRY_AFTER_SECONDS
from api.library_records import Job
from api.wire.document_convert import job_out
from api.wire.document_schemas import JobOut, JobReply, ReindexIn
from api.wire.strict_json import StrictJsonRoute
from rag.errors import NotFoundError
from rag.inputs import excerpt

router = APIRouter(tags=["文库"])
_json_router = APIRouter(route_class=StrictJsonRoute, tags=["文库"])

_JOB_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")


def job_headers(job: Job, request: Request) -> dict[str, str]:
    """Where to look for a job that goes on, and when to look again."""
    root = request.scope.get("root_path", "").rstrip("/")
    return {"Location": f"{root}/v1/jobs/{job.job_id}", "Retry-After": str(RETRY_AFTER_SECONDS)}


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
    if not _JOB_ID.fullmatch(job_id):
        raise NotFoundError(f"没有编号为{excerpt(job_id)}的任务。", code="job_not_found")
    return job_out(library.job(job_id))


@_json_router.post(
    "/v1/admin/reindex",
    operation_id="reindex",
    summary="把一个文库重新编码，可以换编码模型",
    description="在后台进行，期间照常作答；全部完成后一次换上。",
    status_code=202,
    response_description="任务",
    responses=declare(*HAS_JSON_BODY, "collection_not_found", *CHANGES, *NEEDS_ENGINE),
)
def reindex(body: ReindexIn, library: OpenLibrary, request: Request, response: Response) -> JobReply:
    """Begin to encode a collection anew."""
    job = library.reindex(body.collection, body.encoder)
    response.headers.update(job_headers(job, request))
    return JobReply(job=job_out(job))


router.include_router(_json_router)
