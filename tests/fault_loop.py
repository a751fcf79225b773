"""The n-th change of the disk fails, in every way, for every n: the loop, on all cores.

Nothing is skipped and nothing is taken to be like something else: each change of each scene fails in each
way, in a fresh copy of the place. A run is quick because processes are forked from one that has everything
imported. All failures are gathered, so that one night shows every one of them.
"""

from __future__ import annotations

import random
import re
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tests.fault_nursery import Nursery, cores, keep_all, nursery, side_by_side
from tests.fault_scenes import SCENES, Ending, Scene

FULL, BROKEN = "28", "5"
WAYS: dict[str, dict[str, str]] = {
    "full once": {"FAULT_ACTION": FULL},
    "full for good": {"FAULT_ACTION": FULL, "FAULT_STICKY": "1"},
    "broken once": {"FAULT_ACTION": BROKEN},
    "killed": {"FAULT_ACTION": "kill"},
}

Step = tuple[str, int]
"""Name of the way, number of the change that fails, from 1."""

_COUNTED_RUNS = 3
"""Threads take turns as they like, so the number of changes differs a little: the most of so many counts."""


@dataclass
class Tally:
    """What became of some runs.

    Attributes:
        changes: How many changes of the disk the scene makes.
        kinds: Of how many kinds.
        ended: How the runs ended, how often.
        failures: Runs after which something was wrong: the step, and what.
    """

    changes: int = 0
    kinds: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        ended = ", ".join(f"{how} {count}" for how, count in sorted(self.ended.items()))
        runs = f"{self.ended.total()} runs ({ended}), {len(self.failures)} failures"
        return f"{self.changes} changes of {self.kinds} kinds, {runs}"


def steps(changes: Sequence[str], some: int | None, seed: int) -> list[Step]:
    """Ways and numbers of the changes that fail, in an order of chance, but of each kind one first.

    A kind is what is done to which file, whatever the number of the generation that it belongs to. So the
    first few hundred steps meet every place of the code, and the rest every moment.

    Args:
        changes: One line each.
        some: How many are wanted; None for all.
        seed: Of the chance.
    """
    every = [(way, at) for way in WAYS for at in range(1, len(changes) + 1)]
    random.Random(seed).shuffle(every)  # noqa: S311 - the same for the same seed
    seen: set[tuple[str, str]] = set()
    first: list[Step] = []
    later: list[Step] = []
    for way, at in every:
        kind = way, kind_of(changes[at - 1])
        (later if kind in seen else first).append((way, at))
        seen.add(kind)
    return (first + later)[:some]


def kind_of(change: str) -> str:
    """What is done to which file."""
    return re.sub(r"gen-\d+", "gen-N", change.partition(" ")[2])


def changes_of(nurse: Nursery, scene: Scene, beside: Path) -> list[str]:
    """What a scene changes on the disk when nothing fails, one line each: the longest of a few runs."""
    found: list[str] = []
    for _ in range(_COUNTED_RUNS):
        place, log = beside / "place", beside / "log"
        shutil.copytree(scene.template, place)
        worker = nurse.start(scene.mode, place, environment={"FAULT_ACTION": "kill", "FAULT_LOG": str(log)})
        assert worker.end() == 0, worker.complaints
        assert worker.said[-1] == {"closed": True}, worker.said
        assert worker.complaints == ""
        scene.check(Ending(worker.said, place, None, sticky=False))
        lines = log.read_text("utf-8").splitlines()
        found = max(found, lines, key=len)
        shutil.rmtree(beside)
    return found


def one_run(nurse: Nursery, scene: Scene, step: Step, beside: Path) -> str:
    """Let one change fail in one way and look at what is left; how it ended."""
    way, at = step
    place, shadow = beside / "place", beside / "shadow"
    shutil.copytree(scene.template, place)
    environment = WAYS[way] | {"FAULT_AT": str(at)}
    kills = WAYS[way]["FAULT_ACTION"] == "kill"
    if kills:
        keep_all(place, shadow)
        environment |= {"FAULT_SHADOW": str(shadow)}
    worker = nurse.start(scene.mode, place, environment=environment)
    status = worker.end()
    assert "Traceback" not in worker.complaints, worker.complaints
    assert status == (0 if not kills or worker.said[-1:] == [{"closed": True}] else -9), worker.complaints
    scene.check(Ending(worker.said, place, shadow if kills else None, sticky="FAULT_STICKY" in WAYS[way]))
    refused = sum("refused" in fact for fact in worker.said)
    return "killed" if status else f"{refused} refused" if refused else "nothing noticed"


def tried(
    nurse: Nursery, scene: Scene, chosen: Sequence[Step], changes: Sequence[str], beside: Path
) -> Tally:
    """Run a scene so often, each time with another fault."""
    tally = Tally(len(changes), len(set(map(kind_of, changes))))
    for way, at in chosen:
        try:
            tally.ended[one_run(nurse, scene, (way, at), beside)] += 1
        except Exception as error:  # noqa: BLE001 -- every one is of interest, and none hides the next
            tally.ended["failed"] += 1
            what = f"{type(error).__name__}: {error}"
            tally.failures.append(f"{way}, change {at} of {len(changes)} ({changes[at - 1]}): {what}")
            with beside.with_name("failures.txt").open("a", encoding="utf-8") as told:  # for who cannot wait
                told.write(f"{tally.failures[-1]}\n")
        shutil.rmtree(beside, ignore_errors=True)
    return tally


def all_tried(name: str, folder: Path, some: int | None, seed: int) -> Tally:
    """The loop over a scene, on all cores; a nursery for each.

    Args:
        name: Of the scene.
        folder: For everything that is made.
        some: How many faults are tried; None for every one.
        seed: Of the choice and the order.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scene = SCENES[name].made(folder / "template")
    with nursery(folder / "counting", shim=True) as nurse:
        changes = changes_of(nurse, scene, folder / "counted")
    chosen = steps(changes, some, seed)
    whole = Tally(len(changes), len(set(map(kind_of, changes))))
    shares = cores()
    for done in side_by_side(
        _part, [(scene, chosen[one::shares], changes, folder / f"core-{one}") for one in range(shares)]
    ):
        whole.ended += done.ended
        whole.failures += done.failures
    return whole


def _part(scene: Scene, chosen: Sequence[Step], changes: Sequence[str], folder: Path) -> Tally:
    with nursery(folder / "nursery", shim=True) as nurse:
        return tried(nurse, scene, chosen, changes, folder / "run")
