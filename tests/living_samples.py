"""Engines over a corpus and an index that change together, as a library makes them; shared by tests."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.segments.live import LiveIndex
from index.segments.rows import IndexRows
from rag.answering.citations import SourceLinks
from rag.answering.extractive import ExtractiveGenerator
from rag.confidence.judge import Judge
from rag.confidence.model import shipped_models
from rag.corpus import Corpus
from rag.engine import Engine, EngineOptions
from rag.ranking.arms import SearchIndex
from rag.ranking.model import shipped_model
from rag.records import Source
from rag.retrieval import Retriever
from rag.rows import DocumentRows, rows_of_source
from rag.structure import Structure
from rag.text.terms import index_terms
from tests.counting_encoder import CountingEncoder

CHUNK_MAX_CHARS = 60


def rows_of(sources: Iterable[Source]) -> list[DocumentRows]:
    """The rows of all documents of some sources."""
    return [rows for source in sources for rows in rows_of_source(source, chunk_max_chars=CHUNK_MAX_CHARS)]


def indexed(added: Sequence[DocumentRows]) -> IndexRows:
    """Their vectors and terms."""
    encode = CountingEncoder().encode_passages
    chunks = [row.text for rows in added for row in rows.chunks]
    sentences = [row.text for rows in added for row in rows.sentences]
    windows = [text for rows in added for text in rows.windows()]
    return IndexRows(
        {"chunk": encode(chunks), "sentence": encode(sentences), "window": encode(windows)},
        {
            "chunk": [index_terms(text) for text in chunks],
            "sentence": [index_terms(text) for text in sentences],
        },
    )


@dataclass(frozen=True)
class Living:
    """A corpus with its index over the counting encoder; changes give another one."""

    corpus: Corpus
    index: LiveIndex

    @classmethod
    def of(cls, added: Sequence[DocumentRows]) -> Living:
        return cls(Corpus.empty(), LiveIndex.empty(CountingEncoder.dimension)).extended(added)

    def extended(self, added: Sequence[DocumentRows]) -> Living:
        if not added:
            return self
        return Living(self.corpus.extended(added), self.index.extended(indexed(added)))

    def without(self, document_ids: Sequence[str]) -> Living:
        chunks, sentences = self._ranges(document_ids)
        return Living(self.corpus.without(document_ids), self.index.without(chunks, sentences))

    def only(self, document_ids: Sequence[str]) -> Living:
        chunks, sentences = self._ranges(document_ids)
        return Living(self.corpus.only(document_ids), self.index.only(chunks, sentences))

    def compacted(self) -> Living:
        return Living(self.corpus.compacted(), self.index.compacted())

    def engine(self) -> Engine:
        return engine_over(self.corpus, self.index)

    def _ranges(self, document_ids: Sequence[str]) -> tuple[list[range], list[range]]:
        places = [self.corpus.first_rows[document_id] for document_id in document_ids]
        return [chunks for chunks, _ in places], [sentences for _, sentences in places]


def engine_over(corpus: Corpus, index: SearchIndex, *, rate: float = 0.5) -> Engine:
    """An engine with the shipped models, without a reader.

    Args:
        corpus: The rows.
        index: The arms over them.
        rate: Share of unanswerable questions that may be answered.
    """
    judge = Judge(
        index.chunk_terms,
        shipped_models(),
        None,
        knows_encoder=False,
        false_answer_rate=rate,
        names=corpus.names,
    )
    retriever = Retriever(
        corpus, index, CountingEncoder(), shipped_model(), candidates_per_arm=50, links=SourceLinks()
    )
    return Engine(
        corpus,
        retriever,
        judge,
        {"extractive": ExtractiveGenerator(corpus, Structure(corpus))},
        EngineOptions(answer_max_chars=300, generator="extractive", described={}),
        index_fingerprint="living",
        links=SourceLinks(),
    )
