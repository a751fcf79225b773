"""One immutable state of a collection, and the next one: the same change made to rows and index at once.

A request takes a snapshot and keeps it. Making the next one costs what changed, and the copying of pointers.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version

from api.engine_parts import EngineParts, Model
from api.library.preparing import Prepared, index_rows
from index.recipe import DocumentStamp, EncoderStamp, Recipe
from index.segments import LiveIndex
from rag.confidence.correction import Correction
from rag.corpus import Corpus
from rag.encoding.encoder import Encoder
from rag.engine import Engine
from rag.metadata import Filters
from rag.records import Source
from rag.rows import DocumentRows
from rag.settings import Settings
from rag.text.terms import TERMS_VERSION

_MANY_DEAD_ROWS = 2_000
_DEAD_SHARE = 0.25
"""Holes are closed when there are so many rows in them, and they are such a share of all."""


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """What the store knows of a source beside its text.

    Attributes:
        source: The source.
        origin: "upload", "seeds", or the mark of a folder that is synced.
        added_at: UTC, ISO 8601.
        sequence: Number of the change that brought it.
        live: Numbers of its documents that were not removed, ascending from 1.
    """

    source: Source
    origin: str
    added_at: str
    sequence: int
    live: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Stamp:
    """What names a document in fingerprints; made once for each, because there are many.

    Attributes:
        rows: Checksum of its rows.
        line: Checksum of its rows and of all that is shown or filtered by.
    """

    rows: str
    line: str

    @classmethod
    def of(cls, rows: DocumentRows) -> Stamp:
        """The stamp of a document."""
        document, metadata = rows.document, rows.document.source.metadata
        shown = (document.document_id, document.label, document.authors, document.source.name)
        given = (metadata.title, metadata.authors, metadata.date, metadata.source_url, metadata.tags)
        line = json.dumps([rows.sha256, *shown, *given], ensure_ascii=False)
        return cls(rows.sha256, hashlib.sha256(line.encode()).hexdigest())


class Snapshot:
    """One state of a collection.

    Args:
        parts: Make the engine.
        collection: Its name.
        model: Whose encoder made the vectors.
        corpus: The rows.
        index: The arms over them, row for row.
        stamps: For each document its stamp, in corpus order.
        facts: For each source id what is known of it.
        sequence: Number of the last change that is in it.
        correction: What calibrating it found.

    Attributes:
        engine: Answers from it.
    """

    def __init__(
        self,
        parts: EngineParts,
        collection: str,
        model: Model,
        corpus: Corpus,
        index: LiveIndex,
        stamps: Mapping[str, Stamp],
        facts: Mapping[str, SourceFacts],
        sequence: int,
        correction: Correction | None = None,
    ) -> None:
        self._parts = parts
        self._collection = collection
        self.model = model
        self.corpus = corpus
        self.index = index
        self.stamps = stamps
        self.facts = facts
        self.sequence = sequence
        self.fingerprint = _fingerprint(parts.settings, model.encoder, stamps)
        self.correction = correction
        self.engine = self._engine(corpus, index)

    @classmethod
    def empty(cls, parts: EngineParts, collection: str, model: Model, sequence: int = 0) -> Snapshot:
        """A collection without documents."""
        index = LiveIndex.empty(model.encoder.dimension)
        return cls(parts, collection, model, Corpus.empty(), index, {}, {}, sequence)

    def changed(
        self,
        *,
        removed: Collection[str] = (),
        added: Sequence[Prepared] = (),
        facts: Mapping[str, SourceFacts],
        sequence: int,
    ) -> Snapshot:
        """The next state.

        Args:
            removed: Ids of documents that go.
            added: Documents that come after all others, in order.
            facts: Of all sources of the next state.
            sequence: Number of the change.
        """
        corpus, index = self.corpus, self.index
        stamps = dict(self.stamps)
        if removed:
            ranges = [corpus.first_rows[document_id] for document_id in removed]
            corpus = corpus.without(removed)
            index = index.without([chunks for chunks, _ in ranges], [sentences for _, sentences in ranges])
            for document_id in removed:
                del stamps[document_id]
        if has_many_holes(corpus.dead_rows, len(corpus.chunks)):
            corpus, index = corpus.compacted(), index.compacted()
        if added:
            corpus = corpus.extended([one.rows for one in added])
            index = index.extended(index_rows(added))
            stamps |= {one.rows.document.document_id: Stamp.of(one.rows) for one in added}
        return self._next(corpus, index, stamps, facts, sequence, self.correction)

    def corrected(self, correction: Correction | None) -> Snapshot:
        """The same state with another correction."""
        if correction == self.correction:
            return self
        return self._next(self.corpus, self.index, self.stamps, self.facts, self.sequence, correction)

    def _next(
        self,
        corpus: Corpus,
        index: LiveIndex,
        stamps: Mapping[str, Stamp],
        facts: Mapping[str, SourceFacts],
        sequence: int,
        correction: Correction | None,
    ) -> Snapshot:
        of_it = self._parts, self._collection, self.model
        return Snapshot(*of_it, corpus, index, stamps, facts, sequence, correction)

    @property
    def chunk_max_chars(self) -> int:
        """How long its chunks may be."""
        return self._parts.settings.chunk_max_chars

    @property
    def calibration(self) -> str:
        """What the confidence of its answers rests on."""
        return self.engine.calibration

    def engine_for(self, filters: Filters | None) -> Engine:
        """The engine, or one that sees the matching documents only."""
        if filters is None or filters.is_empty:
            return self.engine
        ids = [document.document_id for document in self.corpus.documents if filters.matches(document)]
        ranges = [self.corpus.first_rows[document_id] for document_id in ids]
        return self._engine(
            self.corpus.only(ids),
            self.index.only([chunks for chunks, _ in ranges], [sentences for _, sentences in ranges]),
        )

    def recipe_for(self, corpus: Corpus) -> Recipe:
        """What an index over these rows is made of: those of this state, or the same without holes."""
        return recipe_of(self._parts.settings, self.model.encoder, corpus, self.stamps)

    def _engine(self, corpus: Corpus, index: LiveIndex) -> Engine:
        return self._parts.engine(
            corpus,
            index,
            self.model,
            collection=self._collection,
            index_fingerprint=self.fingerprint,
            correction=self.correction,
        )


def has_many_holes(dead: int, chunks: int) -> bool:
    """Whether so many of all chunks are dead that holes should be closed."""
    return dead > max(_MANY_DEAD_ROWS, _DEAD_SHARE * chunks)


def base_recipe(settings: Settings, encoder: Encoder) -> Recipe:
    """What decides an index beside the documents."""
    return Recipe(
        created_by=f"cewen {version('cewen')}",
        encoder=encoder_stamp(encoder),
        splitter={"chunk_max_chars": settings.chunk_max_chars},
        terms_version=TERMS_VERSION,
        documents=(),
    )


def recipe_of(settings: Settings, encoder: Encoder, corpus: Corpus, stamps: Mapping[str, Stamp]) -> Recipe:
    """The recipe of an index over these documents."""
    documents = tuple(
        DocumentStamp(
            document.document_id,
            len(corpus.first_rows[document.document_id][0]),
            len(corpus.first_rows[document.document_id][1]),
            stamps[document.document_id].rows,
        )
        for document in corpus.documents
    )
    return replace(base_recipe(settings, encoder), documents=documents)


def encoder_stamp(encoder: Encoder) -> EncoderStamp:
    """What names the vectors of an encoder."""
    return EncoderStamp(encoder.name, encoder.revision, encoder.dimension)


def encoder_key(encoder: Encoder) -> str:
    """What an encoder's vectors are kept under; changes with the name, the weights and the dimension."""
    return json.dumps(list(asdict(encoder_stamp(encoder)).values()), ensure_ascii=False)


def _fingerprint(settings: Settings, encoder: Encoder, stamps: Mapping[str, Stamp]) -> str:
    """Twelve hex digits that name documents, their order, their metadata, the model and the splitting."""
    recipe = base_recipe(settings, encoder)
    fixed = [asdict(recipe.encoder), dict(recipe.splitter), recipe.terms_version]
    text = json.dumps(fixed, ensure_ascii=False, sort_keys=True)
    text += "".join(stamp.line for stamp in stamps.values())
    return hashlib.sha256(text.encode()).hexdigest()[:12]
