"""How jobs stand: in memory, those of ended ones for the last thousand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import replace
from typing import Any

from api.library.tasks import Task
from api.library_records import Job
from index.store import Pending
from rag.errors import InputError, NotFoundError
from rag.inputs import excerpt

HOPELESS = frozenset(
    {"document_without_text", "document_conflict", "document_too_large", "collection_not_found"}
)
"""Nothing can ever come of a text of which this is said, where it was to go: it is not kept."""
_KEPT = 1_000


class JobStates:
    """Jobs by their names. Safe to call from threads."""

    def __init__(self) -> None:
        self._changed = threading.Condition()  # re-entrant
        self._jobs: OrderedDict[str, Job] = OrderedDict()
        self._tasks: dict[str, Task] = {}

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

    def note(self, job: Job, **known: Any) -> Job:
        """Keep a job that has ended already, with what else is known of it."""
        job = replace(job, **known)
        with self._changed:
            self._jobs[job.job_id] = job
            self._tasks.pop(job.job_id, None)
            self._forget_old()
        return job

    def was_called_off(self, job_id: str) -> bool:
        """Whether a job was cancelled; also if it is so long ago that nothing is known of it any more."""
        with self._changed:
            job = self._jobs.get(job_id)
            return job is None or job.state == "cancelled"

    def _set(self, job_id: str, **changes: Any) -> None:
        """Note a change of a job, unless it has ended: one that was called off may run on for a moment."""
        with self._changed:
            job = self._jobs.get(job_id)
            if job is None or job.ended:
                return
            self._jobs[job_id] = replace(job, **changes)
            if self._jobs[job_id].ended:
                self._tasks.pop(job_id, None)
                self._jobs.move_to_end(job_id)
                self._forget_old()
            self._changed.notify_all()

    def _forget_old(self) -> None:
        ended = [job_id for job_id, job in self._jobs.items() if job.ended and not job.kept]
        for job_id in ended[: max(0, len(ended) - _KEPT)]:
            del self._jobs[job_id]


def not_begun(pending: Pending, code: str, message: str) -> Job:
    """The job of a text that waits and that a start does not begin with by itself."""
    return Job(
        pending.job_id,
        "add",
        pending.collection,
        "failed",
        error_code=code,
        error_message=message,
        kept=True,
        source_id=pending.source.source_id,
    )


def nothing_kept(job_id: str) -> InputError:
    """Of a job that is to be done again and has no text to do it with."""
    return InputError(
        f"任务{excerpt(job_id)}没有留下文字可以再试。请用 GET /v1/jobs/{{id}} 看它的结果。", code="job_ended"
    )
