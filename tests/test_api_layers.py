"""The order of the modules of `api`: each imports only from levels below its own."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import api

FOLDER = Path(api.__file__).parent
LEVELS = [
    {"data_file", "filter_schemas", "library_records"},
    {
        "settings",
        "ports",
        "schemas",
        "rendering",
        "strict_json",
        "validation_messages",
        "source_page",
        "reference",
        "openapi_examples",
        "openapi_tools",
        "keys",
        "doctor",
    },
    {"error_codes", "convert", "document_schemas", "error_shapes", "fixed_library", "links"},
    {"errors", "declared_errors", "document_convert", "engine_slot", "openapi_document"},
    {"middleware", "limits", "auth", "streaming", "http_protocol"},
    {"rate_limits", "foreign_pages", "uploads"},
    {
        "routes_answers",
        "routes_citations",
        "routes_collections",
        "routes_documents",
        "routes_examples",
        "routes_health",
        "routes_jobs",
        "openai_chat",
        "dify",
        "mcp_server",
        "observing",
    },
    {"routes_pages", "routes_uploads", "feedback"},
    {"app"},
    {"openapi"},
]
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


@pytest.mark.parametrize("name", LEVEL_OF)
def test_imports_go_down_only(name: str) -> None:
    files = sorted((FOLDER / name).glob("*.py")) or [FOLDER / f"{name}.py"]
    imported = set().union(*map(imports_of, files))
    ours = {other.split(".")[1] for other in imported if other.startswith("api.")} & set(LEVEL_OF) - {name}
    assert {other for other in ours if LEVEL_OF[other] >= LEVEL_OF[name]} == set()
    assert not {other for other in imported if other.split(".")[0] in {"index", "evals"}}
