"""The library of this machine straight from its store: what can be done without a model and without an index.

Nothing is loaded: removing a document takes as long in a large library as in a small one. What a snapshot
would say is read from the store, or from what the settings name.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

from api.library.generations import GenerationKeeper
from api.library.lookup import check_collection_name, no_collection, no_document, source_of_document
from api.library.opening import open_store, store_folder
from api.library.syncing import Present
from api.library_records import COLLECTION_NAME, CollectionInfo, Removed
from index.store import FILE_NAME, Store, StoredCollection, Withdrawal
from rag.confidence.correction import Correction
from rag.confidence.judge import basis_of, calibration_of
from rag.confidence.model import shipped_models
from rag.confidence.reader import bundled_revision
from rag.encoding.encoder import shown_name, stored_revision
from rag.errors import EncoderError
from rag.ranking.background import shipped_background
from rag.records import DEFAULT_COLLECTION
from rag.settings import Settings

_CHUNKS = "chunk"

_log = logging.getLogger(__name__)


class LibraryAtRest:
    """A library that nobody has loaded in this process; close it, or use it in a `with`.

    Args:
        store: The truth; closed with this.
        settings: All of them.
    """

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._settings = settings

    def __enter__(self) -> LibraryAtRest:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let others open it to write. May be called again."""
        self._store.close()

    def held(self, collection: str) -> Sequence[Present]:
        """Every source of a collection, in the order of their coming.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        self._known(collection)
        return [
            Present(one.name, one.source_id, one.sha256, one.original_sha256, one.origin)
            for one in self._store.labels(collection)
        ]

    def remove(self, collection: str, identifier: str) -> Removed:
        """Remove a document, or all documents of a source.

        Raises:
            NotFoundError: With code `collection_not_found` or `document_not_found`.
            IndexFileError: If the store cannot be written; nothing has changed.
            UnavailableError: With code `library_read_only` if it was opened to be read.
        """
        self._known(collection)
        source_id = source_of_document(identifier)
        stored = self._store.source(collection, source_id)
        live = [] if stored is None else [f"{source_id}-{number}" for number in stored.live]
        ids = tuple(live) if identifier == source_id else tuple(one for one in live if one == identifier)
        if not ids:
            raise no_document(collection, identifier)
        self._store.apply(collection, removals=[(one, "user", ()) for one in ids], encoder_key="")
        return Removed(source_id, ids)

    def collections(self) -> tuple[CollectionInfo, ...]:
        """All collections; "default" first, then by name."""
        return tuple(map(self._info, self._store.collections()))

    def create_collection(self, name: str) -> CollectionInfo:
        """Make an empty collection.

        Raises:
            InputError: With code `invalid_collection_name` or `collection_exists`.
        """
        check_collection_name(name)
        return self._info(self._store.create_collection(name))

    def remove_collection(self, name: str) -> CollectionInfo:
        """Remove a collection with all it holds; "default" is emptied and stays.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        info = self._info(self._known(name))
        if name == DEFAULT_COLLECTION:
            live = self._store.live_documents(name)
            gone: list[Withdrawal] = [(one, "user", ()) for one in live]
            self._store.apply(name, removals=gone, encoder_key="", forgets_pending=True)
        else:
            self._store.drop_collection(name)
        GenerationKeeper(name, self._settings.index_dir / name).erase(for_good=True)
        return info

    def _known(self, name: str) -> StoredCollection:
        stored = self._store.collection(name) if COLLECTION_NAME.fullmatch(name) else None
        if stored is None:
            raise no_collection(name)
        return stored

    def _info(self, stored: StoredCollection) -> CollectionInfo:
        encoder = stored.encoder or self._settings.encoder
        return CollectionInfo(
            name=stored.name,
            created_at=stored.created_at,
            documents=stored.documents,
            sources=stored.sources,
            chunks=sum(self._store.row_counts(stored.name, _CHUNKS).values()),
            encoder=shown_name(encoder),
            calibration=self._calibration(stored.name, encoder),
            sequence=stored.sequence,
        )

    def _calibration(self, collection: str, encoder: str) -> str:
        """What confidence rests on, as the judge of an engine would say."""
        knows_encoder = shipped_background(shown_name(encoder)).is_known
        basis = basis_of(
            shipped_models(),
            None if self._settings.reader == "off" else bundled_revision(),
            knows_encoder=knows_encoder,
            false_answer_rate=self._settings.false_answer_rate,
        )
        return calibration_of(basis, self._correction(collection, encoder), knows_encoder=knows_encoder)

    def _correction(self, collection: str, encoder: str) -> Correction | None:
        """The correction that was made with this encoder; None if there is none, or it cannot be read."""
        try:
            revision = stored_revision(encoder, self._settings.cache_dir)
        except EncoderError:
            return None  # nobody can use it then
        for key, text in self._store.calibrations(collection).items():
            name, made_with, _ = json.loads(key)  # the dimension follows from the weights
            if name == shown_name(encoder) and revision in (None, made_with):
                try:
                    return Correction.from_text(text)
                except ValueError as error:
                    _log.warning("the calibration of %r is left aside: %s", collection, error)
        return None


def open_at_rest(settings: Settings, *, writable: bool | None) -> LibraryAtRest | None:
    """The library of the settings as it lies on the disk; None if it was never opened, and holds nothing yet.

    Args:
        settings: All of them.
        writable: As for `api.library.opening.open_store`.

    Raises:
        IndexFileError: If it is damaged or cannot be written.
        UnavailableError: With code `library_busy`.
    """
    if not (store_folder(settings) / FILE_NAME).exists():
        return None
    return LibraryAtRest(open_store(settings, writable=writable), settings)
