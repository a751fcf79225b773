"""A store with everything in it, all that can be read of one, and whether damage to it is noticed."""

from __future__ import annotations

from pathlib import Path

from index.store import Addition, Pending, Store
from index.store.reading import rows
from rag.errors import IndexFileError
from rag.records import Metadata
from tests.store_samples import KEY, add, addition, ids, remove, source, vectors


def filled(folder: Path) -> Path:
    """A store with everything in it, closed; some pages are free."""
    with Store.open(folder) as store:
        store.create_collection("另")
        for number in range(12):
            said = Metadata(title=f"题 {number}", authors=("甲",), tags=("a", "b"))
            text = f"第{number}篇。" * (3, 60, 3000)[number % 3]
            made = source(text, f"{number}.txt", said, original=f"{number:064}")
            documents = tuple(vectors(f"{made.sha256[:12]}-{n}", rows=1 + 40 * (n % 2)) for n in (1, 2))
            collection = "另" if number % 4 == 0 else "default"
            add(store, Addition(made, "upload", documents), collection=collection)
        gone = [one for number, one in enumerate(store.sources("default")) if number in (2, 5)]
        for one in gone:
            remove(store, *(f"{one.source_id}-{n}" for n in one.live))
        left = next(store.sources("default"))
        remove(store, f"{left.source_id}-2")
        store.set_calibration("default", KEY, '{"threshold": 0.5}')
        store.put_pending(Pending("j", "另", source("等着" * 3000), "upload", "x-1", "2030-01-01T00:00:00Z"))
        large = addition("多余" * 9000, rows=300)
        add(store, large)
        remove(store, *ids(large))
    return folder / "library.sqlite3"


def content(folder: Path) -> list[object]:
    """All that can be read."""
    found: list[object] = []
    with Store.open(folder, writable=False) as store:
        for collection in store.collections():
            found.append(collection)
            found += store.sources(collection.name)
            for read in store.vectors(collection.name, KEY):
                found += [read.document_id, read.rows_sha256]
                found += [(kind, matrix.tobytes()) for kind, matrix in read.vectors.items()]
            found.append(store.live_documents(collection.name))
            found.append(store.calibration(collection.name, KEY))
        found += store.pending()
        found.append(store.version())
        with store.reading() as connection:
            found += rows(connection, "removals")
    return found


def noticed(folder: Path) -> bool:
    """Whether opening the store refuses, or its check finds something."""
    try:
        with Store.open(folder, writable=False) as store:
            return next(store.check(), None) is not None
    except IndexFileError as error:
        assert error.code in ("library_damaged", "library_newer")  # noqa: PT017 - both outcomes are meant
        return True
