"""What the commands need from the rest of the product, in one record, so that a test can hand in another.

The functions here only forward to the assembly point; they import it when they are called, because it
brings numpy and the splitters and, once an engine is opened, torch and FAISS.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from api.assembly import Rebuild
    from api.cli_console import Progress
    from api.ports import Engine
    from rag.records import Document
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


def _open_engine(settings: Settings, progress: Progress) -> Engine:
    from api.assembly import open_engine

    return open_engine(settings, progress=progress)


def _read_documents(settings: Settings) -> Sequence[Document]:
    from rag.corpus import build_corpus, read_folder

    corpus = build_corpus(read_folder(settings.seeds_dir), chunk_max_chars=settings.chunk_max_chars)
    return corpus.documents


def _open_index(settings: Settings, rebuild: Rebuild, progress: Progress) -> IndexSummary:
    from api.assembly import load_encoder, open_index
    from rag.corpus import build_corpus, read_folder

    corpus = build_corpus(read_folder(settings.seeds_dir), chunk_max_chars=settings.chunk_max_chars)
    encoded: list[int] = []

    def told(kind: str, done: int, total: int) -> None:
        encoded.append(done)
        progress(kind, done, total)

    built = open_index(settings, corpus, load_encoder(settings), rebuild=rebuild, progress=told)
    return IndexSummary(
        index_dir=settings.index_dir,
        fingerprint=built.fingerprint,
        documents=len(corpus.documents),
        chunks=len(corpus.chunks),
        sentences=len(corpus.sentences),
        built=bool(encoded),
    )


@dataclass(frozen=True, slots=True)
class Parts:
    """Functions that do the work. Each may raise any `CewenError`."""

    open_engine: Callable[[Settings, Progress], Engine] = _open_engine
    read_documents: Callable[[Settings], Sequence[Document]] = _read_documents
    open_index: Callable[[Settings, Rebuild, Progress], IndexSummary] = _open_index


def settings_for(seeds: Path | None, index_dir: Path | None, **others: Any) -> Settings:
    """Settings from the environment and the options given (None means "not given").

    Another corpus gets an index of its own in the cache folder, so that asking it something once does not
    throw away the usual index.

    Raises:
        ConfigError: If a value is not allowed.
    """
    from rag.settings import read_settings

    settings = read_settings(seeds_dir=seeds, index_dir=index_dir, **others)
    if seeds is None or index_dir is not None:
        return settings
    place = str(settings.seeds_dir.resolve()).encode("utf-8", "surrogateescape")
    apart = settings.cache_dir / "indexes" / hashlib.sha256(place).hexdigest()[:12]
    return settings.model_copy(update={"index_dir": apart})
