"""Backup, restore and check of the library that lies on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from api.library.opening import open_store, store_folder
from api.library.seeding import unusable_seeds
from index.check import check_generation
from index.store import Finding, Store
from rag.corpus import build_corpus
from rag.errors import ConfigError, IndexFileError
from rag.records import Source
from rag.settings import Settings


def backup(settings: Settings, target: Path) -> None:
    """Copy the library into one file, consistent whatever is written meanwhile, and verify the copy.

    Raises:
        IndexFileError: If the library is damaged, there is none, or the copy cannot be written.
        ConfigError: If the target exists.
    """
    with open_store(settings, writable=False) as store:
        store.backup(target)


def restore(settings: Settings, source: Path) -> None:
    """Put a backup in the place of the library, after it has been verified; the old one stays beside it.

    Raises:
        IndexFileError: If the backup is damaged.
        UnavailableError: With code `library_busy` if a process uses the library.
    """
    Store.restore(source, store_folder(settings))


def check(settings: Settings, *, deep: bool = True) -> Iterator[Finding]:
    """Everything that is not as it should be, in the store and in the indexes made from it; mostly nothing.

    Args:
        settings: All of them.
        deep: Whether also to cut every text anew and compare its rows with what was encoded, and to look
            for files of the seeds folder that are left out.

    Raises:
        IndexFileError: If there is no library, or it cannot be opened at all.
    """
    with open_store(settings, writable=False) as store:
        yield from store.check()
        collections = [one.name for one in store.collections()]
        for name in collections:
            yield from check_generation(settings.index_dir / name)
        if deep:
            for name in collections:
                yield from _rows_of(store, name, settings)
            yield from _seeds(store, settings)


def _seeds(store: Store, settings: Settings) -> Iterator[Finding]:
    """Files of the seeds folder that are left out of the library."""
    step = "请改正或移出语料文件夹，再重新启动；在那以前照旧用文库里已有的"
    try:
        for failure in unusable_seeds(store, settings.seeds_dir):
            yield Finding(f"语料文件夹的 {failure.name}", failure.message.rstrip("。"), step)
    except IndexFileError:
        return  # what cannot be read was found before


def _rows_of(store: Store, collection: str, settings: Settings) -> Iterator[Finding]:
    """Documents whose rows are not those that were encoded, and rows that are not in their text."""
    try:
        for stored in store.sources(collection):
            yield from _offsets(stored.source, collection, settings)
    except IndexFileError:
        return  # what cannot be read was found before


def _offsets(source: Source, collection: str, settings: Settings) -> Iterator[Finding]:
    try:
        corpus = build_corpus([source], chunk_max_chars=settings.chunk_max_chars)
    except ConfigError as error:
        yield Finding(f"文库 {collection} 的 {source.name}", error.message, "请删除后重新添加")
        return
    rows = [(row.span, row.text) for row in corpus.chunks]
    rows += [(row.span, row.text) for row in corpus.sentences]
    for span, text in rows:
        printed = "".join(source.text[span.start_char : span.end_char].split())
        if printed != "".join(text.split()):
            place = f"文库 {collection} 的 {source.name}，{span.start_char}-{span.end_char}"
            yield Finding(place, "切出的文字与原文的这个区间不同", "请报告这个错误")
