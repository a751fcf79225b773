"""A folder of documents as files to sync: which they are, what they are known by, what could not be read.

One that cannot be read stops nothing: the rest is read, and it is told which ones were not. It works on
names: of many thousand files, making `Path`s of them costs more than reading them.

Nothing outside the folder is read, whatever links lie in it: who may put a link there may not be who may read
what it leads to, and what is read can be asked for by everybody. A link out of it, and one to a folder, are
things that could not be read, so nothing is removed because of them.
"""

# ruff: noqa: PTH110, PTH113, PTH114, PTH118, PTH119, PTH206

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
from rag.labels import label_of, place_label, readable
from rag.reading.decoding import read_source

_UNREADABLE = "unreadable_document"
_LINKED_FOLDER = "是指向另一个文件夹的链接，没有跟随。请把文件放进来，或另外同步那个文件夹"
_LINKED_OUT = "是指向文件夹之外的链接，没有读。请把文件本身放进来"
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


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


def files_of_folder(folder: Path) -> FolderReading:
    """List and checksum the documents of a folder; a README and hidden files are not part of it.

    Raises:
        ConfigError: If there is no such folder.
    """
    if not folder.is_dir():
        raise ConfigError(f"文件夹 {str(folder)!r} 不存在。请检查路径；要同步的是放有文章的文件夹。")
    files: list[SyncFile] = []
    unreadable: list[SyncFailure] = []
    top, inside = os.path.join(folder, ""), os.path.join(os.path.realpath(folder), "")

    def closed(error: OSError) -> None:
        unreadable.append(_failure(_name(os.fsdecode(error.filename), top), error))

    found: list[str] = []
    for place, below, names in os.walk(folder, onerror=closed):
        below[:] = [name for name in below if not name.startswith(".")]
        linked = [path for name in below if os.path.islink(path := os.path.join(place, name))]
        unreadable += [_refusal(_name(path, top), _LINKED_FOLDER) for path in linked]
        found += [path for name in names if _is_document(name, path := os.path.join(place, name))]
    for path in sorted(found, key=lambda path: path.split(os.sep)):
        name = _name(path, top)
        try:
            data = _bytes_of(path, inside)
        except OSError as error:
            unreadable.append(_failure(name, error))
        else:
            files.append(SyncFile(_wanted(name, path, data), _Loader(name, path, inside)))
    return FolderReading(tuple(files), tuple(unreadable))


@dataclass(frozen=True, slots=True)
class _Loader:
    name: str
    path: str
    inside: str = ""

    def __call__(self, origin: str) -> Loaded:
        try:
            data = _bytes_of(self.path, self.inside)
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
        return _Loader(label_of(readable(path.name)), str(path))(origin)
    except ConfigError as error:
        code = "unreadable_document" if error.code == ConfigError.default_code else error.code
        raise InputError(error.message, code=code) from error


class _OutsideError(OSError):
    """A link leads out of the folder that is read."""


def _bytes_of(path: str, inside: str = "") -> bytes:
    """The bytes of a file.

    Args:
        path: Of the file, or of a link to it.
        inside: A real folder, with its separator, out of which no link may lead; "" for none.
    """
    if inside and os.path.islink(path):
        path = os.path.realpath(path)
        if not path.startswith(inside):
            raise _OutsideError
    with open(path, "rb", buffering=0, opener=_unlinked if inside else None) as file:
        return file.readall()


def _unlinked(path: str, flags: int) -> int:
    return os.open(path, flags | _NOFOLLOW)  # also one that was put there a moment ago


def _wanted(name: str, path: str, data: bytes) -> Wanted:
    if _kind(path) == "text":
        try:
            return Wanted(name, read_source(name, data).sha256)
        except ConfigError:
            pass  # said when it is its turn to be read; until then it is a file like others
    return Wanted(name, "", hashlib.sha256(data).hexdigest())


def _is_document(name: str, path: str) -> bool:
    stem, suffix = _parts(name)
    if name.startswith(".") or suffix not in KIND_OF_SUFFIX or stem.lower() == "readme":
        return False
    # A link that leads nowhere may be a disk that is not there now: it cannot be read, it is not gone.
    return os.path.isfile(path) or not os.path.exists(path)


def _kind(path: str) -> str | None:
    return KIND_OF_SUFFIX.get(_parts(os.path.basename(path))[1])


def _parts(name: str) -> tuple[str, str]:
    """Stem and suffix in small letters, as `Path` has them."""
    at = name.rfind(".")
    return (name[:at], name[at:].lower()) if 0 < at < len(name) - 1 else (name, "")


def _name(path: str, top: str) -> str:
    return place_label(readable(path.removeprefix(top)).replace(os.sep, "/"))


def _failure(name: str, error: OSError) -> SyncFailure:
    if isinstance(error, _OutsideError):
        return _refusal(name, _LINKED_OUT)
    return SyncFailure(name, _UNREADABLE, f"读不了 {name!r}：{error.strerror}。请检查权限和磁盘。")


def _refusal(name: str, why: str) -> SyncFailure:
    return SyncFailure(name, _UNREADABLE, f"{name!r} {why}。")
