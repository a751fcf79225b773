"""Ids and uploads looked up in a snapshot: which documents are meant, and whether a text is there already."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from api.library.preparing import count_texts
from api.library.snapshots import Snapshot
from api.library_records import COLLECTION_NAME, UNNAMED_TEXT, UPLOADED, Upload
from index.layout import generation_number
from index.store import Removal
from rag.errors import InputError, NotFoundError, TooLargeError
from rag.inputs import excerpt
from rag.records import Metadata
from rag.rows import DocumentRows, rows_of_source
from rag.settings import Settings

_MAX_TEXTS = 400_000
"""Texts that are encoded of one source, two for each sentence; their vectors take 0.6 GB on the way in."""


def source_of_document(document_id: str) -> str:
    """The source id in a document id."""
    return document_id.partition("-")[0]


def rows_of_upload(upload: Upload, settings: Settings) -> tuple[DocumentRows, ...]:
    """The documents of an upload, cut into rows.

    Raises:
        InputError: `document_without_text`.
        TooLargeError: `document_too_large`.
    """
    rows = rows_of_source(upload.source, chunk_max_chars=settings.chunk_max_chars)
    if not rows:
        raise InputError(
            f"{excerpt(upload.source.name)}里没有任何正文段落。请检查文件内容。", code="document_without_text"
        )
    texts = sum(map(count_texts, rows))
    if texts > _MAX_TEXTS:
        raise TooLargeError(
            f"{excerpt(upload.source.name)}要编码 {texts} 段文字，最多 {_MAX_TEXTS} 段。请拆成几个文件。",
            code="document_too_large",
        )
    return rows


def no_collection(name: str) -> NotFoundError:
    """The error for a collection that is not there."""
    return NotFoundError(
        f"没有名为{excerpt(name)}的文库。请用 GET /v1/collections 或 cewen collections list 查看现有的。",
        code="collection_not_found",
    )


def no_document(collection: str, identifier: str) -> NotFoundError:
    """The error for a document or source that a collection does not hold."""
    return NotFoundError(
        f"文库 {collection!r} 里没有编号为{excerpt(identifier)}的文档。"
        "可用 GET /v1/documents 或 cewen ls 查看全部编号。",
        code="document_not_found",
    )


def check_collection_name(name: str) -> None:
    """See whether a collection may be called so: it is the name of a folder, too.

    Raises:
        InputError: `invalid_collection_name`.
    """
    if not COLLECTION_NAME.fullmatch(name) or generation_number(name) is not None:
        raise InputError(
            f"文库不能叫{excerpt(name)}。请用 1 到 64 个小写字母、数字、- 和 _，以字母或数字开头，"
            "不要像 gen-000001。",
            code="invalid_collection_name",
        )


def documents_of(snapshot: Snapshot, collection: str, identifier: str) -> tuple[str, ...]:
    """All documents of the source that an id means, be it of a document or of the source itself.

    Raises:
        NotFoundError: `document_not_found`.
    """
    source_id = source_of_document(identifier) if identifier in snapshot.stamps else identifier
    facts = snapshot.facts.get(source_id)
    if facts is None:
        raise no_document(collection, identifier)
    return tuple(f"{source_id}-{number}" for number in facts.live)


def giving_way(
    snapshot: Snapshot, collection: str, identifier: str, removal: Callable[[str], Removal | None]
) -> tuple[str, ...]:
    """All documents of the source that a new text takes the place of.

    That is the source that an id means, or what has taken its place since: whoever replaces the same again,
    or at the same time as somebody else, means what stands there now.

    Args:
        snapshot: The state.
        collection: Its name.
        identifier: Of a document or source.
        removal: What is known of a document that is not there.

    Raises:
        NotFoundError: `document_not_found`.
    """
    at, seen = identifier, set[str]()
    while at not in snapshot.stamps and at not in snapshot.facts and at not in seen:
        seen.add(at)
        known = removal(at) or removal(f"{at}-1")
        if known is None or not known.replaced_by:
            raise no_document(collection, identifier)
        at = source_of_document(known.replaced_by[0])
    return documents_of(snapshot, collection, at)


def as_said(snapshot: Snapshot, upload: Upload) -> tuple[Upload, tuple[str, ...]]:
    """An upload with what is known of its text already, and what its uploader is to be told of that.

    Of a text that is there, what the uploader says takes the place of what was said; what he is silent about
    stays. It also stays with the folder it belongs to, unless another of the same kind claims it.
    """
    facts = snapshot.facts.get(upload.source.source_id)
    new = upload.source
    if facts is None or facts.source.sha256 != new.sha256:
        return upload, ()
    old = facts.source
    kept = replace(
        new,
        name=old.name if new.name == UNNAMED_TEXT and upload.origin == UPLOADED else new.name,
        metadata=old.metadata if new.metadata == Metadata() else new.metadata,
    )
    if not new.original_sha256:
        kept = replace(kept, encoding=old.encoding, original_sha256=old.original_sha256)
    told = []
    if kept.name != old.name:
        told.append(f"这份文字早已在库里，名称由{excerpt(old.name)}改为{excerpt(kept.name)}。")
    if kept.metadata != old.metadata:
        told.append("这份文字早已在库里，它的书目信息已换成这次给的。")
    origin = facts.origin
    if upload.origin not in (UPLOADED, origin):
        if origin == UPLOADED or _kind(upload.origin) == _kind(origin):
            origin = upload.origin
        told.append(
            f"这份文字早已在库里，{'改归这次的' if origin != facts.origin else '仍归原来的'} origin。"
        )
    return Upload(kept, origin, upload.notes), tuple(told)


def _kind(origin: str) -> str:
    return origin.partition(":")[0]


def ids_if_there(
    snapshot: Snapshot, upload: Upload, replaced: Sequence[str], settings: Settings
) -> tuple[str, ...] | None:
    """Ids of an upload's documents if adding it would change nothing; as for `is_there`, from the text."""
    facts = snapshot.facts.get(upload.source.source_id)
    if facts is None or (facts.source, facts.origin) != (upload.source, upload.origin):
        return None
    ids = tuple(row.document.document_id for row in rows_of_upload(upload, settings))
    return ids if is_there(snapshot, upload, ids, replaced) else None


def is_there(snapshot: Snapshot, upload: Upload, ids: Sequence[str], replaced: Sequence[str]) -> bool:
    """Whether adding an upload would change nothing.

    Args:
        snapshot: The state.
        upload: The upload.
        ids: Its documents.
        replaced: Documents that are to give way to it.
    """
    facts = snapshot.facts.get(upload.source.source_id)
    same = facts is not None and (facts.source, facts.origin) == (upload.source, upload.origin)
    return same and all(one in snapshot.stamps for one in ids) and set(replaced) <= set(ids)
