"""The JSON of the OpenAI chat format, as far as this service reads and writes it. No logic.

Requests are tolerant, unlike our own: clients send dozens of fields that mean nothing here (temperature,
tools, response_format), and what is not listed is ignored at every level. What is listed must have its type.
Replies hold what OpenAI documents plus `citations`, `search_results` and `cewen`, which other clients skip.
"""

# ruff: noqa: D415 -- the docstrings are the published descriptions, in Chinese

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema

from api.wire.schemas import (
    AnswerSentenceOut,
    CitationOut,
    Count,
    DegradationOut,
    HitOut,
    Offset,
    Unit,
)
from rag.records import Calibration, Reason, Status

MAX_MESSAGES = 2_000
TEXT_PARTS = ("text", "input_text", "output_text")

# Written out, because what pydantic makes of a union is neither tolerant nor tells which field is wrong.
_TEXT_PART = {
    "type": "object",
    "properties": {"type": {"enum": list(TEXT_PARTS)}, "text": {"type": "string"}},
    "required": ["type", "text"],
}
_OTHER_PART = {
    "type": "object",
    "not": {"properties": {"type": {"enum": list(TEXT_PARTS)}}, "required": ["type"]},
}
_CONTENT = {
    "description": "文字，或若干部分（只用 text 部分，图片等忽略），或 null",
    "anyOf": [
        {"type": "string"},
        {"type": "array", "items": {"anyOf": [_TEXT_PART, _OTHER_PART, {"type": "string"}]}},
        {"type": "null"},
    ],
}


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, hide_input_in_errors=True)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class ChatMessageIn(_Request):
    """对话中的一条消息。"""

    role: str = Field(
        description="user 和 assistant 是对话；system、tool 等其他角色接受但不用", examples=["user"]
    )
    content: Annotated[Any, WithJsonSchema(_CONTENT)] = None


class StreamOptionsIn(_Request):
    """流式返回的选项。"""

    include_usage: bool | None = Field(default=None, description="true 时在末尾多发一块用量")


class ChatRequest(_Request):
    """提问，OpenAI 的格式；没有列出的字段一律忽略。"""

    model: str | None = Field(
        default=None,
        description="见 GET /v1/models；不填用 cewen，名为 x 的文库用 cewen@x",
        examples=["cewen"],
    )
    messages: list[ChatMessageIn] = Field(
        min_length=1,
        max_length=MAX_MESSAGES,
        description="至今的对话，旧的在前；最后一条有文字的 user 消息是问题",
    )
    stream: bool | None = Field(default=None, description="true 时以 text/event-stream 逐句返回")
    stream_options: StreamOptionsIn | None = Field(default=None, description="流式返回的选项")
    max_tokens: int | None = Field(
        default=None,
        description="答案最多多少个词元；装不下的整句略去，至少给出第一句。小于 1（有的客户端发 -1）就是不限",
    )
    max_completion_tokens: int | None = Field(default=None, description="同 max_tokens，以此为先")

    @property
    def most_tokens(self) -> int | None:
        """The limit; None for none, which local programs also say as -1 or 0."""
        told = self.max_tokens if self.max_completion_tokens is None else self.max_completion_tokens
        return told if told is not None and told >= 1 else None


class UrlCitationOut(_Reply):
    """一处角标所指的原文。"""

    start_index: Offset = Field(description="角标 [n] 在 content 中的起点（Unicode 码位，含）")
    end_index: Offset = Field(description="角标 [n] 在 content 中的终点（不含）")
    title: str = Field(description="文章、行号和引文的开头")
    url: str = Field(description="打开原文并定位到这些行的链接")


class AnnotationOut(_Reply):
    """一处引文标注。"""

    type: Literal["url_citation"] = Field(description="总是 url_citation")
    url_citation: UrlCitationOut


class ChatMessageOut(_Reply):
    """答案。"""

    role: Literal["assistant"] = Field(description="总是 assistant")
    content: str = Field(description="答案，[n] 标在所支持的句子之后；弃答时是一句说明")
    refusal: None = Field(description="总是 null；弃答写在 content 里，见 cewen.status")
    annotations: list[AnnotationOut] = Field(description="每处角标一条")


class ChatChoiceOut(_Reply):
    """唯一的一份答案。"""

    index: Literal[0] = Field(description="总是 0")
    message: ChatMessageOut
    finish_reason: Literal["stop", "length"] = Field(description="length 表示因词元上限略去了后面的句子")
    logprobs: None = Field(description="总是 null")


class UsageOut(_Reply):
    """用量，以编码模型的词元计。"""

    prompt_tokens: Offset = Field(description="各条消息的文字")
    completion_tokens: Offset = Field(description="content")
    total_tokens: Offset = Field(description="两者之和")


class SearchResultOut(_Reply):
    """一条引文，按 Perplexity 的格式。"""

    title: str = Field(description="文章、行号和引文的开头")
    url: str = Field(description="打开原文并定位到这些行的链接")
    snippet: str = Field(description="引文，逐字")


class CewenOut(_Reply):
    """本服务自己的字段，含义同 POST /v1/ask；链接都是完整的地址。"""

    id: str = Field(description="答复的编号")
    status: Status = Field(description="answered 有答案；abstained 文库里没有说")
    reason: Reason | None = Field(description="弃答的原因；有答案时为 null")
    confidence: Unit = Field(description="文库能回答这个问题的概率估计")
    calibration: Calibration = Field(description="confidence 的依据")
    sentences: list[AnswerSentenceOut] = Field(description="content 里的各句")
    citations: list[CitationOut] = Field(description="引文，按编号")
    related: list[HitOut] = Field(description="弃答时最接近的段落；它们不是答案")
    resolved_question: str = Field(description="结合此前对话补全后的问题")
    generator: str = Field(description="作答的生成器")
    collection: str = Field(description="所问的文库")
    degraded: DegradationOut | None = Field(description="为什么改由摘录作答；没有时为 null")


class ChatCompletionOut(_Reply):
    """答案，OpenAI 的格式；文库里没有说的，也在 content 里如实说明。"""

    id: str = Field(description="chatcmpl- 开头")
    object: Literal["chat.completion"] = Field(description="总是 chat.completion")
    created: Count = Field(description="Unix 秒")
    model: str = Field(description="所问的模型")
    choices: list[ChatChoiceOut] = Field(description="总是一份")
    usage: UsageOut
    system_fingerprint: str = Field(description="文库、索引、模型与设置的指纹")
    citations: list[str] = Field(description="引文的链接，第 n 个属于角标 [n]")
    search_results: list[SearchResultOut] = Field(description="同样次序的引文")
    cewen: CewenOut


class ModelOut(_Reply):
    """一个模型。"""

    id: str = Field(description="名字", examples=["cewen"])
    object: Literal["model"] = Field(description="总是 model")
    created: Count = Field(description="Unix 秒，固定")
    owned_by: Literal["cewen"] = Field(description="总是 cewen")


class ModelListOut(_Reply):
    """全部模型。"""

    object: Literal["list"] = Field(description="总是 list")
    data: list[ModelOut] = Field(description="第一个是默认的")


class OpenAiErrorDetail(_Reply):
    """出了什么错，OpenAI 的格式。"""

    message: str = Field(description="给人看的说明：收到了什么、允许什么、该怎么办")
    type: str = Field(description="大类", examples=["invalid_request_error"])
    param: str | None = Field(description="出错的字段；没有时为 null", examples=["messages"])
    code: str = Field(description="稳定的错误码", examples=["model_not_found"])


class OpenAiErrorReply(_Reply):
    """OpenAI 兼容接口的错误都是这个样子。"""

    error: OpenAiErrorDetail
