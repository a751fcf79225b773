"""Processes that are killed while they change a library: what was acknowledged is there, whole; what was
deleted stays deleted; what was under way has happened or not.

`FAULT_CYCLES` and `FAULT_SEED` choose for `make nightly` how often and which. A seed gives the same
operations; the moments of the kills are the clock's as well.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.fault_library import Model, agree, make_place
from tests.fault_nursery import (
    Nursery,
    Worker,
    after_power_cut,
    cores,
    keep_all,
    nightly_seed,
    nursery,
    possible,
    side_by_side,
)

AIMS = (None, "generation", "reindex", "backup", "add", "remove", "cancel")


def killed(worker: Worker, aim: str | None, rnd: random.Random, length: float) -> None:
    """Kill it at a random moment, or soon after it has begun something."""
    if aim is None:
        worker.listen_until(rnd.uniform(0.0, 0.8 * length))
    else:
        worker.listen_until(rnd.uniform(0.0, 0.1 * length))
        heard = 0
        while heard < 40 and (fact := worker.listen()) is not None:
            heard += 1
            if fact.get("begin", {}).get("do") == aim:
                break
        worker.listen_until(rnd.uniform(0.0, 0.01))
    worker.kill()


def cycles(nurse: Nursery, tmp_path: Path, count: int, seed: int, length: float) -> Counter[str]:
    """So many kills and restarts; what was acknowledged, and how many were under way.

    Args:
        nurse: Forks the processes.
        tmp_path: For all folders.
        count: How many.
        seed: Of the operations.
        length: How long a process lives, as a multiple of the shortest.
    """
    folder, shadow = make_place(tmp_path / "place"), tmp_path / "shadow"
    model = Model.fresh()
    agree(folder, [model])
    counted: Counter[str] = Counter()
    rnd = random.Random(seed)  # noqa: S311 - the same for the same seed
    for cycle in range(count):
        keep_all(folder, shadow)
        chosen = seed * 1_000_000 + cycle
        aim = AIMS[cycle % len(AIMS)]
        worker = nurse.start(
            "random",
            folder,
            environment={"FAULT_SHADOW": str(shadow)},
            seed=chosen,
            first=100 + 997 * cycle % 90_000,
            aim=aim,
        )
        killed(worker, aim, rnd, length)
        where = f"seed {seed}, cycle {cycle}: {worker.said[-3:]}"
        assert worker.complaints == "", where
        counted["cycles"] += 1
        for fact in worker.said:
            for state in ("accepted", "done", "refused"):
                if state in fact:
                    counted[f"{state} {fact[state]['do']}"] += 1
        counted["under way"] += bool(worker.said and "begin" in worker.said[-1])
        candidates = possible(model, worker.said)
        try:
            if cycle % 3 == 1:
                lost = after_power_cut(folder, shadow, tmp_path / f"lost-{cycle}")
                agree(lost, candidates)
                shutil.rmtree(lost)
            model = agree(folder, candidates, whole=cycle % 50 == 5)
        except BaseException as error:
            error.add_note(where)
            raise
    assert not [what for what in counted if what.startswith("refused")]
    assert counted["done remove"]
    return counted


def test_cycles_of_kill_and_restart(nurse: Nursery, tmp_path: Path) -> None:
    print(dict(sorted(cycles(nurse, tmp_path, 20, 1, 1.0).items())))  # noqa: T201 - for whoever runs it


@pytest.mark.nightly
def test_many_cycles_of_kill_and_restart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wanted, shares = int(os.environ.get("FAULT_CYCLES", "500")), cores()
    parts = [
        (tmp_path / f"core-{one}", len(range(one, wanted, shares)), shares * nightly_seed() + one)
        for one in range(shares)
    ]
    counted: Counter[str] = sum(side_by_side(_part, parts), Counter())
    with capsys.disabled():
        print(f"\nseed {nightly_seed()}: {dict(sorted(counted.items()))}")  # noqa: T201 - as above
    assert counted["cycles"] == wanted


def _part(folder: Path, count: int, seed: int) -> Counter[str]:
    with nursery(folder / "nursery", shim=True) as nurse:
        return cycles(nurse, folder, count, seed, 2.0)
