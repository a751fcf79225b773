"""`GET /metrics`: what Prometheus collects. Asked for a key like everything that tells of the corpus."""

from __future__ import annotations

from typing import cast

from fastapi import APIRouter, Request, Response

from api.engine_slot import EngineSlot
from api.guards.limits import GATE_KEY
from api.observing.metrics import MEDIA_TYPE
from api.observing.requests import METRICS_PATH
from api.observing.service import Observing

router = APIRouter()


@router.get(METRICS_PATH, include_in_schema=False)
def metrics(request: Request) -> Response:
    """The metrics in Prometheus' text format."""
    slot = cast("EngineSlot", request.app.state.engine_slot)
    observing = cast("Observing", request.app.state.observing)
    observing.settle()
    body = observing.metrics.exposition(slot, request.scope[GATE_KEY], leaving=observing.leaving.begun)
    return Response(body, headers={"Content-Type": MEDIA_TYPE})
