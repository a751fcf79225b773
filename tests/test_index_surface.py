"""The shape of the package: what it offers, and that its imports go down only."""

from __future__ import annotations

import ast
from pathlib import Path

import index

LEVELS = (
    {"files", "order", "arrays", "layout", "recipe"},
    {"background", "postings", "manifest", "flat"},
    {"vectors", "lexical", "reader"},
    {"segments", "store"},
    {"build", "built"},
    {"check"},
)
FROM_RAG = {"rag.errors", "rag.records", "rag.corpus"}
FOLDER = Path(index.__file__).parent


def imports(name: str) -> set[str]:
    """What a module imports; of a package, what its modules import from outside it."""
    found: set[str] = set()
    for path in (FOLDER / name).glob("*.py") if (FOLDER / name).is_dir() else [FOLDER / f"{name}.py"]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                found.add(node.module)
    return {module for module in found if not f"{module}.".startswith(f"index.{name}.")}


def test_the_public_names_are_these() -> None:
    assert index.__all__ == [
        "DocumentStamp",
        "EncoderStamp",
        "Generation",
        "IndexRows",
        "LexicalIndex",
        "LiveIndex",
        "Manifest",
        "Recipe",
        "VectorIndex",
        "check_generation",
        "open_generation",
        "self_test",
        "write_generation",
    ]
    assert index.__all__ == sorted(index.__all__)
    assert all(hasattr(index, name) for name in index.__all__)


def test_every_module_stands_on_one_level() -> None:
    assert sorted(name for level in LEVELS for name in level) == sorted(
        {path.stem for path in FOLDER.glob("*.py") if path.stem != "__init__"}
        | {path.parent.name for path in FOLDER.glob("*/__init__.py")}
    )


def test_imports_go_down_only() -> None:
    below: set[str] = set()
    for level in LEVELS:
        for name in level:
            own = {module for module in imports(name) if module.split(".")[0] == "index"}
            assert own <= {f"index.{other}" for other in below}, name
        below |= level


def test_of_the_product_only_records_errors_and_the_corpus_are_known() -> None:
    for name in set().union(*LEVELS):
        foreign = {
            m for m in imports(name) if m.split(".")[0] in {"rag", "api", "evals", "langchain_text_splitters"}
        }
        assert foreign <= FROM_RAG, name
