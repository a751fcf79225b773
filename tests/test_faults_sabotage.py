"""The fault suite can fail: each of these broken libraries turns it red, and the whole one does not."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rag.errors import CewenError
from tests import fault_sabotage
from tests.counting_encoder import CountingEncoder
from tests.fault_library import Model, agree, make_place, opened, small, token
from tests.fault_nursery import Nursery, Worker, after_power_cut, keep_all, possible


def after_script(worker: Worker) -> list[Model]:
    worker.end()
    return possible(Model.fresh(), worker.said)


def script(nurse: Nursery, place: Path, broken: str | None) -> None:
    agree(place, after_script(nurse.start("script", place, sabotage=broken)))


def accepted(nurse: Nursery, place: Path, broken: str | None) -> None:
    worker = nurse.start("many", place, sabotage=broken, numbers=list(range(40, 56)))
    while sum("accepted" in fact for fact in worker.said) < 16:
        assert worker.listen() is not None, worker.complaints
    worker.kill()
    agree(place, possible(Model.fresh(), worker.said))


def power_cut(nurse: Nursery, place: Path, broken: str | None, **more: str) -> None:
    shadow = place.with_name("shadow")
    keep_all(place, shadow)
    worker = nurse.start(
        "script",
        place,
        sabotage=broken,
        environment={"FAULT_SHADOW": str(shadow), "FAULT_ACTION": "kill"} | more,
    )
    candidates = after_script(worker)
    assert len(candidates) == 1
    agree(after_power_cut(place, shadow, place.with_name("lost")), candidates)


def later_power_cut(nurse: Nursery, place: Path, broken: str | None) -> None:
    """The folder of the indexes is known to the disk already."""
    agree(place, [Model.fresh()])
    power_cut(nurse, place, broken)


def ignoring_syncs(nurse: Nursery, place: Path, broken: str | None) -> None:
    power_cut(nurse, place, None, **({"FAULT_NOSYNC": "1"} if broken else {}))


def checked_here(nurse: Nursery, place: Path, broken: str | None) -> None:
    candidates = after_script(nurse.start("script", place))
    with fault_sabotage.applied(broken):
        agree(place, candidates)


def wrong_text(nurse: Nursery, place: Path, broken: str | None) -> None:
    candidates = after_script(nurse.start("script", place))
    path = place / "data" / "library" / "library.sqlite3"
    right, wrong = token(1, 1).encode(), token(8, 1).encode()
    data = path.read_bytes()
    assert right in data
    path.write_bytes(data.replace(right, wrong))
    with fault_sabotage.applied(broken):
        try:
            agree(place, candidates)
        except CewenError as error:  # said in time
            assert error.code == "library_damaged"  # noqa: PT017 - the other case is of interest too


def wrong_vectors(nurse: Nursery, place: Path, broken: str | None) -> None:
    candidates = after_script(nurse.start("script", place))
    with small(), opened(place) as library:
        library.live().write_generation(always=True)
    folder = place / "index" / "default"
    path = folder / folder.joinpath("CURRENT").read_text("ascii").split()[0] / "chunk_vectors.f32"
    rows = np.fromfile(path, np.float32).reshape(-1, CountingEncoder.dimension)
    rows[::-1].tofile(path)  # mean and spread are still the same
    with fault_sabotage.applied(broken):
        agree(place, candidates, index_damaged=True)


CHECKS: dict[str, Callable[[Nursery, Path, str | None], None]] = {
    "accepts before it is stored": accepted,
    "removes from memory only": script,
    "replaces in two steps": script,
    "does not sync commits": power_cut,
    "does not sync the new folder": power_cut,
    "does not sync generations": later_power_cut,
    "ignores syncs": ignoring_syncs,
    "forgets what was deleted": checked_here,
    "does not check texts": wrong_text,
    "does not check generations": wrong_vectors,
}


def test_every_sabotage_is_tried() -> None:
    assert {*fault_sabotage.NAMES, "ignores syncs"} == set(CHECKS)


@pytest.mark.parametrize("broken", CHECKS)
def test_a_broken_library_is_seen(nurse: Nursery, tmp_path: Path, broken: str) -> None:
    with pytest.raises(AssertionError):
        CHECKS[broken](nurse, make_place(tmp_path / "place"), broken)


@pytest.mark.parametrize("check", sorted(set(CHECKS.values()), key=str))
def test_the_whole_library_is_not(
    nurse: Nursery, tmp_path: Path, check: Callable[[Nursery, Path, str | None], None]
) -> None:
    check(nurse, make_place(tmp_path / "place"), None)
    shutil.rmtree(tmp_path / "place")
