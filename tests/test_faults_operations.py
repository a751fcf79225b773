"""The n-th change of the disk fails, or is the last thing a process does, for n = 1, 2, ... to the end.

The scenes and what must hold after each run stand in `fault_scenes`, the loop in `fault_loop`. A few n are
tried by chance; by `make nightly` every one in every way, or `FAULT_STEPS` of them.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fault_loop import WAYS, all_tried, changes_of, kind_of, steps, tried
from tests.fault_nursery import Nursery, nightly_seed
from tests.fault_scenes import SCENES

EVERY_SCENE = pytest.mark.parametrize("name", SCENES)


def nightly_steps() -> int | None:
    wanted = os.environ.get("FAULT_STEPS", "all")
    return None if wanted == "all" else int(wanted)


def test_without_a_number_every_change_fails_in_every_way() -> None:
    changes = ["1 open /a", "2 write /a", "3 write /gen-000001/a", "4 write /gen-000002/a", "5 write /a"]
    every = steps(changes, None, 1)
    assert len(every) == 5 * len(WAYS)
    assert set(every) == {(way, at) for way in WAYS for at in (1, 2, 3, 4, 5)}
    # First one of each kind in each way.
    first = steps(changes, 3 * len(WAYS), 1)
    assert first == every[: len(first)]
    assert {(way, kind_of(changes[at - 1])) for way, at in first} == {
        (way, kind) for way in WAYS for kind in ("open /a", "write /a", "write /gen-N/a")
    }


@EVERY_SCENE
def test_some_changes_of_the_disk_fail(nurse: Nursery, tmp_path: Path, name: str) -> None:
    scene = SCENES[name].made(tmp_path / "template")
    changes = changes_of(nurse, scene, tmp_path / "counted")
    tally = tried(nurse, scene, steps(changes, 3, 2), changes, tmp_path / "run")
    assert tally.failures == []
    assert tally.ended.total() == 3


@pytest.mark.nightly
@EVERY_SCENE
def test_every_change_of_the_disk_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    tally = all_tried(name, tmp_path / "all", nightly_steps(), nightly_seed())
    with capsys.disabled():
        print(f"\n{name}, seed {nightly_seed()}: {tally}")  # noqa: T201 - for whoever runs it
    assert not tally.failures, "\n".join(tally.failures)
    assert tally.ended["killed"] or nightly_steps() is not None
