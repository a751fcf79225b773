"""What changed in a library, for people on a terminal: what went well on stdout, what did not on stderr."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.console import harmless

if TYPE_CHECKING:
    from api.library.syncing import SyncReport

_SHOWN_NAMES = 20


def show_added(
    console: Console,
    errors: Console,
    added: Sequence[Mapping[str, Any]],
    failures: Sequence[Mapping[str, str]],
) -> None:
    """What was added, a line a file, and what was not."""
    for one in harmless(added):
        done = "已添加" if one["created"] else "早已在库里"
        ids = "、".join(one["document_ids"])
        console.print(
            Text(f"{done}：{one['name']} · 文稿 {one['source_id']} · {len(one['document_ids'])} 篇 · {ids}")
        )
        for note in one["notes"]:
            errors.print(Text(f"{one['name']}：{note}", style="yellow"))
    _show_failures(errors, failures)


def show_removed(console: Console, removed: Sequence[Mapping[str, Any]]) -> None:
    """What was removed."""
    for one in harmless(removed):
        console.print(Text(f"已删除：{'、'.join(one['document_ids'])} · 文稿 {one['source_id']}"))


def show_sync(console: Console, errors: Console, report: SyncReport, *, dry_run: bool) -> None:
    """What a sync did, or would do."""
    would = "会" if dry_run else "已"
    _show_names(console, f"{would}添加", report.added, "green")
    _show_names(console, f"{would}替换", report.replaced, "green")
    _show_names(console, f"{would}删除", report.removed, "yellow")
    renamed = [f"{old} → {name}" for old, name in report.renamed]
    _show_names(console, f"{would}改名", renamed, "green")
    _show_names(console, "属于别处，没有动", report.elsewhere, "dim")
    _show_names(console, "曾被删除，没有添加", report.deleted, "dim")
    _show_names(console, "与别的文件内容相同", report.duplicates, "dim")
    _show_names(errors, "文件夹没有读全，所以没有删除", report.withheld, "yellow")
    for name, note in report.notes:
        errors.print(Text(harmless(f"{name}：{note}"), style="yellow"))
    _show_failures(
        errors, [{"name": one.name, "code": one.code, "message": one.message} for one in report.failed]
    )
    renames = f"（其中改名 {len(renamed)}）" if renamed else ""
    counts = (
        f"添加 {len(report.added)}，替换 {len(report.replaced)}，删除 {len(report.removed)}，"
        f"未变 {len(report.unchanged)}{renames}，失败 {len(report.failed)}"
    )
    console.print(Text(counts + ("（只是预演，什么也没有改）" if dry_run else ""), style="bold"))


def show_collections(console: Console, collections: Sequence[Mapping[str, Any]]) -> None:
    """A table of collections."""
    table = Table(box=None, pad_edge=False)
    for heading in ("名称", "文档", "文稿", "段落块", "编码模型", "可信度依据", "建立"):
        table.add_column(heading, overflow="fold")
    for one in collections:
        fields = ("name", "documents", "sources", "chunks", "encoder", "calibration", "created_at")
        table.add_row(*(Text(str(one[field])) for field in fields))
    console.print(table)


def show_finding(console: Console, finding: Mapping[str, str]) -> None:
    """One thing that is not as it should be."""
    console.print(Text(finding["place"], style="bold red"))
    console.print(Text(f"    {finding['problem']}"))
    console.print(Text(f"    下一步：{finding['next_step']}", style="dim"))


def _show_names(console: Console, what: str, names: Sequence[str], style: str) -> None:
    for name in names[:_SHOWN_NAMES]:
        console.print(Text(harmless(f"{what}：{name}"), style=style))
    if len(names) > _SHOWN_NAMES:
        console.print(Text(f"{what}：另有 {len(names) - _SHOWN_NAMES} 个，用 --json 查看", style=style))


def _show_failures(errors: Console, failures: Sequence[Mapping[str, str]]) -> None:
    for one in failures:
        told = harmless(f"失败：{one['name']}：{one['message']}（{one['code']}）")
        errors.print(Text(told, style="red"))
