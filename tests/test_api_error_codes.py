from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import rag.errors
from api.errors.codes import CODES, row_of
from rag.errors import CewenError, InputError, NotFoundError, TooLargeError, UnavailableError

PROJECT = Path(__file__).parent.parent
DOCS = PROJECT / "docs" / "errors.md"
ROW = re.compile(r"^\| `(\w+)` \| (\d{3}) \| (.+?) \| (.+?) \|$", re.MULTILINE)


def test_the_documentation_is_the_table() -> None:
    documented = [
        (code, int(status), *words) for code, status, *words in ROW.findall(DOCS.read_text("utf-8"))
    ]
    assert documented == [(code, row.status, row.meaning, row.action) for code, row in CODES.items()]


def tree(root: type[CewenError]) -> Iterator[type[CewenError]]:
    yield root
    for branch in root.__subclasses__():
        if branch.__module__ == rag.errors.__name__:
            yield from tree(branch)


@pytest.mark.parametrize("kind", list(tree(CewenError)), ids=lambda kind: kind.__name__)
def test_every_error_of_the_tree_has_a_row(kind: type[CewenError]) -> None:
    assert kind.default_code in CODES
    assert row_of(kind("…")) is CODES[kind.default_code]


def codes_raised() -> Iterator[tuple[str, str]]:
    """Every literal `code="…"` in the product, with its file."""
    for folder in ("rag", "index", "api"):
        for path in sorted((PROJECT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.keyword(arg="code", value=ast.Constant(value=str(code))):
                        yield path.name, code


def test_every_code_raised_anywhere_has_a_row() -> None:
    raised = list(codes_raised())
    assert len(raised) > 10
    assert [(name, code) for name, code in raised if code not in CODES] == []


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (InputError("…", code="new"), 422),
        (NotFoundError("…", code="new"), 404),
        (TooLargeError("…", code="new"), 413),
        (UnavailableError("…", code="new"), 503),
        (CewenError("…", code="new"), 500),
    ],
)
def test_a_code_without_a_row_is_placed_by_its_class(error: CewenError, status: int) -> None:
    assert row_of(error).status == status


def test_types() -> None:
    assert {row.status: row.type for row in CODES.values()} == {
        400: "invalid_request",
        401: "authentication",
        403: "authentication",
        404: "not_found",
        405: "invalid_request",
        408: "invalid_request",
        409: "invalid_request",
        410: "not_found",
        413: "too_large",
        415: "invalid_request",
        422: "invalid_request",
        429: "unavailable",
        431: "too_large",
        500: "internal",
        503: "unavailable",
        504: "internal",
        507: "internal",
    }
