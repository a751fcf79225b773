"""Texts to what is stored and searched of them: rows, vectors, terms. The slow part of adding a document."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from index.segments import IndexRows
from rag.context import in_context
from rag.encoding.encoder import Encoder
from rag.once import Once
from rag.rows import DocumentRows
from rag.text.terms import index_terms

Progress = Callable[[int, int], None]
"""Called with (texts encoded, texts in all)."""

Terms = list[list[str]]
VectorsByKind = Mapping[str, npt.NDArray[np.float32]]

KINDS = ("chunk", "sentence", "window")
_BATCH_TEXTS = 4096
"""Texts that are encoded, and then stored, together: what a kill costs at most, and some 6 MB of vectors."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One document, ready to be searched.

    Attributes:
        rows: Its rows.
        vectors: For each of `KINDS` float32, shape (rows, dimension), unit length.
    """

    rows: DocumentRows
    vectors: VectorsByKind
    _terms: Once[tuple[Terms, Terms]] = field(default_factory=Once, init=False, repr=False, compare=False)

    def terms(self) -> tuple[Terms, Terms]:
        """Those of its chunks and of its sentences, in order; made once."""
        return self._terms.get(self._made_terms)

    def _made_terms(self) -> tuple[Terms, Terms]:
        document = self.rows.document
        of_chunks = [index_terms(in_context(document, chunk)) for chunk in self.rows.chunks]
        return of_chunks, [index_terms(sentence.text) for sentence in self.rows.sentences]


def texts_of(rows: DocumentRows) -> dict[str, list[str]]:
    """What is encoded of a document, by kind."""
    return {
        "chunk": [chunk.text for chunk in rows.chunks],
        "sentence": [sentence.text for sentence in rows.sentences],
        "window": rows.windows(),
    }


def count_texts(rows: DocumentRows) -> int:
    """How many texts are encoded of a document."""
    return rows.chunk_count + 2 * rows.sentence_count


def batches(rows: Sequence[DocumentRows]) -> Iterator[list[DocumentRows]]:
    """Documents in groups of some thousand texts, in order; one that has more is a group of its own."""
    batch: list[DocumentRows] = []
    held = 0
    for document in rows:
        size = count_texts(document)
        if batch and held + size > _BATCH_TEXTS:
            yield batch
            batch, held = [], 0
        batch.append(document)
        held += size
    if batch:
        yield batch


class Kept(Protocol):
    """Where vectors are kept while the rest is made; see `api.library.scratch`."""

    def read(
        self, number: int, encoder: str, texts: Sequence[str], dimension: int
    ) -> npt.NDArray[np.float32] | None:
        """Those of a batch; None if there are none."""
        ...

    def write(
        self, number: int, encoder: str, texts: Sequence[str], vectors: npt.NDArray[np.float32]
    ) -> None:
        """Keep those of a batch."""
        ...


def encode(
    rows: Sequence[DocumentRows],
    encoder: Encoder,
    progress: Progress | None = None,
    kept: Kept | None = None,
) -> list[Prepared]:
    """Encode documents together, some thousand texts at a time, which is quicker than one by one.

    Args:
        rows: The documents.
        encoder: Makes the vectors.
        progress: Told now and then; what it raises ends the work.
        kept: Keeps what is made of very many texts before the last of them is.
    """
    texts = [texts_of(document) for document in rows]
    flat = [text for document in texts for kind in KINDS for text in document[kind]]
    vectors = np.empty((len(flat), encoder.dimension), np.float32)
    name = f"{encoder.name} {encoder.revision}"
    for number, start in enumerate(range(0, len(flat), _BATCH_TEXTS)):
        batch = flat[start : start + _BATCH_TEXTS]
        kept_here = kept if len(flat) > _BATCH_TEXTS else None
        made = kept_here.read(number, name, batch, encoder.dimension) if kept_here else None
        if made is None:
            made = encoder.encode_passages(batch, _told_from(progress, start, len(flat)))
            if kept_here:
                kept_here.write(number, name, batch, made)
        vectors[start : start + len(batch)] = made
    prepared: list[Prepared] = []
    at = 0
    for document, own in zip(rows, texts, strict=True):
        parts: dict[str, npt.NDArray[np.float32]] = {}
        for kind in KINDS:
            parts[kind] = np.ascontiguousarray(vectors[at : at + len(own[kind])])
            at += len(own[kind])
        prepared.append(Prepared(document, parts))
    return prepared


def _told_from(progress: Progress | None, before: int, total: int) -> Progress | None:
    if progress is None:
        return None
    told = progress
    return lambda done, _: told(before + done, total)


def index_rows(prepared: Sequence[Prepared]) -> IndexRows:
    """Rows of at least one document as the index takes them, in order; makes the terms."""
    return IndexRows(
        vectors={kind: np.concatenate([one.vectors[kind] for one in prepared]) for kind in KINDS},
        terms={
            "chunk": [terms for one in prepared for terms in one.terms()[0]],
            "sentence": [terms for one in prepared for terms in one.terms()[1]],
        },
    )
