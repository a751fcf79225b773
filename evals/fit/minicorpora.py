"""Small corpora of about ten articles each, indexed in memory by the very code that serves.

The corpus that is served is small and of one subject, so weights are fitted on corpora of that size, not
on one of a thousand passages. Passages can be left out, which makes their questions unanswerable.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evals.fit.reading import Article
from index.lexical import LexicalIndex
from index.vectors import VectorIndex
from rag.corpus import Corpus
from rag.records import Chunk, Sentence
from rag.text.terms import index_terms

_ARTICLES_EACH = 10
_SEED = 5

Vectors = dict[str, npt.NDArray[np.float32]]
"""Rows over all articles, in order: "sentence", "window", "chunk"."""


@dataclass(frozen=True)
class ArmSet:
    """The five arms of one corpus (what `rag.ranking.arms.SearchIndex` asks for)."""

    chunk_vectors: VectorIndex
    sentence_vectors: VectorIndex
    window_vectors: VectorIndex
    chunk_terms: LexicalIndex
    sentence_terms: LexicalIndex


@dataclass(frozen=True)
class MiniCorpus:
    """One corpus, its index, and the passage that each sentence row belongs to."""

    corpus: Corpus
    index: ArmSet
    passage_of: tuple[str, ...]


def group_articles(articles: Sequence[Article]) -> list[list[int]]:
    """Positions of the articles of each corpus, shuffled once."""
    order = list(range(len(articles)))
    random.Random(_SEED).shuffle(order)
    return [order[i : i + _ARTICLES_EACH] for i in range(0, len(order), _ARTICLES_EACH)]


class MiniCorpusMaker:
    """Makes corpora out of articles whose rows are already encoded.

    Args:
        articles: All articles.
        vectors: Their rows, in article order.
    """

    def __init__(self, articles: Sequence[Article], vectors: Vectors) -> None:
        self._articles = articles
        self._vectors = vectors
        self._first_sentence = _offsets(len(article.corpus.sentences) for article in articles)
        self._first_chunk = _offsets(len(article.corpus.chunks) for article in articles)

    def sentence_rows(self, positions: Collection[int]) -> list[int]:
        """Rows of "sentence" that belong to these articles."""
        return [row for p in positions for row in range(self._first_sentence[p], self._first_sentence[p + 1])]

    def make(self, positions: Sequence[int], left_out: Collection[str]) -> MiniCorpus:
        """The corpus of some articles without the passages in `left_out`."""
        chunks: list[Chunk] = []
        sentences: list[Sentence] = []
        chunk_rows: list[int] = []
        sentence_rows: list[int] = []
        passage_of: list[str] = []
        for position in positions:
            article = self._articles[position]
            renumbered: dict[int, int] = {}
            for chunk in article.corpus.chunks:
                if article.passage_ids[chunk.paragraph - 1] not in left_out:
                    renumbered[chunk.ordinal] = len(chunks)
                    chunk_rows.append(self._first_chunk[position] + chunk.ordinal)
                    chunks.append(dataclasses.replace(chunk, ordinal=len(chunks)))
            for sentence in article.corpus.sentences:
                home = renumbered.get(sentence.chunk_ordinal)
                if home is not None:
                    sentence_rows.append(self._first_sentence[position] + sentence.ordinal)
                    passage_of.append(article.passage_ids[sentence.paragraph - 1])
                    sentences.append(
                        dataclasses.replace(sentence, ordinal=len(sentences), chunk_ordinal=home)
                    )
        documents = tuple(self._articles[p].corpus.documents[0] for p in positions)
        index = ArmSet(
            VectorIndex.build(self._vectors["chunk"][chunk_rows]),
            VectorIndex.build(self._vectors["sentence"][sentence_rows]),
            VectorIndex.build(self._vectors["window"][sentence_rows]),
            LexicalIndex.build([index_terms(chunk.text) for chunk in chunks]),
            LexicalIndex.build([index_terms(sentence.text) for sentence in sentences]),
        )
        return MiniCorpus(Corpus((), documents, tuple(chunks), tuple(sentences)), index, tuple(passage_of))


def _offsets(sizes: Iterable[int]) -> list[int]:
    total, offsets = 0, [0]
    for size in sizes:
        total += size
        offsets.append(total)
    return offsets
