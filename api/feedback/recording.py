"""Keeping questions off the path of a request: a queue that is never waited for, and one thread that writes.

Answering comes first: where the queue is full or the file cannot be written, questions are lost, the log says
so once, and nobody who asks notices. What is waiting when the service leaves is written before it has left.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from queue import Empty, Full, Queue

import anyio.to_thread

from api.feedback.records import StoredQuestion
from api.feedback.store import FeedbackStore
from rag.errors import CewenError
from rag.records import Answer

_MAX_WAITING = 1_000
_MAX_BATCH = 100
_CLOSE_SECONDS = 5.0

_logger = logging.getLogger(__name__)


class QuestionRecorder:
    """Keeps the questions that were answered or not.

    Args:
        store: Where they go.
        max_waiting: How many may wait to be written.
    """

    def __init__(self, store: FeedbackStore, *, max_waiting: int = _MAX_WAITING) -> None:
        self._store = store
        self._waiting: Queue[StoredQuestion | None] = Queue(max_waiting)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False
        self._overflown = False
        self._failed = False

    def record(self, answer: Answer, *, question: str, collection: str, narrowed: bool = False) -> None:
        """Keep what was asked and what came of it; returns at once and raises nothing.

        What was asked where there was no document to look in says nothing of the documents: it is not kept.

        Args:
            answer: As it was given.
            question: As it was asked.
            collection: The corpus that was asked.
            narrowed: Whether filters left only some of it to be asked.
        """
        if self._closed or (answer.status == "abstained" and not answer.related):
            return
        kept = StoredQuestion.of(answer, question=question, collection=collection, narrowed=narrowed)
        try:
            self._waiting.put_nowait(kept)
        except Full:
            if not self._overflown:
                self._overflown = True
                _logger.warning("more questions than can be stored in time; some are not kept")
            return
        self._overflown = False
        self._start()

    def close(self, seconds: float = _CLOSE_SECONDS) -> None:
        """Write what waits, and take nothing more.

        Args:
            seconds: How long to wait for it.
        """
        with self._lock:
            self._closed = True
            thread = self._thread
        if thread is None:
            return
        try:
            self._waiting.put(None, timeout=seconds)
        except Full:
            pass
        else:
            thread.join(seconds)
        if thread.is_alive():
            _logger.warning("questions could not all be stored before the end")

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Until it is left; then `close`."""
        try:
            yield
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(self.close)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None and not self._closed:
                # A daemon: a file system that hangs must not keep the process from ending.
                self._thread = threading.Thread(target=self._write, name="question-recorder", daemon=True)
                self._thread.start()

    def _write(self) -> None:
        last = False
        while not last:
            batch, last = self._next_batch()
            if batch:
                self._keep(batch)

    def _next_batch(self) -> tuple[list[StoredQuestion], bool]:
        """What waits, at least one, up to the end if it has come; and whether it has."""
        batch: list[StoredQuestion] = []
        each = self._waiting.get()
        while each is not None:
            batch.append(each)
            if len(batch) == _MAX_BATCH:
                return batch, False
            try:
                each = self._waiting.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _keep(self, questions: list[StoredQuestion]) -> None:
        try:
            self._store.add_questions(questions)
        except Exception as error:  # whatever it is, the thread goes on
            if not self._failed:
                self._failed = True
                # Our own errors hold no text of anybody's; others might.
                ours = error if isinstance(error, CewenError) else None
                kind = type(error).__name__
                _logger.warning("questions cannot be stored (%s); answering goes on", kind, exc_info=ours)
        else:
            self._failed = False
