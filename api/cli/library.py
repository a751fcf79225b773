"""`cewen collections`, `reindex`, `backup`, `restore` and `check`: the library as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.console import counting_bar, harmless, stderr_console, stdout_console, write_json
from api.cli.interrupting import explaining_interruption
from api.cli.opening import holdings, parts_of
from api.cli.options import Collection, OneLine, OtherUrl
from rag.errors import IndexFileError

if TYPE_CHECKING:
    from api.cli.parts import Finding

REINDEX_HELP = "把一个文库重新编码，可以换编码模型；完成之前照旧用原来的。"
BACKUP_HELP = "把本机的文库备份成一个文件；服务运行时也可以。"
RESTORE_HELP = "用备份恢复本机的文库；原来的留在旁边。"
CHECK_HELP = "逐一核对本机的文库和索引：校验和、向量、每一行在原文的位置。"

_UNSOUND = 2

Name = Annotated[str, typer.Argument(metavar="NAME", help="文库的名称")]

app = typer.Typer(help="列出、建立、删除文库（各自独立的语料）。", add_completion=False)


@app.command("list", help="列出全部文库。")
def list_collections(context: typer.Context, as_json: OneLine = False, url: OtherUrl = None) -> None:
    """List the collections."""
    from api.cli.show_library import show_collections

    with holdings(context, url, writable=None) as library:
        found = [one.model_dump() for one in library.collections()]
    if as_json:
        write_json(json.dumps({"collections": found}, ensure_ascii=False))
    else:
        show_collections(stdout_console(), harmless(found))


@app.command("create", help="建一个空的文库。")
def create(
    context: typer.Context,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="1 到 64 个小写字母、数字、- 和 _，以字母或数字开头")
    ],
    as_json: OneLine = False,
    url: OtherUrl = None,
) -> None:
    """Create a collection."""
    with holdings(context, url) as library:
        made = library.create_collection(name)
    if as_json:
        write_json(made.model_dump_json())
    else:
        stdout_console().print(f"已建立文库 {made.name}。添加文档：cewen add --collection {made.name} FILE")


@app.command("remove", help="删除一个文库和其中的一切，不能恢复；default 只清空。")
def remove(context: typer.Context, name: Name, as_json: OneLine = False, url: OtherUrl = None) -> None:
    """Remove a collection."""
    with holdings(context, url) as library:
        gone = library.remove_collection(name)
    if as_json:
        write_json(gone.model_dump_json())
    else:
        stdout_console().print(f"已删除文库 {gone.name}，其中有 {gone.documents} 篇文档。")


def reindex(
    context: typer.Context,
    encoder: Annotated[
        str | None, typer.Option(metavar="NAME", help="换成哪个编码模型；默认用设置里的")
    ] = None,
    as_json: OneLine = False,
    collection: Collection = "default",
    url: OtherUrl = None,
) -> None:
    """Encode a collection anew."""
    with (
        explaining_interruption(),
        holdings(context, url, encodes=True) as library,
        counting_bar(stderr_console(), "重新编码") as told,
    ):
        job = library.reindex(collection, encoder, lambda done, total: told(collection, done, total))
    if as_json:
        write_json(job.model_dump_json())
    else:
        said = f"已重新编码，共 {job.total} 行" if job.total else "的向量都已是这个模型的，没有要编码的"
        stdout_console().print(f"文库 {collection} {said}。")


def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="写到哪个文件；已有的不会覆盖")],
) -> None:
    """Back the library up."""
    from api.cli.parts import settings_for

    parts_of(context).backup(settings_for(None, None), target)
    stdout_console().print(f"已备份到 {target}，并核对无误。")


def restore(
    context: typer.Context,
    source: Annotated[Path, typer.Argument(metavar="FILE", help="cewen backup 写的文件")],
) -> None:
    """Restore the library."""
    from api.cli.parts import settings_for

    parts_of(context).restore(settings_for(None, None), source)
    stdout_console().print("已恢复。原来的文库留在旁边，文件名以 .before-restore 结尾；确认无误后可以删去。")


def check(
    context: typer.Context,
    quick: Annotated[bool, typer.Option("--quick", help="只核对存储和索引，不重切每篇原文")] = False,
    as_json: OneLine = False,
) -> None:
    """Check everything; exit code 2 if anything is wrong."""
    from api.cli.parts import settings_for
    from api.cli.show_library import show_finding

    found: list[dict[str, str]] = []
    for fields in _findings(parts_of(context).check(settings_for(None, None), not quick)):
        found.append(fields)
        if not as_json:
            show_finding(stdout_console(), harmless(fields))
    if as_json:
        write_json(json.dumps({"findings": found}, ensure_ascii=False))
    elif not found:
        stdout_console().print("核对完毕，没有发现问题。")
    else:
        stderr_console().print(f"共 {len(found)} 处问题。")
    if found:
        raise typer.Exit(_UNSOUND)


def _findings(findings: Iterable[Finding]) -> Iterator[dict[str, str]]:
    """What was found; damage that ends the check early is the last of it.

    Raises:
        IndexFileError: If the check cannot even begin.
    """
    begun = False
    try:
        for finding in findings:
            begun = True
            yield {"place": finding.place, "problem": finding.problem, "next_step": finding.next_step}
    except IndexFileError as error:
        if not begun:
            raise
        ended = "先处理以上的问题，再核对一次"
        yield {"place": "核对到此为止", "problem": error.message, "next_step": ended}
