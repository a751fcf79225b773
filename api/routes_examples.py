"""`GET /v1/examples`: questions for people who do not know what to ask. It never keeps a worker thread busy.

The first call starts one thread that draws the questions; everybody waits for that one, for a while, and
gets none if it takes longer: a page without examples is better than a page that hangs. An empty list may
come of a fault that passes, so whoever calls a while later starts another thread.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass

from fastapi import APIRouter, Request

from api.declared_errors import NEEDS_ENGINE, NEEDS_KEY, declare
from api.engine_slot import OpenEngine
from api.ports import Engine
from api.schemas import ExamplesReply

router = APIRouter(tags=["文库"])

WAIT_SECONDS = 20.0
RETRY_SECONDS = 60.0
"""How long an empty list is kept."""

_logger = logging.getLogger(__name__)


@dataclass
class _Drawing:
    engine: Engine
    questions: Future[tuple[str, ...]]
    ended: float = 0.0

    @property
    def is_stale(self) -> bool:
        """Whether it ended a while ago and brought nothing."""
        if not self.questions.done() or self.questions.result():
            return False
        return time.monotonic() - self.ended >= RETRY_SECONDS


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
    if isinstance(known, _Drawing) and known.engine is engine and not known.is_stale:
        return known
    begun = _Drawing(engine, Future())
    # From here on nobody can cancel it: a caller who goes away must not take it from the others.
    begun.questions.set_running_or_notify_cancel()
    request.app.state.examples = begun
    # A daemon: whoever stops the server should not have to wait for it.
    thread = threading.Thread(target=_draw, args=(begun,), name="examples", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # the machine has no thread left
        _logger.error("no examples could be drawn", exc_info=error)
        _end(begun, ())
    return begun


def _draw(drawing: _Drawing) -> None:
    questions: tuple[str, ...] = ()
    try:
        questions = drawing.engine.examples()
    except Exception as error:  # a page must not fail for want of examples
        _logger.error("no examples could be drawn", exc_info=error)
    finally:
        _end(drawing, questions)


def _end(drawing: _Drawing, questions: tuple[str, ...]) -> None:
    drawing.ended = time.monotonic()
    drawing.questions.set_result(questions)
