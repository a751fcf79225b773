"""The index of a collection on disk: when it is written, and that it is only ever a help.

What goes wrong is logged, and the next start does without.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from pathlib import Path

from api.library import cuts
from api.library.snapshots import Snapshot
from api.library_records import COLLECTION_NAME
from index.build import write_generation
from index.files import Files
from index.layout import CURRENT_NAME, generation_number
from rag.errors import CewenError

_TAIL_ROWS, _TAIL_SHARE = 1_000, 0.025
"""It is written when so many chunks are not in the last one, and they are such a share of it.

What is not in it costs the next start 0.8 ms of a processor a chunk: 2 s at 100,000 chunks. Oftener would
cost more than it saves: writing takes some 10 s then, a tenth of what encoding so many chunks takes.
"""
_LONG_TAIL = 0.2
"""After loading: when such a share of all chunks was not in it."""

_log = logging.getLogger(__name__)


def remove_old_index(folder: Path) -> None:
    """Remove an index from before there were collections; its files held all texts, deleted ones too."""
    files = Files()
    try:
        if CURRENT_NAME not in files.names(folder):
            return
        for name in files.names(folder):
            if generation_number(name) is not None:
                files.remove_folder(folder / name)
        (folder / CURRENT_NAME).unlink()
    except OSError as error:
        _log.warning("the old index in %s could not be removed: %s", folder, error)


def erase_orphans(folder: Path, known: Collection[str]) -> None:
    """Remove the indexes of collections that are gone: the process has ended before it could, say.

    Args:
        folder: Where each collection has a folder for its index.
        known: Names of the collections that there are.
    """
    for name in Files().names(folder):
        gone = COLLECTION_NAME.fullmatch(name) and generation_number(name) is None and name not in known
        if gone and (folder / name).is_dir():
            GenerationKeeper(name, folder / name).erase(for_good=True)


class GenerationKeeper:
    """The generations of one collection.

    Args:
        name: Of the collection.
        folder: Where they lie.
    """

    def __init__(self, name: str, folder: Path) -> None:
        self._name = name
        self.folder = folder
        self._written_chunks = self._cut_chunks = 0
        self._lost_at: int | None = None  # the last change that took words away which are still on the disk
        self._noting = threading.Lock()
        self._turn = threading.RLock()
        self._gone = False

    def loaded(self, chunks: int, cut: int, *, outdated: bool = False) -> None:
        """Take note of what loading found.

        Args:
            chunks: How many came from the generation.
            cut: How many had to be cut anew.
            outdated: Whether the generation holds documents that are gone: their words and vectors.
        """
        self._written_chunks, self._cut_chunks = chunks, cut
        if outdated:
            self.lost(0)

    def lost(self, sequence: int) -> None:
        """Take note of a change by which documents went: the next index takes the place of all before it."""
        with self._noting:
            self._lost_at = max(sequence, self._lost_at or 0)

    def lags_after_loading(self, snapshot: Snapshot) -> bool:
        """Whether the start could have been much quicker, or removed documents are still in the index."""
        long = self._lag(snapshot) > _LONG_TAIL * snapshot.index.chunks
        return self._lost_at is not None or long or self.lags(snapshot)

    def keep_up(self, current: Callable[[], Snapshot], *, always: bool = False) -> None:
        """Write the index if it lags behind, or in any case; one thread after the other.

        Args:
            current: Gives the state when it is this thread's turn, so that no older one follows a newer.
            always: Whether it lags or not.
        """
        with self._turn:
            if self._gone:
                return
            snapshot = current()
            if always or self.lags(snapshot):
                self.write(snapshot)

    def catch_up(self, current: Callable[[], Snapshot]) -> None:
        """Write what the start had to do without, or what it found outdated; `current` as in `keep_up`."""
        with self._turn:
            if self._gone:
                return
            snapshot = current()
            self._remove_but_current()  # what a process left behind that was killed after it had written
            if self.lags_after_loading(snapshot):
                self.renew(snapshot)
            elif self.rows_lag_after_loading(snapshot):
                self.keep_rows(snapshot)

    def erase(self, *, for_good: bool = False) -> None:
        """Remove what was written: its terms tell what the texts said.

        Args:
            for_good: Whether nothing is ever written again, because the collection is gone.
        """
        files = Files()
        with self._turn:
            self._gone |= for_good
            self._written_chunks = 0
            try:
                for name in (CURRENT_NAME, cuts.FILE_NAME):
                    (self.folder / name).unlink(missing_ok=True)
                for name in files.names(self.folder):
                    if generation_number(name) is not None:
                        files.remove_folder(self.folder / name)
            except OSError as error:
                _log.warning("the old index of %r could not be removed from the disk: %s", self._name, error)

    def lags(self, snapshot: Snapshot) -> bool:
        """Whether so much has changed that the next start would be slow."""
        return self._lag(snapshot) >= max(_TAIL_ROWS, _TAIL_SHARE * self._written_chunks)

    def write(self, snapshot: Snapshot) -> bool:
        """Write the index of a state; whether that went well."""
        corpus, index = snapshot.corpus, snapshot.index
        chunks = index.chunks
        if corpus.dead_rows:
            corpus, index = corpus.compacted(), index.compacted()
        try:
            write_generation(self.folder, snapshot.recipe_for(corpus), index)
        except CewenError as error:
            _log.warning("the index of %r was not written to disk: %s", self._name, error.message)
            return False
        self._written_chunks = chunks
        if self._lost_at is not None and self._remove_but_current():
            with self._noting:
                if snapshot.sequence >= self._lost_at:  # else this one holds what went while it was written
                    self._lost_at = None
        self.keep_rows(snapshot)
        return True

    def _remove_but_current(self) -> bool:
        """Remove the generation that is kept for a reader that is just opening it; whether that went well."""
        files = Files()
        try:
            if CURRENT_NAME not in files.names(self.folder):
                return True
            current = files.read(self.folder / CURRENT_NAME).decode("ascii", "replace").split(" ")[0]
            for name in files.names(self.folder):
                if generation_number(name) is not None and name != current:
                    files.remove_folder(self.folder / name)
        except OSError as error:
            _log.warning("an old index of %r could not be removed: %s", self._name, error)
            return False
        return True

    def renew(self, snapshot: Snapshot) -> None:
        """Write the index of a state, or remove what was written if it holds nothing."""
        if snapshot.index.chunks:
            self.write(snapshot)
        else:
            self.erase()

    def rows_lag_after_loading(self, snapshot: Snapshot) -> bool:
        """Whether the start could have been much quicker with the rows that it cut."""
        return self._cut_chunks > _LONG_TAIL * snapshot.index.chunks

    def keep_rows(self, snapshot: Snapshot) -> None:
        """Write the rows of a state."""
        corpus, stamps = snapshot.corpus, snapshot.stamps
        rows = ((corpus.rows_of(one), stamps[one].rows) for one in corpus.document_by_id)
        try:
            cuts.write_cuts(self.folder, snapshot.chunk_max_chars, rows)
        except OSError as error:
            _log.warning("the rows of %r were not written to disk: %s", self._name, error)
        self._cut_chunks = 0

    def _lag(self, snapshot: Snapshot) -> int:
        return abs(snapshot.index.chunks - self._written_chunks)
