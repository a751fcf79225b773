"""`cewen eval`: run the evaluation, ask the gate, compare two reports, start a question set of one's own.

Exit codes: 0 passed, 1 the gate is red, 2 could not run. Whatever goes wrong unforeseen is "could not
run" too, so that a crash is never read as a verdict on quality. Heavy libraries load when a service is
opened, not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(name="eval", invoke_without_command=True)

_RED, _NOT_RUN = 1, 2

Split = Annotated[
    str,
    typer.Option(help="题目文件的名字（dev、test），或 all；默认 dev；判定、定基线或用自己的题目时默认 all"),
]
Seeds = Annotated[Path | None, typer.Option(help="自己的语料文件夹；默认用设置里的")]
Questions = Annotated[Path | None, typer.Option(help="自己的题目：JSONL 文件或文件夹；默认用项目自带的")]
Gates = Annotated[Path | None, typer.Option(help="门禁配置；默认用题目旁边的 gates.toml")]
Out = Annotated[Path, typer.Option(help="报告写到哪里")]


@app.callback(help="评测问答质量；--gate 时不合格就以退出码 1 结束。")
def run(  # noqa: PLR0913, PLR0917 -- the options of a command line
    context: typer.Context,
    split: Split = "",
    gate: Annotated[bool, typer.Option("--gate", help="问两遍，按门禁配置判定")] = False,
    url: Annotated[str | None, typer.Option(help="评测一个运行中的服务，如 http://127.0.0.1:8000")] = None,
    seeds: Seeds = None,
    questions: Questions = None,
    gates: Gates = None,
    baseline: Annotated[Path | None, typer.Option(help="与哪份基线或 report.json 比较")] = None,
    write_baseline: Annotated[bool, typer.Option("--write-baseline", help="把这次的结果定为新基线")] = False,
    out: Out = Path("evals/out"),
    export: Annotated[
        list[str] | None, typer.Option(help="给别的工具的导出：trec、beir、ragas，可重复")
    ] = None,
) -> None:
    """Run the evaluation."""
    if context.invoked_subcommand is not None:
        return
    with _exit_codes():
        from evals.command import RunOptions, run_command

        options = RunOptions(
            split=split or ("all" if gate or write_baseline or questions else "dev"),
            gate=gate,
            url=url,
            seeds=seeds,
            questions=questions,
            gates=gates,
            baseline=baseline,
            write_baseline=write_baseline,
            out=out,
            exports=tuple(export or ()),
        )
        if not run_command(options):
            raise typer.Exit(_RED)


@app.command("compare", help="比较两份报告：变差的在前，附配对精确检验的 p 值。")
def compare_reports(
    before: Annotated[Path, typer.Argument(help="报告或基线")],
    after: Annotated[Path, typer.Argument(help="报告")],
) -> None:
    """Compare two reports."""
    with _exit_codes():
        from evals.baseline import read_baseline
        from evals.compare import compare
        from evals.report import read_report
        from evals.report_markdown import comparison_table

        typer.echo(comparison_table(compare(read_baseline(before), read_report(after))))


@app.command("init", help="写一份可以直接运行的样板：语料、题目、门禁配置。")
def init(folder: Annotated[Path, typer.Argument(help="写到哪个文件夹")]) -> None:
    """Write the template."""
    with _exit_codes():
        from evals.template import write_template

        for path in write_template(folder):
            typer.echo(path)
        options = f"--seeds {folder / 'documents'} --questions {folder / 'questions.jsonl'}"
        typer.echo(f"现在可以运行：cewen eval --gate {options}")


@app.command("selftest", help="让门禁面对一批故意弄坏的服务；每一个都要被该管它的那道门拦下。")
def selftest(split: Split = "dev", gates: Gates = None, out: Out = Path("evals/out")) -> None:
    """Turn the gate on broken services."""
    with _exit_codes():
        from evals.selftest import selftest_command

        if not selftest_command(split, gates, out):
            raise typer.Exit(_RED)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; `arguments` without the program's name, from `sys.argv` if None."""
    app(args=arguments, prog_name="cewen eval")


@contextmanager
def _exit_codes() -> Iterator[None]:
    """Turn every error into exit code 2 with a message on stderr."""
    from rag.errors import CewenError

    try:
        yield
    except typer.Exit:
        raise
    except CewenError as error:
        typer.secho(error.message, fg="red", err=True)
        raise typer.Exit(_NOT_RUN) from error
    except Exception as error:
        import traceback

        typer.echo(traceback.format_exc(), err=True)
        typer.secho("评测没能运行完，见上面的错误。", fg="red", err=True)
        raise typer.Exit(_NOT_RUN) from error
