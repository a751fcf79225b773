"""`/v1/collections`: the corpora of the library, made and removed."""

from __future__ import annotations

import re

from fastapi import APIRouter

from api.engine_slot import OpenLibrary
from api.errors.declared import CHANGES, HAS_JSON_BODY, NEEDS_ENGINE, NEEDS_KEY, declare
from api.wire.document_convert import collection_out
from api.wire.document_schemas import CollectionIn, CollectionListReply, CollectionOut
from api.wire.strict_route import StrictJsonRoute
from rag.errors import NotFoundError
from rag.inputs import excerpt

router = APIRouter(tags=["文库"])
_NAME = re.compile(r"[a-z0-9_-]{1,64}")
_json_router = APIRouter(route_class=StrictJsonRoute, tags=["文库"])


@router.get(
    "/v1/collections",
    operation_id="listCollections",
    summary="列出全部文库",
    response_description="全部文库",
    responses=declare(*NEEDS_KEY, *NEEDS_ENGINE),
)
def list_collections(library: OpenLibrary) -> CollectionListReply:
    """List the collections, "default" first."""
    return CollectionListReply(collections=[collection_out(info) for info in library.collections()])


@_json_router.post(
    "/v1/collections",
    operation_id="createCollection",
    summary="建一个空的文库",
    status_code=201,
    response_description="新建的文库",
    responses=declare(
        *HAS_JSON_BODY, "invalid_collection_name", "collection_exists", "overloaded", *CHANGES, *NEEDS_ENGINE
    ),
)
def create_collection(body: CollectionIn, library: OpenLibrary) -> CollectionOut:
    """Make an empty collection."""
    return collection_out(library.create_collection(body.name))


@router.delete(
    "/v1/collections/{name}",
    operation_id="removeCollection",
    summary="删除一个文库和其中的一切",
    description="default 只清空，不删除。删除后不能恢复，请先备份。",
    response_description="删除前的样子",
    responses=declare(*NEEDS_KEY, "collection_not_found", "overloaded", *CHANGES, *NEEDS_ENGINE),
)
def remove_collection(name: str, library: OpenLibrary) -> CollectionOut:
    """Remove a collection with all it holds."""
    return collection_out(library.remove_collection(checked_name(name)))


def checked_name(name: str) -> str:
    """Give a name back that may be one of a collection.

    Raises:
        NotFoundError: `collection_not_found`. A name that cannot be one never reaches the library.
    """
    if not _NAME.fullmatch(name):
        raise NotFoundError(
            f"没有名为{excerpt(name)}的文库。请用 GET /v1/collections 查看现有的。",
            code="collection_not_found",
        )
    return name


router.include_router(_json_router)
