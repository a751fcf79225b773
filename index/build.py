"""Write a built index: a new generation beside the old one, then one atomic switch.

Order of events: all files of `gen-N.tmp/`, each synchronised; the folder; its rename; the parent; and
only then CURRENT. Whatever fails, and whenever, CURRENT names a complete generation, and a
generation never changes after its rename. Encoding and splitting are over before any of this starts.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from index.files import Files, sha256
from index.layout import (
    CURRENT_NAME,
    MANIFEST_NAME,
    SOURCES_NAME,
    TERM_KINDS,
    VECTOR_KINDS,
    Current,
    generation_name,
    generation_number,
)
from index.lexical import LexicalIndex
from index.manifest import FORMAT_VERSION, FileStamp, Manifest
from index.recipe import Recipe, SourceStamp
from index.vectors import VectorIndex
from rag.errors import IndexFileError
from rag.records import Source


def write_built(
    folder: Path,
    recipe: Recipe,
    sources: Sequence[Source],
    vectors: Mapping[str, NDArray[np.float32]],
    terms: Mapping[str, Sequence[Sequence[str]]],
    *,
    files: Files | None = None,
) -> Manifest:
    """Build an index and make it the current one of a folder.

    Args:
        folder: Where; made if need be. Foreign files in it are left alone.
        recipe: What it is made of; `open_built` asks for the same.
        sources: The stored texts, in corpus order.
        vectors: For each of `VECTOR_KINDS` float32 rows of unit length, shape (rows, dim): one a
            chunk, one a sentence, and one a sentence with its neighbours ("window").
        terms: For each of `TERM_KINDS` one list of terms a row.
        files: The file system; another one in tests.

    Returns:
        The manifest that was written.

    Raises:
        ValueError: If sources, vectors or terms do not fit the recipe.
        EncoderError: If vectors are not finite float32 rows of unit length.
        UnavailableError: With code `index_busy` if another process is writing there.
        IndexFileError: With code `index_unwritable` if the disk refuses. What was current before
            still is, or (if only the very last synchronisation failed) the new one already is.
    """
    files = files or Files()
    _check_fit(recipe, sources, vectors, terms)
    contents = _contents(sources, vectors, terms)
    stamps = tuple(FileStamp.of(name, data) for name, data in contents.items())
    manifest = Manifest(FORMAT_VERSION, recipe, stamps)
    try:
        files.make_folder(folder)
        with files.lock(folder):
            _publish(files, folder, contents, manifest.to_json())
    except OSError as error:
        raise IndexFileError(
            f"写不进索引文件夹 {str(folder)!r}：{error}。请检查磁盘空间和权限后再试；原有的索引仍可使用。",
            code="index_unwritable",
        ) from error
    return manifest


def _check_fit(
    recipe: Recipe,
    sources: Sequence[Source],
    vectors: Mapping[str, NDArray[np.float32]],
    terms: Mapping[str, Sequence[Sequence[str]]],
) -> None:
    stamps = tuple(SourceStamp(source.name, source.sha256) for source in sources)
    if stamps != recipe.sources:
        raise ValueError(f"sources {stamps!r}, expected those of the recipe: {recipe.sources!r}")
    if set(vectors) != set(VECTOR_KINDS) or set(terms) != set(TERM_KINDS):
        raise ValueError(
            f"kinds {sorted(vectors)} and {sorted(terms)}, expected {VECTOR_KINDS} and {TERM_KINDS}"
        )
    for kind, matrix in vectors.items():
        wanted = (recipe.rows.count(kind), recipe.encoder.dim)
        if matrix.shape != wanted:
            raise ValueError(f"{kind} vectors have shape {matrix.shape}, expected {wanted}")
    for kind, lists in terms.items():
        if len(lists) != recipe.rows.count(kind):
            raise ValueError(f"{len(lists)} lists of {kind} terms, expected {recipe.rows.count(kind)}")


def _contents(
    sources: Sequence[Source],
    vectors: Mapping[str, NDArray[np.float32]],
    terms: Mapping[str, Sequence[Sequence[str]]],
) -> dict[str, bytes]:
    """All files by name, in name order. Held in memory together: about the size of the vectors."""
    texts = json.dumps([asdict(source) for source in sources], ensure_ascii=False, indent=1)
    contents = {SOURCES_NAME: texts.encode()}
    for kind in VECTOR_KINDS:
        for suffix, data in VectorIndex.build(vectors[kind]).to_parts().items():
            contents[f"{kind}_vectors.{suffix}"] = data
    for kind in TERM_KINDS:
        for suffix, data in LexicalIndex.build(terms[kind]).to_parts().items():
            contents[f"{kind}_terms.{suffix}"] = data
    return dict(sorted(contents.items()))


def _publish(files: Files, folder: Path, contents: Mapping[str, bytes], manifest: bytes) -> None:
    numbers = {name: generation_number(name) for name in files.names(folder)}
    old = {name: number for name, number in numbers.items() if number is not None}
    name = generation_name(1 + max(old.values(), default=0))
    unfinished = folder / f"{name}.tmp"
    files.make_folder(unfinished)
    for file_name, data in contents.items():
        files.write(unfinished / file_name, data)
    files.write(unfinished / MANIFEST_NAME, manifest)
    files.sync_folder(unfinished)
    files.rename(unfinished, folder / name)
    files.sync_folder(folder)
    before = _current_generation(files, folder)
    files.write_atomically(folder / CURRENT_NAME, Current(name, sha256(manifest)).to_line())
    for unused in old.keys() - {before}:
        # The new index is in place; what cannot be removed now, the next build removes.
        with contextlib.suppress(OSError):
            files.remove_folder(folder / unused)


def _current_generation(files: Files, folder: Path) -> str | None:
    if CURRENT_NAME not in files.names(folder):
        return None
    current = Current.from_line(files.read(folder / CURRENT_NAME))
    return current.generation if current else None
