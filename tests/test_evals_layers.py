"""Who may import whom, and that nothing of the product leans on its evaluation."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent.parent
EVALS = sorted((PROJECT / "evals").glob("*.py"))

# From the bottom up; a module imports from lower levels only.
LEVELS = (
    ("sources", "svg", "question_line", "remembering"),
    ("measures",),
    ("schema", "service"),
    ("locate", "service_engine", "service_http", "verify"),
    ("result",),
    ("aggregate", "judge"),
    ("runner",),
    ("report",),
    ("baseline", "report_beir", "report_ragas", "report_trec"),
    ("compare", "gate_config"),
    ("gate",),
    ("evaluation", "paths", "report_html", "report_junit", "report_markdown"),
    ("outputs", "sabotage_index", "sabotage_services"),
    ("command", "sabotage", "template", "workshop"),
    ("selftest",),
    ("cli",),
)
LEVEL = {name: number for number, names in enumerate(LEVELS) for name in names}


def imported(path: Path) -> set[str]:
    """Full names of the modules that a file imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return names


def test_every_module_has_a_level() -> None:
    assert {path.stem for path in EVALS} - {"__init__"} == set(LEVEL) - {"measures"}


@pytest.mark.parametrize("path", EVALS, ids=lambda path: path.stem)
def test_imports_go_down(path: Path) -> None:
    own = LEVEL.get(path.stem, len(LEVELS))
    used = {name.split(".")[1] for name in imported(path) if name.startswith("evals.")}
    assert {name: LEVEL[name] for name in used if LEVEL[name] >= own} == {}


def test_measures_know_no_service_and_no_report() -> None:
    used = {name for path in (PROJECT / "evals" / "measures").glob("*.py") for name in imported(path)}
    assert {name for name in used if name.startswith(("evals.", "rag", "api", "index"))} <= {
        "evals.sources"
    } | {name for name in used if name.startswith("evals.measures")}


def test_the_product_does_not_lean_on_its_evaluation() -> None:
    found = {
        path.relative_to(PROJECT).as_posix(): names
        for package in ("rag", "index", "api")
        for path in (PROJECT / package).rglob("*.py")
        if (names := {name for name in imported(path) if name.split(".")[0] == "evals"})
    }
    assert set(found) <= {"api/cli/commands.py"}
