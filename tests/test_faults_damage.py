"""Flipped bits, cut files, full disks: a start has every text as it was, or says which file is at fault.

A few damages of each file are tried; by `make nightly` many, or `FAULT_FLIPS`.
"""

from __future__ import annotations

import os
import random
import resource
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from api.feedback.store import FILE_NAME as FEEDBACK
from api.feedback.store import FeedbackStore
from api.keys.store import FILE_NAME as KEYS
from api.keys.store import KeyStore
from api.library.maintenance import backup, check, restore
from rag.errors import CewenError, IndexFileError
from tests.fault_library import (
    Model,
    Operation,
    agree,
    found_in,
    make_place,
    opened,
    settings_of,
    settled,
    small,
    source_id,
    token,
    upload_of,
)
from tests.fault_nursery import PROJECT, nightly_seed

MANY = int(os.environ.get("FAULT_FLIPS", "100"))
HOW_MANY = pytest.mark.parametrize(
    "flips", [4, pytest.param(MANY, marks=pytest.mark.nightly)], ids=["some", "many"]
)
DONE: tuple[Operation, ...] = (
    {"do": "add", "number": 20},
    {"do": "add", "number": 21, "title": "题目"},
    {"do": "remove", "id": source_id(20)},
    {"do": "remove", "id": f"{source_id(21)}-1"},
    {"do": "add", "number": 22},  # stays in the log: only a removal empties it
)


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Model]:
    """A place with every file that we write: library, log, generations, backup, keys, feedback."""
    place, model = make_place(tmp_path_factory.mktemp("used") / "place"), Model.fresh()
    with small():
        with opened(place) as library:
            for operation in DONE:
                if operation["do"] == "add":
                    library.add("default", upload_of(operation))
                    settled(library)
                else:
                    library.remove("default", operation["id"])
                model = model.applied(operation)
            library.live().write_generation(always=True)
            library.live().write_generation(always=True)
            # A copy while it is in use has a log, as after a kill.
            shutil.copytree(place, place.with_name("killed"))
        backup(settings_of(place), place / "copy.sqlite3")
    data = settings_of(place).data_dir
    KeyStore(data).create("甲", ["read"])
    FeedbackStore(data).record("ans_1", "up", "好")
    return place, model


def damages(data: bytes, count: int, rnd: random.Random) -> list[tuple[str, bytes]]:
    """The content with one bit flipped, or cut."""
    made = []
    used = [at for at, byte in enumerate(data) if byte]  # most of a page is empty, and never read
    for number in range(count):
        at = rnd.choice(used) if number % 2 else rnd.randrange(len(data))
        made.append(
            (f"bit in byte {at}", data[:at] + bytes([data[at] ^ 1 << rnd.randrange(8)]) + data[at + 1 :])
        )
    cuts = [0, rnd.randrange(len(data)), len(data) - 1]
    return made + [(f"cut to {length}", data[:length]) for length in cuts]


def check_said(error: CewenError, path: Path) -> None:
    """The message must say which file, and what to do."""
    assert path.name.removesuffix("-wal") in error.message, error.message
    assert "请" in error.message, error.message


def start(place: Path, model: Model) -> str:
    """Open a place as a service does and read everything: "whole", or the error that says why not."""
    with small(), opened(place) as library:
        settled(library)
        assert found_in(library) == (model.sources, model.encoders)
        for name, held, one in model.documents():
            (first, *_) = library.engine(name).search(token(held.number, one), top_k=1)
            assert first.document.document_id == f"{source_id(held.number)}-{one}"
    return "whole"


def tried(place: Path, model: Model, path: Path) -> str:
    try:
        return start(place, model)
    except CewenError as error:
        check_said(error, path)
        return "refused"


def each_damage(
    original: Path, name: str, tmp_path: Path, outcome: Callable[[Path, Path], str], flips: int
) -> Counter[str]:
    """Damage one file of a place in every way, each time in a fresh copy of the place."""
    seed = 1 if flips < MANY else nightly_seed()
    rnd = random.Random(f"{seed} {name}")  # noqa: S311 - the same for the same seed
    found: Counter[str] = Counter()
    ways = damages((original / name).read_bytes(), flips, rnd)
    for how, data in rnd.sample(ways, min(flips, len(ways))):
        place = tmp_path / "place"
        shutil.copytree(original, place)
        (place / name).write_bytes(data)
        try:
            found[outcome(place, place / name)] += 1
        except BaseException as error:
            error.add_note(f"{name}: {how}")
            raise
        shutil.rmtree(place)
    return found


def generation_files(place: Path) -> list[str]:
    folder = place / "index" / "default"
    current = folder / folder.joinpath("CURRENT").read_text("ascii").split()[0]
    beside = [path for path in sorted(folder.iterdir()) if path.is_file() and path.name != ".lock"]
    return [str(path.relative_to(place)) for path in (*beside, *sorted(current.iterdir()))]


@HOW_MANY
def test_a_damaged_library_is_whole_or_refused(used: tuple[Path, Model], tmp_path: Path, flips: int) -> None:
    place, model = used
    found = each_damage(
        place,
        "data/library/library.sqlite3",
        tmp_path,
        lambda copy, path: tried(copy, model, path),
        3 * flips,
    )
    print(dict(found))  # noqa: T201 - figures for whoever runs it
    assert found["refused"]


@HOW_MANY
def test_a_damaged_log_is_noticed_or_whole(used: tuple[Path, Model], tmp_path: Path, flips: int) -> None:
    """SQLite takes a log to end where its damage begins; how many changes there were stands elsewhere too."""
    place, model = used
    killed = place.with_name("killed")
    agree(shutil.copytree(killed, tmp_path / "sound"), [model])

    def outcome(copy: Path, path: Path) -> str:
        checked = [finding.problem for finding in check(settings_of(copy))]
        said = tried(copy, model, path)
        assert (said == "refused") == any("答应过的改动" in problem for problem in checked), checked
        # And it stays refused: what was acknowledged is not forgotten by asking twice.
        assert tried(copy, model, path) == said
        return said

    found = each_damage(killed, "data/library/library.sqlite3-wal", tmp_path, outcome, flips)
    print(dict(found))  # noqa: T201 - figures for whoever runs it
    assert found["refused"]


def test_a_log_that_is_gone_is_missed_until_somebody_says_that_it_may_be(
    used: tuple[Path, Model], tmp_path: Path
) -> None:
    copy = shutil.copytree(used[0].with_name("killed"), tmp_path / "copy")
    folder = copy / "data" / "library"
    (folder / "library.sqlite3-wal").unlink()
    for _ in range(2):
        with small(), pytest.raises(IndexFileError, match="答应过的改动到第") as caught:
            opened(copy)
        assert caught.value.code == "library_damaged"
    (folder / "library.lock").unlink()
    lost = Model.fresh()
    for operation in DONE[:-1]:
        lost = lost.applied(operation)
    agree(copy, [lost], index_damaged=True)


@HOW_MANY
def test_a_damaged_generation_is_built_anew(used: tuple[Path, Model], tmp_path: Path, flips: int) -> None:
    place, model = used
    found: Counter[str] = Counter()
    for name in generation_files(place):
        found += each_damage(
            place,
            name,
            tmp_path,
            lambda copy, _: str(bool(agree(copy, [model], index_damaged=True))),
            max(1, flips // 5),
        )
    assert set(found) == {"True"}


@HOW_MANY
def test_a_damaged_backup_is_refused_or_whole(used: tuple[Path, Model], tmp_path: Path, flips: int) -> None:
    place, model = used

    def outcome(copy: Path, path: Path) -> str:
        try:
            restore(settings_of(copy), path)
        except CewenError as error:
            check_said(error, path)
            start(copy, model)
            return "refused"
        agree(copy, [model])
        return "whole"

    found = each_damage(place, "copy.sqlite3", tmp_path, outcome, 2 * flips)
    assert found["refused"]


@HOW_MANY
@pytest.mark.parametrize("name", [KEYS, FEEDBACK])
def test_damaged_small_files_are_refused_by_name_or_as_they_were(
    used: tuple[Path, Model], tmp_path: Path, name: str, flips: int
) -> None:
    def outcome(copy: Path, path: Path) -> str:
        data = settings_of(copy).data_dir
        try:
            if name == KEYS:
                KeyStore(data).check()
                kept = [stored.name for stored in KeyStore(data).all()] == ["甲"]
            else:
                FeedbackStore(data).record("ans_2", "down", "")
                kept = True
        except CewenError as error:
            check_said(error, path)
            return "refused"
        return "whole" if kept else "changed"

    found = each_damage(used[0], f"data/{name}", tmp_path, outcome, flips)
    print(dict(found))  # noqa: T201


LIMITED = """
import resource, sys
from pathlib import Path
from rag.errors import CewenError
from tests.fault_library import *
folder = Path(sys.argv[1])
with small(), opened(folder) as library:
    unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
    for limit in (1, 100_000, 400_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
        try:
            job = library.add("default", upload_of({"number": 30}))
            job = library.wait(job.job_id, 60)
            print(job.state, job.error_code)
        except CewenError as error:
            print(error.code, "请检查" in error.message)
        library.live().write_generation(always=True)
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
"""


def test_a_full_disk_refuses_and_nothing_else(used: tuple[Path, Model], tmp_path: Path) -> None:
    place, model = used
    copy = shutil.copytree(place, tmp_path / "place")
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(copy)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    )
    assert run.returncode == 0, run.stderr
    first, *_, last = run.stdout.splitlines()
    assert first == "library_unwritable True"
    assert last == "done None"
    assert "Traceback" not in run.stderr
    agree(copy, [model.applied({"do": "add", "number": 30})])
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] != 1
    assert list(check(settings_of(copy))) == []
