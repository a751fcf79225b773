"""`POST /v1/citations/resolve`: what became of a citation that somebody kept."""

from __future__ import annotations

from fastapi import APIRouter

from api.engine_slot import OpenLibrary
from api.errors.declared import HAS_JSON_BODY, NEEDS_ENGINE, declare
from api.wire.document_convert import claim_of, resolution_out
from api.wire.document_schemas import ClaimIn, ResolutionOut
from api.wire.strict_route import StrictJsonRoute
from rag.errors import InputError

router = APIRouter(route_class=StrictJsonRoute, tags=["问答"])


@router.post(
    "/v1/citations/resolve",
    operation_id="resolveCitation",
    summary="查一条存下来的引文如今怎样",
    description="原文仍在、有了新版、已经删除，还是从来没有：都是 200，`status` 说明是哪一种。"
    "带上 `quote`，换了新版也能找到同样的话。",
    response_description="引文的下落",
    responses=declare(*HAS_JSON_BODY, "collection_not_found", *NEEDS_ENGINE),
)
def resolve_citation(body: ClaimIn, library: OpenLibrary) -> ResolutionOut:
    """Tell what became of a cited place."""
    if body.start_char >= body.end_char:
        raise InputError(
            f"start_char 是 {body.start_char}，end_char 是 {body.end_char}：区间要有至少一个字符，"
            "起点（含）小于终点（不含）。请照引文里的写。"
        )
    return resolution_out(library.resolve(body.collection, claim_of(body)))
