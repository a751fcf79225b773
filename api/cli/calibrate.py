"""`cewen calibrate`: fit the confidence of one collection to questions that a person has labelled."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.console import counting_bar, stderr_console, stdout_console, write_json
from api.cli.interrupting import explaining_interruption
from api.cli.opening import explaining_busy, holdings, parts_of
from api.cli.options import Collection, OneLine, OtherUrl
from api.cli.parts import settings_for
from rag.errors import InputError

if TYPE_CHECKING:
    import cewen
    from api.cli.console import Progress
    from api.cli.holdings import RemoteHoldings

_ASK_THE_SERVICE = "标定要独占文库：请让那个服务来做，加上 --url 和它的地址；只想看看效果，可加 --dry-run。"
CALIBRATE_HELP = "用标注过的题目标定一个文库的可信度；让可信度变差的结果不会存下。"


def calibrate(
    context: typer.Context,
    questions: Annotated[
        Path | None,
        typer.Argument(metavar="QUESTIONS", help="题目文件，JSONL，同 cewen eval；两种题各至少 15 题"),
    ] = None,
    collection: Collection = "default",
    as_json: OneLine = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看结果，不存下；服务运行时也可以")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="去掉这个文库的标定，回到出厂的拟合")] = False,
    url: OtherUrl = None,
) -> None:
    """Calibrate a collection, or forget its calibration."""
    if reset and (questions or dry_run):
        raise InputError("--reset 只去掉标定，不用题目文件，也不能与 --dry-run 同用。请只给其中一种。")
    if questions is None and not reset:
        raise InputError("请给出题目文件：cewen calibrate QUESTIONS；或用 --reset 去掉标定。")
    if questions is None:
        _tell_reset(collection, forgotten=_forget(context, url, collection), as_json=as_json)
        return
    with explaining_interruption(), counting_bar(stderr_console(), "标定") as told:
        find = _found_here if url is None else _found_there
        found = find(context, url, collection, questions, keep=not dry_run, told=told)
    if as_json:
        write_json(found.model_dump_json())
    else:
        _show(stdout_console(), found, dry_run=dry_run)


def _found_here(
    context: typer.Context, _: str | None, collection: str, questions: Path, *, keep: bool, told: Progress
) -> cewen.Calibrated:
    """Calibrate a collection of this machine."""
    import cewen

    with explaining_busy(_ASK_THE_SERVICE):
        found = (
            parts_of(context)
            .calibrating(settings_for(None, None), told)
            .calibrate(
                collection,
                questions,
                keep=keep,
                judged=lambda done, total: told("判断题目", done, total),
            )
        )
    return cewen.Calibrated.model_validate(asdict(found))


def _found_there(
    context: typer.Context, url: str | None, collection: str, questions: Path, *, keep: bool, told: Progress
) -> cewen.Calibrated:
    """Have a service calibrate a collection; numbers of questions are lines of the file nevertheless."""
    from api.library.labelled import check_counts, lines_of, read_labelled, where_in

    read = read_labelled(questions)
    check_counts(read, where_in(questions))
    with holdings(context, url) as service:
        found = cast("RemoteHoldings", service).calibrate(
            collection,
            lines_of(read),
            keep=keep,
            told=lambda done, total: told("判断题目", done, total),
        )
    return found.model_copy(update={"left_out": tuple(read[place - 1].number for place in found.left_out)})


def _forget(context: typer.Context, url: str | None, collection: str) -> bool:
    if url is not None:
        with holdings(context, url) as service:
            return cast("RemoteHoldings", service).forget_calibration(collection)
    with explaining_busy(_ASK_THE_SERVICE), counting_bar(stderr_console(), "标定") as told:
        return parts_of(context).calibrating(settings_for(None, None), told).reset(collection)


def _tell_reset(collection: str, *, forgotten: bool, as_json: bool) -> None:
    if as_json:
        write_json(json.dumps({"collection": collection, "reset": forgotten}, ensure_ascii=False))
    elif forgotten:
        stdout_console().print(f"文库 {collection} 的标定已经去掉，可信度回到出厂的拟合。")
    else:
        stdout_console().print(f"文库 {collection} 没有标定过，什么也没有改。")


def _show(console: Console, found: cewen.Calibrated, *, dry_run: bool) -> None:
    console.print(
        f"文库 {found.collection}：有答案的 {found.answerable} 题，没有答案的 {found.unanswerable} 题。"
        "以下由五折交叉验证得出，每题都由没有见过它的标定来判。"
    )
    table = Table(box=None, pad_edge=False)
    for heading in ("", "标定前", "标定后"):
        table.add_column(heading, justify="left" if not heading else "right")
    for row in _rows(found):
        table.add_row(*map(Text, row))
    console.print(table)
    if found.left_out:
        lines = "、".join(map(str, found.left_out))
        console.print(f"另有 {len(found.left_out)} 题由版面信息或规则判定，没有用来标定：第 {lines} 行。")
    if found.kept:
        console.print(Text("已存下。文档有较大变动以后，请重新标定。", style="bold"))
    elif not found.helps:
        kept = "原有的标定没有动。" if found.was_calibrated else "可信度照旧。"
        console.print(Text(f"标定后 Brier 分数反而变差，没有存下；{kept}", style="bold"))
    elif dry_run:
        console.print(Text("只是预演，没有存下。", style="bold"))


def _rows(found: cewen.Calibrated) -> Iterator[tuple[str, str, str]]:
    before, after = found.before, found.after
    for name, one, other in (
        ("Brier 分数（越低越好）", before.brier, after.brier),
        ("对数损失（越低越好）", before.log_loss, after.log_loss),
        ("校准误差（越低越好）", before.calibration_error, after.calibration_error),
    ):
        yield name, f"{one:.3f}", f"{other:.3f}"
    yield (
        "没有答案却作答",
        _share(before.false_answers, found.unanswerable),
        _share(after.false_answers, found.unanswerable),
    )
    yield (
        "有答案却不作答",
        _share(before.missed_answers, found.answerable),
        _share(after.missed_answers, found.answerable),
    )
    yield "作答的可信度门槛", _least(before.threshold), _least(after.threshold)


def _share(count: int, total: int) -> str:
    return f"{count}/{total}（{count / total:.0%}）"


def _least(threshold: float | None) -> str:
    return "从不作答" if threshold is None else f"{threshold:.2f}"
