"""Names in the folder of an index. No file system: what is where, and how the one pointer reads.

    built/
    ├── CURRENT          one line: the current generation and the SHA-256 of its manifest
    ├── gen-000007/      manifest.json, *_vectors.f32|npz, *_terms.json|npz
    └── gen-000006/      the one before, for a reader that is just opening it

Writing a generation is `index.build`'s business, reading one `index.reader`'s.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

CURRENT_NAME = "CURRENT"
MANIFEST_NAME = "manifest.json"

VECTOR_KINDS = ("chunk", "sentence", "window")
ROWS_SUFFIX = "f32"
"""The rows as they stand in memory: float32, one after the other, nothing else."""
VECTOR_SUFFIXES = (ROWS_SUFFIX, "npz")
TERM_KINDS = ("chunk", "sentence")
TERM_SUFFIXES = ("json", "npz")

FILE_NAMES = frozenset(
    {f"{kind}_vectors.{suffix}" for kind in VECTOR_KINDS for suffix in VECTOR_SUFFIXES}
    | {f"{kind}_terms.{suffix}" for kind in TERM_KINDS for suffix in TERM_SUFFIXES}
)
"""Exactly the files that a manifest names; with it, the only ones of a generation ever read."""

_GENERATION = re.compile(r"gen-([0-9]{6,})(?:\.tmp)?")
_LINE = re.compile(rb"(gen-[0-9]{6,}) ([0-9a-f]{64})\n")


@dataclass(frozen=True, slots=True)
class Current:
    """What CURRENT says: a generation's folder name and the hex SHA-256 of its manifest."""

    generation: str
    manifest_sha256: str

    def to_line(self) -> bytes:
        """The file's content."""
        return f"{self.generation} {self.manifest_sha256}\n".encode("ascii")

    @classmethod
    def from_line(cls, line: bytes) -> Current | None:
        """What such a content says; None if it is anything else."""
        match = _LINE.fullmatch(line)
        return cls(match[1].decode("ascii"), match[2].decode("ascii")) if match else None


def generation_name(number: int) -> str:
    """The folder of a generation, counted from 1."""
    return f"gen-{number:06}"


def generation_number(name: str) -> int | None:
    """The number of a generation's folder, finished or not; None for any other name."""
    match = _GENERATION.fullmatch(name)
    return int(match[1]) if match else None
