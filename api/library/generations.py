"""The index of a collection on disk: when it is written, and that it is only ever a help.

What goes wrong is logged, and the next start does without.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path

from api.library import cuts
from api.library.snapshots import Snapshot
from index.build import write_generation
from index.files import Files
from index.layout import CURRENT_NAME, generation_number
from rag.errors import CewenError

_TAIL_ROWS, _TAIL_SHARE = 1_000, 0.25
"""It is written when so many chunks are not in the last one, and they are such a share of it."""
_LONG_TAIL = 0.2
"""After loading: when such a share of all chunks was not in it."""

_log = logging.getLogger(__name__)


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
        self._turn = threading.Lock()
        self._gone = False

    def loaded(self, chunks: int, cut: int) -> None:
        """Take note of how many chunks came from the generation, and how many had to be cut anew."""
        self._written_chunks, self._cut_chunks = chunks, cut

    def lags_after_loading(self, snapshot: Snapshot) -> bool:
        """Whether the start could have been much quicker."""
        return self._lag(snapshot) > _LONG_TAIL * snapshot.index.chunks

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
        self.keep_rows(snapshot)
        return True

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
