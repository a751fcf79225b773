"""A file system in memory for tests of `index`: it fails at the n-th operation, and it can lose power.

What it forgets is what POSIX lets a disk forget: a file's content is safe once written (the real
`Files.write` waits for it), but a *name*, new, renamed or removed, is safe only once its folder was
synchronised; until then each name by itself may or may not have reached the disk.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from index.files import Digest, Files


class PowerCutError(BaseException):
    """Nothing catches it, as nothing runs after a power cut."""


@dataclass
class Folder:
    entries: dict[str, Folder | bytes] = field(default_factory=dict)
    safe: dict[str, Folder | bytes] = field(default_factory=dict)


class Disk(Files):
    def __init__(self) -> None:
        self.root = Folder()
        self.operations = 0
        self.fail_at = 0
        self.failure: BaseException = OSError(28, "No space left on device")

    def _step(self) -> bool:
        self.operations += 1
        return self.operations == self.fail_at

    def _fail_here(self) -> None:
        if self._step():
            raise self.failure

    def _find(self, path: Path) -> Folder | bytes:
        node: Folder | bytes = self.root
        for part in path.parts:
            if not isinstance(node, Folder) or part not in node.entries:
                raise FileNotFoundError(2, "No such file or directory", str(path))
            node = node.entries[part]
        return node

    def folder(self, path: Path) -> Folder:
        node = self._find(path)
        if not isinstance(node, Folder):
            raise NotADirectoryError(20, "Not a directory", str(path))
        return node

    def read(self, path: Path) -> bytes:
        self._fail_here()
        node = self._find(path)
        if isinstance(node, Folder):
            raise IsADirectoryError(21, "Is a directory", str(path))
        return node

    def read_into(self, path: Path, buffer: memoryview) -> Digest:
        data = self.read(path)
        fits = data[: len(buffer)]
        buffer[: len(fits)] = fits
        return Digest(len(data), Digest.of(fits).sha256)

    def names(self, folder: Path) -> tuple[str, ...]:
        self._fail_here()
        try:
            return tuple(sorted(self.folder(folder).entries))
        except FileNotFoundError:
            return ()

    def make_folder(self, folder: Path) -> None:
        self._fail_here()
        node = self.root
        for part in folder.parts:
            below = node.entries.setdefault(part, Folder())
            assert isinstance(below, Folder)
            node = below

    def write_blocks(self, path: Path, blocks: Iterable[bytes | memoryview]) -> Digest:
        fails = self._step()
        data = b"".join(blocks)
        fits = data[: len(data) // 2] if fails else data[: self.room(len(data))]
        self.folder(path.parent).entries[path.name] = fits
        if fails:
            raise self.failure
        if len(fits) < len(data):
            raise OSError(28, "No space left on device")
        return Digest.of(data)

    def room(self, wanted: int) -> int:
        """How many bytes of a file still fit; all of them on this disk."""
        return wanted

    def rename(self, source: Path, target: Path) -> None:
        self._fail_here()
        entries = self.folder(source.parent).entries
        if isinstance(entries.get(target.name), Folder):
            raise OSError(39, "Directory not empty", str(target))
        entries[target.name] = entries.pop(source.name)

    def sync_folder(self, folder: Path) -> None:
        self._fail_here()
        node = self.folder(folder)
        node.safe = dict(node.entries)

    def remove_folder(self, folder: Path) -> None:
        self._fail_here()
        del self.folder(folder.parent).entries[folder.name]

    @contextlib.contextmanager
    def lock(self, folder: Path) -> Iterator[None]:
        self.folder(folder)
        self._fail_here()
        yield

    def after_power_cut(self) -> Iterator[Disk]:
        """The disks one may find: all names lost, all kept, each one alone lost, each one alone kept."""
        unsafe = [(path, name) for path, name in _unsafe_names(self.root)]
        choices = [set(), set(unsafe)]
        choices += [{one} for one in unsafe] + [set(unsafe) - {one} for one in unsafe]
        for kept in choices:
            disk = Disk()
            disk.root = _survivor(self.root, kept, ())
            yield disk

    def copy(self) -> Disk:
        disk = Disk()
        disk.root = copy.deepcopy(self.root)
        return disk


def _unsafe_names(folder: Folder, at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    for name in sorted({*folder.entries, *folder.safe}):
        if folder.entries.get(name) is not folder.safe.get(name):
            yield at, name
        below = folder.entries.get(name)
        if isinstance(below, Folder):
            yield from _unsafe_names(below, (*at, name))


def _survivor(folder: Folder, kept: set[tuple[tuple[str, ...], str]], at: tuple[str, ...]) -> Folder:
    found: dict[str, Folder | bytes] = {}
    for name in {*folder.entries, *folder.safe}:
        node = (folder.entries if (at, name) in kept else folder.safe).get(name)
        if node is not None:
            found[name] = _survivor(node, kept, (*at, name)) if isinstance(node, Folder) else node
    return Folder(found, dict(found))
