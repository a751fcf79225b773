"""What `cewen eval` does, with a progress bar and a short table for people on the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast, get_args

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from evals.baseline import Baseline
from evals.evaluation import Outcome, evaluate, prepare, read_gate
from evals.gate import judge_gate
from evals.outputs import Export, write_outputs, write_text
from evals.paths import question_set, settings_for
from evals.report import Report
from evals.service import Subject
from rag.errors import ConfigError

_SHOWN = {
    "correct": "全对",
    "R@1": "R@1",
    "R@5": "R@5",
    "nDCG@10": "nDCG",
    "fact_coverage": "要点",
    "answer_chars": "字数",
    "false_answer": "误答",
    "false_refusal": "误拒",
}


Told = Callable[[str, int, int], None]
"""Called with (what is being done, how much is done, how much there is)."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """The command line, checked for nothing yet; see `evals.cli` for the meaning of each."""

    split: str
    gate: bool
    url: str | None
    seeds: Path | None
    questions: Path | None
    gates: Path | None
    baseline: Path | None
    write_baseline: bool
    out: Path
    exports: tuple[str, ...]


def run_command(options: RunOptions, console: Console | None = None) -> bool:
    """Run, write the reports, show the figures.

    Args:
        options: The command line.
        console: Where to show them; stdout if None.

    Returns:
        False if the gate was asked and is red.

    Raises:
        CewenError: If it could not run.
    """
    console = console or Console()
    exports = _exports(options.exports)
    chosen = question_set(options.questions, options.gates)
    config = place = baseline = None
    if options.gate or options.write_baseline or options.baseline or chosen.gates.is_file():
        config, place, baseline = read_gate(chosen.gates, options.baseline)
    frozen = frozenset(config.frozen_questions) if config else frozenset()
    with bar() as told, opened(options.url, options.seeds, told) as subject:
        task = prepare(chosen.files, options.split, subject)
        judged_by = config if options.gate else None
        outcome = evaluate(task, subject, config=judged_by, baseline=baseline, progress=told)
        accepted = Baseline.of(outcome.report)
        if options.write_baseline and judged_by:
            # Still compared with the old one for people, but judged by what is being accepted.
            outcome = replace(outcome, verdicts=judge_gate(outcome.report, judged_by, accepted))
        written = write_outputs(options.out, outcome, task, subject, exports, frozen)
    show(outcome, console)
    if options.write_baseline:
        if place is None:
            raise ConfigError(f"{chosen.gates.name} 里没有 baseline，也没有给 --baseline，不知道写到哪里。")
        written.append(write_text(place, accepted.to_json()))
    console.print(f"报告：{'、'.join(str(path) for path in written)}", style="dim", soft_wrap=True)
    return all(verdict.passed for verdict in outcome.verdicts or ())


@contextmanager
def opened(url: str | None, seeds: Path | None, told: Told | None = None) -> Iterator[Subject]:
    """The service at a URL, or in this process if there is none.

    Args:
        url: Base URL of a running server.
        seeds: Corpus folder to use instead of the settings' one.
        told: Of the encoding, where an index must be built.

    Raises:
        CewenError: If it cannot be opened.
    """
    from rag.settings import read_settings

    if url is not None:
        from evals.service_http import connect, new_client

        with new_client(url) as client:
            yield connect(client, seeds)
    else:
        from evals.service_engine import open_subject

        yield open_subject(settings_for(read_settings(), seeds), told)


@contextmanager
def bar() -> Iterator[Told]:
    """A progress bar on stderr, if that is a terminal; the function to tell it."""
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        tasks: dict[str, TaskID] = {}

        def told(doing: str, done: int, total: int) -> None:
            if doing not in tasks:
                tasks[doing] = shown.add_task(doing, total=total)
            shown.update(tasks[doing], completed=done, total=total)

        yield told


def show(outcome: Outcome, console: Console) -> None:
    """The figures of every group, what got worse, and what is red."""
    console.print(_figures(outcome.report))
    worse = [row for row in outcome.rows or () if row.is_worse and row.group == "overall"]
    for row in worse:
        console.print(
            f"变差 {row.measure}：{row.before:.3f} → {row.after:.3f}，"
            f"好 {row.paired.better} 差 {row.paired.worse}，p={row.paired.p_value:.3g}",
            style="yellow",
        )
    for verdict in outcome.verdicts or ():
        if not verdict.passed:
            ids = "、".join(verdict.question_ids[:8])
            console.print(f"✗ {verdict.name}：要求 {verdict.expected}；得到 {verdict.got} {ids}", style="red")
    if outcome.verdicts is not None:
        red = sum(not verdict.passed for verdict in outcome.verdicts)
        said = f"{red} 道门未过" if red else f"{len(outcome.verdicts)} 道门全部通过"
        console.print(said, style="bold red" if red else "bold green")


def _figures(report: Report) -> Table:
    table = Table(box=None)
    table.add_column("分组", no_wrap=True)
    for name in ("题数", *_SHOWN.values()):
        table.add_column(name, justify="right", no_wrap=True)
    for group in report.groups:
        cells = []
        for name in _SHOWN:
            value, places = group.measures[name].value, 0 if name == "answer_chars" else 2
            cells.append("—" if value is None else f"{value:.{places}f}")
        table.add_row(group.name, str(group.questions), *cells)
    return table


def _exports(names: tuple[str, ...]) -> tuple[Export, ...]:
    unknown = [name for name in names if name not in get_args(Export)]
    if unknown:
        raise ConfigError(f"没有 {unknown} 这种导出，可用的有：{'、'.join(get_args(Export))}。")
    return cast("tuple[Export, ...]", names)
