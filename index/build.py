"""Write an index: a new generation beside the old one, then one atomic switch.

Order of events: all files of `gen-N.tmp/`, one after the other, each synchronised; the folder; its
rename; the parent; and only then CURRENT. Whatever fails, and whenever, CURRENT names a complete
generation, and a generation never changes after its rename. Encoding and splitting are over before any
of this starts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import numpy as np

from index.files import Files, sha256
from index.layout import (
    CURRENT_NAME,
    MANIFEST_NAME,
    ROWS_SUFFIX,
    TERM_KINDS,
    VECTOR_KINDS,
    Current,
    generation_name,
    generation_number,
)
from index.manifest import FORMAT_VERSION, FileStamp, Manifest, format_of
from index.postings import Postings
from index.recipe import Recipe
from index.segments import LiveIndex
from index.vectors import VectorIndex
from rag.errors import IndexFileError

_BLOCK_ROWS = 512


def write_generation(
    folder: Path, recipe: Recipe, index: LiveIndex, *, files: Files | None = None
) -> Manifest:
    """Store an index and make it the current one of a folder.

    Args:
        folder: Where; made if need be. Foreign files in it are left alone.
        recipe: What it is made of: its documents' rows are the index's, in the same order.
        index: Without dead rows.
        files: The file system; another one in tests.

    Returns:
        The manifest that was written.

    Raises:
        ValueError: If the index has dead rows or does not fit the recipe.
        UnavailableError: With code `index_busy` if another process is writing there.
        IndexFileError: With code `index_unwritable` if the disk refuses. What was current before
            still is, or (if only the very last synchronisation failed) the new one already is.
    """
    vectors, postings = index.parts()
    files = files or Files()
    _check_fit(recipe, vectors, postings)
    try:
        files.make_folder(folder)
        with files.lock(folder):
            return _publish(files, folder, recipe, _contents(vectors, postings))
    except OSError as error:
        raise IndexFileError(
            f"写不进索引文件夹 {str(folder)!r}：{error}。请检查磁盘空间和权限后再试；原有的索引仍可使用。",
            code="index_unwritable",
        ) from error


def _check_fit(recipe: Recipe, vectors: Mapping[str, VectorIndex], postings: Mapping[str, Postings]) -> None:
    problem = recipe.fault()
    if problem:
        raise ValueError(problem)
    if set(vectors) != set(VECTOR_KINDS) or set(postings) != set(TERM_KINDS):
        raise ValueError(
            f"kinds {sorted(vectors)} and {sorted(postings)}, expected {VECTOR_KINDS} and {TERM_KINDS}"
        )
    for kind, part in vectors.items():
        wanted = (recipe.count(kind), recipe.encoder.dim)
        if part.rows.shape != wanted:
            raise ValueError(f"{kind} vectors have shape {part.rows.shape}, expected {wanted}")
    for kind, rows in postings.items():
        if rows.lengths.size != recipe.count(kind):
            raise ValueError(f"{rows.lengths.size} rows of {kind} terms, expected {recipe.count(kind)}")


def _contents(
    vectors: Mapping[str, VectorIndex], postings: Mapping[str, Postings]
) -> Iterator[tuple[str, Iterable[bytes | memoryview]]]:
    """Every file's name and content. The large ones, the rows, are handed on from where they are."""
    for kind in VECTOR_KINDS:
        yield f"{kind}_vectors.{ROWS_SUFFIX}", _blocks(vectors[kind])
        yield f"{kind}_vectors.npz", (vectors[kind].background_bytes(),)
    for kind in TERM_KINDS:
        for suffix, data in postings[kind].to_parts().items():
            yield f"{kind}_terms.{suffix}", (data,)


def _blocks(vectors: VectorIndex) -> Iterator[memoryview]:
    for start in range(0, vectors.count, _BLOCK_ROWS):
        yield vectors.rows[start : start + _BLOCK_ROWS].reshape(-1).view(np.uint8).data


def _publish(
    files: Files, folder: Path, recipe: Recipe, contents: Iterable[tuple[str, Iterable[bytes | memoryview]]]
) -> Manifest:
    numbers = {name: generation_number(name) for name in files.names(folder)}
    old = {name: number for name, number in numbers.items() if number is not None}
    name = generation_name(1 + max(old.values(), default=0))
    unfinished = folder / f"{name}.tmp"
    files.make_folder(unfinished)
    try:
        stamps = [FileStamp.of(file, files.write_blocks(unfinished / file, data)) for file, data in contents]
        manifest = Manifest(FORMAT_VERSION, recipe, tuple(sorted(stamps, key=lambda stamp: stamp.name)))
        stated = manifest.to_json()
        files.write(unfinished / MANIFEST_NAME, stated)
    except OSError:
        # Half a generation helps nobody, least of all on a disk that is full.
        with contextlib.suppress(OSError):
            files.remove_folder(unfinished)
        raise
    files.sync_folder(unfinished)
    files.rename(unfinished, folder / name)
    files.sync_folder(folder)
    before = _current_generation(files, folder)
    files.write_atomically(folder / CURRENT_NAME, Current(name, sha256(stated)).to_line())
    kept = before if before and _is_of_this_format(files, folder / before) else None
    for unused in old.keys() - {kept}:
        # The new index is in place; what cannot be removed now, the next build removes.
        with contextlib.suppress(OSError):
            files.remove_folder(folder / unused)
    return manifest


def _current_generation(files: Files, folder: Path) -> str | None:
    if CURRENT_NAME not in files.names(folder):
        return None
    current = Current.from_line(files.read(folder / CURRENT_NAME))
    return current.generation if current else None


def _is_of_this_format(files: Files, generation: Path) -> bool:
    """Whether somebody who reads this format may just be opening a generation: then it stays for now."""
    try:
        return format_of(files.read(generation / MANIFEST_NAME)) == FORMAT_VERSION
    except (OSError, ValueError, RecursionError):
        return False
