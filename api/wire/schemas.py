"""The JSON that goes in and out, exactly as published. It holds no logic: `convert` fills these from records.

Requests are strict: "5" and true are no integers, an unknown field is an error, and an error never
repeats what was sent. Lengths of texts are documented here but checked by `rag.inputs`, whose messages
and codes say more than a schema can.
"""

# ruff: noqa: D415 -- the docstrings are the published descriptions, in Chinese

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from api.wire.filter_schemas import FiltersIn, Request
from rag.inputs import MAX_HISTORY_TURNS, MAX_QUERY_CHARS, MAX_QUESTION_CHARS, MAX_TURN_CHARS
from rag.records import DEFAULT_COLLECTION, Calibration, Match, Reason, Status

Unit = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]
Offset = Annotated[int, Field(ge=0)]


class _Reply(BaseModel):
    # `from_attributes` is left off on purpose: `convert` names every field once, so that a new record
    # field is published only when somebody decides so.
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _text(description: str, max_chars: int, example: str) -> Any:
    extra: JsonDict = {"minLength": 1, "maxLength": max_chars}
    return Field(description=description, examples=[example], json_schema_extra=extra)


class TurnIn(Request):
    """此前对话中的一条消息。"""

    role: Literal["user", "assistant"] = Field(description="谁说的", examples=["user"])
    content: str = _text(f"消息文字，1 到 {MAX_TURN_CHARS} 个字符", MAX_TURN_CHARS, "灯塔是哪一年建成的？")


_COLLECTION = Field(
    default=DEFAULT_COLLECTION,
    min_length=1,
    max_length=64,
    description="问哪个文库，见 GET /v1/collections；不填是 default",
    examples=[DEFAULT_COLLECTION],
)
_FILTERS = Field(default=None, description="只在符合条件的文档里找；不填是整个文库")


class AskRequest(Request):
    """提问。"""

    question: str = _text(
        f"要问的话，1 到 {MAX_QUESTION_CHARS} 个字符；简体、繁体、口语、英文都可以",
        MAX_QUESTION_CHARS,
        "灯塔是哪一年建成的？",
    )
    history: list[TurnIn] = Field(
        default=[], max_length=MAX_HISTORY_TURNS, description="此前的对话，旧的在前；用来理解“它”“那里”等指代"
    )
    collection: str = _COLLECTION
    filters: FiltersIn | None = _FILTERS
    top_k: int = Field(default=8, ge=1, le=50, description="最多依据几个段落作答", examples=[8])
    generator: str | None = Field(
        default=None, min_length=1, max_length=64, description="用哪个生成器作答；不填用默认的"
    )
    stream: bool = Field(
        default=False,
        description="true 时以 text/event-stream 逐句返回：citations、delta，最后 done（同不流式的正文）",
        examples=[False],
    )
    explain: bool = Field(default=False, description="是否附上各路检索的原始分数", examples=[False])


class SearchRequest(Request):
    """检索。"""

    query: str = _text(f"要找的内容，1 到 {MAX_QUERY_CHARS} 个字符", MAX_QUERY_CHARS, "灯塔 建成")
    collection: str = _COLLECTION
    filters: FiltersIn | None = _FILTERS
    top_k: int = Field(default=10, ge=1, le=50, description="最多返回几个段落", examples=[10])
    score_threshold: Unit | None = Field(
        default=None, description="只要相关度不低于此值的段落；与返回的 score 是同一个数", examples=[0.5]
    )


class AnswerSentenceOut(_Reply):
    """答案中的一句。"""

    text: str = Field(description="句子，不带角标")
    citations: list[Count] = Field(description="所依据的引文编号，至少一个")
    match: Match = Field(
        description="与原文的关系：exact 逐字相同，normalised 只差书写形式，supported 为转述"
    )


class CitationOut(_Reply):
    """一条引文：原文中逐字的一段，服务端已核对。"""

    number: Count = Field(description="编号，即答案里的 [n]")
    document_id: str = Field(description="文档编号")
    title: str = Field(description="文档的标题；原文没有标题时是显示用的名称")
    authors: list[str] = Field(description="作者，按署名次序")
    paragraph: Offset = Field(description="正文第几段，从 1 起；0 表示标题、署名或附注")
    start_char: Offset = Field(description="在源文件中的起点（Unicode 码位，含）")
    end_char: Offset = Field(description="在源文件中的终点（Unicode 码位，不含）")
    start_line: Count = Field(description="起始行，从 1 起")
    end_line: Count = Field(description="结束行，含")
    quote: str = Field(description="引文；去掉空白后与源文件的该区间完全相同")
    source_sha256: str = Field(description="源文件的 SHA-256")
    match: Match = Field(description="引文如何与原文对上")
    url: str = Field(description="打开原文并定位到这些行的链接")
    score: Unit = Field(description="所在段落的相关度，0 到 1")


class HitOut(_Reply):
    """一个检索到的段落。"""

    rank: Count = Field(description="名次，从 1 起")
    score: Unit = Field(description="相关度，0 到 1")
    document_id: str = Field(description="文档编号")
    chunk_id: str = Field(description="段落块编号")
    title: str = Field(description="文档的标题或显示用的名称")
    authors: list[str] = Field(description="作者")
    text: str = Field(description="段落块的文字（已接续折行）")
    paragraph: Offset = Field(description="正文第几段，从 1 起")
    start_char: Offset = Field(description="在源文件中的起点（Unicode 码位，含）")
    end_char: Offset = Field(description="在源文件中的终点（不含）")
    start_line: Count = Field(description="起始行")
    end_line: Count = Field(description="结束行，含")
    url: str = Field(description="打开原文并定位到这些行的链接")


class DegradationOut(_Reply):
    """为什么答案不是（或不全是）所要的生成器写的。"""

    generator: str = Field(description="所要的生成器")
    code: str = Field(description="稳定的代码，见 /docs", examples=["generator_timeout"])
    message: str = Field(description="给人看的说明")


class AskReply(_Reply):
    """答案或弃答；弃答也是正常的答复（HTTP 200）。"""

    id: str = Field(description="本次答复的编号")
    status: Status = Field(description="answered 有答案；abstained 文库里没有说")
    answer: str = Field(description="纯文本答案，[n] 标在所支持的句子之后；弃答时是一句说明")
    reason: Reason | None = Field(
        description="弃答的原因：off_topic 与文库无关，not_stated 文中没有说，"
        "false_premise 前提与原文不符，too_vague 问题太笼统；有答案时为 null"
    )
    confidence: Unit = Field(description="文库能回答这个问题的概率估计")
    sentences: list[AnswerSentenceOut] = Field(description="逐句的答案")
    citations: list[CitationOut] = Field(description="引文，按编号")
    related: list[HitOut] = Field(description="弃答时最接近的段落；它们不是答案")
    resolved_question: str = Field(description="结合此前对话补全后的问题")
    generator: str = Field(description="作答的生成器")
    collection: str = Field(description="所问的文库")
    fingerprint: str = Field(description="文库、索引、模型与设置的指纹")
    timings_ms: dict[str, float] = Field(description="各步骤耗时，毫秒")
    calibration: Calibration = Field(
        description="confidence 的依据：general 在别的文库上拟合；none 没有测过这个编码模型，从严作答；"
        "collection 已用这个文库自己的题目标定（cewen calibrate）"
    )
    degraded: DegradationOut | None = Field(
        description="生成器出错、写的句子没有依据等，因而改由摘录作答时，说明原因；否则为 null"
    )
    explain: dict[str, Any] | None = Field(default=None, description="原始分数；只在请求时附上")


class SearchReply(_Reply):
    """检索结果。"""

    hits: list[HitOut] = Field(description="段落，最相关的在前；没有合适的就是空列表")
    collection: str = Field(description="所找的文库")
    fingerprint: str = Field(description="文库、索引、模型与设置的指纹")


class DocumentOut(_Reply):
    """一篇文档。"""

    id: str = Field(description="文档编号")
    source_id: str = Field(description="源文件的编号；一个源文件里的几篇文档相同")
    name: str = Field(description="源文件的名字")
    title: str | None = Field(description="原文印出的标题；没有时为 null")
    label: str = Field(description="显示用的名称，总有内容")
    authors: list[str] = Field(description="作者，按署名次序；可以为空")
    affiliation: str | None = Field(description="作者单位附注；没有时为 null")
    date: str | None = Field(description="添加时给出的日期：YYYY、YYYY-MM 或 YYYY-MM-DD；没有时为 null")
    source_url: str | None = Field(description="添加时给出的来源网址；没有时为 null")
    tags: list[str] = Field(description="添加时给出的标签；可以为空")
    source_sha256: str = Field(description="源文件的 SHA-256；一个源文件可以有几篇文档")


class ParagraphOut(_Reply):
    """正文的一段。"""

    number: Count = Field(description="第几段，从 1 起")
    text: str = Field(description="已接续折行的文字")
    start_char: Offset = Field(description="在源文件中的起点（Unicode 码位，含）")
    end_char: Offset = Field(description="在源文件中的终点（不含）")
    start_line: Count = Field(description="起始行")
    end_line: Count = Field(description="结束行，含")


class DocumentDetailOut(DocumentOut):
    """一篇文档及其正文。"""

    paragraphs: list[ParagraphOut] = Field(description="正文各段")


class DocumentListReply(_Reply):
    """文库中的全部文档。"""

    documents: list[DocumentOut] = Field(description="按阅读次序")


class ExamplesReply(_Reply):
    """可以拿来试问的问题。"""

    questions: list[str] = Field(description="由文库的文字生成、本服务能据原文作答的问题；可能为空")
    collection: str = Field(description="所问的文库")
    fingerprint: str = Field(description="文库、索引、模型与设置的指纹")


class HealthReply(_Reply):
    """进程活着。"""

    status: Literal["ok"] = Field(description="总是 ok")


class ReadyReply(_Reply):
    """可以作答。"""

    status: Literal["ready"] = Field(description="总是 ready")
    fingerprint: str = Field(description="文库、索引、模型与设置的指纹")


class ErrorDetail(_Reply):
    """出了什么错。"""

    type: str = Field(description="大类", examples=["invalid_request"])
    code: str = Field(description="稳定的错误码，见 /docs", examples=["empty_question"])
    message: str = Field(description="给人看的说明：收到了什么、允许什么、该怎么办")
    request_id: str = Field(description="本次请求的编号，报告问题时请附上")


class ErrorReply(_Reply):
    """所有错误都是这个样子。"""

    error: ErrorDetail
