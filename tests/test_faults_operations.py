"""The n-th change of the disk fails, or is the last thing a process does, for n = 1, 2, ... to the end.

What is refused says which file and what to do, and has not happened; what was acknowledged has, also on a
disk that has kept only what was synced. A few n are tried by chance; by `make nightly` every one, or
`FAULT_STEPS` of them.
"""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from pathlib import Path

import pytest

from api.library.maintenance import backup
from tests.fault_library import Model, agree, make_place, opened, settings_of, small, source_id, upload_of
from tests.fault_nursery import Nursery, after_power_cut, keep_all, nightly_seed, possible

FULL, BROKEN = "28", "5"
WAYS = (
    {"FAULT_ACTION": FULL},
    {"FAULT_ACTION": FULL, "FAULT_STICKY": "1"},
    {"FAULT_ACTION": BROKEN},
    {"FAULT_ACTION": "kill"},
)
OURS = {"library_unwritable", "index_unwritable"}

Step = tuple[dict[str, str], int]


def steps(changes: int, some: int | None, seed: int) -> list[Step]:
    """Ways and numbers of the changes that fail: all, or some by chance."""
    every = [(way, at) for way in WAYS for at in range(1, changes + 1)]
    if some is None or some >= len(every):
        return every
    return random.Random(seed).sample(every, some)  # noqa: S311 - the same for the same seed


def nightly_steps() -> int | None:
    wanted = os.environ.get("FAULT_STEPS", "all")
    return None if wanted == "all" else int(wanted)


def prepared(folder: Path, *, used: bool) -> tuple[Path, Model]:
    """A place that was never opened, or one that has been used."""
    place, model = make_place(folder), Model.fresh()
    if used:
        operation = {"do": "add", "number": 7}
        with small(), opened(place) as library:
            job = library.add("default", upload_of(operation))
            assert library.wait(job.job_id, 60).state == "done"
            library.live().write_generation(always=True)
        model = model.applied(operation)
    return place, model


def changes_of(nurse: Nursery, place: Path, log: Path) -> list[str]:
    """What the script changes on the disk when nothing fails."""
    worker = nurse.start("script", place, environment={"FAULT_ACTION": "kill", "FAULT_LOG": str(log)})
    assert worker.end() == 0
    assert worker.said[-1] == {"closed": True}, worker.said
    assert worker.complaints == ""
    return log.read_text("utf-8").splitlines()


def one_run(nurse: Nursery, place: Path, model: Model, way: dict[str, str], at: int, beside: Path) -> str:
    """Let the n-th change fail in this way and look at what is left; how it ended."""
    shadow = beside / "shadow"
    environment = way | {"FAULT_AT": str(at)}
    kills = way["FAULT_ACTION"] == "kill"
    if kills:
        keep_all(place, shadow)
        environment |= {"FAULT_SHADOW": str(shadow)}
    worker = nurse.start("script", place, environment=environment)
    status = worker.end()
    refused = [fact for fact in worker.said if "refused" in fact]
    assert status == (0 if not kills or worker.said[-1:] == [{"closed": True}] else -9), worker.complaints
    assert "Traceback" not in worker.complaints, worker.complaints
    for fact in refused:
        if fact["code"] not in ("document_not_found", "collection_not_found"):  # of what could not be added
            assert fact["code"] in OURS, fact
            assert str(place) in fact["message"], fact
            assert "请检查" in fact["message"], fact
    if kills:
        candidates = possible(model, worker.said)
        agree(after_power_cut(place, shadow, beside / "lost"), candidates)
    else:
        candidates = possible(model, worker.said, doubt_adds="FAULT_STICKY" in way)
    agree(place, candidates)
    return "killed" if status else f"{len(refused)} refused"


def script_with_faults(nurse: Nursery, tmp_path: Path, used: bool, some: int | None, seed: int) -> str:
    """Run the script so often, each time with another fault; figures."""
    template, model = prepared(tmp_path / "template", used=used)
    shutil.copytree(template, tmp_path / "counted")
    changes = changes_of(nurse, tmp_path / "counted", tmp_path / "log")
    tried = steps(len(changes), some, seed)
    ended: Counter[str] = Counter()
    for way, at in tried:
        beside = tmp_path / "run"
        beside.mkdir()
        place = beside / "place"
        shutil.copytree(template, place)
        try:
            ended[one_run(nurse, place, model, way, at, beside)] += 1
        except BaseException as error:
            error.add_note(f"{way}, change {at} of {len(changes)}: {changes[at - 1]}")
            raise
        shutil.rmtree(beside)
    return f"{len(changes)} changes, {len(tried)} runs: {dict(ended)}"


def restore_with_faults(nurse: Nursery, tmp_path: Path, some: int | None, seed: int) -> None:
    """Put a backup back so often, each time with another fault: all of the old is there, or all of the new.

    Args:
        nurse: Forks the processes.
        tmp_path: For all folders.
        some: How many faults are tried; None for every one.
        seed: Of the choice.
    """
    template, model = prepared(tmp_path / "template", used=True)
    backup(settings_of(template), template / "copy.sqlite3")
    with small(), opened(template) as library:
        library.remove("default", source_id(7))
    later = model.applied({"do": "remove", "id": source_id(7)})
    shutil.copytree(template, tmp_path / "counted")
    log = tmp_path / "log"
    counting = nurse.start(
        "restore", tmp_path / "counted", environment={"FAULT_ACTION": "kill", "FAULT_LOG": str(log)}
    )
    assert counting.end() == 0, counting.complaints
    agree(tmp_path / "counted", [model])
    changes = len(log.read_text("utf-8").splitlines())
    for way, at in steps(changes, some, seed):
        place, shadow = tmp_path / "run" / "place", tmp_path / "run" / "shadow"
        shutil.copytree(template, place)
        keep_all(place, shadow)
        worker = nurse.start(
            "restore", place, environment=way | {"FAULT_AT": str(at), "FAULT_SHADOW": str(shadow)}
        )
        status = worker.end()
        assert "Traceback" not in worker.complaints, worker.complaints
        last = worker.said[-1]
        in_place = "done" in last or "已经放在" in last.get("message", "")
        wanted = [model] if in_place else [later] if "refused" in last else [later, model]
        try:
            assert status in (0, -9)
            agree(place, wanted)
            if status:
                agree(after_power_cut(place, shadow, tmp_path / "run" / "lost"), wanted)
        except BaseException as error:
            error.add_note(f"{way}, change {at} of {changes}, {last}")
            raise
        shutil.rmtree(tmp_path / "run")


FIRST_OR_LATER = pytest.mark.parametrize("used", [False, True], ids=["first start", "later start"])


@FIRST_OR_LATER
def test_some_changes_of_the_disk_fail(nurse: Nursery, tmp_path: Path, used: bool) -> None:
    print(script_with_faults(nurse, tmp_path, used, 3, 1 + used))  # noqa: T201 - for whoever runs it


def test_some_changes_of_the_disk_fail_while_a_backup_is_put_back(nurse: Nursery, tmp_path: Path) -> None:
    restore_with_faults(nurse, tmp_path, 3, 1)


@pytest.mark.nightly
@FIRST_OR_LATER
def test_every_change_of_the_disk_fails(
    nurse: Nursery, tmp_path: Path, capsys: pytest.CaptureFixture[str], used: bool
) -> None:
    told = script_with_faults(nurse, tmp_path, used, nightly_steps(), nightly_seed())
    with capsys.disabled():
        print(f"\nseed {nightly_seed()}: {told}")  # noqa: T201 - as above


@pytest.mark.nightly
def test_every_change_of_the_disk_fails_while_a_backup_is_put_back(nurse: Nursery, tmp_path: Path) -> None:
    restore_with_faults(nurse, tmp_path, nightly_steps(), nightly_seed())
