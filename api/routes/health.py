"""`/healthz`: the process answers. `/readyz`: it can answer questions. Neither waits for anything."""

from __future__ import annotations

from fastapi import APIRouter

from api.engine_slot import OpenEngine
from api.errors.declared import EVERYWHERE, NEEDS_ENGINE, declare
from api.wire.schemas import HealthReply, ReadyReply

router = APIRouter(tags=["运行"])


@router.get(
    "/healthz",
    operation_id="healthz",
    summary="进程是否活着",
    response_description="活着",
    responses=declare(*EVERYWHERE),
)
async def healthz() -> HealthReply:
    """Say that the process answers."""
    return HealthReply(status="ok")


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="索引和模型是否已打开",
    response_description="可以作答",
    responses=declare(*NEEDS_ENGINE),
)
async def readyz(engine: OpenEngine) -> ReadyReply:
    """Say that the engine is open."""
    return ReadyReply(status="ready", fingerprint=engine.fingerprint)
