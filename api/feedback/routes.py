"""`POST /v1/feedback`: whether an answer helped.

Answers are not kept, so any id of the right form is taken. The file is written in a worker thread.
"""

from __future__ import annotations

from functools import partial
from typing import cast

import anyio.to_thread
from fastapi import APIRouter, Request, Response

from api.errors.declared import HAS_JSON_BODY, Responses, declare
from api.feedback.records import is_answer_id
from api.feedback.schemas import FeedbackReply, FeedbackRequest
from api.feedback.service import FeedbackService
from api.observing.service import Observing
from api.wire.strict_route import StrictJsonRoute
from rag.errors import InputError
from rag.inputs import CONTROL, excerpt, is_blank

router = APIRouter(route_class=StrictJsonRoute, tags=["问答"])

_BUSY_SECONDS = 2.0
_NEW: Responses = {201: {"model": FeedbackReply, "description": "已记下新的评价"}}


@router.post(
    "/v1/feedback",
    operation_id="sendFeedback",
    summary="评价一次答复",
    description="一次答复只有一条评价，后来的代替先前的（200）；新的评价为 201。默认不存问题和答案，"
    "所以编号只看写法；`question_stored` 说明服务是否存有这次的问题。",
    response_description="已代替先前的评价",
    responses=_NEW | declare(*HAS_JSON_BODY, "shutting_down", "feedback_unusable", "feedback_busy"),
)
async def send_feedback(body: FeedbackRequest, request: Request, response: Response) -> FeedbackReply:
    """Keep a reader's verdict on an answer."""
    if not is_answer_id(body.answer_id):
        raise InputError(
            f"answer_id 是{excerpt(body.answer_id)}，不是答复的编号：应为 1 到 64 个字母、数字、点、"
            "下划线或连字符。请原样写上答复里的 id。"
        )
    service = cast("FeedbackService", request.app.state.feedback)
    record = partial(
        service.store.record,
        body.answer_id,
        body.verdict,
        _checked_note(body.note or ""),
        busy_seconds=_BUSY_SECONDS,
    )
    recorded = await anyio.to_thread.run_sync(record)
    cast("Observing", request.app.state.observing).metrics.count_feedback(body.verdict)
    response.status_code = 201 if recorded.created else 200
    return FeedbackReply(
        id=recorded.feedback.feedback_id,
        answer_id=recorded.feedback.answer_id,
        verdict=recorded.feedback.verdict,
        recorded_at=recorded.feedback.recorded_at,
        question_stored=recorded.question_stored,
    )


def _checked_note(note: str) -> str:
    """The note, "" if there is nothing to read in it."""
    if found := CONTROL.search(note):
        raise InputError(
            f"note 的第 {found.start() + 1} 个字符是控制字符 U+{ord(found[0]):04X}。"
            "除换行和制表符外不接受控制字符，请删去后再试。",
            code="invalid_text",
        )
    return "" if is_blank(note) else note
