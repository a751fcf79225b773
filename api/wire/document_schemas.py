"""The JSON of documents, collections, jobs and old citations; `document_convert` fills it. See `schemas`."""

# ruff: noqa: D415 -- the docstrings are the published descriptions, in Chinese

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.json_schema import WithJsonSchema

from api.library_records import JobKind, JobState, ResolutionStatus
from api.wire.calibration_schemas import CalibratedOut
from api.wire.schemas import Count, DocumentOut, Offset, ParagraphOut
from rag.records import DEFAULT_COLLECTION

MAX_ORIGIN_CHARS = 200
MAX_QUOTE_CHARS = 8_000
_COLLECTION = "哪个文库"
_METADATA = "书目信息；没有的不写"

# Of what characters a name may be is the library's to say.
CollectionName = Annotated[str, StringConstraints(min_length=1, max_length=64)]
Position = Annotated[int, Field(ge=0, le=1_000_000_000)]


class _Request(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class _Reply(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class MetadataIn(_Request):
    """一份文稿的书目信息。"""

    title: str | None = Field(default=None, description="题目", examples=["望海角灯塔"])
    authors: list[str] = Field(default=[], description="作者，按次序", examples=[["周望潮"]])
    date: str | None = Field(
        default=None, description="日期：YYYY、YYYY-MM 或 YYYY-MM-DD", examples=["1907-05"]
    )
    source_url: str | None = Field(
        default=None, description="出处的网址（http 或 https），只作记录，不会去访问"
    )
    tags: list[str] = Field(default=[], description="标签", examples=[["航标"]])


class MetadataChangeIn(_Request):
    """要改的书目信息：写了的改成这样，null 去掉这一项，没写的不变。至少写一项。"""

    title: str | None = Field(default=None, description="题目", examples=["望海角灯塔（修订）"])
    authors: list[str] | None = Field(default=None, description="作者，按次序；整个换掉")
    date: str | None = Field(default=None, description="日期：YYYY、YYYY-MM 或 YYYY-MM-DD")
    source_url: str | None = Field(default=None, description="出处的网址（http 或 https），不会去访问")
    tags: list[str] | None = Field(default=None, description="标签；整个换掉", examples=[["航标", "历史"]])


class DocumentIn(_Request):
    """要添加的文字。"""

    text: str = Field(
        description="文字，除开头的 BOM 外按原样存放；UTF-8 编码后最多 20 MB", examples=["望海角的灯塔。"]
    )
    name: str | None = Field(
        default=None,
        description="文件名，只作名称，不是路径；只留最后一节（origin 是 sync:… 的留各节），最多 255 个字符",
    )
    collection: CollectionName = Field(default=DEFAULT_COLLECTION, description=_COLLECTION)
    metadata: MetadataIn = Field(default=MetadataIn(), description=_METADATA)
    origin: str | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_ORIGIN_CHARS,
        description="属于哪一批，供同步用；不写是 upload，不能是 seeds",
    )


class DocumentForm(_Request):
    """要添加的文件和它的书目信息。"""

    file: Annotated[
        str, WithJsonSchema({"type": "string", "contentMediaType": "application/octet-stream"})
    ] = Field(description="文件，带文件名：.txt、.md、.html、.htm、.docx、.pdf，最多 20 MB；只能有一个")
    collection: str = Field(default=DEFAULT_COLLECTION, description=_COLLECTION)
    title: str | None = Field(default=None, description="题目")
    authors: list[str] = Field(default=[], description="作者；有几位，这个字段就出现几次")
    date: str | None = Field(default=None, description="日期：YYYY、YYYY-MM 或 YYYY-MM-DD")
    source_url: str | None = Field(default=None, description="出处的网址（http 或 https），不会去访问")
    tags: list[str] = Field(default=[], description="标签；有几个，这个字段就出现几次")
    origin: str | None = Field(default=None, description="属于哪一批，供同步用；不能是 seeds")


class EntryOut(DocumentOut):
    """列表中的一篇文档。"""

    origin: str = Field(description="从哪里来：upload 上传，seeds 语料文件夹，或同步时所用的记号")
    added_at: str = Field(description="添加的时间，UTC，ISO 8601")
    original_sha256: str = Field(description="添加时那个文件的 SHA-256；以文字添加的、不知道的为空")


class EntryDetailOut(EntryOut):
    """一篇文档及其正文。"""

    paragraphs: list[ParagraphOut] = Field(description="正文各段")


class EntryListReply(_Reply):
    """一页文档。"""

    documents: list[EntryOut] = Field(description="按添加的先后")
    total: Offset = Field(description="符合条件的共有几篇")
    next_offset: Count | None = Field(description="下一页的 offset；没有下一页时为 null")


class AddedReply(_Reply):
    """已经添加，可以检索了。"""

    source_id: str = Field(description="这份文稿的编号；其中各篇都属于它")
    documents: list[EntryOut] = Field(description="其中的各篇")
    created: bool = Field(description="false 表示内容相同的早已在库里")
    replaced: list[str] = Field(description="让位给它的文档的编号")
    notes: list[str] = Field(description="转换时值得知道的事")


class DescribedReply(_Reply):
    """书目信息已经改好。"""

    source_id: str = Field(description="这份文稿的编号")
    documents: list[EntryOut] = Field(description="其中的各篇，现在的样子")


class JobOut(_Reply):
    """一件要花时间的工作，此刻的样子。"""

    job_id: str = Field(description="编号")
    kind: JobKind = Field(description="add 添加文档；reindex 重新编码；calibrate 标定")
    collection: str = Field(description="在哪个文库")
    state: JobState = Field(description="queued 等候，running 进行，done 完成，failed 失败，cancelled 已取消")
    done: Offset = Field(description="已编码的文字数；标定时是已判断的题数")
    total: Offset = Field(description="要编码的文字数（题数）；还不知道时为 0")
    source_id: str | None = Field(description="所添加文稿的编号")
    document_ids: list[str] = Field(description="所添加文档的编号")
    created: bool = Field(description="false 表示内容相同的早已在库里")
    replaced: list[str] = Field(description="让位给它的文档的编号")
    notes: list[str] = Field(description="转换时值得知道的事；取消的，留下了什么")
    error_code: str | None = Field(description="失败的错误码；没有失败时为 null")
    error_message: str | None = Field(description="失败的说明；没有失败时为 null")
    kept: bool = Field(
        description="true：失败了，但收下的文字还在；可以重试，下次启动也会再做（搁置的除外），取消就删去"
    )
    calibrated: CalibratedOut | None = Field(description="标定的结果；别的任务、还没有结果时为 null")


class JobReply(_Reply):
    """一件工作。"""

    job: JobOut = Field(description="此刻的样子")


class JobListReply(_Reply):
    """各件工作。"""

    jobs: list[JobOut] = Field(description="后来的在前")
    total: Offset = Field(description="符合条件的共有几件")


class RemovedReply(_Reply):
    """已经删除，不会再被检索到。"""

    source_id: str = Field(description="所属文稿的编号")
    document_ids: list[str] = Field(description="删除的文档的编号")


class CollectionIn(_Request):
    """要建的文库。"""

    # The library checks it, with a message that says what is allowed.
    name: Annotated[str, StringConstraints(max_length=200)] = Field(
        description="名称：1 到 64 个小写字母、数字、- 和 _，以字母或数字开头", examples=["lighthouse"]
    )


class CollectionOut(_Reply):
    """一个文库。"""

    name: str = Field(description="名称")
    created_at: str = Field(description="建立的时间，UTC，ISO 8601")
    documents: Offset = Field(description="有几篇文档")
    sources: Offset = Field(description="有几份文稿；一份文稿可以有几篇")
    chunks: Offset = Field(description="有几个段落块")
    encoder: str = Field(description="编码模型")
    calibration: str = Field(description="confidence 的依据：general、none 或 collection（已标定）")
    sequence: Offset = Field(description="改动到了第几次；没有变就是没有改动")


class CollectionListReply(_Reply):
    """全部文库。"""

    collections: list[CollectionOut] = Field(description="default 在前，其余按名称")


class ClaimIn(_Request):
    """一条存下来的引文。"""

    document_id: str = Field(min_length=1, max_length=200, description="引文的 document_id")
    start_char: Position = Field(description="引文的 start_char")
    end_char: Position = Field(description="引文的 end_char")
    source_sha256: str | None = Field(
        default=None, max_length=64, description="引文的 source_sha256；有它才能确认是同一份原文"
    )
    quote: str | None = Field(
        default=None, max_length=MAX_QUOTE_CHARS, description="引文的 quote；有它才能在新的版本里找到同样的话"
    )
    collection: CollectionName | None = Field(default=None, description="在哪个文库；不写就是有它的第一个")


class ResolutionOut(_Reply):
    """一条引文的下落。"""

    status: ResolutionStatus = Field(
        description="current 仍在原处；changed 文档已有新版；removed 已删除；unknown 没有过，或原文不是这样"
    )
    document_id: str = Field(description="所问的文档编号")
    message: str = Field(description="给人看的说明")
    replaced_by: list[str] = Field(description="代替它的文档的编号")
    found_in: str | None = Field(description="如今有这段话的文档的编号；都没有时为 null")
    start_char: Offset | None = Field(description="如今的起点")
    end_char: Offset | None = Field(description="如今的终点")
    start_line: Count | None = Field(description="如今的起始行")
    end_line: Count | None = Field(description="如今的结束行")
    quote: str | None = Field(description="那里如今的文字")
    url: str | None = Field(description="打开原文并定位到这些行的链接")


class ReindexIn(_Request):
    """重新编码。"""

    collection: CollectionName = Field(default=DEFAULT_COLLECTION, description=_COLLECTION)
    encoder: str | None = Field(
        default=None, min_length=1, max_length=500, description="换成哪个编码模型；不写用设置里的"
    )


def body_kinds() -> dict[str, Any]:
    """The body of an upload for the OpenAPI document: two kinds, which FastAPI cannot declare together."""
    reference = "#/components/schemas/"
    return {
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {"schema": {"$ref": f"{reference}{DocumentIn.__name__}"}},
                "multipart/form-data": {"schema": {"$ref": f"{reference}{DocumentForm.__name__}"}},
            },
        }
    }


UPLOAD_BODIES = (DocumentIn, DocumentForm)
"""Models that no route declares, so that their schemas have to be added by hand."""
