"""What is said of a source stays with the text that takes its place, unless its sender says otherwise.

It is decided at the moment of the change: what a person says of the old source while the new one is being
encoded counts, and so does what has taken the old one's place meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from api.library.lookup import giving_way, source_of_document
from api.library.preparing import Kept, Progress
from api.library.snapshots import Snapshot
from api.library.tasks import Report
from api.library_records import UNNAMED_TEXT, Added, Upload
from index.store import Pending, Removal
from rag.records import Metadata, Source

_INHERITED = "这次没有写书目信息，沿用被替换的那一份的；要改，请用 PATCH。"


class _SaidOtherwise(Exception):  # noqa: N818 -- no error: it is begun again
    """Other things are said of the source that gives way than were taken over."""


class _Live(Protocol):
    """What is needed of a `LiveCollection`."""

    name: str

    @property
    def snapshot(self) -> Snapshot: ...

    def add(
        self,
        upload: Upload,
        *,
        replaces: str | None,
        done_pending: str | None,
        progress: Progress | None,
        decide: Callable[[], None],
        kept: Kept | None,
    ) -> Added: ...


def inheriting(upload: Upload, old: Source | None) -> Upload:
    """An upload with what is said of the source that gives way to it, as far as it says nothing itself.

    Args:
        upload: The upload.
        old: What gives way; None if nothing does.
    """
    new = upload.source
    if old is None or old.sha256 == new.sha256:
        return upload
    name = old.name if new.name == UNNAMED_TEXT else new.name
    if new.metadata != Metadata() or old.metadata == Metadata():
        return replace(upload, source=replace(new, name=name))
    source = replace(new, name=name, metadata=old.metadata)
    return replace(upload, source=source, notes=(*upload.notes, _INHERITED))


def added_as_successor(
    live: _Live,
    upload: Upload,
    pending: Pending,
    removal: Callable[[str], Removal | None],
    report: Report,
    kept: Kept,
) -> Added:
    """Add an upload, with what it inherits at the moment at which it is added.

    Args:
        live: Where it goes.
        upload: As it was accepted.
        pending: The same in the store.
        removal: What is known of a document that is not there.
        report: Told how it goes, and asked before the change.
        kept: Keeps vectors until all are made.

    Raises:
        CewenError: As for `LiveCollection.add`.
    """

    def complete() -> Upload:
        return inheriting(upload, _giving_way(live, upload, pending.replaces, removal))

    while True:
        expected = complete()

        def decide(expected: Upload = expected) -> None:
            if complete() != expected:
                raise _SaidOtherwise
            report.decide()

        try:
            return live.add(
                expected,
                replaces=pending.replaces,
                done_pending=pending.job_id,
                progress=report,
                decide=decide,
                kept=kept,
            )
        except _SaidOtherwise:
            continue  # its vectors are kept: this time it takes a moment


def _giving_way(
    live: _Live, upload: Upload, replaces: str | None, removal: Callable[[str], Removal | None]
) -> Source | None:
    """The source that gives way now; None if none does, or the upload's text is there and has its own."""
    if replaces is None:
        return None
    snapshot = live.snapshot
    old = source_of_document(giving_way(snapshot, live.name, replaces, removal)[0])
    there = snapshot.facts.get(upload.source.source_id)
    if there is not None and there.source.sha256 == upload.source.sha256:
        return None
    return snapshot.facts[old].source
