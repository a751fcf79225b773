"""Texts on their way in: accepted durably, then encoded and added by a job, also after a kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from api.library.collection import LiveCollection
from api.library.jobs import JobBoard, Report, new_job_id
from api.library_records import Job, Upload
from index.store import Pending, Store

_LONG_TEXT_CHARS = 60_000
"""A longer text goes to the lane of the slow ones: it takes a minute and more."""


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

    def accept(self, collection: str, upload: Upload, replaces: str | None) -> Job:
        """Accept a text; see `api.ports.Library.add`."""
        live = self._live(collection)
        if replaces is not None:
            live.check_there(replaces)
        self._jobs.check_room()
        there = live.already_there(upload, replaces)
        if there is not None:
            job = Job(new_job_id(), "add", collection, "done", created=False, notes=upload.notes)
            return self._jobs.note(job, source_id=upload.source.sha256[:12], document_ids=there)
        accepted_at = datetime.now(UTC).isoformat(timespec="seconds")
        pending = Pending(new_job_id(), collection, upload.source, upload.origin, replaces, accepted_at)
        self._store.put_pending(pending)
        return self._submit(live, pending, upload.notes)

    def take_up(self) -> None:
        """Go on with what was accepted before the last end of the process."""
        for pending in self._store.pending():
            self._submit(self._live(pending.collection), pending, ())

    def _submit(self, live: LiveCollection, pending: Pending, notes: tuple[str, ...]) -> Job:
        # Not by name: another collection may have it by then.
        upload = Upload(pending.source, pending.origin, notes)

        def work(report: Report) -> dict[str, Any]:
            added = live.add(upload, replaces=pending.replaces, done_pending=pending.job_id, progress=report)
            return asdict(added)

        job = Job(
            pending.job_id,
            "add",
            pending.collection,
            "queued",
            source_id=pending.source.sha256[:12],
            notes=notes,
        )
        lane = "slow" if len(pending.source.text) > _LONG_TEXT_CHARS else "quick"
        return self._jobs.submit(
            job, work, lane=lane, failed=lambda: self._store.drop_pending(pending.job_id)
        )
