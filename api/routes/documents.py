"""`GET /v1/documents…`: what a collection holds, and the stored text byte for byte."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import PlainTextResponse, Response

from api.engine_slot import OpenLibrary
from api.errors.declared import NEEDS_DOCUMENT, NEEDS_ENGINE, NEEDS_KEY, declare
from api.library_records import Entry
from api.ports import Engine, Library
from api.wire.document_convert import entry_detail, entry_out
from api.wire.document_schemas import CollectionName, EntryDetailOut, EntryListReply
from rag.errors import InputError, NotFoundError
from rag.inputs import excerpt, is_blank
from rag.metadata import Filters, check_filters
from rag.records import DEFAULT_COLLECTION, Document
from rag.text.folding import fold

router = APIRouter(tags=["文库"])

MAX_LISTED = 1000
_MAX_VALUES = 50
_DOCUMENT_ID = re.compile(r"[0-9A-Za-z_-]{1,64}")

_OF_COLLECTION = (
    "从哪个文库取，即答案的 collection；不写、没有这个文库或它没有这篇文档，就从有它的文库里取一个，"
    "先取那份文稿没有删过文档的"
)

_SENT_AS = {"titles": "title", "authors": "author", "tags": "tag", "names": "name"}

_Value = Annotated[str, Field(max_length=500)]
_Values = Annotated[list[_Value], Field(max_length=_MAX_VALUES)]


class ListQuery(BaseModel):
    """The query of the list; what is given must all hold."""

    # A misspelt condition that is passed over would list what nobody asked for.
    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    collection: CollectionName = Field(default=DEFAULT_COLLECTION, description="哪个文库")
    offset: int = Field(default=0, ge=0, le=1_000_000_000, description="从第几篇起，0 是第一篇")
    limit: int = Field(default=MAX_LISTED, ge=1, le=MAX_LISTED, description="最多几篇")
    q: _Value | None = Field(
        default=None, description="标题、显示用的名称或文件名里有这些字（不计繁简、大小写）"
    )
    title: _Values = Field(default=[], description="标题（整个相同）；写几次就是其中任何一个，下同")
    author: _Values = Field(default=[], description="作者（整个相同）")
    tag: _Values = Field(default=[], description="标签（整个相同）")
    name: _Values = Field(default=[], description="文件名（整个相同）")
    date_from: _Value | None = Field(default=None, description="不早于：YYYY、YYYY-MM 或 YYYY-MM-DD")
    date_to: _Value | None = Field(default=None, description="不晚于，含；没有日期的文档不算")
    source_url: _Value | None = Field(default=None, description="出处的网址以此开头")

    def filters(self) -> Filters | None:
        """The conditions but for `q`; None if there are none.

        Raises:
            InputError: `invalid_filters`.
        """
        filters = check_filters(
            titles=tuple(self.title),
            authors=tuple(self.author),
            tags=tuple(self.tag),
            names=tuple(self.name),
            date_from=self.date_from,
            date_to=self.date_to,
            source_url=self.source_url,
            called=_SENT_AS,
        )
        return None if filters.is_empty else filters


def checked_id(document_id: str) -> str:
    """Give an id back that may be one of a document or source.

    Raises:
        NotFoundError: `document_not_found`. An id that cannot be one never reaches the library.
    """
    if not _DOCUMENT_ID.fullmatch(document_id):
        raise NotFoundError(
            f"没有编号为{excerpt(document_id)}的文档。请用 GET /v1/documents 查看现有文档。",
            code="document_not_found",
        )
    return document_id


def find_document(engine: Engine, document_id: str) -> Document:
    """The document of that id.

    Raises:
        NotFoundError: `document_not_found`.
    """
    return engine.document(checked_id(document_id))


@router.get(
    "/v1/documents",
    operation_id="listDocuments",
    summary="列出文档",
    description="按添加的先后，只有标题、作者等，不含正文；正文用编号去取。条件都要符合，一页最多 1000 篇。",
    response_description="一页文档",
    responses=declare(
        *NEEDS_KEY, "collection_not_found", "invalid_request", "invalid_filters", *NEEDS_ENGINE
    ),
)
def list_documents(library: OpenLibrary, query: Annotated[ListQuery, Query()]) -> EntryListReply:
    """List the documents of a collection, in the order of their coming."""
    wanted = _wanted(query.q)
    found = library.entries(query.collection, query.filters())
    if wanted:
        found = tuple(entry for entry in found if _mentions(entry, wanted))
    end = query.offset + query.limit
    return EntryListReply(
        documents=[entry_out(entry) for entry in found[query.offset : end]],
        total=len(found),
        next_offset=end if end < len(found) else None,
    )


@router.get(
    "/v1/documents/{document_id}",
    operation_id="getDocument",
    summary="取一篇文档的正文",
    description="各段文字已接续折行；偏移和行号都指向源文件。不写 collection 就是有它的第一个文库。",
    response_description="文档及其正文",
    responses=declare(*NEEDS_KEY, *NEEDS_DOCUMENT, "collection_not_found", "invalid_request"),
)
def get_document(
    document_id: str, library: OpenLibrary, collection: CollectionName | None = None
) -> EntryDetailOut:
    """Give one document with its paragraphs."""
    return entry_detail(_entry(library, checked_id(document_id), collection))


@router.get(
    "/v1/documents/{document_id}/source",
    operation_id="getDocumentSource",
    summary="取源文件的文字，一字不改",
    description="UTF-8 编码；引文的 `start_char`、`end_char` 就是对这份文字按 Unicode 码位计数。"
    "ETag 是内容的 SHA-256，与 `source_sha256` 相同。同一份文稿里删除了的文档，各个字符换成空格，"
    "别的都在原处；ETag 就是这样的内容的，与 `source_sha256` 不同。",
    response_class=PlainTextResponse,
    response_description="源文件的文字",
    responses={304: {"description": "与 If-None-Match 所带的相同，内容从略"}, **declare(*NEEDS_DOCUMENT)},
)
def get_document_source(
    document_id: str,
    library: OpenLibrary,
    request: Request,
    collection: Annotated[str | None, Query(description=_OF_COLLECTION)] = None,
) -> Response:
    """Give the stored source text, byte for byte; what stood in documents that were removed is blank."""
    document_id = checked_id(document_id)
    source = find_document(library.engine_holding(document_id, collection), document_id).source
    data = source.text.encode("utf-8")
    # Another text has another tag: whoever kept the one before a document was removed is sent the new one.
    tag = hashlib.sha256(data).hexdigest() if source.blanked else source.sha256
    headers = {"ETag": f'"{tag}"'}
    known = request.headers.get("if-none-match", "")
    if known.strip() == "*" or tag in re.findall(r'"([^"]*)"', known):
        return Response(status_code=304, headers=headers)
    return PlainTextResponse(data, headers=headers)


def _entry(library: Library, document_id: str, collection: str | None) -> Entry:
    """The entry of a document in a collection, or in the first that holds it.

    Raises:
        NotFoundError: `document_not_found` or `collection_not_found`.
    """
    names = [info.name for info in library.collections()] if collection is None else [collection]
    for name in names:
        for entry in library.entries(name, Filters(document_ids=(document_id,))):
            if entry.document.document_id == document_id:
                return entry
    raise NotFoundError(
        f"没有编号为{excerpt(document_id)}的文档。请用 GET /v1/documents 查看现有文档。",
        code="document_not_found",
    )


def _wanted(q: str | None) -> str:
    """The words to look for, folded; "" for none.

    Raises:
        InputError: `invalid_filters` if nothing that is given can be read: to list everything is not meant.
    """
    wanted = fold(q or "")
    if q and (is_blank(q) or not wanted):
        raise InputError(
            "筛选条件里的 q 没有可读的文字。请写要找的字；要列出全部，就去掉 q。", code="invalid_filters"
        )
    return wanted


def _mentions(entry: Entry, wanted: str) -> bool:
    document = entry.document
    texts = (document.title or "", document.label, document.source.name)
    return any(wanted in fold(text) for text in texts)
