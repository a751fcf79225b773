"""Adding: what is sent, how long to wait at once and between looks, and what comes of it. No connection."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cewen.envelopes import AddReply
from cewen.errors import ConfigError, InvalidReplyError, JobFailedError
from cewen.library_models import Added, Job
from cewen.library_requests import MetadataLike, file_request, text_request
from cewen.replies import parse
from cewen.requests import Request

FileLike = str | os.PathLike[str] | bytes
"""A path, or the bytes of a file."""

_AT_ONCE_SECONDS = 30.0
_FIRST_LOOK_SECONDS = 0.2
_MOST_BETWEEN_LOOKS_SECONDS = 2.0


def seconds_at_once(wait: float | None, timeout: float) -> float:
    """How long the service is asked to wait before it replies: far below the silence the client bears."""
    most = min(_AT_ONCE_SECONDS, timeout / 2)
    return most if wait is None else max(0.0, min(wait, most))


def looks(seconds: float | None) -> Iterator[float]:
    """How long to wait before each further look at a job; `seconds` in all, without end if that is None."""
    left = float("inf") if seconds is None else seconds
    pause = _FIRST_LOOK_SECONDS
    while left > 0:
        yield min(pause, left)
        left -= pause
        pause = min(2 * pause, _MOST_BETWEEN_LOOKS_SECONDS)


def added_or_job(body: str) -> Added | Job:
    """The reply to an upload.

    Raises:
        InvalidReplyError: If it is none.
    """
    reply = parse(AddReply, body)
    if reply.job is not None:
        return reply.job
    if reply.source_id is None:
        raise InvalidReplyError("收到的答复里没有 source_id，也没有 job。请检查 base_url 和中间的代理。")
    return Added(
        source_id=reply.source_id,
        document_ids=tuple(document.id for document in reply.documents),
        created=reply.created,
        replaced=reply.replaced,
        notes=reply.notes,
    )


def added_by(job: Job) -> Added:
    """What a job has added, or is still adding.

    Raises:
        JobFailedError: If it failed, or was cancelled.
    """
    if job.state == "cancelled":
        raise JobFailedError("添加已经取消，没有加入文库。", code="job_cancelled")
    if job.state == "failed":
        raise JobFailedError(
            job.error_message or "添加没有完成。请稍后再试。", code=job.error_code or "internal_error"
        )
    return Added(
        source_id=job.source_id or "",
        document_ids=job.document_ids,
        created=job.created,
        replaced=job.replaced,
        notes=job.notes,
        job=None if job.ended else job,
    )


@dataclass(frozen=True, slots=True)
class Upload:
    """What is added: a text or a file.

    Attributes:
        text: Stored as it is; None for a file.
        file: Its path, or its bytes with a `name`.
        name: A label; None for the one in the path.
        metadata: What is known of it.
        collection, origin: None for the service's default.
    """

    text: str | None
    file: FileLike | None
    name: str | None
    metadata: MetadataLike | None
    collection: str | None
    origin: str | None

    def request(self, wait: float, replaces: str | None) -> Request:
        """What is sent.

        Args:
            wait: Seconds that the service may wait before it replies.
            replaces: Id of what gives way.

        Raises:
            ConfigError: If there is not one of text and file, or the file cannot be read.
            NotFoundError: If what is to be replaced has no id.
        """
        if self.text is not None and self.file is None:
            return text_request(
                self.text,
                name=self.name,
                metadata=self.metadata,
                collection=self.collection,
                origin=self.origin,
                wait=wait,
                replaces=replaces,
            )
        if self.text is not None or self.file is None:
            raise ConfigError("text 和 file 要给其中一个，也只能给一个。")
        data, name = _file_to_send(self.file, self.name)
        return file_request(
            data,
            name=name,
            metadata=self.metadata,
            collection=self.collection,
            origin=self.origin,
            wait=wait,
            replaces=replaces,
        )


def _file_to_send(file: FileLike, name: str | None) -> tuple[bytes, str]:
    if isinstance(file, bytes):
        if not name:
            raise ConfigError("给的是文件的字节，还要用 name 给出文件名：扩展名说明它是什么文件。")
        return file, name
    path = Path(file)
    try:
        return path.read_bytes(), name or path.name
    except OSError as error:
        raise ConfigError(f"读不了文件 {str(path)!r}：{error.strerror}。请检查路径和权限。") from error
