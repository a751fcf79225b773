"""Filters over documents as requests carry them, and what all requests in our own format have in common.

What a value may be is checked by `rag.metadata`, whose messages say more than a schema can.
"""

# ruff: noqa: D415 -- the docstrings are the published descriptions, in Chinese

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from rag.metadata import MAX_FILTER_VALUES


class Request(BaseModel):
    """Strict: "5" and true are no integers, an unknown field is an error, none repeats what was sent."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, hide_input_in_errors=True)


class FiltersIn(Request):
    """只在符合条件的文档里找；给出的各项都要满足，一项里的几个值满足一个就行。"""

    document_ids: list[str] = Field(
        default=[], max_length=MAX_FILTER_VALUES, description="文档编号，或源文件编号（source_id）"
    )
    titles: list[str] = Field(
        default=[], max_length=MAX_FILTER_VALUES, description="标题，须完整；不分简繁、大小写和全半角"
    )
    authors: list[str] = Field(
        default=[], max_length=MAX_FILTER_VALUES, description="作者，须完整；不分简繁、大小写和全半角"
    )
    tags: list[str] = Field(
        default=[], max_length=MAX_FILTER_VALUES, description="标签，须完整；不分简繁、大小写和全半角"
    )
    date_from: str | None = Field(
        default=None,
        description="不早于这一天：YYYY、YYYY-MM 或 YYYY-MM-DD；没有日期的文档不算符合",
        examples=["1990"],
    )
    date_to: str | None = Field(
        default=None, description="不晚于这一天，写法同 date_from；只写年则到年底", examples=["1999-12-31"]
    )
    source_url: str | None = Field(default=None, description="来源网址以此开头")
    names: list[str] = Field(default=[], max_length=MAX_FILTER_VALUES, description="文件名，须完整")
