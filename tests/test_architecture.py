"""The shape of the code: who imports whom, what importing costs, and how long things are.

What each package may import of the others stands in `docs/architecture.md` and is checked by `test_docs`;
the levels inside `api`, `evals` and `index` are checked beside their own tests. Here stand the levels of
`rag`, and what holds everywhere.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from rag.records import Source

PROJECT = Path(__file__).resolve().parent.parent
PACKAGES = ("cewen", "rag", "index", "api", "evals")

# From the bottom up. An entry names a module, or a folder but for its modules that have entries of their own;
# it imports itself and lower levels only.
LEVELS = (
    ("rag.errors", "rag.records", "rag.labels", "rag.question_patterns", "rag.ranking.arms"),
    ("rag.text", "rag.context"),
    (
        "rag.settings",
        "rag.inputs",
        "rag.reading",
        "rag.chunking",
        "rag.encoding",
        "rag.names",
        "rag.enumerations",
        "rag.once",
        "rag.calendar_dates",
        "rag.web_address",
    ),
    ("rag.question", "rag.dialogue", "rag.converting", "rag.metadata", "rag.rows"),
    ("rag.answering.generator", "rag.answering.citations", "rag.kept_rows", "rag.placed_rows"),
    ("rag.keeping", "rag.row_maps"),
    ("rag.corpus",),
    ("rag.structure", "rag.scope"),
    ("rag.ranking",),
    ("rag.retrieval", "rag.llm"),
    ("rag.confidence",),
    ("rag.answering",),
    ("rag.searching", "rag.judging"),
    ("rag.examples",),
    ("rag.engine",),
)
LEVEL_OF = {entry: level for level, entries in enumerate(LEVELS) for entry in entries}

HEAVY = (
    "torch",
    "faiss",
    "sentence_transformers",
    "transformers",
    "scipy",
    "rjieba",
    "opencc",
    "lxml",
    "pypdf",
)
MODULE_MAX_LINES = 260
FUNCTION_MAX_LINES = 60
LONG_MODULES = {"rag.records": "the nouns of the whole project, data only, meant to be read in one go"}


@lru_cache(maxsize=1)
def modules() -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    found: dict[str, Path] = {}
    for package in PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            parts = path.relative_to(PROJECT).with_suffix("").parts
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(tree: ast.AST) -> Iterator[str]:
    """Names imported anywhere but under `if TYPE_CHECKING:`; `a.b` and `a.b.c` of `from a.b import c`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"relative import of {node.module}"
            yield str(node.module)
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        else:
            yield from imports(node)


@lru_cache(maxsize=1)
def graph() -> dict[str, set[str]]:
    """For each module of ours the modules of ours that it imports, lazily or not."""
    known = modules()
    return {
        name: {other for other in imports(ast.parse(path.read_text("utf-8"))) if other in known} - {name}
        for name, path in known.items()
    }


def entry_of(module: str) -> str:
    """The entry of the table that a module of `rag` belongs to: the longest that fits."""
    fitting = [entry for entry in LEVEL_OF if module == entry or module.startswith(f"{entry}.")]
    return max(fitting, key=len, default="")


def test_every_module_of_rag_has_a_level() -> None:
    homeless = [name for name in modules() if name.startswith("rag.") and not entry_of(name)]
    assert homeless == []
    assert all(any(entry_of(name) == entry for name in modules() if name != "rag") for entry in LEVEL_OF)


def test_imports_of_rag_go_down_only() -> None:
    wrong = [
        f"{name} imports {other}"
        for name, others in graph().items()
        if name.startswith("rag.")
        for other in others
        if other.startswith("rag.")
        and entry_of(other) != entry_of(name)
        and LEVEL_OF[entry_of(other)] >= LEVEL_OF[entry_of(name)]
    ]
    assert wrong == []


def test_there_is_no_import_cycle() -> None:
    try:
        list(TopologicalSorter(graph()).static_order())
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def test_no_module_imports_from_the_root_of_its_own_package() -> None:
    """The root of a package is for outsiders; from inside it would make a cycle of everything."""
    roots = {name: path for name, path in modules().items() if "." not in name}
    empty = {name for name, path in roots.items() if not list(imports(ast.parse(path.read_text("utf-8"))))}
    wrong = [
        f"{name} imports {root}"
        for name, others in graph().items()
        for root in others & (set(roots) - empty)
        if name.startswith(f"{root}.")
    ]
    assert wrong == []


def test_rag_imports_no_other_package_and_nothing_imports_evals() -> None:
    for name, others in graph().items():
        tops = {other.split(".")[0] for other in others}
        if name.split(".")[0] == "rag":
            assert tops <= {"rag"}, name
        if name.split(".")[0] != "evals":
            assert "evals" not in tops, name


@pytest.mark.parametrize(
    ("module", "also"),
    [
        ("rag", ("numpy", "langchain_text_splitters")),
        ("cewen", ("fastapi", "numpy", "langchain_core", "llama_index", "rag", "api")),
        ("rag.engine", ()),
        ("index", ()),
        ("api", ("fastapi",)),
        ("api.assembly", ("fastapi",)),
        ("api.cli.commands", ("fastapi", "numpy", "langchain_text_splitters")),
        ("evals", ("numpy",)),
    ],
)
def test_importing_us_is_cheap(module: str, also: tuple[str, ...]) -> None:
    script = f"import sys, {module}; print(*sorted(set({HEAVY + also!r}) & set(sys.modules)))"
    run = subprocess.run(
        [sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, check=False
    )
    assert (run.returncode, run.stdout.strip()) == (0, ""), run.stderr


def test_modules_are_short() -> None:
    lines = {name: path.read_text("utf-8").count("\n") for name, path in modules().items()}
    long = {name: count for name, count in lines.items() if count > MODULE_MAX_LINES}
    assert set(long) == set(LONG_MODULES), long


def test_functions_are_short() -> None:
    long = {
        f"{name}.{node.name}": count
        for name, path in modules().items()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (count := (node.end_lineno or 0) - node.lineno + 1) > FUNCTION_MAX_LINES
    }
    assert long == {}


def test_every_setting_named_in_the_code_is_documented() -> None:
    page = PROJECT / "docs" / "settings.md"
    named = {
        setting
        for path in modules().values()
        for setting in re.findall(r"CEWEN_[A-Z]+(?:_[A-Z]+)*\b(?!_)", path.read_text("utf-8"))
    }
    documented = page.read_text("utf-8")
    assert sorted(setting for setting in named if setting not in documented) == []


def test_the_product_does_not_know_the_words_of_the_sample_corpus(seed_source: Source) -> None:
    """Its authors, and the terms that it puts in quotation marks, stand in no code and no data of ours."""
    quoted = set(re.findall(r"“([^“”，。\s]{4,12})”", seed_source.text))
    authors = {"江优优", "田方林", "殷俊", "甘田", "金华宝"}
    assert len(quoted) > 20
    assert all(author in seed_source.text for author in authors)
    for package in ("rag", "index", "api"):
        for path in sorted((PROJECT / package).rglob("*")):
            if path.suffix in {".py", ".json", ".html", ".js", ".css", ".toml"} and "built" not in path.parts:
                text = path.read_text("utf-8")
                assert sorted(term for term in quoted | authors if term in text) == [], path
