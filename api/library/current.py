"""The state of one collection that requests take: loaded, followed where others write, kept on disk.

What changes it stands in `api.library.collection`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from api.engine_parts import EngineParts
from api.library.following import followed
from api.library.generations import GenerationKeeper
from api.library.loading import Loader, Told
from api.library.lookup import as_said, documents_of, giving_way, ids_if_there, no_collection
from api.library.memory import sweeping_paused
from api.library.snapshots import Snapshot, encoder_key
from api.library.storing import forget_unused_models
from api.library_records import Upload
from index.store import Store

_QUICKLY_WRITTEN = 2_000
"""An index of so many chunks is written in a fraction of a second."""


class CurrentCollection:
    """One collection as it is now. Safe to call from threads.

    Args:
        store: The truth.
        name: Its name.
        parts: Make engines.
        folder: Where its generations lie.

    Attributes:
        version: The state of the store that the snapshot stands for.
    """

    def __init__(self, store: Store, name: str, parts: EngineParts, folder: Path) -> None:
        self.name = name
        self._store = store
        self._parts = parts
        self._generations = GenerationKeeper(name, folder)
        self._lock = threading.RLock()
        self._snapshot: Snapshot | None = None
        self._gone = False
        self.version = -1

    @property
    def snapshot(self) -> Snapshot:
        """The current state; loaded if it is not, which is so at first, and after loading has failed."""
        snapshot = self._snapshot
        if snapshot is None:
            with self._lock:
                if self._snapshot is None:
                    self.load()
                return self.snapshot
        return snapshot

    def load(self, *, may_encode: bool = True, told: Told | None = None) -> int:
        """Take the state of the store; how many texts had to be encoded.

        Raises:
            IndexFileError: If the store is damaged, or vectors are missing and may not be made.
        """
        with self._lock:
            version = self._store.version()
            folder = self._generations.folder
            loader = Loader(self._store, self.name, self._parts, folder, may_encode=may_encode, told=told)
            try:
                with sweeping_paused():
                    self._snapshot, kept = loader.load()
            except BaseException:
                self._snapshot = None  # an old state would show what is deleted
                raise
            self.version = version
            self._generations.loaded(kept, loader.cut, outdated=loader.outdated)
            return loader.encoded

    def refresh(self) -> None:
        """Catch up with what another process has written; costs next to nothing if that is nothing."""
        version = self._store.version()
        if version == self.version:
            return
        with self._lock:
            if version == self.version:
                return
            loader = Loader(self._store, self.name, self._parts, self._generations.folder)
            followed_state = followed(self.snapshot, self._store, self.name, self._parts, loader)
            if followed_state is None:
                self.load()
                forget_unused_models(self._store, self._parts)  # it may have another encoder now
            else:
                self._snapshot, self.version = followed_state, version

    def write_generation(self, *, always: bool = False) -> None:
        """Write the index to disk if much has changed since it was written."""
        self._generations.keep_up(lambda: self.snapshot, always=always)

    def write_after_loading(self, *, long: bool) -> None:
        """Write the index to disk if the start would have been much quicker with it.

        Args:
            long: Whether it may take seconds; else a large index is not written.
        """
        if long or self.snapshot.index.chunks <= _QUICKLY_WRITTEN:
            self._generations.catch_up(lambda: self.snapshot)

    @contextmanager
    def _changing(self) -> Iterator[None]:
        with self._lock:
            if self._gone:
                raise no_collection(self.name)
            yield

    def calibration(self) -> str | None:
        """What is kept of the calibration for the encoder that it has now; None if there is none."""
        return self._store.calibration(self.name, encoder_key(self.snapshot.model.encoder))

    def check_there(self, identifier: str) -> None:
        """See whether a document or source is there.

        Raises:
            NotFoundError: `document_not_found`.
        """
        self._of_source(identifier)

    def already_there(self, upload: Upload, replaces: str | None) -> tuple[str, ...] | None:
        """Ids of its documents, if adding it would change nothing.

        Raises:
            NotFoundError: `document_not_found` if there is nothing to replace.
        """
        old, snapshot = self._giving_way(replaces), self.snapshot
        return ids_if_there(snapshot, as_said(snapshot, upload)[0], old, self._parts.settings)

    def _of_source(self, identifier: str) -> tuple[str, ...]:
        return documents_of(self.snapshot, self.name, identifier)

    def _giving_way(self, replaces: str | None) -> tuple[str, ...]:
        if replaces is None:
            return ()
        return giving_way(self.snapshot, self.name, replaces, partial(self._store.removal, self.name))
