"""The arguments and results of the tools, as published in their schemas. No logic but the schemas' form.

`search` and `fetch` are word for word what ChatGPT-style clients look for: one string in, exactly these
fields out. `ask` gives what `POST /v1/ask` gives, in `api.wire.schemas`. An argument that is not known is
ignored, because some hosts add their own; lengths are documented here and checked by `rag.inputs`.

Which collection is asked is an argument that is published only where there is a choice, with the names to
choose from: so a model sees them without another call, and a service of one collection stays as plain as
those clients want it.
"""

# ruff: noqa: D415 -- the docstrings are the published descriptions, in Chinese

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.wire.filter_schemas import FiltersIn
from api.wire.schemas import TurnIn
from rag.inputs import MAX_HISTORY_TURNS, MAX_QUERY_CHARS, MAX_QUESTION_CHARS
from rag.records import DEFAULT_COLLECTION


class _Arguments(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, hide_input_in_errors=True)


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _text(description: str, max_chars: int) -> Any:
    return Field(description=description, json_schema_extra={"minLength": 1, "maxLength": max_chars})


def _plain_text(schema: dict[str, Any]) -> None:
    """An argument that may be left out: null means so too, but there is no need to tell models."""
    del schema["anyOf"], schema["default"]
    schema["type"] = "string"


class _InCollection(_Arguments):
    collection: str = Field(default=DEFAULT_COLLECTION, description="问哪个文库")


class SearchArguments(_InCollection):
    """检索"""

    query: str = _text(f"要找的内容：问题或关键词，1 到 {MAX_QUERY_CHARS} 个字符", MAX_QUERY_CHARS)


class FetchArguments(_Arguments):
    """取原文"""

    id: str = Field(
        description="search 返回的 id（一个段落），或文档编号 document_id（全文），"
        "或“文档编号:起点-终点”（引文的 start_char 和 end_char）"
    )
    collection: str | None = Field(
        default=None,
        description="编号是从哪个文库得来的：标题、作者和链接以它为准；不填，或它没有这个编号，就在所有文库里找",
        json_schema_extra=_plain_text,
    )


class AskArguments(_InCollection):
    """提问"""

    question: str = _text(f"要问的话，1 到 {MAX_QUESTION_CHARS} 个字符", MAX_QUESTION_CHARS)
    history: list[TurnIn] = Field(
        default=[], max_length=MAX_HISTORY_TURNS, description="此前的对话，旧的在前；用来理解“它”“那里”等指代"
    )
    top_k: int = Field(default=8, ge=1, le=50, description="最多依据几个段落作答")
    filters: FiltersIn | None = Field(default=None, description="只在符合条件的文档里找")


class FoundPassage(_Result):
    """一个检索到的段落"""

    id: str = Field(description="编号，交给 fetch 取全文")
    title: str = Field(description="文章、行号和开头的几个字")
    url: str = Field(description="打开原文并定位到这些行的链接")


class SearchResults(_Result):
    """检索结果"""

    results: list[FoundPassage] = Field(description="段落，最相关的在前")


class FetchedText(_Result):
    """一个段落或一篇文章"""

    id: str = Field(description="所取的编号")
    title: str = Field(description="文章的标题或显示用的名称")
    text: str = Field(description="文字（已接续折行）；整篇文章各段之间空一行")
    url: str = Field(description="打开原文并定位到这些行的链接")
    metadata: dict[str, str] = Field(
        description="document_id 文档编号，authors 作者，paragraph 正文第几段（0 为标题、署名或附注，"
        "整篇文章没有这一项），start_line 和 end_line 行号（含），start_char 和 end_char 在源文件中的区间"
        "（码位，不含终点），source_sha256 源文件的 SHA-256"
    )


_NAMED = 50


def choosing(schema: dict[str, Any], names: Sequence[str] | None) -> dict[str, Any]:
    """The schema of arguments where these collections exist; None if that is not known yet."""
    properties = dict(schema["properties"])
    field = properties.pop("collection", None)
    if field is None or (names is not None and len(names) < 2):
        return schema | {"properties": properties}
    listed = f"：{'、'.join(names[:_NAMED])}" if names else ""
    more = f"等 {len(names)} 个" if names and len(names) > _NAMED else ""
    if "default" in field:
        described = field | {"description": f"问哪个文库{listed}{more}；不填是 {DEFAULT_COLLECTION}"}
    else:
        described = field | {"description": f"{field['description']}。现有的文库{listed}{more}"}
    return schema | {"properties": properties | {"collection": described}}


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model without references and generated titles, which some clients stumble over."""
    schema = model.model_json_schema()
    plain: dict[str, Any] = _plain(schema, schema.get("$defs", {}))
    return plain


def _plain(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_plain(part, definitions) for part in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        schema = definitions[reference.rpartition("/")[2]] | schema
    plain = {}
    for key, value in schema.items():
        if key == "properties":
            plain[key] = {name: _plain(field, definitions) for name, field in value.items()}
        elif key not in {"$ref", "$defs", "title"}:
            plain[key] = _plain(value, definitions)
    return plain
