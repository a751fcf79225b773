"""The state that the store holds, made searchable: what a start does, and what a reader does to catch up.

Rows come from those that were kept (`api.library.cuts`), else from cutting the texts. Vectors come from the
generation where its rows are the same, in the same order; else from the store; else they are made, and stored
if that is allowed. So a generation that is missing, damaged or old costs time, never a document.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from api.engine_parts import EngineParts, Model
from api.library.cuts import read_cuts
from api.library.preparing import Prepared, batches, count_texts, encode, index_rows
from api.library.probing import probe
from api.library.snapshots import Snapshot, Stamp, base_recipe, encoder_key, has_many_holes
from api.library.storing import facts_of, live_rows, shown_source, stored_vectors
from index.built import Generation, open_generation
from index.segments import LiveIndex
from index.store import Store, StoredSource
from rag.confidence.correction import Correction
from rag.corpus import Corpus
from rag.errors import IndexFileError, IndexMismatchError
from rag.placed_rows import GoneRows
from rag.rows import DocumentRows

Told = Callable[[str, int, int], None]
"""Called with (what is being encoded, texts done, texts in all)."""

_GATHERED_TEXTS = 32_768
"""So many are put into the index at once, some 50 MB of vectors: the fewer times, the less is merged."""

_TRIES = 3

_log = logging.getLogger(__name__)


class _MovedError(Exception):
    """Another process changed the store while it was read, and what was wanted may be there now."""


class Loader:
    """Loads one collection.

    Args:
        store: The truth.
        collection: Its name.
        parts: Make engines.
        folder: Where its generations lie.
        may_encode: Whether vectors that are missing may be made; else they are an error.
        told: Told of the encoding.

    Attributes:
        encoded: How many texts had to be encoded.
        cut: How many chunks had to be cut anew and need not be another time.
    """

    def __init__(
        self,
        store: Store,
        collection: str,
        parts: EngineParts,
        folder: Path,
        *,
        may_encode: bool = True,
        told: Told | None = None,
    ) -> None:
        self._store = store
        self._collection = collection
        self._parts = parts
        self._folder = folder
        self._may_encode = may_encode
        self._told = told
        self.encoded = 0
        self.cut = 0
        self.outdated = False
        self._began: int | None = None

    def load(self) -> tuple[Snapshot, int]:
        """The state that the store holds now, and how many of its chunks the generation held.

        Raises:
            IndexFileError: If the store is damaged (code `library_damaged`), or vectors are missing and may
                not be made (code `index_missing`).
        """
        for _ in range(0 if self._store.writable else _TRIES):
            self._began = self._store.version()
            try:
                return self._loaded()
            except _MovedError:
                continue
        self._began = None
        return self._loaded()

    def _loaded(self) -> tuple[Snapshot, int]:
        stored = self._store.collection(self._collection)
        model = self._parts.model(stored.encoder if stored else None)
        with ThreadPoolExecutor(1, "library-index") as beside:  # mostly checksums, which run without the GIL
            opening = beside.submit(self._generation, model)
            sources = list(self._store.sources(self._collection))
            rows = self._rows(sources)
            sequence = max([stored.sequence if stored else 0, *(source.sequence for source in sources)])
            facts = {source.source_id: facts_of(source) for source in sources}
            stamps = {one.document.document_id: Stamp.of(one) for one in rows}
            generation = opening.result()
        index, held = self._from_generation(model, rows, generation)
        kept_chunks = index.chunks
        gone = [one.document.document_id for one in held if isinstance(one, GoneRows)]
        tail = rows[len(held) - len(gone) :]
        corpus = Corpus.empty().extended([*held, *tail]).without(gone)
        if tail:
            index = self._extended(index, model, tail)
        correction = self.correction(model)
        of_it = self._parts, self._collection, model
        return Snapshot(*of_it, corpus, index, stamps, facts, sequence, correction), kept_chunks

    def _rows(self, sources: Sequence[StoredSource]) -> list[DocumentRows]:
        """The rows of every live document."""
        kept = read_cuts(self._folder, self._parts.settings.chunk_max_chars) if sources else None
        rows: list[DocumentRows] = []
        for stored in sources:
            found = kept.rows_of(shown_source(stored), stored.live) if kept else None
            if found is None:
                found = live_rows(stored, self._parts)
                if not (kept and kept.refuses(stored.source, stored.live)):
                    self.cut += sum(one.chunk_count for one in found)
            rows += found
        return rows

    def correction(self, model: Model) -> Correction | None:
        """What calibrating it with this model has found; None if that is nothing, or unreadable."""
        text = self._store.calibration(self._collection, encoder_key(model.encoder))
        try:
            return None if text is None else Correction.from_text(text)
        except ValueError as error:
            _log.warning("the calibration of %r is left aside: %s", self._collection, error)
            return None

    def prepared(self, model: Model, rows: Sequence[DocumentRows]) -> Iterable[list[Prepared]]:
        """Documents with their vectors, in order, some at a time: from the store, else made and stored.

        Raises:
            IndexFileError: As `load`.
        """
        key = encoder_key(model.encoder)
        total = sum(map(count_texts, rows))
        before = 0
        for batch in batches(rows):
            wanted = {one.document.document_id: one.sha256 for one in batch}
            found = {
                one.document_id: one
                for one in self._store.vectors(self._collection, key, document_ids=tuple(wanted))
                if one.rows_sha256 == wanted[one.document_id]
            }
            missing = [one for one in batch if one.document.document_id not in found]
            made = {}
            if missing:
                made = self._made(model, missing, key, before, total)
            yield [
                made[document_id] if document_id in made else Prepared(one, dict(found[document_id].vectors))
                for one in batch
                for document_id in (one.document.document_id,)
            ]
            before += sum(map(count_texts, batch))

    def _made(
        self, model: Model, rows: Sequence[DocumentRows], key: str, before: int, total: int
    ) -> dict[str, Prepared]:
        if self._began is not None and self._store.version() != self._began:
            raise _MovedError  # say, to another encoder, whose vectors are there
        if not self._may_encode:
            raise IndexMismatchError(
                f"文库 {self._collection!r} 里有 {len(rows)} 篇文章还没有用编码器 "
                f"{model.encoder.name!r} 编码，或设置改过以后没有重新编码。请运行 `cewen index`。"
            )

        def told(done: int, _: int) -> None:
            if self._told:
                self._told(self._collection, before + done, total)

        made = encode(rows, model.encoder, told)
        self.encoded += sum(map(count_texts, rows))
        if self._store.writable:
            self._store.put_vectors(self._collection, key, [stored_vectors(one) for one in made])
        return {one.rows.document.document_id: one for one in made}

    def _extended(self, index: LiveIndex, model: Model, tail: Sequence[DocumentRows]) -> LiveIndex:
        gathered: list[Prepared] = []
        held = 0
        for prepared in self.prepared(model, tail):
            gathered += prepared
            held += sum(count_texts(one.rows) for one in prepared)
            if held >= _GATHERED_TEXTS:
                index, gathered, held = index.extended(index_rows(gathered)), [], 0
        return index.extended(index_rows(gathered)) if gathered else index

    def _from_generation(
        self, model: Model, rows: Sequence[DocumentRows], generation: Generation | None
    ) -> tuple[LiveIndex, list[DocumentRows]]:
        """The index of as many first documents as the generation holds in this order, and its rows.

        Where few of its documents are gone, their rows stay, dead: to close the holes is to copy the others.
        """
        nothing: tuple[LiveIndex, list[DocumentRows]] = LiveIndex.empty(model.encoder.dimension), []
        self.outdated = generation is not None and not rows
        if generation is None or not rows:
            return nothing
        stamps = generation.recipe.documents
        places = {stamp.document_id: place for place, stamp in enumerate(stamps)}
        kept: dict[str, DocumentRows] = {}
        last = -1
        for one in rows:
            document_id = one.document.document_id
            place = places.get(document_id, -1)
            if place <= last or stamps[place].sha256 != one.sha256:
                break
            kept[document_id] = one
            last = place
        self.outdated = len(kept) < len(places)
        if not kept:
            return nothing
        held = list(kept.values())
        gone = generation.recipe.count("chunk") - sum(one.chunk_count for one in held)
        try:
            if has_many_holes(gone, generation.recipe.count("chunk")):
                index, _ = generation.index_of({name: one.sha256 for name, one in kept.items()})
            else:
                index = generation.marked(kept)
                held = [
                    kept.get(stamp.document_id) or GoneRows(f"gone:{place}", stamp.chunks, stamp.sentences)
                    for place, stamp in enumerate(stamps)
                ]
            probe(index, held)
        except IndexFileError as error:
            _log.warning("the index of %r is built anew: %s", self._collection, error.message)
            return nothing
        return index, held

    def _generation(self, model: Model) -> Generation | None:
        """The generation, if it was made with this encoder and these settings."""
        try:
            return open_generation(self._folder, expected=base_recipe(self._parts.settings, model.encoder))
        except IndexMismatchError as error:  # another encoder or other settings: nothing is wrong
            _log.info("the index of %r is made anew: %s", self._collection, error.message)
            return None
        except IndexFileError as error:
            if error.code != "index_missing":
                _log.warning("the index of %r is built anew: %s", self._collection, error.message)
            return None
