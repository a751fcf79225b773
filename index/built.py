"""Open the current generation of an index: nothing is believed before its checksum is.

What is searched are the very bytes that passed: rows are read into FAISS's own memory and hashed there, the
rest is parsed from the bytes that were hashed. (Of 160 single-bit flips in a stored matrix, FAISS by itself
missed 12 and gave wrong results.) Then every part must have the manifest's rows.

Not here: repairing. What does not fit is refused with a message; building anew is the caller's move.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from index.files import Files
from index.layout import ROWS_SUFFIX, TERM_KINDS, TERM_SUFFIXES, VECTOR_KINDS
from index.manifest import NEXT_STEP, Manifest
from index.postings import Postings
from index.reader import Reader, damaged
from index.recipe import Recipe
from index.segments import LiveIndex
from index.vectors import VectorIndex
from rag.errors import IndexFileError, IndexMismatchError

_T = TypeVar("_T")
_AT_ONCE = 2


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """A verified generation, immutable, all in memory.

    Attributes:
        manifest: What it was made of.
        vectors: For each of `VECTOR_KINDS` the rows.
        postings: For each of `TERM_KINDS` the rows' terms.
    """

    manifest: Manifest
    vectors: Mapping[str, VectorIndex]
    postings: Mapping[str, Postings]

    @property
    def recipe(self) -> Recipe:
        """What it was made of."""
        return self.manifest.recipe

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that name the content (see `Manifest.fingerprint`)."""
        return self.manifest.fingerprint

    def marked(self, document_ids: Collection[str]) -> LiveIndex:
        """All of it, with only these documents' rows live: nothing is copied, and ordinals stay.

        Args:
            document_ids: Of documents whose stamp agrees; others are passed over.
        """
        chunk = sentence = 0
        dead: tuple[list[range], list[range]] = [], []
        for each in self.recipe.documents:
            if each.document_id not in document_ids:
                dead[0].append(range(chunk, chunk + each.chunks))
                dead[1].append(range(sentence, sentence + each.sentences))
            chunk, sentence = chunk + each.chunks, sentence + each.sentences
        index = LiveIndex.from_parts(self.vectors, self.postings)
        return index.without(*dead) if dead[0] else index

    def index_of(self, wanted: Mapping[str, str]) -> tuple[LiveIndex, tuple[str, ...]]:
        """What can be used of it.

        Args:
            wanted: For each document that exists now, its id and the SHA-256 of its rows.

        Returns:
            An index without dead rows over those documents whose stamp agrees, and their ids, both in
            the generation's order. If all agree nothing is copied.
        """
        documents = self.recipe.documents
        agrees = np.array([wanted.get(each.document_id) == each.sha256 for each in documents], dtype=bool)
        kept = tuple(each.document_id for each in itertools.compress(documents, agrees))
        index = LiveIndex.from_parts(self.vectors, self.postings)
        if not agrees.all():
            index = index.kept(
                np.repeat(agrees, [each.chunks for each in documents]),
                np.repeat(agrees, [each.sentences for each in documents]),
            )
        return index, kept


def open_generation(
    folder: Path, *, expected: Recipe | None = None, files: Files | None = None
) -> Generation:
    """Open and verify the current generation of a folder.

    Args:
        folder: Where `write_generation` wrote.
        expected: The recipe of now; where it differs (`Recipe.differences`), the large files are not
            even read. Without it, that comparison is left to the caller.
        files: The file system; another one in tests.

    Raises:
        IndexMismatchError: `index_mismatch`: it is sound, but of another format or recipe.
        IndexFileError: `index_missing`: there is none; `index_damaged`: a file is missing, cannot be
            read, or is not what was written.
    """
    reader = Reader(folder, files or Files())
    differences = reader.manifest.recipe.differences(expected) if expected else []
    if differences:
        raise IndexMismatchError(
            f"索引 {folder.name!r} 与现在的设置不符：{'；'.join(differences)}。{NEXT_STEP}"
        )
    # Reading, checksums and sums run without the GIL: with two at a time an opening is limited by neither
    # the disk nor one core. The first fault in this order is the one that is told.
    with ThreadPoolExecutor(_AT_ONCE, "index-reading") as pool:
        vectors = {kind: pool.submit(read_vectors, reader, kind) for kind in VECTOR_KINDS}
        postings = {kind: pool.submit(read_postings, reader, kind) for kind in TERM_KINDS}
        return Generation(
            manifest=reader.manifest,
            vectors={kind: read.result() for kind, read in vectors.items()},
            postings={kind: read.result() for kind, read in postings.items()},
        )


def read_vectors(reader: Reader, kind: str) -> VectorIndex:
    """The rows of one of `VECTOR_KINDS`, verified.

    Raises:
        IndexFileError: With code `index_damaged` if they are not what was written.
    """
    name, recipe = f"{kind}_vectors", reader.manifest.recipe

    def fill(rows: NDArray[np.float32]) -> None:
        reader.verified_into(f"{name}.{ROWS_SUFFIX}", rows)

    reader.expect(f"{name}.{ROWS_SUFFIX}", 4 * recipe.count(kind) * recipe.encoder.dim)
    background = reader.verified(f"{name}.npz")
    return _read_as(
        name, lambda: VectorIndex.filled(recipe.count(kind), recipe.encoder.dim, fill, background)
    )


def read_postings(reader: Reader, kind: str) -> Postings:
    """The terms of one of `TERM_KINDS`, verified.

    Raises:
        IndexFileError: With code `index_damaged` if they are not what was written.
    """
    name, wanted = f"{kind}_terms", reader.manifest.recipe.count(kind)
    parts = {suffix: reader.verified(f"{name}.{suffix}") for suffix in TERM_SUFFIXES}
    postings = _read_as(name, lambda: Postings.from_parts(parts))
    if postings.lengths.size != wanted:
        raise damaged(name, f"有 {postings.lengths.size} 行，清单记的是 {wanted} 行")
    return postings


def _read_as(name: str, make: Callable[[], _T]) -> _T:
    """Translate a part's complaint about its bytes into our error."""
    try:
        return make()
    except ValueError as error:
        raise damaged(name, str(error)) from error


def self_test(index: LiveIndex, probe_terms: Sequence[str], expected_row: int, *, k: int = 10) -> None:
    """Prove that keyword search finds a known phrase: what a wrong tokeniser breaks in silence.

    Args:
        index: The index.
        probe_terms: A phrase of one chunk, made into terms exactly as a question is.
        expected_row: That chunk's ordinal.
        k: It must be among the first k, or tie with one of them.

    Raises:
        IndexFileError: If it is not.
    """
    scores = index.chunk_terms.scores(probe_terms)
    own = float(scores[expected_row])
    ahead = int((scores > own).sum())
    if own <= 0 or ahead >= k:
        found = f"有 {ahead} 块排在它前面" if own > 0 else "它的得分是 0"
        raise IndexFileError(
            f"索引自检失败：用第 {expected_row} 块自己的词 {list(probe_terms)!r} 检索，{found}，"
            f"应在前 {k} 名之内；分词与建索引时不一致。{NEXT_STEP}"
        )
