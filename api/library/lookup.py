"""Ids and uploads looked up in a snapshot: which documents are meant, and whether a text is there already."""

from __future__ import annotations

from collections.abc import Sequence

from api.library.snapshots import Snapshot
from api.library_records import COLLECTION_NAME, Upload
from index.layout import generation_number
from rag.errors import InputError, NotFoundError
from rag.inputs import excerpt
from rag.rows import DocumentRows, rows_of_source
from rag.settings import Settings


def source_of_document(document_id: str) -> str:
    """The source id in a document id."""
    return document_id.partition("-")[0]


def rows_of_upload(upload: Upload, settings: Settings) -> tuple[DocumentRows, ...]:
    """The documents of an upload, cut into rows.

    Raises:
        InputError: `document_without_text`.
    """
    rows = rows_of_source(upload.source, chunk_max_chars=settings.chunk_max_chars)
    if not rows:
        raise InputError(
            f"{excerpt(upload.source.name)}里没有任何正文段落。请检查文件内容。", code="document_without_text"
        )
    return rows


def no_collection(name: str) -> NotFoundError:
    """The error for a collection that is not there."""
    return NotFoundError(
        f"没有名为{excerpt(name)}的文库。请用 GET /v1/collections 或 cewen collections list 查看现有的。",
        code="collection_not_found",
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
        raise NotFoundError(
            f"文库 {collection!r} 里没有编号为{excerpt(identifier)}的文档。"
            "可用 GET /v1/documents 或 cewen ls 查看全部编号。",
            code="document_not_found",
        )
    return tuple(f"{source_id}-{number}" for number in facts.live)


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
