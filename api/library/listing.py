"""The documents of a collection straight from the store: needs neither model nor index, and no lock."""

from __future__ import annotations

from api.library.opening import store_folder
from api.library_records import DEFAULT_COLLECTION, Entry
from index.store import FILE_NAME, Store
from rag.corpus import build_corpus, read_folder
from rag.errors import NotFoundError
from rag.inputs import excerpt
from rag.metadata import Filters
from rag.reading.documents import read_documents
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
    corpus = build_corpus(read_folder(settings.seeds_dir), chunk_max_chars=settings.chunk_max_chars)
    return tuple(Entry(document, document.source.source_id, "seeds", "", 0) for document in corpus.documents)


def _number(document_id: str) -> int:
    """The document's number within its source."""
    return int(document_id.rpartition("-")[2])
