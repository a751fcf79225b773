"""What the commands need from the rest of the product, in one record, so that a test can hand in another.

The functions here only forward to the assembly point; they import it when they are called, because it
brings numpy and the splitters and, once an engine is opened, torch and FAISS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from api.assembly import Rebuild
    from api.cli.console import Progress
    from api.library.at_rest import LibraryAtRest
    from api.library.calibrating import Calibrating
    from api.library_records import Entry
    from api.ports import Engine, Library
    from rag.metadata import Filters
    from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class IndexSummary:
    """A verified index.

    Attributes:
        index_dir: Where it lies.
        fingerprint: Names its content.
        documents, chunks, sentences: Rows.
        built: Whether it was built just now rather than found.
    """

    index_dir: Path
    fingerprint: str
    documents: int
    chunks: int
    sentences: int
    built: bool


class Finding(Protocol):
    """Something that is not as it should be."""

    @property
    def place(self) -> str:
        """File, and where known collection and document."""
        ...

    @property
    def problem(self) -> str:
        """What is wrong, in Chinese."""
        ...

    @property
    def next_step(self) -> str:
        """What to do, in Chinese."""
        ...


def _open_engine(settings: Settings, progress: Progress) -> Engine | Library:
    from api.assembly import open_library

    return open_library(settings, keep_writing=False, told=progress)


def _open_serving(settings: Settings, progress: Progress) -> Library:
    return _open_library(settings, progress, None)


def _open_library(settings: Settings, progress: Progress, writable: bool | None) -> Library:
    from api.assembly import open_library

    return open_library(settings, writable=writable, told=progress)


def _open_at_rest(settings: Settings, writable: bool | None) -> LibraryAtRest | None:
    from api.library.at_rest import open_at_rest

    return open_at_rest(settings, writable=writable)


def _list_entries(settings: Settings, collection: str, filters: Filters | None) -> Sequence[Entry]:
    from api.library.listing import list_entries

    return list_entries(settings, collection, filters)


def _backup(settings: Settings, target: Path) -> None:
    from api.library.maintenance import backup

    backup(settings, target)


def _restore(settings: Settings, source: Path) -> None:
    from api.library.maintenance import restore

    restore(settings, source)


def _check(settings: Settings, deep: bool) -> Iterator[Finding]:
    from api.library.maintenance import check

    return check(settings, deep=deep)


def _calibrating(settings: Settings, progress: Progress) -> Calibrating:
    from api.library.calibrating import Calibrating

    return Calibrating(settings, progress)


def _open_index(settings: Settings, rebuild: Rebuild, progress: Progress) -> IndexSummary:
    from api.assembly import open_library

    encoded: list[int] = []

    def told(kind: str, done: int, total: int) -> None:
        encoded.append(done)
        progress(kind, done, total)

    with open_library(
        settings,
        writable=True if rebuild == "always" else None,
        may_encode=rebuild != "never",
        afresh=rebuild == "always",
        told=told,
    ) as library:
        snapshot = library.live().snapshot
        return IndexSummary(
            index_dir=settings.index_dir,
            fingerprint=snapshot.engine.fingerprint,
            documents=len(snapshot.corpus.documents),
            chunks=sum(1 for _ in snapshot.corpus.live_chunks()),
            sentences=sum(1 for _ in snapshot.corpus.live_sentences()),
            built=bool(encoded),
        )


@dataclass(frozen=True, slots=True)
class Parts:
    """Functions that do the work. Each may raise any `CewenError`.

    Attributes:
        open_engine: Opens what answers: a library that is only read, so that others may write; or one engine.
        open_index: Makes or verifies the index.
        open_library: Opens a library; whether it must be possible to write, None for where it is.
        open_at_rest: Opens what can be done to a library without loading it; None if it was never loaded.
        list_entries: Lists a collection, which needs neither model nor index.
        backup, restore, check: Of the store on this machine; whether to check deeply.
        calibrating: Calibrates collections of the library on this machine.
    """

    open_engine: Callable[[Settings, Progress], Engine | Library] = _open_engine
    open_index: Callable[[Settings, Rebuild, Progress], IndexSummary] = _open_index
    open_library: Callable[[Settings, Progress, bool | None], Library] = _open_library
    open_at_rest: Callable[[Settings, bool | None], LibraryAtRest | None] = _open_at_rest
    list_entries: Callable[[Settings, str, Filters | None], Sequence[Entry]] = _list_entries
    backup: Callable[[Settings, Path], None] = _backup
    restore: Callable[[Settings, Path], None] = _restore
    check: Callable[[Settings, bool], Iterator[Finding]] = _check
    calibrating: Callable[[Settings, Progress], Calibrating] = _calibrating

    @property
    def open_serving(self) -> Callable[[Settings, Progress], Engine | Library]:
        """Opens what a service answers from: a library that is written too, if nobody else writes it."""
        return _open_serving if self.open_engine is _open_engine else self.open_engine


def settings_for(seeds: Path | None, index_dir: Path | None, **others: Any) -> Settings:
    """Settings from the environment and the options given (None means "not given").

    Another corpus gets a library and an index of its own, in the cache folder if no index folder is given, so
    that asking it something once does not touch the usual ones.

    Raises:
        ConfigError: If a value is not allowed.
    """
    from rag.settings import read_settings

    settings = read_settings(seeds_dir=seeds, index_dir=index_dir, **others)
    if seeds is None:
        return settings
    place = str(settings.seeds_dir.resolve()).encode("utf-8", "surrogateescape")
    apart = settings.cache_dir / "indexes" / hashlib.sha256(place).hexdigest()[:12]
    own = index_dir or apart
    return settings.model_copy(update={"index_dir": own, "store_dir": own / "store"})
