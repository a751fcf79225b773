"""What is wrong with a stored index, file by file, for the person who runs the service.

Unlike opening, this goes on after the first fault, keeps one file's content in memory at a time, and needs
no encoder and no settings. Whether the index fits the texts of now is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from index.built import read_postings, read_vectors
from index.files import Files
from index.layout import CURRENT_NAME, TERM_KINDS, VECTOR_KINDS
from index.manifest import NEXT_STEP
from index.reader import Reader
from index.store import Finding
from rag.errors import IndexFileError


def check_generation(folder: Path, *, files: Files | None = None) -> list[Finding]:
    """Verify every file of a folder's current generation.

    Args:
        folder: Where `write_generation` wrote.
        files: The file system; another one in tests.

    Returns:
        One finding for each part (the files of one kind of vectors or terms) that cannot be used, with the
        file's name in it; none if all is sound or there is no index.
    """
    try:
        reader = Reader(folder, files or Files())
    except IndexFileError as error:
        return [] if error.code == "index_missing" else [_finding(folder / CURRENT_NAME, error)]
    parts: dict[str, Callable[[], object]] = {
        **{f"{kind}_vectors": partial(read_vectors, reader, kind) for kind in VECTOR_KINDS},
        **{f"{kind}_terms": partial(read_postings, reader, kind) for kind in TERM_KINDS},
    }
    findings = []
    for name, read in parts.items():
        try:
            read()
        except IndexFileError as error:
            findings.append(_finding(folder / reader.generation / name, error))
    return findings


def _finding(place: Path, error: IndexFileError) -> Finding:
    return Finding(str(place), error.message.removesuffix(NEXT_STEP), NEXT_STEP)
