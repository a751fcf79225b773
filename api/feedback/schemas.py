"""The JSON of `POST /v1/feedback`, exactly as published."""

# ruff: noqa: D415 -- the docstrings are the published descriptions, in Chinese

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from api.feedback.records import ANSWER_ID, MAX_NOTE_CHARS, Verdict


class FeedbackRequest(BaseModel):
    """对一次答复的评价。"""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)

    answer_id: str = Field(
        description="答复里的 id",
        examples=["ans_5f0c7d"],
        # Checked by the route, whose message says more.
        json_schema_extra={"pattern": ANSWER_ID, "minLength": 1, "maxLength": 64},
    )
    verdict: Verdict = Field(description="up 有帮助，down 没帮助")
    note: str | None = Field(
        default=None, max_length=MAX_NOTE_CHARS, description="想说的话，可以不填；会存下来，请不要写个人信息"
    )


class FeedbackReply(BaseModel):
    """已记下的评价。"""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    id: str = Field(description="这条评价的编号；改了评价，编号不变")
    answer_id: str = Field(description="所评价的答复")
    verdict: Verdict = Field(description="记下的评价")
    recorded_at: str = Field(description="记下的时间，UTC，ISO 8601", examples=["2026-01-31T08:00:00+00:00"])
    question_stored: bool = Field(description="服务是否存有这次的问题；默认不存问题")
