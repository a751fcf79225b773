"""What a process does while its disk fails, and what must hold of what it leaves behind.

A scene is a folder as it is before, a mode of the worker (`fault_child`), and a check of what is there after.
What was refused says which file and what to do, and has not happened; what was acknowledged has, also on a
disk that has kept only what was synced.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from api.library.maintenance import backup
from tests.fault_library import (
    Model,
    agree,
    made_text,
    make_place,
    opened,
    settings_of,
    small,
    source_id,
    upload_of,
)
from tests.fault_nursery import after_power_cut, possible
from tests.fault_small_files import check_small_files

OURS = {"library_unwritable", "index_unwritable"}
_SYNCED = 4
"""Number of the text that is new in the seeds folder before a later start."""


@dataclass(frozen=True)
class Ending:
    """How a run ended.

    Attributes:
        said: What the worker reported.
        place: Its folder.
        shadow: What of it was durable when it was killed; None if nobody meant to kill it.
        sticky: Whether everything went on failing after the first failure.
    """

    said: Sequence[dict[str, Any]]
    place: Path
    shadow: Path | None
    sticky: bool

    @property
    def refused(self) -> list[dict[str, Any]]:
        """What was refused."""
        return [fact for fact in self.said if "refused" in fact]

    @property
    def places(self) -> list[Path]:
        """Every state of the folder to look at: on the disk at the least, and as it is."""
        if self.shadow is None:
            return [self.place]
        return [after_power_cut(self.place, self.shadow, self.place.with_name("lost")), self.place]


@dataclass(frozen=True)
class Scene(ABC):
    """One of them.

    Attributes:
        template: The folder as it is before.
        model: What the library in it holds.
    """

    template: Path
    model: Model
    mode = "script"

    @classmethod
    @abstractmethod
    def made(cls, template: Path) -> Self:
        """With a new folder."""

    @abstractmethod
    def check(self, ending: Ending) -> None:
        """Raise an error if anything is wrong after a run."""


class FirstStart(Scene):
    """A library that was never opened, then everything that changes one, once."""

    @classmethod
    def made(cls, template: Path) -> Self:
        return cls(make_place(template), Model.fresh())

    def check(self, ending: Ending) -> None:
        for fact in ending.refused:
            if fact["code"] not in ("document_not_found", "collection_not_found"):  # of what was not added
                assert fact["code"] in OURS, fact
                assert str(ending.place) in fact["message"], fact
                assert "请检查" in fact["message"], fact
        candidates = possible(self.model, ending.said, doubt_adds=ending.sticky)
        for place in ending.places:
            agree(place, candidates)


class LaterStart(FirstStart):
    """The same with a library that was used, and whose seeds folder has changed since."""

    @classmethod
    def made(cls, template: Path) -> Self:
        place, model = used_place(template)
        (place / "seeds" / "3.txt").unlink()
        (place / "seeds" / f"{_SYNCED}.txt").write_text(made_text(_SYNCED), encoding="utf-8")
        return cls(place, model.synced(gone=3, new=_SYNCED))


class Restoring(Scene):
    """A backup is put back: all of the old is there, or all of the new."""

    mode = "restore"

    @classmethod
    def made(cls, template: Path) -> Self:
        place, model = used_place(template)
        backup(settings_of(place), place / "copy.sqlite3")
        with small(), opened(place) as library:
            library.remove("default", source_id(7))
        return cls(place, model)

    def check(self, ending: Ending) -> None:
        later = self.model.applied({"do": "remove", "id": source_id(7)})
        told = [fact for fact in ending.said if "done" in fact or "refused" in fact]
        if not told:
            wanted = [later, self.model]
        elif "done" in told[-1] or "已经放在" in told[-1]["message"]:
            wanted = [self.model]
        else:
            wanted = [later]
            assert "请" in told[-1]["message"], told
        for place in ending.places:
            agree(place, wanted)


class SmallFiles(Scene):
    """Access keys and feedback, in the small files that each has of its own."""

    mode = "small_files"

    @classmethod
    def made(cls, template: Path) -> Self:
        template.mkdir(parents=True)
        return cls(template, Model())

    def check(self, ending: Ending) -> None:
        for fact in ending.refused:
            assert str(ending.place) in fact["message"], fact
            assert "请" in fact["message"], fact
        for place in ending.places:
            check_small_files(place, ending.said)


SCENES: dict[str, type[Scene]] = {
    "first start": FirstStart,
    "later start": LaterStart,
    "restore": Restoring,
    "keys and feedback": SmallFiles,
}


def used_place(folder: Path) -> tuple[Path, Model]:
    """A place that has been used."""
    place, operation = make_place(folder), {"do": "add", "number": 7}
    with small(), opened(place) as library:
        job = library.add("default", upload_of(operation))
        assert library.wait(job.job_id, 60).state == "done"
        library.live().write_generation(always=True)
    return place, Model.fresh().applied(operation)
