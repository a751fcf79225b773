"""The `cewen` command line: all commands but `doctor` and `eval`, which are mounted here.

Each command reads its options, calls one function and prints; the work is done elsewhere. Importing this
module is cheap: torch, FAISS, sentence-transformers, FastAPI and uvicorn are imported by the command that
needs them. Documented in `docs/commands.md`, which a test compares with what stands here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli_console import harmless, progress_bar, stderr_console, stdout_console, write_json
from api.cli_group import CewenGroup
from api.cli_parts import Parts, settings_for
from api.doctor.command import HELP as DOCTOR_HELP
from api.doctor.command import doctor
from rag.errors import InputError, TooLargeError

if TYPE_CHECKING:
    from api.assembly import Rebuild
    from api.cli_service import Service
    from api.ports import Engine
    from rag.settings import Settings

app = typer.Typer(
    cls=CewenGroup,
    help="策问：用中文提问，得到逐句带引文的答案；文中没有说的，如实说没有。",
    epilog="退出码：0 已作答（包括如实说没有），1 输入有误，2 设置、语料、模型或索引不可用，130 被中断。",
    add_completion=False,
    pretty_exceptions_enable=False,
)

_MAX_STDIN_BYTES = 65_536
_MAX_TOP_K = 50  # as the REST service has it; a test compares

Question = Annotated[str, typer.Argument(metavar="问题", help="要问的话；写 - 则从标准输入读")]
Query = Annotated[str, typer.Argument(metavar="检索词", help="要找的内容；写 - 则从标准输入读")]
Json = Annotated[bool, typer.Option("--json", help="只输出一行 JSON，与 REST 接口的答复相同")]
Seeds = Annotated[Path | None, typer.Option("--seeds", metavar="DIR", help="语料文件夹；默认用设置里的")]
Url = Annotated[
    str | None,
    typer.Option("--url", metavar="URL", help="问在别处运行的服务，不在本机打开模型；密钥取自 CEWEN_API_KEY"),
]
IndexDir = Annotated[
    Path | None,
    typer.Option("--index-dir", metavar="DIR", help="索引放在哪里；给了 --seeds 就默认另放在缓存里"),
]


@app.command("ask", help="提问，得到逐句带引文的答案。")
def ask(
    context: typer.Context,
    question: Question,
    as_json: Json = False,
    top_k: Annotated[int, typer.Option(metavar="N", help=f"最多依据几个段落作答，1 到 {_MAX_TOP_K}")] = 8,
    generator: Annotated[
        str | None, typer.Option(metavar="NAME", help="用哪个生成器作答；默认用设置里的")
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="附上各路检索的原始分数")] = False,
    url: Url = None,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Answer one question, or abstain."""
    from api.cli_show import show_answer
    from cewen import Answer
    from rag.inputs import check_question

    asked = check_question(_typed_or_piped(question))
    _check_range("--top-k", top_k, 1, _MAX_TOP_K)
    with _service(context, url, seeds, index_dir) as service:
        body = service.ask_json(asked, top_k=top_k, generator=generator, explain=explain)
    if as_json:
        write_json(body)
    else:
        show_answer(stdout_console(), Answer.model_validate(harmless(json.loads(body))))


@app.command("search", help="检索段落，最相关的在前。")
def search(
    context: typer.Context,
    query: Query,
    as_json: Json = False,
    top_k: Annotated[int, typer.Option(metavar="N", help=f"最多几个段落，1 到 {_MAX_TOP_K}")] = 10,
    score_threshold: Annotated[
        float | None, typer.Option(metavar="X", help="只要相关度不低于此值的，0 到 1")
    ] = None,
    url: Url = None,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Find passages."""
    from api.cli_show import show_hits
    from cewen import SearchResult
    from rag.inputs import MAX_QUERY_CHARS, check_text

    wanted = check_text(_typed_or_piped(query), name="query", max_chars=MAX_QUERY_CHARS)
    _check_range("--top-k", top_k, 1, _MAX_TOP_K)
    _check_range("--score-threshold", score_threshold or 0.0, 0.0, 1.0)
    with _service(context, url, seeds, index_dir) as service:
        body = service.search_json(wanted, top_k=top_k, score_threshold=score_threshold)
    if as_json:
        write_json(body)
    else:
        show_hits(stdout_console(), SearchResult.model_validate(harmless(json.loads(body))))


@app.command("index", help="核对索引，没有或不符就建；语料或设置改了以后用。")
def index(
    context: typer.Context,
    rebuild: Annotated[bool, typer.Option("--rebuild", help="不管现有的怎样，重新建")] = False,
    check: Annotated[bool, typer.Option("--check", help="只核对，不符就以退出码 2 结束")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="只输出一行 JSON")] = False,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Build or verify the index."""
    from api.cli_show import show_index

    if rebuild and check:
        raise InputError("--rebuild 和 --check 只能用一个：前者重新建，后者只核对。")
    settings = settings_for(seeds, index_dir)
    wanted: Rebuild = "always" if rebuild else "never" if check else "if-needed"
    with progress_bar(stderr_console()) as told:
        summary = _parts(context).open_index(settings, wanted, told)
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

    from api.cli_serve import serve as serve_until_interrupted

    serve_until_interrupted(settings, _parts(context).open_engine)


@app.command("mcp", help="在标准输入输出上做 MCP 服务器，供 Claude Desktop 等客户端启动。")
def mcp(context: typer.Context, seeds: Seeds = None, index_dir: IndexDir = None) -> None:
    """Serve the Model Context Protocol until standard input ends."""
    settings = settings_for(seeds, index_dir)

    from api.mcp_server.stdio import serve_stdio

    serve_stdio(settings, lambda: _engine(context, settings))


app.command("doctor", help=DOCTOR_HELP)(doctor)


@app.command("documents", help="列出文库中的文章。")
def documents(context: typer.Context, as_json: Json = False, url: Url = None, seeds: Seeds = None) -> None:
    """List the documents; needs neither model nor index."""
    from api.cli_show import show_documents
    from cewen import Document

    with _service(context, url, seeds, None) as service:
        body = service.documents_json()
    if as_json:
        write_json(body)
    else:
        listed = harmless(json.loads(body)["documents"])
        show_documents(stdout_console(), [Document.model_validate(document) for document in listed])


@app.command("settings", help="显示生效的设置：环境变量 CEWEN_* 优先，其次 .env，再次默认值。")
def settings(
    as_json: Annotated[bool, typer.Option("--json", help="只输出一行 JSON")] = False,
    seeds: Seeds = None,
    index_dir: IndexDir = None,
) -> None:
    """Print the effective settings."""
    from api.cli_show import show_settings

    effective = settings_for(seeds, index_dir)
    if as_json:
        write_json(effective.model_dump_json())
    else:
        show_settings(stdout_console(), effective)


def main() -> None:
    """Run the command line of this process."""
    app(prog_name="cewen")


def _parts(context: typer.Context) -> Parts:
    return context.obj if isinstance(context.obj, Parts) else Parts()


@contextmanager
def _service(
    context: typer.Context, url: str | None, seeds: Path | None, index_dir: Path | None
) -> Iterator[Service]:
    """The service at `url`, or one of this process."""
    from api.cli_service import LocalService, service_at

    if url is None:
        chosen = settings_for(seeds, index_dir)
        parts = _parts(context)
        yield LocalService(lambda: _engine(context, chosen), lambda: parts.read_documents(chosen))
        return
    if seeds or index_dir:
        raise InputError("--url 问的是在别处运行的服务，用不到 --seeds 和 --index-dir。请只给其中一种。")
    with service_at(url, settings_for(None, None)) as service:
        yield service


def _engine(context: typer.Context, chosen: Settings) -> Engine:
    with progress_bar(stderr_console()) as told:
        return _parts(context).open_engine(chosen, told)


def _typed_or_piped(text: str) -> str:
    """The argument, or standard input as UTF-8 for "-", without the line end that closes it.

    Raises:
        InputError: `invalid_text` if the input is not UTF-8, `too_large` if it is no question at all.
    """
    if text != "-":
        return text
    data = sys.stdin.buffer.read(_MAX_STDIN_BYTES + 1)
    if len(data) > _MAX_STDIN_BYTES:
        raise TooLargeError(f"标准输入超过 {_MAX_STDIN_BYTES} 字节。请只传一个问题。")
    try:
        return data.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InputError(
            f"标准输入不是 UTF-8（第 {error.start + 1} 字节起无法解码）。请转成 UTF-8 再试。",
            code="invalid_text",
        ) from error


def _check_range(option: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise InputError(f"{option} 是 {value!r}，应在 {low} 到 {high} 之间。")
