"""A library of this machine that is loaded when a command first needs it, and not before.

Loading takes seconds: the model, and every text. To list, to remove and to compare with a folder needs none
of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

import cewen
from api.cli.holdings import LocalHoldings, Told
from api.library.mirroring import Loaded
from api.library.syncing import Present

if TYPE_CHECKING:
    from api.library.at_rest import LibraryAtRest
    from api.ports import Library


class RestingHoldings(LocalHoldings):
    """A library of this process, at rest until something is to be encoded.

    Args:
        resting: The library as it lies in its store.
        load: Opens it in full; called when it has been closed here.
    """

    def __init__(self, resting: LibraryAtRest, load: Callable[[], Library]) -> None:
        # It has the methods that are called before it is loaded.
        super().__init__(cast("Library", resting))
        self._resting: LibraryAtRest | None = resting
        self._load = load

    def add(self, collection: str, loaded: Loaded, *, replaces: str | None = None) -> cewen.Added:
        """Add a file, and wait until it is searchable."""
        self._wake()
        return super().add(collection, loaded, replaces=replaces)

    def held(self, collection: str) -> Sequence[Present]:
        """Every source, in the order of their coming."""
        return super().held(collection) if self._resting is None else self._resting.held(collection)

    def reindex(self, collection: str, encoder: str | None, told: Told) -> cewen.Job:
        """Encode a collection anew, and wait for the end."""
        self._wake()
        return super().reindex(collection, encoder, told)

    def _wake(self) -> None:
        if self._resting is not None:
            self._resting.close()  # one process writes, and not through two doors
            self._library = self._load()
            self._resting = None
