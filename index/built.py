"""Open a built index: nothing is believed before its checksum is.

FAISS and numpy are handed bytes that passed (of 160 single-bit flips in a FAISS file, 12 went
unnoticed by FAISS and gave wrong results); then every part must have the manifest's rows.

Not here: repairing. What does not fit is refused with a message; building anew is the caller's move.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from index.files import Files, sha256
from index.layout import SOURCES_NAME, TERM_SUFFIXES, VECTOR_SUFFIXES
from index.lexical import DEFAULT_B, DEFAULT_K1, LexicalIndex
from index.manifest import NEXT_STEP, Manifest
from index.reader import Reader, damaged
from index.recipe import Recipe, SourceStamp
from index.vectors import VectorIndex
from rag.errors import IndexFileError, IndexMismatchError
from rag.records import Source

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, eq=False)
class BuiltIndex:
    """A verified index, immutable; row i of each part is the corpus's row with ordinal i.

    Attributes:
        manifest: What it was made of.
        sources: The stored texts, in corpus order.
        chunk_vectors: One row a chunk.
        sentence_vectors: One row a sentence.
        window_vectors: One row a sentence, encoded together with its neighbours.
        chunk_terms: BM25 over chunks.
        sentence_terms: BM25 over sentences.
    """

    manifest: Manifest
    sources: tuple[Source, ...]
    chunk_vectors: VectorIndex
    sentence_vectors: VectorIndex
    window_vectors: VectorIndex
    chunk_terms: LexicalIndex
    sentence_terms: LexicalIndex

    @property
    def fingerprint(self) -> str:
        """Twelve hex digits that name the content (see `Manifest.fingerprint`)."""
        return self.manifest.fingerprint


def open_built(
    folder: Path,
    expected: Recipe,
    *,
    k1: float = DEFAULT_K1,
    b: float = DEFAULT_B,
    files: Files | None = None,
) -> BuiltIndex:
    """Open the current index of a folder if it is whole and is what texts and settings call for.

    Args:
        folder: Where `write_built` wrote.
        expected: The recipe of now.
        k1: BM25's k1, at least 0.
        b: BM25's b, 0 to 1.
        files: The file system; another one in tests.

    Raises:
        IndexMismatchError: `index_mismatch`: it is sound, but of another format or recipe.
        IndexFileError: `index_missing`: there is none; `index_damaged`: a file is missing, cannot be
            read, or is not what was written.
        ConfigError: If k1 or b is out of range.
    """
    reader = Reader(folder, files or Files())
    manifest = reader.manifest
    differences = manifest.differences(expected)
    if differences:
        raise IndexMismatchError(
            f"索引 {folder.name!r} 与现在的语料或设置不符：{'；'.join(differences)}。{NEXT_STEP}"
        )
    return BuiltIndex(
        manifest=manifest,
        sources=_sources(reader),
        chunk_vectors=_vectors(reader, "chunk"),
        sentence_vectors=_vectors(reader, "sentence"),
        window_vectors=_vectors(reader, "window"),
        chunk_terms=_terms(reader, "chunk", k1, b),
        sentence_terms=_terms(reader, "sentence", k1, b),
    )


def read_stored_sources(folder: Path, *, files: Files | None = None) -> tuple[Source, ...]:
    """The texts a built index was made of, verified, without opening the rest of it.

    Raises:
        IndexFileError: As `open_built`, but for differences in the recipe.
    """
    return _sources(Reader(folder, files or Files()))


def self_test(built: BuiltIndex, probe_terms: Sequence[str], expected_row: int, *, k: int = 10) -> None:
    """Prove that keyword search finds a known phrase: what a wrong tokeniser breaks in silence.

    Args:
        built: The index.
        probe_terms: A phrase of one chunk, made into terms exactly as a question is.
        expected_row: That chunk's ordinal.
        k: It must be among the first k, or tie with one of them.

    Raises:
        IndexFileError: If it is not.
    """
    scores = built.chunk_terms.scores(probe_terms)
    own = float(scores[expected_row])
    ahead = int((scores > own).sum())
    if own <= 0 or ahead >= k:
        found = f"有 {ahead} 块排在它前面" if own > 0 else "它的得分是 0"
        raise IndexFileError(
            f"索引自检失败：用第 {expected_row} 块自己的词 {list(probe_terms)!r} 检索，{found}，"
            f"应在前 {k} 名之内；分词与建索引时不一致。{NEXT_STEP}"
        )


def _sources(reader: Reader) -> tuple[Source, ...]:
    from pydantic import TypeAdapter

    data = reader.verified(SOURCES_NAME)
    adapter = TypeAdapter(tuple[Source, ...])
    found = _read_as(SOURCES_NAME, lambda: adapter.validate_json(data, strict=True))
    stamps = tuple(SourceStamp(source.name, sha256(source.text.encode())) for source in found)
    if stamps != reader.manifest.recipe.sources:
        raise damaged(SOURCES_NAME, "其中文本的名称或 SHA-256 与清单不符")
    return found


def _vectors(reader: Reader, kind: str) -> VectorIndex:
    name = f"{kind}_vectors"
    parts = {suffix: reader.verified(f"{name}.{suffix}") for suffix in VECTOR_SUFFIXES}
    vectors = _read_as(name, lambda: VectorIndex.from_parts(parts))
    recipe = reader.manifest.recipe
    found, wanted = (vectors.count, vectors.dim), (recipe.rows.count(kind), recipe.encoder.dim)
    if found != wanted:
        raise damaged(name, f"有 {found[0]} 行 {found[1]} 维，清单记的是 {wanted[0]} 行 {wanted[1]} 维")
    return vectors


def _terms(reader: Reader, kind: str, k1: float, b: float) -> LexicalIndex:
    name = f"{kind}_terms"
    parts = {suffix: reader.verified(f"{name}.{suffix}") for suffix in TERM_SUFFIXES}
    terms = _read_as(name, lambda: LexicalIndex.from_parts(parts, k1=k1, b=b))
    wanted = reader.manifest.recipe.rows.count(kind)
    if terms.count != wanted:
        raise damaged(name, f"有 {terms.count} 行，清单记的是 {wanted} 行")
    return terms


def _read_as(name: str, make: Callable[[], _T]) -> _T:
    """Translate a part's complaint about its bytes into our error."""
    try:
        return make()
    except ValueError as error:
        raise damaged(name, str(error)) from error
