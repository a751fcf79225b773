"""`GET /v1/examples`: questions for people who do not know what to ask. It never keeps a worker thread busy.

The first call starts one thread that draws the questions; everybody waits for that one, for a while, and
gets none if it takes longer: a page without examples is better than a page that hangs. An empty list may
come of a fault that passes, so whoever calls a while later starts another thread.

Once there are some, nobody waits again: when the collection has changed, the ones of before are shown, less
those whose document is gone, while the next are drawn: at most once a minute, one question of all collections
at a time, and giving way to whoever asks.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request

from api.engine_slot import OpenLibrary, chosen_engine
from api.errors.declared import IN_COLLECTION, NEEDS_ENGINE, NEEDS_KEY, declare
from api.guards.limits import GATE_KEY, AdmissionGate
from api.ports import Engine, InTurn
from api.wire.schemas import ExamplesReply
from rag.errors import NotFoundError
from rag.records import DEFAULT_COLLECTION, Example

router = APIRouter(tags=["文库"])

WAIT_SECONDS = 20.0
RETRY_SECONDS = 60.0
"""How long an empty list is kept, and the least time from one drawing to the next where there are some."""

GIVE_WAY_SECONDS = 5.0
"""How long a drawing waits before each question for a moment in which nobody else asks."""

KEPT_COLLECTIONS = 50
"""Of how many collections the questions are kept; those asked for least recently are drawn anew."""

_one_at_a_time = threading.Lock()
_logger = logging.getLogger(__name__)


@dataclass
class _Drawing:
    """Examples that are drawn, or were.

    Attributes:
        fingerprint: Of the state that they are drawn from.
        questions: They, once they are there.
        before: The last drawing before it that gave some.
        ended: When, on the clock that only goes forward.
    """

    fingerprint: str
    questions: Future[tuple[Example, ...]]
    before: _Drawing | None = None
    ended: float = 0.0

    def serves(self, engine: Engine) -> bool:
        """Whether it need not be begun anew for what a collection is now."""
        if not self.questions.done():
            return True
        same, some = self.fingerprint == engine.fingerprint, bool(self.shown(engine))
        if same == some:  # there they are; or there are none, and much may have changed
            return same
        return time.monotonic() - self.ended < RETRY_SECONDS

    def shown(self, engine: Engine) -> list[str]:
        """What of it is shown while a collection is in a state that may be a later one."""
        if not self.questions.done():
            return []
        return [one.question for one in self.questions.result() if _is_there(engine, one.document_id)]


@router.get(
    "/v1/examples",
    operation_id="listExamples",
    summary="列出可以试问的问题",
    description="由文库的文字生成，每个都已由本服务据原文作答。首次调用要算几秒；久等不得时返回空列表，可稍后再取。"
    "文库改动以后先给原来的（其文档已不在的除外），新的在后台另选。",
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
    if drawing.before and not drawing.questions.done() and (questions := drawing.before.shown(engine)):
        drawing = drawing.before
    else:
        await asyncio.wait({asyncio.wrap_future(drawing.questions)}, timeout=WAIT_SECONDS)
        questions = drawing.shown(engine)
    return ExamplesReply(questions=questions, collection=collection, fingerprint=drawing.fingerprint)


def _drawing(request: Request, engine: Engine, collection: str) -> _Drawing:
    """The one drawing for a collection, begun if need be; on the event loop only, so it needs no lock.

    A collection may change all the time, so whoever asks while a drawing is under way waits for that one,
    although it is of an earlier state.
    """
    drawings: OrderedDict[str, _Drawing] | None = getattr(request.app.state, "examples", None)
    if drawings is None:
        drawings = request.app.state.examples = OrderedDict()
    known = drawings.get(collection)
    if known and known.serves(engine):
        drawings.move_to_end(collection)
        return known
    before = known if known and known.questions.result() else None
    begun = _Drawing(engine.fingerprint, Future(), before and _Drawing(before.fingerprint, before.questions))
    # From here on nobody can cancel it: a caller who goes away must not take it from the others.
    begun.questions.set_running_or_notify_cancel()
    drawings[collection] = begun
    drawings.move_to_end(collection)
    while len(drawings) > KEPT_COLLECTIONS:
        drawings.popitem(last=False)
    gate: AdmissionGate = request.scope[GATE_KEY]
    # A daemon: whoever stops the server should not have to wait for it.
    thread = threading.Thread(
        target=_draw,
        args=(begun, engine, partial(_in_turn, gate)),
        name="examples",
        daemon=True,
    )
    try:
        thread.start()
    except RuntimeError as error:  # the machine has no thread left
        _logger.error("no examples could be drawn", exc_info=error)
        _end(begun, ())
    return begun


def _draw(drawing: _Drawing, engine: Engine, in_turn: InTurn) -> None:
    questions: tuple[Example, ...] = ()
    try:
        questions = engine.examples(in_turn)
    except Exception as error:  # a page must not fail for want of examples
        _logger.error("no examples could be drawn", exc_info=error)
    finally:
        _end(drawing, questions)


@contextmanager
def _in_turn(gate: AdmissionGate) -> Iterator[None]:
    gate.idle.wait(GIVE_WAY_SECONDS)
    with _one_at_a_time:
        yield


def _end(drawing: _Drawing, questions: tuple[Example, ...]) -> None:
    drawing.ended = time.monotonic()
    drawing.questions.set_result(questions)


def _is_there(engine: Engine, document_id: str) -> bool:
    try:
        engine.document(document_id)
    except NotFoundError:
        return False
    return True
