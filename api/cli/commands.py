"""The `cewen` command line: where all commands are mounted; the small ones stand here.

Each command reads its options, calls one function and prints; the work is done elsewhere. Importing this
module is cheap: torch, FAISS, sentence-transformers, FastAPI and uvicorn are imported by the command that
needs them. Documented in `docs/commands.md`, which a test compares with what stands here.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.asking import ASK_HELP, SEARCH_HELP, ask, search
from api.cli.calibrate import CALIBRATE_HELP, calibrate
from api.cli.console import progress_bar, stderr_console, stdout_console, write_json
from api.cli.doctor import HELP as DOCTOR_HELP
from api.cli.doctor import doctor
from api.cli.documents import ADD_HELP, LS_HELP, RM_HELP, SYNC_HELP, add, ls, rm, sync
from api.cli.group import CewenGroup
from api.cli.library import (
    BACKUP_HELP,
    CHECK_HELP,
    REINDEX_HELP,
    RESTORE_HELP,
    backup,
    check,
    reindex,
    restore,
)
from api.cli.opening import parts_of
from api.cli.options import IndexDir, OneLine, Seeds
from api.cli.parts import settings_for
from rag.errors import InputError

if TYPE_CHECKING:
    from api.assembly import Rebuild
    from api.ports import Engine, Library
    from rag.settings import Settings

app = typer.Typer(
    cls=CewenGroup,
    help="策问：用中文提问，得到逐句带引文的答案；文中没有说的，如实说没有。",
    epilog="退出码：0 已作答（包括如实说没有），1 输入有误，2 设置、语料、模型或索引不可用，130 被中断。",
    add_completion=False,
    pretty_exceptions_enable=False,
)

app.command("ask", help=ASK_HELP)(ask)
app.command("search", help=SEARCH_HELP)(search)
app.command("add", help=ADD_HELP)(add)
app.command("rm", help=RM_HELP)(rm)
app.command("ls", help=LS_HELP)(ls)
app.command("documents", help="同 cewen ls。")(ls)
app.command("sync", help=SYNC_HELP)(sync)
app.command("backup", help=BACKUP_HELP)(backup)
app.command("restore", help=RESTORE_HELP)(restore)
app.command("check", help=CHECK_HELP)(check)
app.command("reindex", help=REINDEX_HELP)(reindex)
app.command("calibrate", help=CALIBRATE_HELP)(calibrate)


@app.command("index", help="核对索引，没有或不符就建；语料或设置改了以后用。")
def index(
    context: typer.Context,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="不管现有的怎样，重新建")] = False,
    check: Annotated[bool, typer.Option("--check", help="只核对，不符就以退出码 2 结束")] = False,
    as_json: OneLine = False,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Build or verify the index."""
    from api.cli.show import show_index

    if rebuild and check:
        raise InputError("--rebuild 和 --check 只能用一个：前者重新建，后者只核对。")
    settings = settings_for(seeds, index_dir)
    wanted: Rebuild = "always" if rebuild else "never" if check else "if-needed"
    with progress_bar(stderr_console()) as told:
        summary = parts_of(context).open_index(settings, wanted, told)
    if as_json:
        fields = asdict(summary) | {"index_dir": str(summary.index_dir)}
        write_json(json.dumps(fields, ensure_ascii=False))
    else:
        show_index(stdout_console(), summary)


@app.command("serve", help="启动 REST 服务和网页；首次启动先建索引。")
def serve(
    context: typer.Context,
    host: Annotated[str | None, typer.Option(metavar="HOST", help="监听的地址；默认用设置里的")] = None,
    port: Annotated[
        int | None, typer.Option(metavar="PORT", help="监听的端口，0 为任选空闲的；默认用设置里的")
    ] = None,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Serve until interrupted."""
    settings = settings_for(seeds, index_dir, host=host, port=port)

    from api.cli.serve import serve as serve_until_interrupted

    serve_until_interrupted(settings, parts_of(context).open_serving)


@app.command("mcp", help="在标准输入输出上做 MCP 服务器，供 Claude Desktop 等客户端启动。")
def mcp(context: typer.Context, seeds: Seeds = None, index_dir: IndexDir = None) -> None:
    """Serve the Model Context Protocol until standard input ends."""
    settings = settings_for(seeds, index_dir)

    from api.mcp_server.stdio import serve_stdio

    serve_stdio(settings, lambda: _opened(context, settings))


app.command("doctor", help=DOCTOR_HELP)(doctor)


@app.command("settings", help="显示生效的设置：环境变量 CEWEN_* 优先，其次 .env，再次默认值。")
def settings(
    as_json: OneLine = False,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Print the effective settings."""
    from api.cli.show import show_settings

    effective = settings_for(seeds, index_dir)
    if as_json:
        write_json(effective.model_dump_json())
    else:
        show_settings(stdout_console(), effective)


def main() -> None:
    """Run the command line of this process."""
    app(prog_name="cewen")


def _opened(context: typer.Context, chosen: Settings) -> Engine | Library:
    with progress_bar(stderr_console()) as told:
        return parts_of(context).open_engine(chosen, told)
