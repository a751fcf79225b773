"""Open the library of the settings: lock and store, the seeds folder followed, every collection loaded."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

from api.engine_parts import EngineParts
from api.library.generations import GenerationKeeper, remove_old_index
from api.library.library import Library
from api.library.loading import Told
from api.library.seeding import SEEDS, StoreTarget, follow_seeds, follow_sources
from index.store import Store
from rag.confidence.reader import Reader
from rag.encoding.encoder import Encoder
from rag.errors import UnavailableError
from rag.records import DEFAULT_COLLECTION, Source
from rag.settings import Settings

_log = logging.getLogger(__name__)


def open_library(
    settings: Settings,
    *,
    encoder: Encoder | None = None,
    reader: Reader | None = None,
    writable: bool | None = None,
    sources: Sequence[Source] | None = None,
    may_encode: bool = True,
    afresh: bool = False,
    keep_writing: bool = True,
    told: Told | None = None,
) -> Library:
    """Open the library; close it when done.

    Args:
        settings: All of them.
        encoder: Stands in for the encoder that the settings name.
        reader: Stands in for the reader that the settings name.
        writable: Whether it must be possible to write; None to do without where another process does.
        sources: Texts to hold instead of the seeds folder.
        may_encode: Whether texts that are new or changed may be encoded; else they are an error.
        afresh: Whether to encode everything anew, whatever there is.
        keep_writing: Whether to stay the one who may write; if not, the library is only read once it is open,
            and what another process had accepted is left to it.
        told: Told of the encoding.

    Raises:
        ConfigError: If seeds, model or settings are unusable.
        IndexFileError: If the store is damaged or cannot be written, or something would have to be encoded
            and may not be.
        UnavailableError: With code `library_busy` if it must be written and another process does.
    """
    parts = EngineParts(settings, encoder=encoder, reader=reader)
    store = open_store(settings, writable=writable)
    library = Library(store, parts, settings.index_dir)
    try:
        encoded = 0
        if not store.writable and sources is not None:
            _check_holds(store, sources)
        if store.writable:
            if afresh:
                for stored in store.collections():
                    GenerationKeeper(stored.name, settings.index_dir / stored.name).erase()
                    store.drop_vectors(stored.name)
            target = StoreTarget(store, parts, may_encode=may_encode, told=told)
            if sources is None:
                follow_seeds(target, store, settings.seeds_dir)
            else:
                follow_sources(target, sources)
            encoded = target.encoded
            remove_old_index(settings.index_dir)
        library.encoded = encoded + library.load(may_encode=may_encode, told=told)
        if keep_writing:
            library.take_up()
        else:
            library.let_others_write()
    except BaseException:
        library.close()
        raise
    return library


def _check_holds(store: Store, sources: Sequence[Source]) -> None:
    """See whether what another process has made of the seeds are these texts.

    Raises:
        UnavailableError: With code `library_busy` if not.
    """
    held = {one.source.sha256 for one in store.sources(DEFAULT_COLLECTION) if one.origin == SEEDS}
    if held != {source.sha256 for source in sources}:
        raise UnavailableError(
            f"另一个进程正在写文库 {str(store.path.parent)!r}，里面现在不是要用的文章。请等它结束后再试。",
            code="library_busy",
        )


def open_store(settings: Settings, *, writable: bool | None) -> Store:
    """The store of the settings; for reading only where another process writes and `writable` is None.

    Raises:
        IndexFileError: If it is damaged or cannot be written.
        UnavailableError: With code `library_busy`.
    """
    folder = store_folder(settings)
    if writable is not None:
        return Store.open(folder, writable=writable)
    try:
        return Store.open(folder, writable=True)
    except UnavailableError as error:
        if error.code != "library_busy":
            raise
        _log.info("opening the library for reading only: %s", error.message)
        return Store.open(folder, writable=False)


def store_folder(settings: Settings) -> Path:
    """Where the store of the settings lies."""
    return (settings.store_dir or settings.data_dir / "library").expanduser()
