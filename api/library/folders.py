"""A folder of documents as files to sync: which they are, what they are known by, what could not be read.

The same files as `rag.corpus.read_folder` takes. It stops at the first that it cannot read; this reads on,
and says which ones it could not.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from api.library.mirroring import Loaded, SyncFile
from api.library.syncing import SyncFailure, Wanted
from api.library_records import Upload
from rag.converting.convert import convert, source_of
from rag.converting.kinds import KIND_OF_SUFFIX
from rag.errors import ConfigError, InputError
from rag.reading.decoding import read_source

_UNREADABLE = "unreadable_document"
_MAX_ORIGIN_CHARS = 200  # as a service takes it


@dataclass(frozen=True, slots=True)
class FolderReading:
    """What a folder holds.

    Attributes:
        files: By name.
        unreadable: What could not be read: files, or folders whose files are not known.
    """

    files: tuple[SyncFile, ...]
    unreadable: tuple[SyncFailure, ...]

    @property
    def complete(self) -> bool:
        """Whether `files` is all there is."""
        return not self.unreadable


def origin_of(folder: Path) -> str:
    """The mark of what is synced from a folder: the same for every way to write its path."""
    place = str(folder.resolve())
    origin = f"sync:{_label(place)}"
    if len(origin) <= _MAX_ORIGIN_CHARS:
        return origin
    digest = hashlib.sha256(os.fsencode(place)).hexdigest()
    return f"sync:{digest}"


def files_of_folder(folder: Path) -> FolderReading:
    """List and checksum the documents of a folder; a README and hidden files are not part of it.

    Raises:
        ConfigError: If there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"文件夹 {str(folder)!r} 不存在。请检查路径；要同步的是放有文章的文件夹。")
    files: list[SyncFile] = []
    unreadable: list[SyncFailure] = []

    def closed(error: OSError) -> None:
        place = Path(os.fsdecode(error.filename))
        unreadable.append(_failure(_name(place, folder), error))

    found: list[Path] = []
    for place, below, names in os.walk(folder, onerror=closed):
        below[:] = [name for name in below if not name.startswith(".")]
        found += [path for name in names if _is_document(path := Path(place, name))]
    for path in sorted(found):
        name = _name(path, folder)
        try:
            data = path.read_bytes()
        except OSError as error:
            unreadable.append(_failure(name, error))
        else:
            files.append(SyncFile(_wanted(name, path, data), _Loader(name, path)))
    return FolderReading(tuple(files), tuple(unreadable))


@dataclass(frozen=True, slots=True)
class _Loader:
    name: str
    path: Path

    def __call__(self, origin: str) -> Loaded:
        try:
            data = self.path.read_bytes()
        except OSError as error:
            raise ConfigError(_failure(self.name, error).message, code=_UNREADABLE) from error
        # A text file is text whatever it looks like, and of any length: it is the operator's own.
        if _kind(self.path) == "text":
            return Loaded(Upload(read_source(self.name, data), origin), data)
        converted = convert(data, self.name)
        return Loaded(Upload(source_of(self.name, converted), origin, converted.notes), data)


def load_file(path: Path, origin: str = "upload") -> Loaded:
    """One file that somebody names, whatever folder it is in.

    Raises:
        InputError: If it cannot be read or converted.
    """
    try:
        return _Loader(_label(path.name), path)(origin)
    except ConfigError as error:
        code = "unreadable_document" if error.code == ConfigError.default_code else error.code
        raise InputError(error.message, code=code) from error


def _wanted(name: str, path: Path, data: bytes) -> Wanted:
    if _kind(path) == "text":
        try:
            return Wanted(name, read_source(name, data).sha256)
        except ConfigError:
            pass  # said when it is its turn to be read; until then it is a file like others
    return Wanted(name, "", hashlib.sha256(data).hexdigest())


def _is_document(path: Path) -> bool:
    wanted = path.suffix.lower() in KIND_OF_SUFFIX and path.stem.lower() != "readme"
    # A link that leads nowhere may be a disk that is not there now: it cannot be read, it is not gone.
    return wanted and not path.name.startswith(".") and (path.is_file() or not path.exists())


def _kind(path: Path) -> str | None:
    return KIND_OF_SUFFIX.get(path.suffix.lower())


def _name(path: Path, folder: Path) -> str:
    return _label(path.relative_to(folder).as_posix())


def _label(name: str) -> str:
    """The name as text: what is not UTF-8 in it cannot be stored or sent."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _failure(name: str, error: OSError) -> SyncFailure:
    return SyncFailure(name, _UNREADABLE, f"读不了 {name!r}：{error.strerror}。请检查权限和磁盘。")
