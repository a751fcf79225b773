"""How work ends that a command waits for: well, badly, or called off by an interruption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import cewen
from api.cli.interrupting import InterruptedWorkError
from api.errors.codes import CODES
from api.library_records import Job
from rag.errors import CewenError, InputError, UnavailableError

Ended = TypeVar("Ended", Job, cewen.Job)


@contextmanager
def calling_off(cancel: Callable[[], Job | cewen.Job]) -> Iterator[None]:
    """Call off the job that is waited for, if somebody interrupts the wait.

    Args:
        cancel: Does that.

    Raises:
        InterruptedWorkError: Then.
    """
    try:
        yield
    except KeyboardInterrupt as interruption:
        try:
            told = "".join(cancel().notes[-1:]) or "已取消。"
        except (CewenError, cewen.CewenError) as error:
            late = error.code == "job_ended"
            told = "来不及取消，已经做完。" if late else f"没有取消成，仍会做完：{error.message}"
        raise InterruptedWorkError(told) from interruption


def ended_well(job: Ended) -> Ended:
    """Give a job back that has ended.

    Raises:
        CewenError: If it failed, or was cancelled.
    """
    if job.state == "cancelled":
        raise failure_of("job_cancelled", "任务已被取消。")
    if job.state == "failed":
        raise failure_of(job.error_code, job.error_message)
    return job


def failure_of(code: str | None, message: str | None) -> CewenError:
    """The error that a failed job stands for: of the text that was sent, or of the library."""
    row = CODES.get(code or "")
    of_the_text = row is not None and row.status < 500
    kind = InputError if of_the_text else UnavailableError
    return kind(message or "没有完成，也没有说明原因。请看日志。", code=code)
