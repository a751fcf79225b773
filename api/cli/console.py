"""The terminal: UTF-8 streams, consoles for people, the progress bar, error messages.

What is data goes to stdout, everything else to stderr, so that a pipe carries only what was asked for.
Colour is rich's decision (none when piped, with `NO_COLOR` or on a dumb terminal). What an answer looks
like is `api.cli.show`'s business.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from rag.errors import CewenError

Progress = Callable[[str, int, int], None]
"""Called with (what is being encoded, rows done, rows in all)."""

_NAME_CHARS = 40
_PIPE_COLUMNS = 1000  # nothing is folded for a program; tables are as wide as their content
_CONTROLS = dict.fromkeys((*range(9), *range(11, 32), *range(127, 160)), " ")
_ENCODED = {"chunk": "段块", "sentence": "句子", "window": "上下文"}


def harmless(value: Any) -> Any:
    """JSON with a space for every character in it that a terminal would act on; line ends and tabs stay.

    What a service elsewhere says is shown on somebody's terminal, and must not be able to drive it.
    """
    if isinstance(value, str):
        return value.translate(_CONTROLS)
    if isinstance(value, list):
        return [harmless(part) for part in value]
    if isinstance(value, dict):
        return {name: harmless(part) for name, part in value.items()}
    return value


def force_utf8() -> None:
    """Write UTF-8 whatever the locale says; what UTF-8 cannot hold (lone surrogates) as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def stdout_console() -> Console:
    """A console on stdout that prints texts as they are; lines are wrapped on a terminal only."""
    return _console(stderr=False)


def stderr_console() -> Console:
    """The same on stderr."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    # Markup would swallow the [1] of an answer, and emoji would turn a colon-name-colon into a picture.
    console = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.soft_wrap = True
        console.width = _PIPE_COLUMNS
    return console


def write_json(line: str) -> None:
    """One line of JSON on stdout."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def report_error(error: CewenError) -> None:
    """An error's message and code on stderr."""
    stderr_console().print(Text(f"错误：{harmless(error.message)}（{error.code}）", style="red"))


@contextmanager
def progress_bar(console: Console) -> Iterator[Progress]:
    """Show on a terminal that the engine is being opened and how far the encoding is.

    Elsewhere a single line says that an index is being built, and nothing else.

    Args:
        console: Where to show it, stderr's.

    Yields:
        The function to tell.
    """
    from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task("正在打开模型和索引", total=None, count="")
    said: set[str] = set()

    def told(kind: str, done: int, total: int) -> None:
        doing = f"正在建索引：编码{_ENCODED.get(kind, kind)}"
        bar.update(task, description=doing, completed=done, total=total, count=f"{done}/{total}")
        if not (said or console.is_terminal):
            console.print(f"正在建索引，要编码 {total} 行；语料和设置不变，以后就不必再建。")
        said.add(kind)

    with _shown(bar, console):
        yield told


@contextmanager
def counting_bar(console: Console, doing: str) -> Iterator[Progress]:
    """Show on a terminal how far a command is; elsewhere nothing.

    Args:
        console: Where to show it, stderr's.
        doing: What it does.

    Yields:
        The function to tell of each item.
    """
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=30),
        TextColumn("{task.fields[count]}"),
        TimeElapsedColumn(),
    )
    bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
    task = bar.add_task(doing, total=None, count="")

    def told(name: str, done: int, total: int) -> None:
        shown = harmless(name).replace("\n", " ")[-_NAME_CHARS:]
        bar.update(task, description=f"{doing} {shown}", completed=done, total=total, count=f"{done}/{total}")

    with _shown(bar, console):
        yield told


@contextmanager
def _shown(bar: Any, console: Console) -> Iterator[None]:
    try:
        with bar:
            yield
    finally:
        if console.is_terminal:
            console.show_cursor(True)
