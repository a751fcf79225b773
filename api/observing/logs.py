"""The log of `cewen serve`: lines for people, or one JSON object a line for programs, both on stderr.

Our messages hold codes and counts. What is not ours may quote what somebody typed: the text of an exception,
the message of a library. So where a request may be the cause, an exception is written as its kind and the
places it passed, a library's message as the place it comes from. Our own errors, whose words are for people,
keep them unless they are about the input.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.text import Text

from api.observing.requests import CURRENT
from rag.errors import CewenError, InputError

_OURS = ("api", "index", "rag")
_HARMLESS = frozenset({*_OURS, "uvicorn", "opentelemetry", "py"})
"""Whose messages quote nobody (`py.warnings` are those of Python)."""
_OF_REQUESTS = frozenset({"uvicorn", "asyncio", "mcp", "root"})
"""Who speaks of requests from outside of them, when the request's context is left."""
_LINE = "%(asctime)s %(levelname)s %(name)s %(message)s"


def message_of(record: logging.LogRecord) -> str:
    """A record's message, or where it comes from if it may quote somebody."""
    if _top(record) in _HARMLESS or not _of_request(record):
        return record.getMessage()
    return f"(message left out, see {record.module}:{record.lineno})"


def exception_of(record: logging.LogRecord) -> str:
    """A record's exception as the log may hold it; "" if there is none."""
    error = record.exc_info[1] if record.exc_info else None
    if error is None:
        return ""
    if isinstance(error, CewenError):
        quotes = _of_request(record) and isinstance(error, InputError)
        return error.code if quotes else f"{error.message} ({error.code})"
    if not _of_request(record):
        return "".join(traceback.format_exception(error)).rstrip()
    return "\n".join(_without_words(error, set()))


def _of_request(record: logging.LogRecord) -> bool:
    return CURRENT.get() is not None or _top(record) in _OF_REQUESTS


def _top(record: logging.LogRecord) -> str:
    return record.name.partition(".")[0]


def _without_words(error: BaseException, seen: set[int]) -> Iterator[str]:
    """Kind and places of an exception and of those that it came from, the first cause first."""
    seen.add(id(error))
    earlier = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if earlier is not None and id(earlier) not in seen:
        yield from _without_words(earlier, seen)
    yield "Traceback (most recent call last):"
    yield "".join(traceback.format_tb(error.__traceback__)).rstrip()
    code = f" ({error.code})" if isinstance(error, CewenError) else ""
    yield f"{type(error).__module__}.{type(error).__qualname__}{code}"
    if isinstance(error, BaseExceptionGroup):
        for part in error.exceptions:
            if id(part) not in seen:
                yield from _without_words(part, seen)


class TextFormatter(logging.Formatter):
    """A line for people; the traceback of a fault below it."""

    def __init__(self) -> None:
        super().__init__(_LINE)

    def format(self, record: logging.LogRecord) -> str:
        """The record as text."""
        bare = {"msg": message_of(record), "args": (), "exc_info": None, "exc_text": None}
        line = super().format(logging.makeLogRecord({**record.__dict__, **bare}))
        told = exception_of(record)
        between = "\n" if "\n" in told else ": "
        return f"{line}{between}{told}" if told else line


class JsonFormatter(logging.Formatter):
    """One JSON object, without line ends."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON."""
        row: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": message_of(record),
        }
        row["time"] = row["time"].replace("+00:00", "Z")
        if request := CURRENT.get():
            row["request_id"] = request.request_id
        row |= getattr(record, "access", {})
        if told := exception_of(record):
            row["exception"] = told
        # What UTF-8 cannot hold stays an escape; Han characters are written as they are.
        return json.dumps(row, ensure_ascii=False).encode("utf-8", "backslashreplace").decode("utf-8")


class _ConsoleHandler(logging.Handler):
    """Lines through the console, so that they and the progress bar do not overwrite each other."""

    def __init__(self, console: Console) -> None:
        super().__init__()
        self._console = console
        self.setFormatter(TextFormatter())

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(Text(self.format(record)), soft_wrap=True)


def log_to(console: Console, level: str, *, as_json: bool) -> None:
    """Our own messages at the level set, those of libraries from WARNING up; replaces what there was.

    Args:
        console: Stderr's, for lines for people.
        level: "debug", "info", "warning" or "error".
        as_json: Whether to write JSON instead, straight to stderr.
    """
    handler: logging.Handler = _ConsoleHandler(console)
    if as_json:
        handler = logging.StreamHandler()
        handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.captureWarnings(capture=as_json)
    for name in _OURS:
        logging.getLogger(name).setLevel(level.upper())
    if not as_json:
        # Why the engine could not be opened is said once, when the service has ended.
        logging.getLogger("api.engine_slot").addFilter(lambda record: record.levelno < logging.ERROR)
