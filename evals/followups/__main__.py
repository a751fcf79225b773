"""`python -m evals.followups`: how much answers lose when a question leans on the conversation."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from evals.command import bar, opened
from evals.followups.paired_forms import Comparison, Share, compare_forms
from evals.schema import load_questions
from rag.errors import CewenError

QUESTIONS = Path(__file__).resolve().parent / "questions.jsonl"


def main(
    seeds: Annotated[Path | None, typer.Option(help="corpus folder instead of the settings' one")] = None,
    questions: Annotated[Path, typer.Option(help="question file with stand-alone forms")] = QUESTIONS,
    as_json: Annotated[bool, typer.Option("--json", help="print JSON instead of a table")] = False,
) -> None:
    """Ask every follow-up with its history and as its stand-alone form, and compare."""
    try:
        asked = [question for file in load_questions([questions]) for question in file.questions]
        with bar() as told, opened(None, seeds, told) as subject:
            found = compare_forms(asked, subject, lambda done, total: told("提问", done, total))
    except CewenError as error:
        typer.echo(error.message, err=True)
        raise typer.Exit(2) from error
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False, indent=1))
    else:
        show(found, Console())


def show(found: Comparison, console: Console) -> None:
    """The table."""
    table = Table(box=None, title=f"追问 {len(found.followup)} 题：带上文追问，对照独立问法")
    for name in ("", "追问", "独立问法", "差（百分点）", "好/差", "p"):
        table.add_column(name, justify="left" if not name else "right", no_wrap=True)
    for row in found.rows:
        paired = row.paired
        table.add_row(
            row.label,
            _said(row.followup),
            _said(row.standalone),
            f"{row.points:+.1f}",
            f"{paired.better}/{paired.worse}",
            f"{paired.p_value:.3f}",
        )
    console.print(table)


def _said(share: Share) -> str:
    return f"{share.count}/{share.total} {share.value:.2f} [{share.low:.2f}, {share.high:.2f}]"


if __name__ == "__main__":
    typer.run(main)
