"""`cewen eval selftest`: put every fault before the gate and show which gate stopped it."""

from __future__ import annotations

import json
from pathlib import Path

from rich.console import Console
from rich.table import Table

from evals.command import bar
from evals.evaluation import prepare
from evals.gate_config import read_gate_config
from evals.outputs import write_text
from evals.paths import question_set, settings_for
from evals.sabotage import Trial, try_gate


def selftest_command(split: str, gates: Path | None, out: Path, console: Console | None = None) -> bool:
    """Run the self-test in this process and show it.

    Args:
        split: Which questions, or "all".
        gates: The gate's configuration; the project's own if None.
        out: Where `selftest.json` goes.
        console: Where to show it; stdout if None.

    Returns:
        Whether every fault was stopped by a gate that had to.

    Raises:
        CewenError: If it could not run.
    """
    from evals.service_engine import subject_of
    from evals.workshop import EngineWorkshop
    from rag.settings import read_settings

    console = console or Console()
    chosen = question_set(None, gates)
    config = read_gate_config(chosen.gates)
    settings = settings_for(read_settings(), None)
    with bar() as told:
        shop = EngineWorkshop(settings, told)
        subject = subject_of(shop.engine, settings)
        task = prepare(chosen.files, split, subject)
        healthy, trials = try_gate(task, subject, shop, config, told)
    console.print(trial_table(trials))
    for verdict in healthy:
        if not verdict.passed:
            console.print(f"完好的服务也没过 {verdict.name}：{verdict.got}", style="yellow")
    path = write_text(out / "selftest.json", selftest_json(trials))
    missed = [trial.fault.name for trial in trials if not trial.caught]
    said = f"没拦下：{'、'.join(missed)}" if missed else f"{len(trials)} 种故障都被拦下"
    console.print(f"{said}（{path}）", style="bold red" if missed else "bold green", soft_wrap=True)
    return not missed


def trial_table(trials: list[Trial]) -> Table:
    """One row for each fault."""
    table = Table(box=None)
    for title in ("", "故障", "说明", "拦下它的门", "另外变红"):
        table.add_column(title, no_wrap=title == "故障", overflow="fold")
    for trial in trials:
        table.add_row(
            "✓" if trial.caught else "✗",
            trial.fault.name,
            trial.fault.story,
            "\n".join(trial.caught) or f"应由 {'、'.join(trial.fault.caught_by)}",
            f"{len(trial.red) - len(trial.caught)} 道",
        )
    return table


def selftest_json(trials: list[Trial]) -> str:
    """The same as JSON."""
    rows = [
        {
            "fault": trial.fault.name,
            "must_be_caught_by": trial.fault.caught_by,
            "caught_by": trial.caught,
            "red": {verdict.name: verdict.got for verdict in trial.red},
        }
        for trial in trials
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"
