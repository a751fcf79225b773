"""Work that takes its time: one after the other in a few threads of their own, with how far it has come.

Lanes, so that a note of one page does not wait for a book (`lanes`). What makes a job to add something
survive a kill is the store, not this.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import Any

from api.library.job_states import JobStates
from api.library.lanes import Lanes
from api.library.tasks import CalledOff, Report, Stopping, Task, Work
from api.library_records import Job, JobKind
from rag.errors import CewenError, IndexFileError, InputError, UnavailableError
from rag.inputs import excerpt

_MAX_WAITING = 64
_JOIN_SECONDS = 5.0

_log = logging.getLogger(__name__)


class JobBoard(JobStates):
    """Runs jobs and knows how they stand. Safe to call from threads.

    Args:
        after: Called in a lane's thread whenever a job has ended, with the name of its collection.
    """

    def __init__(self, after: Callable[[str], None]) -> None:
        super().__init__()
        self._after = after
        self._lanes = Lanes()
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
            waiting = self._lanes.count()
            if waiting >= _MAX_WAITING:
                raise UnavailableError(
                    f"已有 {waiting} 份文档在等候处理。请等一会儿再添加。", code="overloaded"
                )

    def submit(
        self, job: Job, work: Work, *, lane: str, failed: Callable[[str], bool] = lambda _: False
    ) -> Job:
        """Put a job at the end of a lane.

        Args:
            job: In the state "queued".
            work: What to do.
            lane: Any name; each has a thread of its own.
            failed: As in `Task`.
        """
        report = Report(partial(self._progress, job.job_id), lambda: self._closed)
        # The log has to know that it is about a request: what fails may quote the text that came with it.
        task = Task(job.job_id, work, report, failed, lane, copy_context())
        with self._changed:
            self._jobs[job.job_id] = job
            self._tasks[job.job_id] = task
            self._lanes.put(task)
            self._see_to(lane)
            self._changed.notify_all()
        return job

    def cancel(self, job_id: str, withdraw: Callable[[], None], note: Callable[[Job], str]) -> Job:
        """Call a job off: nothing of it will be there. Whoever does so again is told the same.

        Args:
            job_id: Its name.
            withdraw: Makes that durable; called at most once. What it raises is raised, and the job goes on.
            note: What people are told of it, from how it stood.

        Raises:
            NotFoundError: With code `job_not_found`.
            InputError: With code `job_ended` if it has ended, or what it did is being written.
        """
        with self._changed:
            job = self.get(job_id)
            task = self._tasks.get(job_id)
        if task is not None:
            self._call_off(task, withdraw, note)
        job = self.get(job_id)
        if job.state != "cancelled":
            told = {"done": "已经完成", "failed": "已经失败"}.get(job.state, "正在写入，来不及取消")
            raise InputError(f"任务{excerpt(job_id)}{told}。请用 GET /v1/jobs 看它的结果。", code="job_ended")
        return job

    def end_all(
        self, collection: str, note: str, *, only: JobKind | None = None, source_id: str | None = None
    ) -> None:
        """Call off what waits and runs for a collection, of which nothing is left to withdraw.

        Args:
            collection: Which.
            note: What people are told.
            only: Only jobs of this kind.
            source_id: Only those that add this source.
        """
        with self._changed:
            tasks = [
                task
                for job_id, task in self._tasks.items()
                if (job := self._jobs.get(job_id)) is not None
                and job.collection == collection
                and only in (None, job.kind)
                and source_id in (None, job.source_id)
            ]
        for task in tasks:
            self._call_off(task, lambda: None, lambda _: note)

    def wait(self, job_id: str, seconds: float) -> Job:
        """A job once it has ended, or as it stands after so long.

        Raises:
            NotFoundError: With code `job_not_found`.
        """
        ends = time.monotonic() + seconds
        with self._changed:  # re-entrant, as `get` takes it too
            while not (job := self.get(job_id)).ended and not self._closed:
                if job_id in self._tasks:
                    self._see_to(self._tasks[job_id].lane)
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

    def _see_to(self, lane: str) -> None:
        """Let a lane have a thread. Where the machine gives none now, it is asked again another time."""
        if lane in self._threads or self._closed:
            return
        thread = threading.Thread(target=self._run, args=(lane,), name=f"library-{lane}", daemon=True)
        try:
            thread.start()
        except (RuntimeError, MemoryError) as error:
            _log.error("no thread can be started for the %s jobs, which wait: %s", lane, error)
        else:
            self._threads[lane] = thread

    def _call_off(self, task: Task, withdraw: Callable[[], None], note: Callable[[Job], str]) -> None:
        """Call a task off, unless it goes to its end."""
        if task.report.call_off(withdraw):
            with self._changed:
                self._lanes.take_out(task)
                job = self._jobs.get(task.job_id)
                if job is not None:
                    self._set(task.job_id, state="cancelled", notes=(*job.notes, note(job)))

    def _run(self, lane: str) -> None:
        while True:
            with self._changed:
                task = None
                while not self._closed and (task := self._lanes.begin(lane)) is None:
                    self._changed.wait()
                if task is None:
                    return
                collection = self._jobs[task.job_id].collection
                self._set(task.job_id, state="running")
            task.context.run(self._do, task)
            del task  # it holds a collection, which may be removed before the next one comes
            try:
                if not self.closing:
                    self._after(collection)
            except Exception:  # noqa: BLE001 -- the thread must live on, whatever it was
                _log.exception("after a job on %r", collection)
            with self._changed:
                self._lanes.end(lane)
                self._changed.notify_all()

    def _do(self, task: Task) -> None:
        outcome: dict[str, Any] = {"state": "failed"}
        try:
            outcome = {"state": "done", **task.work(task.report)}
        except CalledOff:
            return
        except Stopping:
            self._set(task.job_id, state="queued")
            return
        except CewenError as error:
            if isinstance(error, IndexFileError):  # other messages may name what the caller sent
                _log.error("job %s failed: %s", task.job_id, error.message)
            outcome |= {"error_code": error.code, "error_message": error.message}
        except Exception:  # noqa: BLE001 -- said to whoever asks for the job
            _log.exception("job %s failed", task.job_id)
            outcome |= {
                "error_code": "internal_error",
                "error_message": "服务内部出错，请维护者查看日志。",
            }
        if not task.report.decided():  # called off while it failed, say
            return
        if outcome["state"] == "failed":
            outcome["kept"] = self._kept(task, outcome["error_code"])
        self._set(task.job_id, **outcome)

    def _kept(self, task: Task, code: str) -> bool:
        """Whether what was accepted for a job that failed is still there."""
        try:
            return task.failed(code)
        except Exception:  # noqa: BLE001 -- a disk that is full, say; the thread must live on
            _log.warning("what was accepted for job %s could not be dropped", task.job_id, exc_info=True)
            return True

    def _progress(self, job_id: str, done: int, total: int) -> None:
        self._set(job_id, done=done, total=total)


def new_job_id() -> str:
    """A name that no other job has and nobody guesses."""
    return f"job-{secrets.token_hex(8)}"
