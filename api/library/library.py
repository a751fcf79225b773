"""The library: the port that routes and commands use, over a store and the collections in it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from api.engine_parts import EngineParts
from api.library.correcting import calibrated, forget
from api.library.describing import info_of
from api.library.intake import Intake
from api.library.jobs import JobBoard, new_job_id
from api.library.labelled import check_counts, labelled_of
from api.library.lanes import SLOW
from api.library.loading import Told
from api.library.lookup import check_collection_name
from api.library.reads import LibraryReads
from api.library.reindexing import Reindexing
from api.library.shelf import Shelf
from api.library.tasks import Report, Work
from api.library_records import (
    CollectionInfo,
    Job,
    JobKind,
    Removed,
    Said,
    Upload,
)
from index.store import Store
from rag.errors import UnavailableError
from rag.records import DEFAULT_COLLECTION

_DELETED = "这份文字在等候时被删除，没有加入，收下的文字也已删去。"
_EMPTIED = "文库已清空或删除，没有加入，收下的文字也已删去。"


class Library(LibraryReads):
    """Collections over one store. Safe to call from threads; close it, or use it in a `with`.

    Args:
        store: The truth; the library closes it.
        parts: Make engines.
        index_dir: Where generations lie, a folder for each collection.

    Attributes:
        encoded: How many texts had to be encoded to open it.
    """

    def __init__(self, store: Store, parts: EngineParts, index_dir: Path) -> None:
        super().__init__(store, parts, Shelf(store, parts, index_dir), JobBoard(self._after_job))
        self._administration = threading.RLock()
        self._intake = Intake(store, self._jobs, self.live)
        self.encoded = 0

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def load(self, *, may_encode: bool = True, told: Told | None = None) -> int:
        """Load every collection; how many texts had to be encoded for it.

        Raises:
            IndexFileError: If the store is damaged, or vectors are missing and may not be made.
        """
        return self._shelf.load(may_encode=may_encode, told=told)

    def take_up(self) -> None:
        """Go on with what was accepted before the last end of the process, and write large indexes."""
        if self._store.writable:
            self._intake.take_up()
            self._shelf.begin_writing()

    def close(self) -> None:
        """Stop what runs (it is taken up at the next start) and close the store. May be called again."""
        self._jobs.close()
        self._shelf.close()
        self._store.close()  # which says from then on that it is closed

    @property
    def writable(self) -> bool:
        """Whether this process may change it."""
        return self._store.writable

    def let_others_write(self) -> None:
        """Only read from now on, and follow what another process writes."""
        self._shelf.write_after_loading()
        self._store.let_others_write()

    def set_note(self, note: str) -> None:
        """What a process is told that wants to write too, e.g. the address of this service."""
        if self._store.writable:
            self._store.set_note(note)

    def create_collection(self, name: str) -> CollectionInfo:
        """Make an empty collection."""
        self._check_writable()
        check_collection_name(name)
        with self._administration:
            stored = self._store.create_collection(name)
            live = self._shelf.new(name)
            try:
                live.load()
            except BaseException:
                live.drop()
                raise
            self._shelf.put(live)
            return info_of(stored, live.snapshot)

    def remove_collection(self, name: str) -> CollectionInfo:
        """Remove a collection with all it holds; "default" is emptied and stays."""
        self._check_writable()
        with self._administration, self._intake.turn:
            live = self.live(name)
            info = next(one for one in self.collections() if one.name == name)
            if name == DEFAULT_COLLECTION:
                live.clear(partial(self._jobs.end_all, name, _EMPTIED, only="add"))
            else:
                live.drop(partial(self._jobs.end_all, name, _EMPTIED))
                self._shelf.take_away(name)
            self._intake.forget(name, _EMPTIED)
            return info

    def add(self, collection: str, upload: Upload, *, replaces: str | None = None) -> Job:
        """Begin to add a text, or to put it in the place of another."""
        self._check_writable()
        return self._intake.accept(collection, upload, replaces)

    def cancel(self, job_id: str) -> Job:
        """Call a job off: what it was to do is not there, also after a kill."""
        self._check_writable()
        return self._intake.cancel(job_id, _told_of_cancelled)

    def retry(self, job_id: str) -> Job:
        """Do a job again that has failed and has kept its text."""
        self._check_writable()
        return self._intake.retry(job_id)

    def remove(self, collection: str, identifier: str) -> Removed:
        """Remove a document, or all documents of a source."""
        self._check_writable()
        end = partial(self._jobs.end_all, collection, _DELETED, only="add")
        with self._intake.turn:
            removed = self.live(collection).remove(identifier, done=lambda source: end(source_id=source))
            self._intake.forget(collection, _DELETED, removed.source_id)
        return removed

    def describe(self, collection: str, identifier: str, said: Said) -> tuple[str, ...]:
        """Change what is said of a source, and nothing else."""
        self._check_writable()
        return self.live(collection).describe(identifier, said)

    def reindex(self, collection: str, encoder: str | None) -> Job:
        """Begin to encode a collection anew beside the live index."""
        self._check_writable()
        live = self.live(collection)

        def work(report: Report) -> dict[str, Any]:
            Reindexing(self._store, live, self._parts, encoder, report).run()
            return {}

        return self._begun("reindex", collection, work)

    def calibrate(self, collection: str, questions: Sequence[Any], *, keep: bool) -> Job:
        """Begin to fit the confidence of a collection to labelled questions."""
        if keep:
            self._check_writable()
        live, labelled = self.live(collection), labelled_of(questions)
        check_counts(labelled)

        def work(report: Report) -> dict[str, Any]:
            return {"calibrated": calibrated(live, labelled, keep=keep, judged=report, decide=report.decide)}

        return self._begun("calibrate", collection, work)

    def forget_calibration(self, collection: str) -> bool:
        """Forget the calibration of a collection's encoder; whether there was one."""
        self._check_writable()
        return forget(self.live(collection))

    def _begun(self, kind: JobKind, collection: str, work: Work) -> Job:
        self._jobs.check_room()
        job = Job(new_job_id(), kind, collection, "queued")

        def watched(report: Report) -> dict[str, Any]:
            # If the process ends, it need not be because of a text that was encoded at the same time. Where
            # another process writes, what runs here is not its business.
            if not self._store.writable:
                return work(report)
            with self._intake.attempts.watched(job.job_id):
                return work(report)

        return self._jobs.submit(job, watched, lane=SLOW)

    def _after_job(self, collection: str) -> None:
        live = self._shelf.find(collection)
        if live is not None and self._store.writable:
            live.write_generation()

    def _check_writable(self) -> None:
        if not self._store.writable:
            self._store.version()  # a store that is closed says so
            raise UnavailableError(
                "文库由另一个进程在写，本进程只能读。请到那个服务上添加或删除文档，或等它结束后重新启动。",
                code="library_read_only",
            )


def _told_of_cancelled(job: Job) -> str:
    """What is left of a job that was cancelled."""
    if job.kind == "add":
        return "已取消：没有加入文库，收下的文字已经删去。"
    if job.kind == "reindex" and job.done:
        return "已取消：照旧用原来的向量作答；已经算出的新向量还在存储里，再次重新编码时接着用。"
    return "已取消：什么也没有改。"
