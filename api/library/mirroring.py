"""Carries out what `syncing` plans: one origin of a collection, here or elsewhere, gets what a folder holds.

One file at a time, and each step is a change of its own: whoever interrupts it leaves a collection that is
whole, and can simply sync again. New content comes before old content goes. Nothing goes because a file
could not be read.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from api.library.syncing import Present, SyncFailure, SyncPlan, SyncReport, Wanted, plan_sync
from api.library_records import Upload
from rag.errors import CewenError, ConfigError, InputError, NotFoundError

Told = Callable[[str, int, int], None]
"""Called with (name of the file, files done, files to do)."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A file that was read.

    Attributes:
        upload: Its text.
        data: Its bytes as they are in the folder.
    """

    upload: Upload
    data: bytes


@dataclass(frozen=True, slots=True)
class SyncFile:
    """A file to sync.

    Attributes:
        wanted: What is known before it is converted.
        load: Reads and converts it, as belonging to the origin that is given. An `InputError` or a
            `ConfigError` says that this file cannot be used.
    """

    wanted: Wanted
    load: Callable[[str], Loaded]


class SyncTarget(Protocol):
    """A collection, here or elsewhere."""

    def held(self) -> Sequence[Present]:
        """Every source, of all origins, in the order of their coming."""
        ...

    def add(self, loaded: Loaded, *, replaces: str | None) -> str:
        """Add a file, in the place of a source if one is named; return when it is searchable.

        Returns:
            The id of its source.

        Raises:
            InputError: If this file cannot be used; others may still be.
            CewenError: Any other, if nothing more can be added.
        """
        ...

    def remove(self, source_id: str) -> None:
        """Remove a source.

        Raises:
            NotFoundError: If it is not there.
        """
        ...


def sync_files(
    target: SyncTarget,
    origin: str,
    files: Sequence[SyncFile],
    *,
    deleted: Collection[str] = frozenset(),
    restore_deleted: bool = False,
    complete: bool = True,
    dry_run: bool = False,
    former: Collection[str] = (),
    told: Told | None = None,
) -> SyncReport:
    """Make what belongs to `origin` hold these files and nothing else.

    Args:
        target: The collection.
        origin: What the files belong to.
        files: All files of the folder that could be read.
        deleted: Checksums of what somebody has deleted, and is not to come back by itself.
        restore_deleted: Bring it back.
        complete: Whether the folder could be read to its end; if not, nothing goes for want of a file.
        dry_run: Only say what would be done. A file that would have to be converted first counts as new.
        former: Marks that the same files have had before; what has one belongs to `origin` from now on.
        told: Told of each file.

    Raises:
        CewenError: If nothing more can be added or removed; what is done until then stays done.
    """
    known = target.held()
    held = [replace(source, origin=origin) if source.origin in former else source for source in known]
    plan = plan_sync(
        [source for source in held if source.origin == origin],
        [file.wanted for file in files],
        elsewhere=frozenset[str]().union(*(source.keys for source in held if source.origin != origin)),
        deleted=deleted,
        restore_deleted=restore_deleted,
        complete=complete,
    )
    report = SyncReport(
        unchanged=[file.name for file in plan.unchanged],
        elsewhere=[file.name for file in plan.elsewhere],
        duplicates=[file.name for file in plan.duplicates],
        deleted=[file.name for file in plan.deleted],
        withheld=[source.name for source in plan.withheld],
    )
    if dry_run:
        report.added = [file.name for file in plan.adds]
        report.replaced = [file.name for _, file in plan.replaces]
        report.removed = [source.name for source in plan.removes]
        report.renamed = [(source.name, file.name) for source, file in plan.renames]
    else:
        stays_out = frozenset() if restore_deleted else frozenset(deleted)
        earlier = {key for source in known if source.origin in former for key in source.keys}
        earlier -= {key for _, file in plan.renames for key in file.keys}
        marks = tuple(file for file in plan.unchanged if not file.keys.isdisjoint(earlier))
        plan = replace(plan, marks=marks)
        _Run(target, origin, held, stays_out, report, told).carry_out(plan, files)
    return report


class _Run:
    """One plan being carried out."""

    def __init__(
        self,
        target: SyncTarget,
        origin: str,
        held: Sequence[Present],
        stays_out: Collection[str],
        report: SyncReport,
        told: Told | None,
    ) -> None:
        self._target = target
        self._origin = origin
        self._by_text = {source.sha256: source for source in held}
        self._stays_out = stays_out
        self._report = report
        self._told = told
        self._leaving: set[str] = set()  # sources whose file is gone or has other bytes
        self._kept: set[str] = set()  # of them what a converted file turned out to be; and what came

    def carry_out(self, plan: SyncPlan, files: Sequence[SyncFile]) -> None:
        loads = {id(file.wanted): file.load for file in files}
        pairs: list[tuple[Present | None, Wanted]] = [*plan.replaces, *((None, file) for file in plan.adds)]
        total = len(pairs) + len(plan.removes)
        for source, wanted in plan.renames:
            if self._mark(wanted, loads[id(wanted)], source.source_id):
                self._report.renamed.append((source.name, wanted.name))
        for wanted in plan.marks:
            self._mark(wanted, loads[id(wanted)])
        going = list(plan.removes)
        self._leaving = {source.source_id for source in (*going, *(old for old, _ in plan.replaces))}
        for done, (old, wanted) in enumerate(pairs):
            self._tell(wanted.name, done, total)
            try:
                loaded = loads[id(wanted)](self._origin)
            except (InputError, ConfigError) as error:
                self._fail(wanted, error)
                continue
            try:
                going += self._bring(wanted, loaded, old)
            except NotFoundError:
                raise  # the collection, not this file
            except InputError as error:
                self._fail(wanted, error)
        for done, source in enumerate(going, len(pairs)):
            self._tell(source.name, done, total)
            if source.source_id not in self._kept:
                self._remove(source)

    def _mark(self, wanted: Wanted, load: Callable[[str], Loaded], held: str | None = None) -> bool:
        """Tell a file again whose text is there under an earlier mark or name; whether that could be done.

        Of a source that is named, what the file is converted to by now takes the place.
        """
        try:
            self._target.add(load(self._origin), replaces=held)
        except NotFoundError as error:
            if held is None or error.code != "document_not_found":
                raise
            return False  # somebody removed it a moment ago
        except (InputError, ConfigError) as error:
            self._fail(wanted, error)
            return False
        return True

    def _bring(self, wanted: Wanted, loaded: Loaded, old: Present | None) -> list[Present]:
        """Add one file; what of the old has to be removed apart from it."""
        source = loaded.upload.source
        self._report.notes += [(wanted.name, note) for note in loaded.upload.notes]
        outdated = [old] if old else []
        same = self._by_text.get(source.sha256)
        if same is not None and same.origin != self._origin:
            self._report.elsewhere.append(wanted.name)
            return outdated
        if same is not None and same.source_id not in self._leaving - self._kept:
            self._report.duplicates.append(wanted.name)
            return outdated
        if same is not None:
            # Another file, the same text: told again, so that its new checksum is known from now on.
            self._target.add(loaded, replaces=None)
            self._kept.add(same.source_id)
            self._report.unchanged.append(wanted.name)
            return outdated
        if source.sha256 in self._stays_out:
            self._report.deleted.append(wanted.name)
            return outdated
        gives_way = old if old and old.source_id not in self._kept else None
        source_id = self._add(loaded, gives_way.source_id if gives_way else None)
        if gives_way:
            self._by_text.pop(gives_way.sha256, None)
        self._kept.add(source_id)
        self._by_text[source.sha256] = Present(wanted.name, source_id, source.sha256, origin=self._origin)
        (self._report.replaced if old else self._report.added).append(wanted.name)
        return []

    def _add(self, loaded: Loaded, replaces: str | None) -> str:
        try:
            return self._target.add(loaded, replaces=replaces)
        except NotFoundError as error:
            if replaces is None or error.code != "document_not_found":
                raise
        # Somebody removed the old one a moment ago.
        return self._target.add(loaded, replaces=None)

    def _remove(self, source: Present) -> None:
        try:
            self._target.remove(source.source_id)
        except NotFoundError as error:
            if error.code != "document_not_found":
                raise
        self._report.removed.append(source.name)

    def _fail(self, wanted: Wanted, error: CewenError) -> None:
        self._report.failed.append(SyncFailure(wanted.name, error.code, error.message))

    def _tell(self, name: str, done: int, total: int) -> None:
        if self._told:
            self._told(name, done, total)
