"""What a record becomes: whose words are kept, and when."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

import pytest

from api.observing.logs import JsonFormatter, TextFormatter
from api.observing.requests import CURRENT, ObservedRequest
from rag.errors import CitationError, InputError

SECRET = "芝麻开门"


@pytest.fixture
def within() -> Iterator[None]:
    token = CURRENT.set(ObservedRequest("r-1", "native"))
    yield
    CURRENT.reset(token)


def record(
    name: str = "api.errors.handling", message: str = "it failed", error: Exception | None = None
) -> logging.LogRecord:
    info = (type(error), error, error.__traceback__) if error else None
    made = logging.LogRecord(name, logging.ERROR, "module.py", 7, message, (), info)
    made.created = 1_767_225_600.25
    return made


def raised(error: Exception) -> Exception:
    try:
        try:
            raise KeyError(SECRET)
        except KeyError as cause:
            raise error from cause
    except Exception as caught:  # noqa: BLE001 -- whatever the test wants
        return caught


def as_json(made: logging.LogRecord) -> dict[str, object]:
    line = JsonFormatter().format(made)
    assert "\n" not in line
    row: dict[str, object] = json.loads(line)
    return row


def test_a_plain_record() -> None:
    assert as_json(record()) == {
        "time": "2026-01-01T00:00:00.250Z",
        "level": "error",
        "logger": "api.errors.handling",
        "message": "it failed",
    }
    assert TextFormatter().format(record()).endswith(" ERROR api.errors.handling it failed")


def test_the_request_is_named(within: None) -> None:
    assert as_json(record())["request_id"] == "r-1"


@pytest.mark.parametrize("error", [ValueError(SECRET), ExceptionGroup(SECRET, [ValueError(SECRET)])])
def test_in_a_request_an_exception_loses_its_words(within: None, error: Exception) -> None:
    made = record(error=raised(error))
    told = str(as_json(made)["exception"])
    assert TextFormatter().format(made).endswith(f"it failed\n{told}")
    assert SECRET not in told
    assert told.index("builtins.KeyError") < told.index(f"builtins.{type(error).__name__}")
    assert "test_observing_logs.py" in told
    assert "builtins.ValueError" in told


def test_outside_it_keeps_them() -> None:
    assert f"ValueError: {SECRET}" in str(as_json(record(error=raised(ValueError(SECRET))))["exception"])


@pytest.mark.parametrize("name", ["uvicorn.error", "asyncio", "mcp.server.lowlevel.server", "root"])
def test_who_speaks_of_requests_from_outside_keeps_none(name: str) -> None:
    row = as_json(record(name, error=raised(ValueError(SECRET))))
    assert SECRET not in str(row)


def test_a_library_says_only_where(within: None) -> None:
    row = as_json(record("mcp.server", f"cannot read {SECRET}"))
    assert row["message"] == "(message left out, see module:7)"
    assert as_json(record("uvicorn.error", "Invalid HTTP request received."))["message"].startswith("Invalid")  # type: ignore[attr-defined]


def test_errors_of_ours_say_what_they_say_but_for_those_about_the_input(within: None) -> None:
    assert as_json(record(error=CitationError("对不上。")))["exception"] == "对不上。 (citation_mismatch)"
    assert as_json(record(error=InputError(f"看不懂 {SECRET}。")))["exception"] == "invalid_request"
    line = TextFormatter().format(record(error=CitationError("对不上。")))
    assert line.endswith("it failed: 对不上。 (citation_mismatch)")


def test_what_utf8_cannot_hold_is_an_escape() -> None:
    assert "\\udcff" in JsonFormatter().format(record(message="\udcff"))
