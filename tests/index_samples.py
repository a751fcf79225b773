"""A few documents as rows, and the vectors and terms that go with them, for tests of `index`."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.postings import Postings
from index.recipe import DocumentStamp, EncoderStamp, Recipe
from index.segments import LiveIndex
from index.vectors import VectorIndex

DIM = 4

TEXTS = ("城市治理要用绣花功夫。\n社区是第一道防线，也是家。", "数据多跑路，群众少跑腿。\n一网通办。")


@dataclass(frozen=True)
class Rows:
    """One document: one chunk a line, one sentence a clause."""

    document_id: str
    chunks: tuple[str, ...]
    sentences: tuple[str, ...]


def documents_of(texts: Sequence[str] = TEXTS) -> tuple[Rows, ...]:
    """One document a text; equal texts give equal documents."""
    return tuple(
        Rows(
            f"{hashlib.sha256(text.encode()).hexdigest()[:12]}-1",
            tuple(text.split("\n")) if text else (),
            tuple(clause for line in text.split("\n") for clause in line.split("，") if clause),
        )
        for text in texts
    )


def recipe_of(documents: Sequence[Rows]) -> Recipe:
    """As `cewen 0.1.0` with a four-dimensional encoder would write it."""
    return Recipe(
        created_by="cewen 0.1.0",
        encoder=EncoderStamp("四维", "r1", DIM),
        splitter={"chunk_max_chars": 200, "keep_notes": True},
        terms_version=1,
        documents=tuple(
            DocumentStamp(
                document.document_id,
                len(document.chunks),
                len(document.sentences),
                hashlib.sha256(repr((document.chunks, document.sentences)).encode()).hexdigest(),
            )
            for document in documents
        ),
    )


def wanted_of(documents: Sequence[Rows]) -> dict[str, str]:
    """What `Generation.index_of` is asked for when these are the documents of now."""
    return {stamp.document_id: stamp.sha256 for stamp in recipe_of(documents).documents}


def unit_rows(count: int, dim: int, seed: int = 0) -> NDArray[np.float32]:
    """Random rows of length 1, float32, shape (count, dim)."""
    rows = np.random.default_rng(seed).normal(size=(count, dim))
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    unit: NDArray[np.float32] = (rows / lengths).astype(np.float32)
    return unit


def vectors_of(documents: Sequence[Rows]) -> dict[str, NDArray[np.float32]]:
    """A vector for each row that depends on kind and text alone."""
    return {
        kind: np.concatenate([np.empty((0, DIM), np.float32), *(_vector(kind, text) for text in texts)])
        for kind, texts in _texts(documents).items()
    }


def terms_of(documents: Sequence[Rows]) -> dict[str, list[list[str]]]:
    """Single characters and bigrams."""
    texts = _texts(documents)
    return {kind: [grams(text) for text in texts[kind]] for kind in ("chunk", "sentence")}


def index_of(documents: Sequence[Rows]) -> LiveIndex:
    """Both together, searchable."""
    vectors = {kind: VectorIndex.build(rows) for kind, rows in vectors_of(documents).items()}
    return LiveIndex.from_parts(
        vectors, {kind: Postings.build(rows) for kind, rows in terms_of(documents).items()}
    )


def grams(text: str) -> list[str]:
    """The text's characters and its pairs of neighbours."""
    return [*text, *(text[at : at + 2] for at in range(len(text) - 1))]


def _texts(documents: Sequence[Rows]) -> dict[str, list[str]]:
    sentences = [text for document in documents for text in document.sentences]
    chunks = [text for document in documents for text in document.chunks]
    return {"chunk": chunks, "sentence": sentences, "window": sentences}


def _vector(kind: str, text: str) -> NDArray[np.float32]:
    return unit_rows(1, DIM, int.from_bytes(hashlib.sha256(f"{kind} {text}".encode()).digest()[:4]))
