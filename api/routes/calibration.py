"""`/v1/collections/{name}/calibration`: what confidence rests on, fitted and forgotten."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from api.engine_slot import OpenLibrary
from api.errors.declared import CHANGES, HAS_JSON_BODY, NEEDS_ENGINE, NEEDS_KEY, declare
from api.routes.collections import checked_name
from api.routes.jobs import job_headers
from api.wire.calibration_schemas import CalibrationForgottenReply, CalibrationIn, CalibrationReply
from api.wire.document_convert import calibration_out, job_out
from api.wire.document_schemas import JobReply
from api.wire.strict_route import StrictJsonRoute

router = APIRouter(tags=["文库"])


class _QuestionsRoute(StrictJsonRoute):
    """A route for many small questions."""

    max_pieces = 200_000


_json_router = APIRouter(route_class=_QuestionsRoute, tags=["文库"])

PATH = "/v1/collections/{name}/calibration"
PATTERN = r"/v1/collections/[^/]+/calibration"
_NO_LIBRARY = ("collection_not_found", *NEEDS_ENGINE)


@_json_router.post(
    PATH,
    operation_id="calibrate",
    summary="用标注过的题目标定一个文库的可信度",
    description="在后台逐题判断，不作答，也不计入统计；让可信度变差的结果不存下。"
    "结果在任务的 `calibrated` 里。",
    status_code=202,
    response_description="任务",
    responses=declare(*HAS_JSON_BODY, "invalid_questions", "overloaded", *CHANGES, *_NO_LIBRARY),
)
def calibrate(
    name: str, body: CalibrationIn, library: OpenLibrary, request: Request, response: Response
) -> JobReply:
    """Begin to fit the confidence of a collection to labelled questions."""
    job = library.calibrate(checked_name(name), body.questions, keep=body.keep)
    response.headers.update(job_headers(job, request))
    return JobReply(job=job_out(job))


@router.get(
    PATH,
    operation_id="getCalibration",
    summary="看一个文库现在的标定",
    response_description="现在的标定",
    responses=declare(*NEEDS_KEY, *_NO_LIBRARY),
)
def get_calibration(name: str, library: OpenLibrary) -> CalibrationReply:
    """Tell the calibration that a collection has."""
    found = library.calibration(checked_name(name))
    return CalibrationReply(collection=name, calibration=None if found is None else calibration_out(found))


@router.delete(
    PATH,
    operation_id="forgetCalibration",
    summary="去掉一个文库的标定，回到出厂的拟合",
    response_description="去掉了没有",
    responses=declare(*NEEDS_KEY, "overloaded", *CHANGES, *_NO_LIBRARY),
)
def forget_calibration(name: str, library: OpenLibrary) -> CalibrationForgottenReply:
    """Forget the calibration that a collection has."""
    return CalibrationForgottenReply(
        collection=name, forgotten=library.forget_calibration(checked_name(name))
    )


router.include_router(_json_router)
