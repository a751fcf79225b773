"""What it takes to make one origin of a collection (a folder) hold what the folder holds now.

A pure function of names and checksums; `mirroring` carries the plan out. What belongs to other origins is
never touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rag.labels import same_name


@dataclass(frozen=True, slots=True)
class Present:
    """A source that the collection holds.

    Attributes:
        name: As it was added.
        source_id: Its id.
        sha256: Hex SHA-256 of its text.
        original_sha256: Hex SHA-256 of the file it was converted from; "" for text or where it is not known.
        origin: What it belongs to.
    """

    name: str
    source_id: str
    sha256: str
    original_sha256: str = ""
    origin: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """The checksums by which its content is known again."""
        return _keys(self.sha256, self.original_sha256)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A file of the folder.

    Attributes:
        name: Its name.
        sha256: Hex SHA-256 of its text; "" before it has been converted.
        original_sha256: Hex SHA-256 of its bytes; "" if it is text itself.
    """

    name: str
    sha256: str
    original_sha256: str = ""

    @property
    def keys(self) -> frozenset[str]:
        """The checksums by which its content is known again."""
        return _keys(self.sha256, self.original_sha256)


@dataclass(frozen=True, slots=True)
class SyncPlan:
    """What there is to do. Every file of the folder is in one of the first six.

    Attributes:
        adds: Files with new content.
        replaces: Files with new content, each with the source that gives way to it: the old one of that name.
        unchanged: Files whose content is there already, under whatever name.
        elsewhere: Files whose content is there and belongs to another origin.
        duplicates: Files with the same content as one before them.
        deleted: Files whose content somebody has deleted; they stay out.
        removes: Sources whose file is gone.
        withheld: The same, but kept because the folder could not be read to its end.
        renames: Of those unchanged, the files whose source has the name of none with the same content, each
            with that source.
        marks: Of those unchanged, files to be told again, because their source has an earlier mark.
    """

    adds: tuple[Wanted, ...] = ()
    replaces: tuple[tuple[Present, Wanted], ...] = ()
    unchanged: tuple[Wanted, ...] = ()
    elsewhere: tuple[Wanted, ...] = ()
    duplicates: tuple[Wanted, ...] = ()
    deleted: tuple[Wanted, ...] = ()
    removes: tuple[Present, ...] = ()
    withheld: tuple[Present, ...] = ()
    renames: tuple[tuple[Present, Wanted], ...] = ()
    marks: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class SyncFailure:
    """A file that could not be used; what it stood for before is still there."""

    name: str
    code: str
    message: str


@dataclass(slots=True)
class SyncReport:
    """What was done, or would be: names of files; of the removed the names under which they were added.

    Attributes:
        renamed: Of those unchanged, the ones whose source has got their name: what it was called, and is now.
        notes: For some files what a reader should know about their conversion.
        others: As in `SyncPlan`.
    """

    added: list[str] = field(default_factory=list)
    replaced: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    renamed: list[tuple[str, str]] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    withheld: list[str] = field(default_factory=list)
    failed: list[SyncFailure] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    @property
    def changed(self) -> bool:
        """Whether anything was, or would be, added, replaced or removed."""
        return bool(self.added or self.replaced or self.removed)


def plan_sync(
    present: Sequence[Present],
    wanted: Sequence[Wanted],
    *,
    elsewhere: Collection[str] = frozenset(),
    deleted: Collection[str] = frozenset(),
    restore_deleted: bool = False,
    complete: bool = True,
) -> SyncPlan:
    """Decide by content first, by name second.

    Args:
        present: The sources of this origin, in the order of their coming.
        wanted: The files of the folder.
        elsewhere: Checksums (of text or file) of what other origins hold.
        deleted: Checksums of what somebody has deleted.
        restore_deleted: Add these nevertheless.
        complete: Whether `wanted` is all of the folder. If not, nothing is removed for want of a file.
    """
    known = {key: source for source in reversed(present) for key in source.keys}
    sorted_out: dict[str, list[Wanted]] = {name: [] for name in ("unchanged", "elsewhere", "deleted")}
    duplicates: list[Wanted] = []
    kept: dict[str, list[Wanted]] = {}
    new: list[list[Wanted]] = []
    for group in _by_content(wanted):
        keys = frozenset[str]().union(*(file.keys for file in group))
        if held := {known[key].source_id for key in keys if key in known}:
            for source_id in held:
                kept.setdefault(source_id, []).extend(group)
            place = "unchanged"
        elif not keys.isdisjoint(elsewhere):
            place = "elsewhere"
        elif not restore_deleted and not keys.isdisjoint(deleted):
            place = "deleted"
        else:
            new.append(group)
            continue
        sorted_out[place].append(group[0])
        duplicates += group[1:]
    left = {place: source for place, source in enumerate(present) if source.source_id not in kept}
    by_name = _places(left)
    adds: list[Wanted] = []
    replaces: list[tuple[Present, Wanted]] = []
    for group in new:
        file, at = _giving_way(by_name, group)
        duplicates += [other for other in group if other is not file]
        if at is None:
            adds.append(file)
        else:
            replaces.append((left.pop(at), file))
    return SyncPlan(
        adds=tuple(adds),
        replaces=tuple(replaces),
        duplicates=tuple(duplicates),
        removes=tuple(left.values()) if complete else (),
        withheld=() if complete else tuple(left.values()),
        renames=tuple(_misnamed(present, kept)),
        **{name: tuple(files) for name, files in sorted_out.items()},
    )


def _places(sources: Mapping[int, Present]) -> dict[str, list[int]]:
    """For each name where the sources stand that have it, ascending."""
    places: dict[str, list[int]] = {}
    for place, source in sources.items():
        places.setdefault(same_name(source.name), []).append(place)
    return places


def _misnamed(
    present: Iterable[Present], files: Mapping[str, list[Wanted]]
) -> Iterator[tuple[Present, Wanted]]:
    """The sources whose name none of their files has, each with the first of these."""
    for source in present:
        of_it = files.get(source.source_id, [])
        if of_it and same_name(source.name) not in {same_name(file.name) for file in of_it}:
            yield source, of_it[0]


def _keys(*checksums: str) -> frozenset[str]:
    return frozenset(checksum for checksum in checksums if checksum)


def _by_content(wanted: Iterable[Wanted]) -> list[list[Wanted]]:
    """Files with the same content together, in the order in which each content came first."""
    groups: list[list[Wanted]] = []
    home: dict[str, list[Wanted]] = {}
    for file in wanted:
        group = next((home[key] for key in sorted(file.keys) if key in home), None)
        if group is None:
            group = []
            groups.append(group)
        group.append(file)
        home |= dict.fromkeys(file.keys, group)
    return groups


def _giving_way(places: Mapping[str, list[int]], group: Sequence[Wanted]) -> tuple[Wanted, int | None]:
    """Of files with the same content the one whose name the latest source has, and its place, which is taken.

    Args:
        places: For each name where the sources stand that have it, ascending; the one taken goes.
        group: The files.

    Returns:
        The first file, and None, if no source has the name of one.
    """
    named = [(places[name][-1], file) for file in group if places.get(name := same_name(file.name))]
    if not named:
        return group[0], None
    place = max(place for place, _ in named)
    file = next(file for at, file in named if at == place)
    places[same_name(file.name)].pop()
    return file, place
