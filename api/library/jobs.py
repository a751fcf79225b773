"""Work that takes its time: one after the other in a few threads of their own, with how far it has come.

Two lanes, so that a note of one page does not wait for a book. A lane's work is done in the order of its
coming. States are kept in memory, those of ended jobs for the last thousand; what makes a job to add
something survive a kill is the store, not this.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import replace
from typing import Any

from api.library_records import Job
from rag.errors import CewenError, IndexFileError, NotFoundError, UnavailableError
from rag.inputs import excerpt

Report = Callable[[int, int], None]
"""Called with (texts encoded, texts in all); raises `Stopping` when the library closes."""

Work = Callable[[Report], dict[str, Any]]
"""Does the work; returns what is known of the job at its end, by the names of `Job`."""

_MAX_WAITING = 64
_KEPT = 1_000
_JOIN_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Stopping(Exception):  # noqa: N818 -- no error: the library closes
    """The library closes; what was begun is taken up again at the next start."""


class JobBoard:
    """Runs jobs and knows how they stand. Safe to call from threads.

    Args:
        after: Called in a lane's thread whenever a job has ended, with the name of its collection.
    """

    def __init__(self, after: Callable[[str], None]) -> None:
        self._after = after
        self._changed = threading.Condition()
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._waiting: dict[str, deque[tuple[str, Context, Work, Callable[[], None]]]] = {}
        self._threads: dict[str, threading.Thread] = {}
        self._closed = False

    def check_room(self) -> None:
        """See whether another job may come.

        Raises:
            UnavailableError: With code `overloaded` if too many wait, `shutting_down` if the library closes.
        """
        with self._changed:
            if self._closed:
                raise UnavailableError("服务正在关闭，不再接受新的文档。请稍后再试。", code="shutting_down")
            waiting = sum(map(len, self._waiting.values()))
            if waiting >= _MAX_WAITING:
                raise UnavailableError(
                    f"已有 {waiting} 份文档在等候处理。请等一会儿再添加。", code="overloaded"
                )

    def submit(self, job: Job, work: Work, *, lane: str, failed: Callable[[], None] = lambda: None) -> Job:
        """Put a job at the end of a lane.

        Args:
            job: In the state "queued".
            work: What to do.
            lane: Any name; each has a thread of its own.
            failed: Called if it fails for good.
        """
        with self._changed:
            self._jobs[job.job_id] = job
            # The log has to know that it is about a request: what fails may quote the text that came with it.
            waiting = (job.job_id, copy_context(), work, failed)
            self._waiting.setdefault(lane, deque()).append(waiting)
            if lane not in self._threads and not self._closed:
                self._threads[lane] = threading.Thread(
                    target=self._run, args=(lane,), name=f"library-{lane}", daemon=True
                )
                self._threads[lane].start()
            self._changed.notify_all()
        return job

    def note(self, job: Job, **known: Any) -> Job:
        """Keep a job that has ended already, with what else is known of it."""
        job = replace(job, **known)
        with self._changed:
            self._jobs[job.job_id] = job
            self._forget_old()
        return job

    def get(self, job_id: str) -> Job:
        """A job as it stands.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        with self._changed:
            if job_id not in self._jobs:
                raise NotFoundError(
                    f"没有编号为{excerpt(job_id)}的任务。服务重新启动以后，已经做完的任务不再列出；"
                    "请用 GET /v1/documents 查看文档是否已在。",
                    code="job_not_found",
                )
            return self._jobs[job_id]

    def all(self) -> tuple[Job, ...]:
        """All jobs that are known, oldest first."""
        with self._changed:
            return tuple(self._jobs.values())

    def wait(self, job_id: str, seconds: float) -> Job:
        """A job once it has ended, or as it stands after so long.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        ends = time.monotonic() + seconds
        with self._changed:  # re-entrant, as `get` takes it too
            while not (job := self.get(job_id)).ended and not self._closed:
                left = ends - time.monotonic()
                if left <= 0:
                    break
                self._changed.wait(left)
            return job

    def close(self) -> None:
        """Begin nothing more and let what runs stop at the next report; wait for it a few seconds."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
            threads = list(self._threads.values())
        for thread in threads:
            if thread is not threading.current_thread():
                thread.join(_JOIN_SECONDS)

    @property
    def closing(self) -> bool:
        """Whether nothing more is begun."""
        return self._closed

    def _run(self, lane: str) -> None:
        while True:
            with self._changed:
                while not self._waiting[lane] and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                job_id, context, work, failed = self._waiting[lane].popleft()
                collection = self._jobs[job_id].collection
            self._set(job_id, state="running")
            context.run(self._do, job_id, work, failed)
            try:
                if not self.closing:
                    self._after(collection)
            except Exception:  # noqa: BLE001 -- the thread must live on, whatever it was
                _log.exception("after a job on %r", collection)

    def _do(self, job_id: str, work: Work, failed: Callable[[], None]) -> None:
        def report(done: int, total: int) -> None:
            if self._closed:
                raise Stopping
            self._set(job_id, done=done, total=total)

        try:
            known = work(report)
        except Stopping:
            self._set(job_id, state="queued")
            return
        except CewenError as error:
            if isinstance(error, IndexFileError):  # other messages may name what the caller sent
                _log.error("job %s failed: %s", job_id, error.message)
            outcome: dict[str, Any] = {
                "state": "failed",
                "error_code": error.code,
                "error_message": error.message,
            }
        except Exception:  # noqa: BLE001 -- said to whoever asks for the job
            _log.exception("job %s failed", job_id)
            outcome = {
                "state": "failed",
                "error_code": "internal_error",
                "error_message": "服务内部出错，请维护者查看日志。",
            }
        else:
            self._set(job_id, state="done", **known)
            return
        try:
            failed()
        except CewenError as error:  # a disk that is full, say: it is tried again at the next start
            _log.warning("job %s failed and could not be taken off the list: %s", job_id, error.message)
        except Exception:  # noqa: BLE001 -- the thread must live on
            _log.warning("job %s failed and could not be taken off the list", job_id, exc_info=True)
        self._set(job_id, **outcome)

    def _set(self, job_id: str, **changes: Any) -> None:
        with self._changed:
            self._jobs[job_id] = replace(self._jobs[job_id], **changes)
            if self._jobs[job_id].ended:
                self._jobs.move_to_end(job_id)
                self._forget_old()
            self._changed.notify_all()

    def _forget_old(self) -> None:
        ended = [job_id for job_id, job in self._jobs.items() if job.ended]
        for job_id in ended[: max(0, len(ended) - _KEPT)]:
            del self._jobs[job_id]


def new_job_id() -> str:
    """A name that no other job has and nobody guesses."""
    return f"job-{secrets.token_hex(8)}"
