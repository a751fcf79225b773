"""The collections of a store as this process has them: by name, and up to date where another writes."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from api.engine_parts import EngineParts
from api.library.collection import LiveCollection
from api.library.generations import erase_orphans
from api.library.loading import Told
from api.library.lookup import no_collection
from api.library.storing import forget_unused_models
from index.store import Store
from rag.records import DEFAULT_COLLECTION

_JOIN_SECONDS = 5.0

_log = logging.getLogger(__name__)


class Shelf:
    """Live collections by name. Safe to call from threads.

    Args:
        store: The truth.
        parts: Make engines.
        index_dir: Where generations lie, a folder for each collection.
    """

    def __init__(self, store: Store, parts: EngineParts, index_dir: Path) -> None:
        self._store = store
        self._parts = parts
        self._index_dir = index_dir
        self._lock = threading.Lock()  # held for a moment only: every request takes it
        self._collections: dict[str, LiveCollection] = {}
        self._writing: threading.Thread | None = None

    def load(self, *, may_encode: bool = True, told: Told | None = None) -> int:
        """Load every collection; how many texts had to be encoded for it.

        What takes long to write is left to `write_after_loading`: nobody needs it before the next start.

        Raises:
            IndexFileError: If the store is damaged, or vectors are missing and may not be made.
        """
        encoded = 0
        for stored in self._store.collections():
            collection = self._at(stored.name)
            encoded += collection.load(may_encode=may_encode, told=told)
            if self._store.writable:
                collection.write_after_loading(long=False)
        if self._store.writable:
            erase_orphans(self._index_dir, {stored.name for stored in self._store.collections()})
        return encoded

    def write_after_loading(self) -> None:
        """Write every index without which the start was slower than it need be."""
        if self._store.writable:
            for _, live in self.all():
                live.write_after_loading(long=True)

    def begin_writing(self) -> None:
        """As `write_after_loading`, in a thread of its own."""
        self._writing = threading.Thread(target=self._write, name="library-writing", daemon=True)
        self._writing.start()

    def close(self) -> None:
        """Wait a few seconds for what is being written; what stays unfinished is in nobody's way."""
        if self._writing is not None:
            self._writing.join(_JOIN_SECONDS)

    def live(self, name: str) -> LiveCollection:
        """A collection, up to date.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        found = self.find(name)
        if not self._store.writable:
            found = self._follow(name)
        if found is None:
            raise no_collection(name)
        return found

    def find(self, name: str) -> LiveCollection | None:
        """A collection as this process has it, up to date or not; None if there is none."""
        with self._lock:
            return self._collections.get(name)

    def all(self) -> list[tuple[str, LiveCollection]]:
        """All collections with their names, "default" first; none that somebody has just removed."""
        if self._store.writable:
            with self._lock:
                known = dict(self._collections)
        else:
            names = [one.name for one in self._store.collections()]
            known = {name: live for name in names if (live := self._follow(name)) is not None}
        return sorted(known.items(), key=lambda one: (one[0] != DEFAULT_COLLECTION, one[0]))

    def new(self, name: str) -> LiveCollection:
        """A collection that is not on the shelf yet."""
        return LiveCollection(self._store, name, self._parts, self._index_dir / name)

    def put(self, live: LiveCollection) -> None:
        """Put a collection on the shelf."""
        with self._lock:
            self._collections[live.name] = live

    def take_away(self, name: str) -> None:
        """Take a collection from the shelf, if it is there."""
        with self._lock:
            self._collections.pop(name, None)
        forget_unused_models(self._store, self._parts)

    def _write(self) -> None:
        try:
            self.write_after_loading()
        except Exception:  # noqa: BLE001 -- it is only ever a help; said to whoever reads the log
            _log.exception("an index was not written to disk after loading")

    def _at(self, name: str) -> LiveCollection:
        with self._lock:
            if name not in self._collections:
                self._collections[name] = self.new(name)
            return self._collections[name]

    def _follow(self, name: str) -> LiveCollection | None:
        """The collection as the writing process has it now; None if it is gone."""
        known = self.find(name)
        if known is not None and self._store.version() == known.version:
            return known
        if self._store.collection(name) is None:
            self.take_away(name)
            return None
        known = self._at(name)
        known.refresh()
        return known
