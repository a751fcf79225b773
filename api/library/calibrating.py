"""`cewen calibrate` on the library of this machine; the work itself is `api.library.correcting`'s.

It holds the library while it works: a service that runs on it does the same through its own interface, and
otherwise has to be stopped, but for a try (`keep=False`), which reads beside it.
"""

from __future__ import annotations

from pathlib import Path

from api.calibration_records import Calibrated
from api.engine_parts import EngineParts
from api.library.collection import LiveCollection
from api.library.correcting import Judged, calibrated
from api.library.labelled import check_counts, read_labelled, where_in
from api.library.loading import Told
from api.library.lookup import no_collection
from api.library.opening import open_store
from api.library.seeding import StoreTarget, follow_seeds
from api.library.snapshots import encoder_key
from index.store import Store
from rag.settings import Settings


class Calibrating:
    """Calibrates collections of the library that the settings name.

    Args:
        settings: All of them.
        told: Told of texts that have to be encoded first.
        parts: Stand in for those that the settings name.

    Raises:
        ConfigError: If the settings name a generator or a model that does not exist.
    """

    def __init__(
        self, settings: Settings, told: Told | None = None, *, parts: EngineParts | None = None
    ) -> None:
        self._settings = settings
        self._told = told
        self._parts = parts or EngineParts(settings)

    def calibrate(
        self, collection: str, path: Path, *, keep: bool = True, judged: Judged = lambda _done, _total: None
    ) -> Calibrated:
        """Calibrate a collection; what makes its probabilities worse is not kept.

        Args:
            collection: Its name.
            path: The labelled questions.
            keep: Whether to store what is found.
            judged: Told of each question.

        Raises:
            InputError: If the file is wrong, too few questions are left, or their evidence is not there.
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_busy` if another process has the library and `keep` is set.
            CewenError: As opening the library.
        """
        where, questions = where_in(path), read_labelled(path)
        check_counts(questions, where)
        with open_store(self._settings, writable=True if keep else None) as store:
            live = self._live(store, collection)
            return calibrated(live, questions, where, keep=keep, judged=judged)

    def reset(self, collection: str) -> bool:
        """Forget a collection's calibration for the encoder it uses; whether there was one.

        Raises:
            NotFoundError: With code `collection_not_found`.
            UnavailableError: With code `library_busy` if another process has the library.
            CewenError: As opening the library.
        """
        with open_store(self._settings, writable=True) as store:
            _check_there(store, collection)
            stored = store.collection(collection)
            model = self._parts.model(stored.encoder if stored else None)
            key = encoder_key(model.encoder)
            if store.calibration(collection, key) is None:
                return False
            store.set_calibration(collection, key, None)
            return True

    def _live(self, store: Store, collection: str) -> LiveCollection:
        _check_there(store, collection)
        if store.writable:
            follow_seeds(StoreTarget(store, self._parts, told=self._told), store, self._settings.seeds_dir)
        live = LiveCollection(store, collection, self._parts, self._settings.index_dir / collection)
        live.load(told=self._told)
        return live


def _check_there(store: Store, collection: str) -> None:
    if store.collection(collection) is None:
        raise no_collection(collection)
