"""`cewen doctor` as a command: reads its options, runs the examination, prints it, says by its exit code.

Importing this module costs nothing; httpx and the MCP SDK are imported when the command runs.
"""

from __future__ import annotations

import json
from typing import Annotated

import typer

from api.cli.options import OneLine

HELP = "对一个运行中的部署，逐个扮演各种客户端，说出每一种会丢失什么。"
TIMEOUT_SECONDS = 60.0
_LOST = 1


def doctor(
    url: Annotated[
        str | None, typer.Option("--url", metavar="URL", help="部署的地址；默认是设置里的主机和端口")
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            "--api-key", metavar="KEY", help="访问密钥；默认取 CEWEN_API_KEY，那样不会出现在进程列表里"
        ),
    ] = None,
    question: Annotated[
        str | None, typer.Option("--question", metavar="问题", help="问什么；默认是部署自己的第一个例题")
    ] = None,
    timeout: Annotated[
        float, typer.Option("--timeout", metavar="SECONDS", help="一个请求最多等多少秒")
    ] = TIMEOUT_SECONDS,
    as_json: OneLine = False,
) -> None:
    """Examine a deployment."""
    from api.cli.console import stdout_console, write_json
    from api.doctor.connection import Connection
    from api.doctor.context import Context
    from api.doctor.examination import as_json as report_json
    from api.doctor.examination import examine, report_of
    from api.doctor.show import show_closing, show_opening, show_surface
    from rag.inputs import check_question
    from rag.settings import local_address, read_settings

    settings = read_settings()
    address = url if url is not None else local_address(settings.host, settings.port)
    key = settings.api_key.get_secret_value() if api_key is None else checked_key(api_key)
    asked = "" if question is None else check_question(question)
    connection = Connection(address, key, timeout)
    try:
        context = Context(connection, asked)
        console = stdout_console()
        if not as_json:
            show_opening(console, context)
        surfaces = []
        for surface in examine(context):
            surfaces.append(surface)
            if not as_json:
                show_surface(console, surface)
        report = report_of(context, surfaces)
    finally:
        connection.close()
    if as_json:
        write_json(json.dumps(report_json(report), ensure_ascii=False))
    else:
        show_closing(console, report)
    if not report.ok:
        raise typer.Exit(_LOST)


def checked_key(key: str) -> str:
    """The key, if a header can carry it.

    Raises:
        InputError: If not; the key is not repeated.
    """
    from rag.errors import InputError

    if not key.isascii() or not key.isprintable() or " " in key:
        raise InputError("--api-key 只能是可见的 ASCII 字符，中间没有空格；请检查是否粘贴有误。")
    return key
