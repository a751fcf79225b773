"""The order of the modules of `api`: each imports only from levels below its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import api

FOLDER = Path(api.__file__).parent
# From the bottom up: modules, and folders as wholes but for what starts a program.
LEVELS = [
    {"calibration_records"},
    {"data_file", "engine_parts", "library_records", "settings", "doctor"},
    {"library_changes"},
    {"cited_places", "ports", "pages", "keys"},
    {"fixed_library", "errors"},
    {"engine_slot", "wire", "guards"},
    {"uploads", "openapi"},
    {"routes", "openai_chat", "dify", "mcp_server", "observing"},
    {"feedback"},
    {"app"},
]
PROGRAMS = {"__main__", "file"}  # of `openapi`: they describe the whole app
LEVEL_OF = {name: level for level, names in enumerate(LEVELS) for name in names}


def imports_of(path: Path) -> set[str]:
    """Modules a file imports, as dotted names."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: relative import"
            names |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def files_of(name: str) -> list[Path]:
    """The files of a module or a folder."""
    folder = sorted(path for path in (FOLDER / name).glob("*.py") if path.stem not in PROGRAMS)
    return folder or [FOLDER / f"{name}.py"]


def test_everything_has_a_level() -> None:
    """But for the library, which has an order of its own, and what puts the parts together."""
    found = {path.stem for path in FOLDER.glob("*.py")} | {path.parent.name for path in FOLDER.glob("*/*.py")}
    assert found - {"__init__", "api"} == set(LEVEL_OF) | {"library", "assembly", "cli"}


@pytest.mark.parametrize("name", LEVEL_OF)
def test_imports_go_down_only(name: str) -> None:
    imported = set().union(*map(imports_of, files_of(name)))
    ours = {other.split(".")[1] for other in imported if other.startswith("api.")} & set(LEVEL_OF) - {name}
    assert {other for other in ours if LEVEL_OF[other] >= LEVEL_OF[name]} == set()
    assert not {other for other in imported if other.split(".")[0] in {"index", "evals"}}
