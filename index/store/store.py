"""The store of a library: collections of texts with their vectors, in one file that outlives every crash.

A change has happened when its method returns: it is on the disk then, whole. If the method raises, nothing
of it has happened; only a machine that stops in the middle can leave a change done that nobody was told of.
What is read was verified against its checksum.

Any number of threads may use one `Store`. Changes come one after another; reading never waits for them.
Nothing depends on the clock: order is `sequence`, a number of changes that only grows.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence

from index.store.applying import apply, drop_collection
from index.store.listing import (
    deleted_sources_of,
    labels_of,
    live_documents,
    row_counts_of,
    stamps_of,
    vectors_of,
)
from index.store.opening import OpenFile
from index.store.reading import (
    calibrations_of,
    collection_row,
    removal_of,
    rows,
    source_by_id,
    sources_of,
    stored_collection,
    waiting,
)
from index.store.records import (
    Addition,
    Pending,
    Removal,
    SourceLabel,
    StoredCollection,
    StoredSource,
    StoredVectors,
    VectorStamp,
    Withdrawal,
)
from index.store.writing import (
    create_collection,
    drop_pending,
    drop_vectors,
    put_pending,
    put_vectors,
    set_calibration,
    switch_encoder,
)
from rag.records import DEFAULT_COLLECTION


class Store(OpenFile):
    """An open store; made by `Store.open`. Every method may raise what is listed there."""

    def collections(self) -> tuple[StoredCollection, ...]:
        """All collections, "default" first, then by name."""
        with self.reading() as connection:
            found = [stored_collection(connection, row) for row in rows(connection, "collections")]
        return tuple(sorted(found, key=lambda one: (one.name != DEFAULT_COLLECTION, one.name)))

    def collection(self, name: str) -> StoredCollection | None:
        """One collection; None if there is none of this name."""
        with self.reading() as connection:
            row = collection_row(connection, name)
            return None if row is None else stored_collection(connection, row)

    def create_collection(self, name: str) -> StoredCollection:
        """Make an empty collection.

        Args:
            name: Not checked here: whoever takes names from people knows which are good.

        Raises:
            InputError: With code `collection_exists`.
        """
        with self.changing() as connection:
            row = create_collection(connection, name, self.now())
            return stored_collection(connection, row)

    def drop_collection(self, name: str) -> None:
        """Remove a collection with all it holds.

        "default" stays, emptied as if a person had removed each of its documents.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        with self.changing(erases=True) as connection:
            drop_collection(connection, name, self.now())

    def sources(self, collection: str, *, after: int = 0) -> Generator[StoredSource, None, None]:
        """The sources of a collection in order of addition: one state, that of the first `next`.

        One text is in memory at a time. Until the iterator ends or is closed, the log cannot be emptied.

        Args:
            collection: Its name; nothing comes if there is none.
            after: Only those whose sequence is greater.
        """
        with self.reading() as connection:
            yield from sources_of(connection, collection, after)

    def labels(self, collection: str) -> tuple[SourceLabel, ...]:
        """What the sources are known by, in order of addition: much quicker than `sources`."""
        with self.reading() as connection:
            return tuple(labels_of(connection, collection))

    def source(self, collection: str, source_id: str) -> StoredSource | None:
        """One source; None if it is not there or no document of it is live."""
        with self.reading() as connection:
            return source_by_id(connection, collection, source_id)

    def apply(
        self,
        collection: str,
        *,
        removals: Sequence[Withdrawal] = (),
        additions: Sequence[Addition] = (),
        encoder_key: str,
        done_pending: str | None = None,
        forgets_pending: bool = False,
    ) -> int:
        """Remove documents, then add sources, and end a job: all of it or nothing.

        A source whose last live document goes is deleted with its text and vectors. A source that is added
        has all its documents live, whatever was removed of it before, and the next sequence; if it is there
        already, what is said about it and the vectors given take the place of what was stored.

        Args:
            collection: Where.
            removals: Document id, by whom, and what takes its place.
            additions: Sources with the vectors of their documents (empty ones keep those that are stored).
            encoder_key: What the vectors were made with.
            done_pending: A job whose text is no longer waiting.
            forgets_pending: Whether nothing waits any longer.

        Returns:
            The collection's new sequence: one more for each removal and addition.

        Raises:
            NotFoundError: With code `collection_not_found`, or `document_not_found` for a removal.
            InputError: With code `document_conflict` if another text has the same source id, or had it.
            ValueError: If a text does not have its SHA-256, or documents or vectors are not in order.
        """
        with self.changing(erases=bool(removals) or forgets_pending) as connection:
            ended = (done_pending, forgets_pending)
            return apply(connection, collection, removals, additions, encoder_key, self.now(), *ended)

    def live_documents(self, collection: str, source_id: str | None = None) -> tuple[str, ...]:
        """Ids of the live documents, of one source or all, in order of addition; none if there is no such."""
        with self.reading() as connection:
            return tuple(document_id for _, document_id in live_documents(connection, collection, source_id))

    def deleted_sources(self, collection: str) -> frozenset[str]:
        """Hex SHA-256 of the texts that a person removed or replaced whole and that did not come back."""
        with self.reading() as connection:
            return deleted_sources_of(connection, collection)

    def vectors(
        self, collection: str, encoder_key: str, *, document_ids: Sequence[str] | None = None
    ) -> Generator[StoredVectors, None, None]:
        """Vectors of the live documents that have some under a key; otherwise as `sources`.

        Args:
            collection: Its name.
            encoder_key: What they were made with.
            document_ids: Of these only, in this order; None for all, in order of addition.
        """
        with self.reading() as connection:
            yield from vectors_of(connection, collection, encoder_key, document_ids)

    def stamps(self, collection: str, encoder_key: str) -> tuple[VectorStamp, ...]:
        """What `vectors` would give, by its stamps alone: no vector is read."""
        with self.reading() as connection:
            return tuple(stamps_of(connection, collection, encoder_key))

    def row_counts(self, collection: str, kind: str) -> dict[str, int]:
        """How many vectors of a kind each live document has that has some, whatever they were made with."""
        with self.reading() as connection:
            return dict(row_counts_of(connection, collection, kind))

    def drop_vectors(self, collection: str) -> None:
        """Forget all vectors of a collection, whatever they were made with.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        with self.changing() as connection:
            drop_vectors(connection, collection)

    def put_vectors(self, collection: str, encoder_key: str, stored: Sequence[StoredVectors]) -> None:
        """Store vectors in one transaction. Documents that were removed meanwhile are passed over.

        Raises:
            NotFoundError: With code `collection_not_found`.
            ValueError: If vectors are not finite float32 rows of unit length.
        """
        with self.changing() as connection:
            put_vectors(connection, collection, encoder_key, stored)

    def switch_encoder(self, collection: str, encoder: str | None, keep_key: str) -> None:
        """Name a collection's encoder (None: that of the settings) and drop the vectors of other keys.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        with self.changing() as connection:
            switch_encoder(connection, collection, encoder, keep_key)

    def removal(self, collection: str, document_id: str) -> Removal | None:
        """What is known of a removed document; None if it is live or never was there."""
        with self.reading() as connection:
            return removal_of(connection, collection, document_id)

    def put_pending(self, pending: Pending) -> None:
        """Keep an accepted text until `apply` with its job, or `drop_pending`.

        Raises:
            NotFoundError: With code `collection_not_found`.
            InputError: As `apply`.
            ValueError: If the job is waiting already, or the text does not have its SHA-256.
        """
        with self.changing() as connection:
            put_pending(connection, pending)

    def pending(self) -> tuple[Pending, ...]:
        """All texts that wait, in the order in which they were accepted."""
        with self.reading() as connection:
            return tuple(waiting(connection))

    def drop_pending(self, job_id: str) -> None:
        """Forget a text that waits; nothing happens if there is none."""
        with self.changing(erases=True) as connection:
            drop_pending(connection, job_id)

    def calibration(self, collection: str, encoder_key: str) -> str | None:
        """What was stored with `set_calibration`; None if nothing was."""
        with self.reading() as connection:
            return calibrations_of(connection, collection).get(encoder_key)

    def calibrations(self, collection: str) -> dict[str, str]:
        """What was stored with `set_calibration`, by encoder key."""
        with self.reading() as connection:
            return calibrations_of(connection, collection)

    def set_calibration(self, collection: str, encoder_key: str, text: str | None) -> None:
        """Store a collection's calibration for an encoder, or with None forget it.

        Raises:
            NotFoundError: With code `collection_not_found`.
        """
        with self.changing() as connection:
            set_calibration(connection, collection, encoder_key, text)
