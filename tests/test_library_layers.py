"""The order of the modules of `api.library`: each imports only from levels below its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import api.library
from tests.test_api_layers import imports_of

FOLDER = Path(api.library.__file__).parent
# From the bottom up; what stands in one level does not know each other.
LEVELS = [
    {"attempts", "cuts", "labelled", "memory", "origins", "preparing"},
    {"probing", "resolving", "scratch", "syncing", "tasks"},
    {"job_states", "lanes", "mirroring", "snapshots"},
    {"jobs", "sizes"},
    {"folders", "generations", "lookup", "storing"},
    {"describing", "inheriting", "loading"},
    {"following", "seeding"},
    {"current"},
    {"collection"},
    {"correcting", "intake", "reindexing", "shelf"},
    {"reads"},
    {"library"},
    {"opening"},
    {"at_rest", "calibrating", "listing", "maintenance"},
]
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}
# What of `api` they may know beside each other; of other packages nothing that is above them.
BELOW = {"api.calibration_records", "api.engine_parts", "api.library_records"}


@pytest.mark.parametrize("name", sorted(LEVEL_OF))
def test_imports_go_down_only(name: str) -> None:
    imported = imports_of(FOLDER / f"{name}.py")
    ours = {
        other.removeprefix("api.library.").partition(".")[0]
        for other in imported
        if other.startswith("api.library.")
    }
    assert {other for other in ours & set(LEVEL_OF) if LEVEL_OF[other] >= LEVEL_OF[name]} == set()
    others = {
        other for other in imported if other.startswith("api.") and not f"{other}.".startswith("api.library.")
    }
    assert {other for other in others if ".".join(other.split(".")[:2]) not in BELOW} == set()
    assert not {
        other
        for other in imported
        if other.split(".")[0] in {"evals", "cewen", "fastapi", "typer", "sqlite3"}
    }


def test_every_module_has_a_level_and_is_told_of_in_order() -> None:
    assert set(LEVEL_OF) == {path.stem for path in FOLDER.glob("*.py")} - {"__init__"}
    told = re.findall(r"^- `(\w+)`:", str(api.library.__doc__), re.MULTILINE)
    assert sorted(told) == sorted(LEVEL_OF)
    assert [LEVEL_OF[name] for name in told] == sorted(LEVEL_OF[name] for name in told)
