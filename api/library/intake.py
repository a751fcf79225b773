"""Texts on their way in: accepted durably, then encoded and added by a job, also after a kill.

What was accepted stays in the store until it is added, or somebody does not want it any more: whoever sent
it calls the job off, empties its collection, or was told at once that it is refused. A job that fails keeps
its text and is done again when somebody asks for that, or at the next start; one with which the process has
ended again and again is set aside, and only done again when somebody asks.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from api.library.attempts import Attempts
from api.library.collection import LiveCollection
from api.library.inheriting import added_as_successor
from api.library.job_states import HOPELESS, not_begun, nothing_kept
from api.library.jobs import JobBoard, new_job_id
from api.library.lanes import ALONE
from api.library.scratch import keep_scratch_of, scratch_of
from api.library.sizes import check_pieces, lane_of
from api.library.tasks import CalledOff, Report
from api.library_records import Job, Upload
from index.store import Pending, Store
from rag.errors import CewenError, UnavailableError
from rag.inputs import excerpt
from rag.records import Metadata

_MAX_WAITING_CHARS = 40_000_000
"""Characters of the texts that wait, together."""
_MAX_ATTEMPTS = 2
_TARGET_GONE = "它要替换的文档在它等候时被删除了。文字没有丢：那份文档又有了，可以再试一次；也可以取消它。"

_log = logging.getLogger(__name__)


class Intake:
    """Takes texts in.

    Args:
        store: The truth.
        jobs: Does the work.
        live: Finds a collection.

    Attributes:
        attempts: What was running when the process ended.
        turn: Held while a text is accepted, taken up again or withdrawn, and while a collection is emptied.
    """

    def __init__(self, store: Store, jobs: JobBoard, live: Callable[[str], LiveCollection]) -> None:
        self._store = store
        self._jobs = jobs
        self._live = live
        self._waiting_chars: dict[str, int] = {}
        self._kept: dict[str, Pending] = {}
        self.attempts = Attempts(store.path.parent)
        self.turn: AbstractContextManager[Any] = threading.RLock()

    def accept(self, collection: str, upload: Upload, replaces: str | None) -> Job:
        """Accept a text; see `api.ports.Library.add`."""
        live = self._live(collection)
        check_pieces(upload.source)
        self._check_room(upload)
        self._jobs.check_room()
        there = live.already_there(upload, replaces)
        if there is not None:
            job = Job(new_job_id(), "add", collection, "done", created=False, notes=upload.notes)
            return self._jobs.note(job, source_id=upload.source.source_id, document_ids=there)
        accepted_at = datetime.now(UTC).isoformat(timespec="seconds")
        pending = Pending(new_job_id(), collection, upload.source, upload.origin, replaces, accepted_at)
        with self.turn:
            before = self._before(pending)
            if before and upload.source.metadata == Metadata():  # nothing is said of it: it stays as it was
                said = replace(upload.source, metadata=before[-1].source.metadata)
                pending = replace(pending, source=said)
            self._store.put_pending(pending)
            suspected = self._take_over(before, pending)
            return self._submit(live, pending, upload.notes, alone=suspected, took_over=bool(before))

    def take_up(self) -> None:
        """Go on with what was accepted before the last end of the process."""
        ends = self.attempts.settle()
        waiting = self._store.pending()
        suspected = [one for one in waiting if one.job_id in ends and not one.target_gone]
        for pending in waiting:
            if pending.target_gone:
                self._kept[pending.job_id] = _without_text(pending)
                self._jobs.note(not_begun(pending, "document_not_found", _TARGET_GONE))
            elif pending not in suspected:
                self._submit(self._live(pending.collection), pending, ())
        for pending in suspected:
            if ends[pending.job_id] >= _MAX_ATTEMPTS:
                self._set_aside(pending)
            else:
                self._submit(self._live(pending.collection), pending, (), alone=True)
        names = {one.job_id for one in waiting}
        self.attempts.keep_only(names)
        keep_scratch_of(self._store.path.parent, names)

    def retry(self, job_id: str) -> Job:
        """Do a job again that has failed and has kept its text; it runs alone."""
        with self.turn:
            job = self._jobs.get(job_id)
            if job_id not in self._kept or not job.kept:
                raise nothing_kept(job_id)
            self._jobs.check_room()
            live = self._live(job.collection)
            pending = next((one for one in self._store.pending() if one.job_id == job_id), None)
            del self._kept[job_id]
            if pending is None:  # it failed after its text was in, or while its collection was emptied
                self._jobs.note(job, kept=False)
                raise nothing_kept(job_id)
            return self._submit(live, pending, job.notes, alone=self._still_suspect(job_id))

    def cancel(self, job_id: str, note: Callable[[Job], str]) -> Job:
        """Call a job off; see `api.ports.Library.cancel`."""
        with self.turn:
            if job_id not in self._kept:
                return self._jobs.cancel(job_id, partial(self._withdraw, job_id), note)
            self._withdraw(job_id)
            return self._let_go(job_id, note(self._jobs.get(job_id)))

    def forget(self, collection: str, note: str, source_id: str | None = None) -> None:
        """Let go of what was kept for a collection that has been emptied, and of what waited for it.

        If only a source of it has been removed: of what would have added that.
        """
        gone = [one for one in list(self._kept.values()) if one.collection == collection]
        for job_id in [one.job_id for one in gone if source_id in (None, one.source.source_id)]:
            self._clean_up(job_id)
            self._let_go(job_id, note)
        for job_id in list(self._waiting_chars):
            if self._jobs.was_called_off(job_id):
                self._clean_up(job_id)

    def _withdraw(self, job_id: str) -> None:
        """Forget a text that was accepted: durably, in one transaction; nothing happens if there is none."""
        self._store.drop_pending(job_id)
        self._clean_up(job_id)

    def _clean_up(self, job_id: str) -> None:
        """Forget what else is known of a text that is no longer to be added."""
        self.attempts.ended(job_id)
        self._waiting_chars.pop(job_id, None)
        scratch_of(self._store.path.parent, job_id).drop()

    def _let_go(self, job_id: str, note: str) -> Job:
        """Tell that a text that was kept is gone."""
        self._kept.pop(job_id, None)
        job = self._jobs.get(job_id)
        return self._jobs.note(job, state="cancelled", kept=False, notes=(*job.notes, note))

    def _before(self, pending: Pending) -> list[Pending]:
        """What was kept of the same text with the same wish."""
        key = (pending.collection, pending.source.sha256, pending.replaces)
        kept = list(self._kept.values())
        return [one for one in kept if (one.collection, one.source.sha256, one.replaces) == key]

    def _take_over(self, before: list[Pending], pending: Pending) -> bool:
        """Go on with a text that was kept under its new name; whether it is under suspicion."""
        suspected = False
        for old in before:
            if self._still_suspect(old.job_id):
                self.attempts.suspect(pending.job_id, _MAX_ATTEMPTS - 1)
                suspected = True
            try:
                self._withdraw(old.job_id)
            except CewenError:  # both are there then; whichever comes second finds the text added
                _log.exception("job %s could not give way to %s", old.job_id, pending.job_id)
                continue
            self._let_go(old.job_id, f"同一份文字又收到了，由任务 {pending.job_id} 接着处理。")
        return suspected

    def _still_suspect(self, job_id: str) -> bool:
        """Whether a process may have ended because of a job; it is given one try more."""
        job = self._jobs.get(job_id)
        if job.error_code != "document_set_aside":
            return False
        self.attempts.suspect(job_id, _MAX_ATTEMPTS - 1)
        return True

    def _check_room(self, upload: Upload) -> None:
        waiting = sum(list(self._waiting_chars.values()))
        if waiting and waiting + len(upload.source.text) > _MAX_WAITING_CHARS:
            raise UnavailableError(
                f"等候处理的文档已有 {waiting} 个字符。请等一会儿再添加。", code="overloaded"
            )

    def _set_aside(self, pending: Pending) -> None:
        """Keep a text with which alone the process has ended again and again, and do not begin with it."""
        name, job_id = pending.source.name, pending.job_id
        _log.error("job %s is set aside: the process ended %d times while it ran", job_id, _MAX_ATTEMPTS)
        self._kept[job_id] = _without_text(pending)
        message = (
            f"处理{excerpt(name)}时服务一再中断，多半是内存不够。文字没有丢，搁在一边：可以再试一次"
            f"（POST /v1/jobs/{job_id}/retry），也可以取消它，再拆成几个文件添加。"
        )
        self._jobs.note(not_begun(pending, "document_set_aside", message))

    def _submit(
        self,
        live: LiveCollection,
        pending: Pending,
        notes: tuple[str, ...],
        *,
        alone: bool = False,
        took_over: bool = False,
    ) -> Job:
        # Not by name: another collection may have it by then.
        upload = Upload(pending.source, pending.origin, notes)
        job_id = pending.job_id
        scratch = scratch_of(self._store.path.parent, job_id)

        def work(report: Report) -> dict[str, Any]:
            try:
                with self.attempts.watched(job_id):
                    removal = partial(self._store.removal, live.name)
                    added = added_as_successor(live, upload, pending, removal, report, scratch)
            except CalledOff:
                scratch.drop()
                raise
            finally:
                self._waiting_chars.pop(job_id, None)
            scratch.drop()
            return asdict(added)

        def failed(code: str) -> bool:
            if code in HOPELESS:
                self._withdraw(job_id)
                return False
            self._kept[job_id] = _without_text(pending)
            return True

        job = Job(
            job_id,
            "add",
            pending.collection,
            "queued",
            source_id=upload.source.source_id,
            notes=notes,
            took_over=took_over,
        )
        self._waiting_chars[job_id] = len(pending.source.text)
        lane = ALONE if alone else lane_of(pending.source.text)
        return self._jobs.submit(job, work, lane=lane, failed=failed)


def _without_text(pending: Pending) -> Pending:
    """What is remembered of a text that stays in the store."""
    return replace(pending, source=replace(pending.source, text=""))
