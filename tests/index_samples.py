"""A small corpus and the vectors and terms that go with it, for tests of `index`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from index.recipe import EncoderStamp, Recipe
from rag.corpus import Corpus
from rag.records import Chunk, Document, Sentence, Source, SourceSpan

DIM = 4

TEXTS = ("城市治理要用绣花功夫。\n社区是第一道防线。", "数据多跑路，群众少跑腿。\n一网通办。")


def corpus_of(texts: Sequence[str] = TEXTS) -> Corpus:
    """One document a text, one chunk a line, one sentence a chunk; its paragraphs are left out."""
    sources, documents = [], []
    chunks: list[Chunk] = []
    sentences: list[Sentence] = []
    for number, text in enumerate(texts, 1):
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        source = Source(f"第{number}篇.txt", text, sha256)
        sources.append(source)
        document_id = f"{sha256[:12]}-1"
        start = 0
        for line_number, line in enumerate(text.split("\n"), 1):
            end = start + len(line)
            span = SourceSpan(start, end, line_number, line_number)
            row = len(chunks)
            name = f"{document_id}:{start}-{end}"
            chunks.append(Chunk(row, name, document_id, line_number, line, 0, len(line), span))
            sentences.append(Sentence(row, document_id, line_number, row, line, 0, len(line), span))
            start = end + 1
        documents.append(Document(document_id, source, None, source.name, (), None, (), ()))
    return Corpus(tuple(sources), tuple(documents), tuple(chunks), tuple(sentences))


def recipe_of(corpus: Corpus) -> Recipe:
    """As `cewen 0.1.0` with a four-dimensional encoder would write it."""
    return Recipe.of(
        corpus,
        created_by="cewen 0.1.0",
        encoder=EncoderStamp("四维", "r1", DIM),
        splitter={"chunk_max_chars": 200, "keep_notes": True},
        terms_version=1,
    )


def unit_rows(count: int, dim: int, seed: int = 0) -> NDArray[np.float32]:
    """Random rows of length 1, float32, shape (count, dim)."""
    rows = np.random.default_rng(seed).normal(size=(count, dim))
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    unit: NDArray[np.float32] = (rows / lengths).astype(np.float32)
    return unit


def vectors_of(corpus: Corpus) -> dict[str, NDArray[np.float32]]:
    """Different rows for each kind, the same on each call."""
    counts = {"chunk": len(corpus.chunks), "sentence": len(corpus.sentences), "window": len(corpus.sentences)}
    return {kind: unit_rows(count, DIM, seed) for seed, (kind, count) in enumerate(counts.items())}


def terms_of(corpus: Corpus) -> dict[str, list[list[str]]]:
    """Single characters and bigrams."""
    return {
        "chunk": [grams(chunk.text) for chunk in corpus.chunks],
        "sentence": [grams(sentence.text) for sentence in corpus.sentences],
    }


def grams(text: str) -> list[str]:
    """The text's characters and its pairs of neighbours."""
    return [*text, *(text[at : at + 2] for at in range(len(text) - 1))]
