"""The rows of a collection as they were cut, beside its index: a start reads them instead of cutting anew.

One file, without any text, verified by its checksum. It holds for the program that wrote it alone: its
first line names all code that decides how a text is read and cut. A text, or what is said of it, that is
another one by now has another key. What is not in the file is cut as ever: that costs time, never a row.
"""

from __future__ import annotations

import hashlib
import logging
import sys
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

import rag
from index.arrays import pack, unpack
from index.files import Files, sha256
from rag.keeping import Keeper
from rag.kept_rows import WIDTHS, Kept, KeptRows
from rag.records import Source
from rag.rows import DocumentRows

FILE_NAME = "rows.kept"
DECIDING = (
    "chunking.py",
    "keeping.py",
    "kept_rows.py",
    "labels.py",
    "reading",
    "records.py",
    "rows.py",
    "text",
)
"""What of `rag` decides how a text is cut."""
LIBRARIES = ("langchain-text-splitters", "numpy")
"""And what of others."""

_KEY_BYTES = 32
_NAMES = ("keys", "rows", "refused")
_ARRAYS = dict.fromkeys(WIDTHS, (np.int32, 2)) | dict.fromkeys(_NAMES, (np.uint8, 2))

_log = logging.getLogger(__name__)


class Cuts:
    """The rows that a file holds.

    Args:
        kept: Documents in columns.
        places: For each key the place of its document.
        stamps: The checksums of their rows, 32 bytes each.
        refused: Keys of documents that no columns can hold.
    """

    def __init__(
        self, kept: Kept, places: dict[bytes, int], stamps: bytes, refused: frozenset[bytes]
    ) -> None:
        self._kept = kept
        self._places = places
        self._stamps = stamps
        self._refused = refused

    def rows_of(self, source: Source, live: Iterable[int]) -> list[DocumentRows] | None:
        """The rows of some documents of a source, by number; None if it has to be cut."""
        rows: list[DocumentRows] = []
        base = _key_of_source(source)
        for number in live:
            place = self._places.get(_key(base, number))
            found = None if place is None else self._rows(place, source, number)
            if found is None:
                return None
            rows.append(found)
        return rows

    def refuses(self, source: Source, live: Iterable[int]) -> bool:
        """Whether a source is cut anew because it cannot be kept, so that writing anew helps nothing."""
        base = _key_of_source(source)
        return any(_key(base, number) in self._refused for number in live)

    def _rows(self, place: int, source: Source, number: int) -> KeptRows | None:
        stamp = self._stamps[place * _KEY_BYTES : (place + 1) * _KEY_BYTES].hex()
        return self._kept.rows(place, source, f"{source.source_id}-{number}", stamp)


def read_cuts(folder: Path, chunk_max_chars: int) -> Cuts | None:
    """The rows kept in a collection's folder; None if there are none, or they are not to be used."""
    try:
        data = (folder / FILE_NAME).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        _log.warning("%s cannot be read, every text is cut anew: %s", FILE_NAME, error)
        return None
    line, _, payload = data.partition(b"\n")
    stamp = cutting_stamp()
    head = line.split(b" ")
    if stamp is None or head[:2] != [stamp.encode(), str(chunk_max_chars).encode()]:
        return None  # cut by another program, or in another way
    try:
        if head[2:] != [sha256(payload).encode()]:
            raise ValueError("校验和不符")
        arrays = unpack(payload, _ARRAYS)
        keys, stamps, refused = (arrays.pop(name).tobytes() for name in _NAMES)
        count = len(arrays["documents"])
        if (len(keys), len(stamps)) != (count * _KEY_BYTES,) * 2:
            raise ValueError(f"有 {count} 篇，钥与校验和的数目不同")
        kept = Kept(arrays)
    except ValueError as error:
        _log.warning("%s is damaged, every text is cut anew: %s", FILE_NAME, error)
        return None
    places = {key: place for place, key in enumerate(_parts(keys))}
    return Cuts(kept, places, stamps, frozenset(_parts(refused)))


def write_cuts(
    folder: Path, chunk_max_chars: int, rows: Iterable[tuple[DocumentRows, str]], files: Files | None = None
) -> None:
    """Keep the rows of a collection, in the place of those that were kept.

    Args:
        folder: The collection's.
        chunk_max_chars: Longest chunk.
        rows: Each document's rows and their checksum.
        files: The file system; another one in tests.

    Raises:
        OSError: If the disk refuses.
    """
    stamp, files = cutting_stamp(), files or Files()
    if stamp is None:
        return
    keeper = Keeper()
    held: dict[str, list[bytes]] = {name: [] for name in _NAMES}
    for document, rows_sha256 in rows:
        source, number = document.document.source, document.document.document_id.rpartition("-")[2]
        key = _key(_key_of_source(source), int(number))
        if keeper.keep(document):
            held["keys"].append(key)
            held["rows"].append(bytes.fromhex(rows_sha256))
        else:
            held["refused"].append(key)
    packed = {
        name: np.frombuffer(b"".join(parts), np.uint8).reshape(-1, _KEY_BYTES) for name, parts in held.items()
    }
    payload = pack(keeper.tables | packed)
    line = f"{stamp} {chunk_max_chars} {sha256(payload)}\n"
    files.make_folder(folder)
    files.write_atomically(folder / FILE_NAME, line.encode() + payload)


@cache
def cutting_stamp() -> str | None:
    """Hex SHA-256 over all that decides how a text is cut; None where our own code cannot be read."""
    digest = hashlib.sha256(f"1 {sys.version} {unicodedata.unidata_version}".encode())
    for name in LIBRARIES:
        digest.update(f"{name} {version(name)}\n".encode())
    top = Path(rag.__file__).parent
    for entry in DECIDING:
        place = top / entry
        modules = sorted(place.rglob("*.py")) if place.is_dir() else [place]
        try:
            for path in modules:
                code = path.read_bytes()
                digest.update(f"{path.relative_to(top).as_posix()} {len(code)}\n".encode())
                digest.update(code)
        except OSError:
            return None
        if not modules:
            return None
    return digest.hexdigest()


def _parts(keys: bytes) -> Iterator[bytes]:
    return (keys[at : at + _KEY_BYTES] for at in range(0, len(keys), _KEY_BYTES))


def _key_of_source(source: Source) -> bytes:
    """Names a text and what is said of it."""
    given = source.metadata
    said = (given.title, given.authors, given.date, given.source_url, given.tags)
    return hashlib.sha256(repr((source.sha256, said)).encode()).digest()


def _key(source: bytes, number: int) -> bytes:
    return hashlib.sha256(source + str(number).encode()).digest()
