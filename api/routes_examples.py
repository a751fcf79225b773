"""`GET /v1/examples`: questions for people who do not know what to ask. It never keeps a worker thread busy.

The first call starts one thread that draws the questions; everybody waits for that one, for a while, and
gets none if it takes longer: a page without examples is better than a page that hangs.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from concurrent.futures import Future
from dataclasses import dataclass

from fastapi import APIRouter, Request

from api.declared_errors import NEEDS_ENGINE, NEEDS_KEY, declare
from api.engine_slot import OpenEngine
from api.ports import Engine
from api.schemas import ExamplesReply

router = APIRouter(tags=["文库"])

WAIT_SECONDS = 20.0

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Drawing:
    engine: Engine
    questions: Future[tuple[str, ...]]


@router.get(
    "/v1/examples",
    operation_id="listExamples",
    summary="列出可以试问的问题",
    description="由文库的文字生成，每个都已由本服务据原文作答。首次调用要算几秒；久等不得时返回空列表，可稍后再取。",
    response_description="可以试问的问题",
    responses=declare(*NEEDS_KEY, *NEEDS_ENGINE),
)
async def list_examples(engine: OpenEngine, request: Request) -> ExamplesReply:
    """List a few questions that the corpus answers."""
    drawing = _drawing(request, engine)
    waiting = asyncio.wrap_future(drawing.questions)
    done, _ = await asyncio.wait({waiting}, timeout=WAIT_SECONDS)
    questions = waiting.result() if done else ()
    return ExamplesReply(questions=list(questions), fingerprint=engine.fingerprint)


def _drawing(request: Request, engine: Engine) -> _Drawing:
    """The one drawing for this engine, begun if need be; on the event loop only, so it needs no lock."""
    known = getattr(request.app.state, "examples", None)
    if isinstance(known, _Drawing) and known.engine is engine:
        return known
    begun = _Drawing(engine, Future())
    # From here on nobody can cancel it: a caller who goes away must not take it from the others.
    begun.questions.set_running_or_notify_cancel()
    request.app.state.examples = begun
    # A daemon: whoever stops the server should not have to wait for it.
    threading.Thread(target=_draw, args=(begun,), name="examples", daemon=True).start()
    return begun


def _draw(drawing: _Drawing) -> None:
    try:
        drawing.questions.set_result(drawing.engine.examples())
    except Exception as error:  # whatever it is, those who wait must learn of it
        _logger.error("no examples could be drawn", exc_info=error)
        drawing.questions.set_exception(error)
