"""The documents of a collection straight from the store: needs neither model nor index, and no lock."""

from __future__ import annotations

import contextlib

from api.library.folders import files_of_folder
from api.library.opening import store_folder
from api.library.seeding import SEEDS
from api.library_records import Entry
from index.store import FILE_NAME, Store
from rag.corpus import build_corpus
from rag.errors import ConfigError, InputError, NotFoundError
from rag.inputs import excerpt
from rag.metadata import Filters
from rag.reading.documents import read_documents
from rag.records import DEFAULT_COLLECTION, Source
from rag.settings import Settings


def list_entries(
    settings: Settings, collection: str = DEFAULT_COLLECTION, filters: Filters | None = None
) -> tuple[Entry, ...]:
    """The documents of a collection, in the order of their coming.

    Before the library has been opened for the first time these are the documents of the seeds folder, which
    it will hold then.

    Raises:
        NotFoundError: With code `collection_not_found`.
        IndexFileError: If the store is damaged.
        ConfigError: If there is no store yet, and the seeds folder cannot be read.
    """
    folder = store_folder(settings)
    if (folder / FILE_NAME).exists():
        with Store.open(folder, writable=False) as store:
            known = store.collection(collection) is not None
            entries = _stored(store, collection) if known else ()
    else:
        known = collection == DEFAULT_COLLECTION
        entries = _of_seeds(settings) if known else ()
    if not known:
        raise NotFoundError(
            f"没有名为{excerpt(collection)}的文库。请用 cewen collections list 查看现有的。",
            code="collection_not_found",
        )
    return tuple(entry for entry in entries if filters is None or filters.matches(entry.document))


def _stored(store: Store, collection: str) -> tuple[Entry, ...]:
    return tuple(
        Entry(document, stored.source_id, stored.origin, stored.added_at, stored.sequence)
        for stored in store.sources(collection)
        for document in read_documents(stored.source)
        if _number(document.document_id) in stored.live
    )


def _of_seeds(settings: Settings) -> tuple[Entry, ...]:
    sources: list[Source] = []
    for file in files_of_folder(settings.seeds_dir).files:
        with contextlib.suppress(InputError, ConfigError):  # that it cannot be used, opening the library says
            sources.append(file.load(SEEDS).upload.source)
    corpus = build_corpus(sources, chunk_max_chars=settings.chunk_max_chars)
    return tuple(Entry(document, document.source.source_id, SEEDS, "", 0) for document in corpus.documents)


def _number(document_id: str) -> int:
    """The document's number within its source."""
    return int(document_id.rpartition("-")[2])
