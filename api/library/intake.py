"""Texts on their way in: accepted durably, then encoded and added by a job, also after a kill."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from api.library.attempts import Attempts
from api.library.collection import LiveCollection
from api.library.jobs import JobBoard, Report, new_job_id
from api.library_records import Job, Upload
from index.store import Pending, Store
from rag.errors import TooLargeError, UnavailableError
from rag.inputs import excerpt

_LONG_TEXT_CHARS = 60_000
"""A longer text goes to the lane of the slow ones: it takes a minute and more."""
_MAX_PIECES = 400_000
"""Lines and sentences of a text: some 10 million characters of prose, and what fits into memory."""
_MAX_WAITING_CHARS = 40_000_000
"""Characters of the texts that wait, together."""
_MAX_ATTEMPTS = 2
_ENDS = re.compile(r"[\n。！？!?…；;]+")

_log = logging.getLogger(__name__)


class Intake:
    """Takes texts in.

    Args:
        store: The truth.
        jobs: Does the work.
        live: Finds a collection.
    """

    def __init__(self, store: Store, jobs: JobBoard, live: Callable[[str], LiveCollection]) -> None:
        self._store = store
        self._jobs = jobs
        self._live = live
        self._attempts = Attempts(store.path.parent)
        self._waiting_chars: dict[str, int] = {}

    def accept(self, collection: str, upload: Upload, replaces: str | None) -> Job:
        """Accept a text; see `api.ports.Library.add`."""
        live = self._live(collection)
        if replaces is not None:
            live.check_there(replaces)
        self._check_size(upload)
        self._jobs.check_room()
        there = live.already_there(upload, replaces)
        if there is not None:
            job = Job(new_job_id(), "add", collection, "done", created=False, notes=upload.notes)
            return self._jobs.note(job, source_id=upload.source.source_id, document_ids=there)
        accepted_at = datetime.now(UTC).isoformat(timespec="seconds")
        pending = Pending(new_job_id(), collection, upload.source, upload.origin, replaces, accepted_at)
        self._store.put_pending(pending)
        return self._submit(live, pending, upload.notes)

    def take_up(self) -> None:
        """Go on with what was accepted before the last end of the process."""
        attempts = self._attempts.read()
        for pending in self._store.pending():
            if attempts.get(pending.job_id, 0) >= _MAX_ATTEMPTS:
                self._give_up(pending)
            else:
                self._submit(self._live(pending.collection), pending, ())

    def _check_size(self, upload: Upload) -> None:
        text = upload.source.text
        if len(text) > _MAX_PIECES and sum(1 for _ in _ENDS.finditer(text)) > _MAX_PIECES:
            raise TooLargeError(
                f"{excerpt(upload.source.name)}的行和句子超过 {_MAX_PIECES} 个。请拆成几个文件。",
                code="document_too_large",
            )
        waiting = sum(list(self._waiting_chars.values()))
        if waiting and waiting + len(text) > _MAX_WAITING_CHARS:
            raise UnavailableError(
                f"等候处理的文档已有 {waiting} 个字符。请等一会儿再添加。", code="overloaded"
            )

    def _give_up(self, pending: Pending) -> None:
        """Leave out a text with which the process has ended again and again."""
        name, job_id = pending.source.name, pending.job_id
        _log.error("job %s is given up: the process ended %d times while it ran", job_id, _MAX_ATTEMPTS)
        self._store.drop_pending(job_id)
        self._attempts.ended(job_id)
        message = f"处理{excerpt(name)}时服务两次中断，多半是内存不够，已放弃。请拆成几个文件再添加。"
        job = Job(job_id, "add", pending.collection, "failed", error_code="unreadable_document")
        self._jobs.note(job, source_id=pending.source.source_id, error_message=message)

    def _submit(self, live: LiveCollection, pending: Pending, notes: tuple[str, ...]) -> Job:
        # Not by name: another collection may have it by then.
        upload = Upload(pending.source, pending.origin, notes)

        def work(report: Report) -> dict[str, Any]:
            self._attempts.begun(pending.job_id)
            try:
                added = live.add(
                    upload, replaces=pending.replaces, done_pending=pending.job_id, progress=report
                )
            finally:
                self._attempts.ended(pending.job_id)
                self._waiting_chars.pop(pending.job_id, None)
            return asdict(added)

        job = Job(
            pending.job_id,
            "add",
            pending.collection,
            "queued",
            source_id=pending.source.source_id,
            notes=notes,
        )
        self._waiting_chars[pending.job_id] = len(pending.source.text)
        lane = "slow" if len(pending.source.text) > _LONG_TEXT_CHARS else "quick"
        return self._jobs.submit(
            job, work, lane=lane, failed=lambda: self._store.drop_pending(pending.job_id)
        )
