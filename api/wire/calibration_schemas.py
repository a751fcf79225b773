"""The JSON of calibrating a collection; `document_convert` fills it. See `schemas`."""

# ruff: noqa: D415 -- the docstrings are the published descriptions, in Chinese

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.wire.filter_schemas import Request
from api.wire.schemas import Offset

_EXAMPLES: list[Any] = [
    [
        {"question": "望海角灯塔建于哪一年？", "type": "date", "evidence": [["望海角灯塔建于一九零七年"]]},
        {"question": "望海角灯塔的门票多少钱？", "type": "unanswerable"},
    ]
]


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CalibrationIn(Request):
    """标注过的题目。"""

    # What stands in a question is the library's to check, with a message that says which one is wrong.
    questions: list[dict[str, Any]] = Field(
        description="题目，与 cewen eval 的题目文件逐行相同，最多 2000 题，两种各至少 15 题："
        "`question`；`type`（文库没有答案的写 unanswerable，其他写题型）；有答案的还要 `evidence`"
        "（每项列出可以互换的原文，去掉空白）；可以有 `history`。其余的键不读",
        examples=_EXAMPLES,
    )
    keep: bool = Field(default=True, description="false 只看结果，不存下")


class CalibrationScoresOut(_Reply):
    """标注过的题目判得怎样。"""

    brier: float = Field(description="Brier 分数，越低越好")
    log_loss: float = Field(description="对数损失，越低越好")
    calibration_error: float = Field(description="校准误差，越低越好")
    false_answers: Offset = Field(description="没有答案却作答的题数")
    missed_answers: Offset = Field(description="有答案却不作答的题数")
    threshold: float | None = Field(description="作答的可信度门槛；null 是从不作答")


class CalibratedOut(_Reply):
    """一次标定的结果，由五折交叉验证得出。"""

    collection: str = Field(description="哪个文库")
    kept: bool = Field(description="是否已存下")
    helps: bool = Field(description="可信度是否不比原来差；变差的不存下")
    was_calibrated: bool = Field(description="原来有没有标定")
    answerable: Offset = Field(description="用了多少道有答案的题")
    unanswerable: Offset = Field(description="用了多少道没有答案的题")
    left_out: list[int] = Field(description="由版面信息或规则判定、没有用来标定的是第几题")
    slope: float = Field(description="对 logit 的修正：斜率")
    offset: float = Field(description="对 logit 的修正：截距")
    before: CalibrationScoresOut = Field(description="标定前")
    after: CalibrationScoresOut = Field(description="标定后")


class CalibrationOut(_Reply):
    """一个文库现在的标定。"""

    in_use: bool = Field(description="作答是否照它；为另一个判断模型作的标定放着不用")
    made_at: str = Field(description="标定的时间，UTC，ISO 8601；不知道时为空")
    documents: Offset = Field(description="标定时文库有几篇文档")
    answerable: Offset = Field(description="用了多少道有答案的题")
    unanswerable: Offset = Field(description="用了多少道没有答案的题")
    slope: float = Field(description="对 logit 的修正：斜率")
    offset: float = Field(description="对 logit 的修正：截距")


class CalibrationReply(_Reply):
    """一个文库有没有标定。"""

    collection: str = Field(description="哪个文库")
    calibration: CalibrationOut | None = Field(description="现在的标定；没有时为 null")


class CalibrationForgottenReply(_Reply):
    """标定已经去掉。"""

    collection: str = Field(description="哪个文库")
    forgotten: bool = Field(description="false 表示本来就没有")
