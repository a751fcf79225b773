"""How large a document may be and what reading it may cost: one frozen object, no settings of the service."""

from __future__ import annotations

from dataclasses import dataclass

_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one conversion.

    Attributes:
        file_bytes: The file as it came.
        output_bytes: What the child may send back.
        seconds: Wall-clock time from start to answer.
        cpu_seconds: Processor time of the child.
        memory_bytes: Address space of the child.
        open_files: File descriptors of the child.
        zip_entries: Entries of a zip archive, wanted or not.
        expanded_bytes: All parts of an archive that are read, unpacked.
        expansion_ratio: How many times its packed size a part may have; small parts may have any.
        pages: Pages of a PDF.
        depth: Elements inside each other in HTML and Word.
    """

    file_bytes: int = 20 * _MIB
    output_bytes: int = 32 * _MIB
    seconds: float = 40.0
    cpu_seconds: int = 30
    memory_bytes: int = 1024 * _MIB
    open_files: int = 32
    zip_entries: int = 10_000
    expanded_bytes: int = 64 * _MIB
    expansion_ratio: int = 200
    pages: int = 3_000
    depth: int = 200


DEFAULT_LIMITS = Limits()
