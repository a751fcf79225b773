"""The JSON of Dify's External Knowledge API, as Dify publishes it, and what else its code sends.

Unknown fields are ignored here: Dify adds some from version to version. Numbers may be texts, because
forks send their form's values as they are; a number of results that is out of range is brought into it,
for a refusal would reach the user as "nothing found". A threshold out of range is refused: 80 could be
0.8 or a mistake, and every reading of it gives another result. What a condition may be is checked by
`conditions`, whose messages say more.
"""

# ruff: noqa: D415 -- the docstrings are the published descriptions, in Chinese

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from api.dify.conditions import (
    ALIASES,
    MAX_CONDITIONS,
    MAX_NAMES,
    MAX_VALUE_CHARS,
    MAX_VALUES,
    OPERATORS,
)

DEFAULT_TOP_K = 10
MAX_TOP_K = 50

_WHOLE = "-?[0-9]{1,18}"
_SHARE = r"(0|1|0?\.[0-9]{1,18}|1\.0{1,18})"
_NULL = {"type": "null"}


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _top_k(sent: Any) -> int:
    if sent is None:
        return DEFAULT_TOP_K
    if isinstance(sent, str) and re.fullmatch(_WHOLE, sent):
        sent = int(sent)
    if isinstance(sent, bool) or not isinstance(sent, (int, float)) or sent != int(sent):
        raise PydanticCustomError("int_type", "a whole number")
    return max(1, min(MAX_TOP_K, int(sent)))


def _threshold(sent: Any) -> float:
    if sent is None:
        return 0.0
    if isinstance(sent, str) and re.fullmatch(_SHARE, sent):
        sent = float(sent)
    if isinstance(sent, bool) or not isinstance(sent, (int, float)):
        raise PydanticCustomError("float_type", "a number")
    return float(
        max(-1.0, min(2.0, sent))
    )  # an integer may be too long for a float; what is out of range stays so


class RetrievalSetting(_Request):
    """检索参数。"""

    top_k: Annotated[
        int,
        BeforeValidator(_top_k),
        WithJsonSchema({"anyOf": [{"type": "integer"}, {"type": "string", "pattern": f"^{_WHOLE}$"}, _NULL]}),
    ] = Field(
        default=DEFAULT_TOP_K,
        description=f"最多返回几条；小于 1 按 1，大于 {MAX_TOP_K} 按 {MAX_TOP_K}",
        examples=[4],
    )
    score_threshold: Annotated[
        float,
        BeforeValidator(_threshold),
        Field(ge=0, le=1),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "number", "minimum": 0, "maximum": 1},
                    {"type": "string", "pattern": f"^{_SHARE}$"},
                    _NULL,
                ]
            }
        ),
    ] = Field(
        default=0.0,
        description="只要 score 不低于此值的；0 表示不过滤。与返回的 score 是同一个数",
        examples=[0.5],
    )


_SCALAR = [{"type": "string"}, {"type": "number"}]
_CONDITION = {
    "type": "object",
    "description": "一个条件",
    "required": ["name", "comparison_operator"],
    "properties": {
        "name": {
            "description": "元数据的名称，即返回的 metadata 里的键；给几个时，合起来看它们的值",
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MAX_NAMES},
            ],
        },
        "comparison_operator": {
            "type": "string",
            "enum": [*OPERATORS, *ALIASES],
            "description": "比较方式，含义同 Dify",
        },
        "value": {
            "description": "比较的值；empty 和 not empty 不需要；其余没有值的条件不起作用。"
            f"一项最长 {MAX_VALUE_CHARS} 个字符，数组（或用逗号隔开的文字）最多 {MAX_VALUES} 项",
            "anyOf": [
                *_SCALAR,
                {"type": "array", "items": {"anyOf": [*_SCALAR, _NULL]}, "maxItems": MAX_VALUES},
                _NULL,
            ],
        },
    },
}
_CONDITIONS = {
    "description": "元数据筛选；不筛选时省略或为 null",
    "anyOf": [
        {
            "type": "object",
            "properties": {
                "logical_operator": {
                    "enum": ["and", "or", None],
                    "description": "都要满足（and，默认）还是满足一个（or）",
                },
                "conditions": {
                    "anyOf": [{"type": "array", "items": _CONDITION, "maxItems": MAX_CONDITIONS}, _NULL]
                },
            },
        },
        _NULL,
    ],
}


class RetrievalRequest(_Request):
    """Dify 的检索请求。"""

    knowledge_id: str = Field(
        description="文库的名称返回检索到的段落；后面加 .answer，返回本服务答案里已核对的引文，弃答时为空",
        examples=["default"],
    )
    query: str = Field(
        description="要找的内容；只用前 2000 个字符，空的得到空结果", examples=["灯塔是哪一年建成的？"]
    )
    retrieval_setting: RetrievalSetting | None = Field(default=None, description="检索参数；省略时用默认值")
    metadata_condition: Annotated[Any, WithJsonSchema(_CONDITIONS)] = None


class RecordOut(_Reply):
    """一条记录。"""

    content: str = Field(description="原文中逐字的一段（已接续折行）")
    score: float = Field(ge=0, le=1, description="相关度，0 到 1")
    title: str = Field(description="行号和文章标题；同一篇的几条记录列出各自的行")
    metadata: dict[str, Any] = Field(
        description="document_id、document_name、title、authors、affiliation、source（文件名，也叫 name）、"
        "date、source_url、tags、paragraph、"
        "start_char、end_char、start_line、end_line、url、source_sha256、quote_sha256（content 的）、score；"
        "段落另有 chunk_id，引文另有 number、match、answer（整个答案；有引文没有返回时，"
        "只有引文都返回了的句子，一句也没有就没有这一项）"
    )


class RetrievalReply(_Reply):
    """检索结果。"""

    records: list[RecordOut] = Field(description="记录；没有合适的就是空列表")


class DifyErrorReply(_Reply):
    """Dify 形式的错误。"""

    error_code: int = Field(
        description="1001 没有带密钥或写法不对，1002 密钥不对，2001 没有这个知识库；其余同 HTTP 状态码",
        examples=[2001],
    )
    error_msg: str = Field(description="给人看的说明：收到了什么、允许什么、该怎么办")
