"""Each line of `code_sabotage` that is broken turns its test red, and the whole product does not.

The tests run on a copy of the project, in processes of their own. That each row still says what stands in the
code is checked here always, a few rows are tried, and all of them by `make nightly`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.code_sabotage import ADMITTING, CHANGING, MODELS, READING, SHOWING, STORING, TABLE, Sabotage

PROJECT = Path(__file__).resolve().parent.parent
FOLDERS = ("api", "cewen", "evals", "index", "rag", "seeds", "tests")
FILES = ("pyproject.toml", "README.md")
LEFT_OUT = ("__pycache__", "built", "fit", "out", ".lock")
PATIENCE_SECONDS = 600
SHOWN = 6000  # characters of the output, of a test that fails here
FEW = tuple(group[-1] for group in (STORING, ADMITTING, SHOWING, MODELS, READING, CHANGING))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project, to be broken."""
    target = tmp_path_factory.mktemp("copy") / "project"
    for name in FOLDERS:
        shutil.copytree(PROJECT / name, target / name, ignore=shutil.ignore_patterns(*LEFT_OUT))
    for name in FILES:
        shutil.copyfile(PROJECT / name, target / name)
    return target


def run(copy: Path, tests: Sequence[str]) -> tuple[int, str]:
    """Exit status and all the output of tests in the copy.

    All of it: where `CI` is set, the line of a failed test is followed by its whole message, however long.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": str(copy), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # loading takes longest
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "anyio", *tests],
        cwd=copy / "tests",
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def named_in(sabotages: Sequence[Sabotage]) -> list[str]:
    """What they must turn red, each once."""
    return list(dict.fromkeys(test for sabotage in sabotages for test in sabotage.test.split()))


def turns_red(copy: Path, sabotage: Sabotage) -> None:
    path = copy / sabotage.path
    whole = path.read_text("utf-8")
    path.write_text(whole.replace(sabotage.old, sabotage.new), encoding="utf-8")
    try:
        status, output = run(copy, named_in([sabotage]))
    finally:
        path.write_text(whole, encoding="utf-8")
    # A test has failed; that nothing could be collected or set up proves nothing.
    assert status == 1, output[-SHOWN:]
    assert re.search(r"^FAILED ", output, re.MULTILINE), output[-SHOWN:]


def test_every_row_says_what_stands_in_the_code() -> None:
    stale = [one for one in TABLE if (PROJECT / one.path).read_text("utf-8").count(one.old) != 1]
    assert stale == []
    assert len({sabotage.name for sabotage in TABLE}) == len(TABLE)


def test_the_copy_is_what_runs(copy: Path) -> None:
    command = "import api, cewen, evals, index, rag, tests; print(api.__file__, rag.__file__, tests.__file__)"
    told = subprocess.run(
        [sys.executable, "-B", "-c", command],
        cwd=copy / "tests",
        env=os.environ | {"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert [str(Path(one).parent.parent) for one in told.stdout.split()] == [str(copy)] * 3


def test_a_few_broken_lines_turn_their_tests_red(copy: Path) -> None:
    status, output = run(copy, named_in(FEW))
    assert status == 0, output[-SHOWN:]
    for sabotage in FEW:
        turns_red(copy, sabotage)


@pytest.mark.nightly
def test_without_a_broken_line_all_of_them_are_green(copy: Path) -> None:
    status, output = run(copy, named_in(TABLE))
    assert status == 0, output[-SHOWN:]


@pytest.mark.nightly
@pytest.mark.parametrize("sabotage", TABLE, ids=[sabotage.name for sabotage in TABLE])
def test_a_broken_line_turns_its_test_red(copy: Path, sabotage: Sabotage) -> None:
    turns_red(copy, sabotage)
