"""The report on a terminal: surface by surface what the client shows, and in red what it loses."""

from __future__ import annotations

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from api.doctor.context import Context
from api.doctor.model import Finding, Level, Report, SurfaceReport, shortened

_INDENT = 4
_MOST_LINES = 5
_LINE_CHARS = 120
_SIGNS: dict[Level, tuple[str, str]] = {"ok": ("✓", "green"), "lost": ("✗", "red"), "skipped": ("–", "dim")}


def show_opening(console: Console, context: Context) -> None:
    """Which deployment, and what it is asked."""
    console.print(Text.assemble("策问体检 ", (context.connection.base_url, "bold cyan")))
    console.print(Text(f"问题：{context.question}"))
    answer = context.asked.answer
    if answer is not None and answer.status == "abstained":
        note = "这个问题它没有作答，所以没有引文可查。用 --question 换一个文库里有答案的问题，查得更全。"
        console.print(Text(note, style="yellow"))
    console.print()


def show_surface(console: Console, report: SurfaceReport) -> None:
    """One surface."""
    sign, style = _SIGNS["ok" if report.ok else "lost"]
    head = Text.assemble((f"{sign} {report.title}", f"bold {style}"), (f" · {report.client}", "dim"))
    console.print(head)
    for line in report.shown[:_MOST_LINES]:
        _indented(console, Text(f"│ {shortened(line, _LINE_CHARS)}"))
    if len(report.shown) > _MOST_LINES:
        _indented(console, Text(f"│ ……还有 {len(report.shown) - _MOST_LINES} 行", style="dim"))
    well = [_said(finding) for finding in report.findings if finding.level == "ok"]
    if well:
        _indented(console, Text(f"✓ {'；'.join(well)}", style="green"))
    for finding in report.findings:
        if finding.level != "ok":
            _show_finding(console, finding)
    console.print()


def show_closing(console: Console, report: Report) -> None:
    """What it comes to."""
    lost = [surface.title for surface in report.surfaces if not surface.ok]
    if lost:
        told = f"{len(report.surfaces)} 种客户端里，{len(lost)} 种有东西丢失：{'、'.join(lost)}"
        console.print(Text(told, style="bold red"))
    elif report.status == "answered":
        console.print(Text(f"{len(report.surfaces)} 种客户端都收到了全部内容。", style="bold green"))
    if report.status == "abstained":
        told = "" if lost else f"{len(report.surfaces)} 种客户端都收到了同样的弃答。"
        told += "这个问题没有作答，所以一条引文也没有核对到；用 --question 换一个文库里有答案的问题再查。"
        console.print(Text(told, style="bold yellow"))
    if report.fingerprint:
        console.print(Text(f"指纹 {report.fingerprint}", style="dim"))


def _show_finding(console: Console, finding: Finding) -> None:
    sign, style = _SIGNS[finding.level]
    _indented(console, Text(f"{sign} {_said(finding)}", style=style))
    if finding.level == "lost" and finding.advice:
        _indented(console, Text(f"  → {finding.advice}", style="yellow"))


def _said(finding: Finding) -> str:
    if not finding.detail:
        return finding.what
    if finding.level == "ok":
        return f"{finding.what}（{shortened(finding.detail, _LINE_CHARS)}）"
    return f"{finding.what}：{finding.detail}"


def _indented(console: Console, text: Text) -> None:
    if console.is_terminal:
        console.print(Padding(text, (0, 0, 0, _INDENT)))
    else:
        console.print(Text(" " * _INDENT) + text)
