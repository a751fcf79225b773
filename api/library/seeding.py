"""The seeds folder, followed at each start: `default` holds what it holds, and what was uploaded beside it.

Works on the store alone, before anything is loaded. What somebody has deleted stays deleted although its
file is still there, until its content is added again.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from api.engine_parts import EngineParts
from api.library.folders import files_of_folder
from api.library.inheriting import inheriting
from api.library.loading import Told
from api.library.mirroring import Loaded, SyncFile, sync_files
from api.library.preparing import Prepared, Progress, batches, count_texts, encode
from api.library.snapshots import encoder_key
from api.library.storing import stored_as, stored_vectors
from api.library.syncing import Present, SyncFailure, SyncReport, Wanted
from api.library_records import Upload
from index.store import Addition, Store
from rag.encoding.encoder import Encoder
from rag.errors import ConfigError, IndexMismatchError, InputError, NotFoundError
from rag.inputs import excerpt
from rag.records import DEFAULT_COLLECTION, Metadata, Source
from rag.rows import DocumentRows, rows_of_source

SEEDS = "seeds"
"""The mark of what belongs to the seeds folder."""

_log = logging.getLogger(__name__)


class StoreTarget:
    """A collection of a store that nobody reads yet, as something to sync.

    Args:
        store: The truth.
        parts: Load the model.
        may_encode: Whether new texts may be encoded; else they are an error.
        told: Told of the encoding.
        collection: Which.
    """

    def __init__(
        self,
        store: Store,
        parts: EngineParts,
        *,
        may_encode: bool = True,
        told: Told | None = None,
        collection: str = DEFAULT_COLLECTION,
    ) -> None:
        self._store = store
        self._parts = parts
        self._may_encode = may_encode
        self._told = told
        self._collection = collection
        self.encoded = 0

    def held(self) -> Sequence[Present]:
        """Every source, of all origins, in the order of their coming."""
        return [
            Present(one.name, one.source_id, one.sha256, one.original_sha256, one.origin)
            for one in self._store.labels(self._collection)
        ]

    def add(self, loaded: Loaded, *, replaces: str | None) -> str:
        """Add a file, in the place of a source if one is named."""
        source = loaded.upload.source
        rows = rows_of_source(source, chunk_max_chars=self._parts.settings.chunk_max_chars)
        if not rows:
            raise InputError(
                f"{excerpt(source.name)}里没有任何正文段落。请检查文件内容。", code="document_without_text"
            )
        if self._told_again(loaded.upload):
            return source.source_id
        stored = self._store.collection(self._collection)
        encoder = self._parts.model(stored.encoder if stored else None).encoder
        prepared = stored_as(self._store, self._collection, encoder, rows)
        if prepared is None:
            if not self._may_encode:
                raise IndexMismatchError(
                    f"语料 {source.name!r} 是新的或改过，还没有编码。请运行 `cewen index`。"
                )
            prepared = self._encoded(source.name, rows, encoder)
        self._apply(loaded.upload, prepared, encoder, replaces)
        return source.source_id

    def remove(self, source_id: str) -> None:
        """Remove a source."""
        if not self._may_encode:
            raise IndexMismatchError("语料文件夹里少了文件，而文库里还有。请运行 `cewen index`。")
        ids = self._ids_of(source_id)
        if not ids:
            raise NotFoundError(f"没有编号为 {source_id!r} 的来源。", code="document_not_found")
        self._store.apply(self._collection, removals=[(one, "sync", ()) for one in ids], encoder_key="")

    def _told_again(self, upload: Upload) -> bool:
        """Note the new bytes of a text that is there, and nothing else; whether it is there.

        What a person has said of it stays, and so do the documents of it that he has deleted.
        """
        known = self._store.source(self._collection, upload.source.source_id)
        if known is None or known.source.sha256 != upload.source.sha256:
            return False
        said = upload.source.metadata
        source = replace(upload.source, metadata=known.source.metadata if said == Metadata() else said)
        self._store.apply(self._collection, additions=[Addition(source, upload.origin, ())], encoder_key="")
        return True

    def _encoded(self, name: str, rows: Sequence[DocumentRows], encoder: Encoder) -> list[Prepared]:
        prepared: list[Prepared] = []
        total, before = sum(map(count_texts, rows)), 0
        for batch in batches(rows):
            prepared += encode(batch, encoder, self._telling(name, before, total))
            before += sum(map(count_texts, batch))
        self.encoded += total
        return prepared

    def _apply(
        self, upload: Upload, prepared: Sequence[Prepared], encoder: Encoder, replaces: str | None
    ) -> None:
        ids = tuple(one.rows.document.document_id for one in prepared)
        old = self._store.source(self._collection, replaces) if replaces else None
        upload = inheriting(upload, old.source if old else None)
        gone = [one for one in self._ids_of(replaces) if one not in ids] if replaces else []
        self._store.apply(
            self._collection,
            removals=[(one, "sync", ids) for one in gone],
            additions=[
                Addition(
                    upload.source, upload.origin, tuple(map(stored_vectors, prepared)), brings_back=False
                )
            ],
            encoder_key=encoder_key(encoder),
        )

    def _ids_of(self, source_id: str) -> list[str]:
        return list(self._store.live_documents(self._collection, source_id))

    def _telling(self, name: str, before: int, total: int) -> Progress:
        def told(done: int, _: int) -> None:
            if self._told:
                self._told(name, before + done, total)

        return told


def follow_seeds(target: StoreTarget, store: Store, folder: Path) -> SyncReport:
    """Make what belongs to the seeds folder what it holds now.

    A file that cannot be used is said in the log and by `cewen check`, and keeps nobody from asking: what the
    library holds of it stays, and so does what it holds of files that are not to be found now.

    Raises:
        ConfigError: If the folder does not exist, or a file of it cannot be used and there is nothing else.
        IndexMismatchError: If something changed and may not be encoded.
    """
    if not folder.is_dir():
        raise ConfigError(f"语料文件夹 {str(folder)!r} 不存在。请用 CEWEN_SEEDS_DIR 指定放有文章的文件夹。")
    reading = files_of_folder(folder)
    held = sum(source.origin == SEEDS for source in target.held())
    if held and not reading.files and reading.complete:
        raise ConfigError(
            f"语料文件夹 {str(folder)!r} 里一篇文章也没有，而文库里有 {held} 份来自它。"
            "请检查它是否挂载好了；确实不要这些文章，请先用 cewen rm 删除。"
        )
    report = sync_files(
        target,
        SEEDS,
        reading.files,
        deleted=store.deleted_sources(DEFAULT_COLLECTION),
        complete=reading.complete,
    )
    failures = [*reading.unreadable, *report.failed]
    if failures and not any(one.documents for one in store.collections()):
        raise ConfigError(f"语料{failures[0].message}不需要它时，请移出语料文件夹。")
    for failure in failures:
        _log.error("a file of the seeds folder cannot be used, and is left out: %s", failure.message)
    if report.withheld:
        _log.warning(
            "kept, although not found in the seeds folder: %s", ", ".join(map(repr, report.withheld))
        )
    for name, note in report.notes:
        _log.warning("%r: %s", name, note)
    return report


def unusable_seeds(store: Store, folder: Path) -> Iterator[SyncFailure]:
    """What of the seeds folder cannot be used, as the next start would find it; changes nothing."""
    if not folder.is_dir():
        return
    reading = files_of_folder(folder)
    yield from reading.unreadable
    known = {sha for one in store.labels(DEFAULT_COLLECTION) for sha in (one.sha256, one.original_sha256)}
    known |= store.deleted_sources(DEFAULT_COLLECTION)
    for file in reading.files:
        if file.wanted.keys.isdisjoint(known):
            try:
                file.load(SEEDS)
            except (InputError, ConfigError) as error:
                yield SyncFailure(file.wanted.name, error.code, error.message)


def follow_sources(target: StoreTarget, sources: Sequence[Source]) -> SyncReport:
    """Make what belongs to the seeds these texts instead.

    Raises:
        ConfigError: If one of them has no text.
    """
    report = sync_files(target, SEEDS, [_given(source) for source in sources])
    if report.failed:
        raise ConfigError(report.failed[0].message)
    return report


def _given(source: Source) -> SyncFile:
    data = source.text.encode()
    wanted = Wanted(source.name, hashlib.sha256(data).hexdigest(), source.original_sha256)
    return SyncFile(wanted, lambda origin: Loaded(Upload(source, origin), data))
