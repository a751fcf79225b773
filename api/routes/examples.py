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
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.engine_slot import OpenLibrary, chosen_engine
from api.errors.declared import IN_COLLECTION, NEEDS_ENGINE, NEEDS_KEY, declare
from api.library_records import DEFAULT_COLLECTION
from api.ports import Engine
from api.wire.schemas import ExamplesReply

router = APIRouter(tags=["文库"])

WAIT_SECONDS = 20.0
RETRY_SECONDS = 60.0
"""How long an empty list is kept."""

KEPT_COLLECTIONS = 50
"""Of how many collections the questions are kept; those asked for least recently are drawn anew."""

_logger = logging.getLogger(__name__)


@dataclass
class _Drawing:
    fingerprint: str
    questions: Future[tuple[str, ...]]
    ended: float = 0.0

    def serves(self, fingerprint: str) -> bool:
        """Whether it need not be begun anew for what a collection is now."""
        if not self.questions.done():
            return True
        if not self.questions.result() and time.monotonic() - self.ended >= RETRY_SECONDS:
            return False
        return self.fingerprint == fingerprint


@router.get(
    "/v1/examples",
    operation_id="listExamples",
    summary="列出可以试问的问题",
    description="由文库的文字生成，每个都已由本服务据原文作答。首次调用要算几秒；久等不得时返回空列表，可稍后再取。",
    response_description="可以试问的问题",
    responses=declare(*NEEDS_KEY, *IN_COLLECTION, "invalid_request", *NEEDS_ENGINE),
)
async def list_examples(
    library: OpenLibrary,
    request: Request,
    collection: Annotated[
        str,
        Query(min_length=1, max_length=64, description="哪个文库，见 GET /v1/collections；不填是 default"),
    ] = DEFAULT_COLLECTION,
) -> ExamplesReply:
    """List a few questions that the corpus answers."""
    engine = await chosen_engine(library, collection)
    drawing = _drawing(request, engine, collection)
    waiting = asyncio.wrap_future(drawing.questions)
    done, _ = await asyncio.wait({waiting}, timeout=WAIT_SECONDS)
    questions = waiting.result() if done else ()
    return ExamplesReply(questions=list(questions), collection=collection, fingerprint=drawing.fingerprint)


def _drawing(request: Request, engine: Engine, collection: str) -> _Drawing:
    """The one drawing for a collection, begun if need be; on the event loop only, so it needs no lock.

    A collection may change all the time, so whoever asks while a drawing is under way waits for that one,
    although it is of an earlier state.
    """
    drawings: OrderedDict[str, _Drawing] | None = getattr(request.app.state, "examples", None)
    if drawings is None:
        drawings = request.app.state.examples = OrderedDict()
    known = drawings.get(collection)
    if known and known.serves(engine.fingerprint):
        drawings.move_to_end(collection)
        return known
    begun = _Drawing(engine.fingerprint, Future())
    # From here on nobody can cancel it: a caller who goes away must not take it from the others.
    begun.questions.set_running_or_notify_cancel()
    drawings[collection] = begun
    drawings.move_to_end(collection)
    while len(drawings) > KEPT_COLLECTIONS:
        drawings.popitem(last=False)
    # A daemon: whoever stops the server should not have to wait for it.
    thread = threading.Thread(target=_draw, args=(begun, engine), name="examples", daemon=True)
    try:
        thread.start()
    except RuntimeError as error:  # the machine has no thread left
        _logger.error("no examples could be drawn", exc_info=error)
        _end(begun, ())
    return begun


def _draw(drawing: _Drawing, engine: Engine) -> None:
    questions: tuple[str, ...] = ()
    try:
        questions = engine.examples()
    except Exception as error:  # a page must not fail for want of examples
        _logger.error("no examples could be drawn", exc_info=error)
    finally:
        _end(drawing, questions)


def _end(drawing: _Drawing, questions: tuple[str, ...]) -> None:
    drawing.ended = time.monotonic()
    drawing.questions.set_result(questions)
