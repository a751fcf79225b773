"""`cewen calibrate`: fit the confidence of one collection to questions that a person has labelled."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from api.cli.console import counting_bar, stderr_console, stdout_console, write_json
from api.cli.opening import explaining_busy, parts_of
from api.cli.options import Collection
from api.cli.parts import settings_for
from rag.errors import InputError

if TYPE_CHECKING:
    from api.library.calibrating import Calibrated

_STOP_THE_SERVICE = "标定要独占文库：请先停下那个服务，标定后再启动；只想看看效果，可加 --dry-run。"
CALIBRATE_HELP = "用标注过的题目标定一个文库的可信度；让可信度变差的结果不会存下。"


def calibrate(
    context: typer.Context,
    questions: Annotated[
        Path | None,
        typer.Argument(metavar="QUESTIONS", help="题目文件，JSONL，同 cewen eval；两种题各至少 15 题"),
    ] = None,
    collection: Collection = "default",
    as_json: Annotated[bool, typer.Option("--json", help="只输出一行 JSON")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="只看结果，不存下；服务运行时也可以")] = False,
    reset: Annotated[bool, typer.Option("--reset", help="去掉这个文库的标定，回到出厂的拟合")] = False,
) -> None:
    """Calibrate a collection, or forget its calibration."""
    if reset and (questions or dry_run):
        raise InputError("--reset 只去掉标定，不用题目文件，也不能与 --dry-run 同用。请只给其中一种。")
    if questions is None and not reset:
        raise InputError("请给出题目文件：cewen calibrate QUESTIONS；或用 --reset 去掉标定。")
    settings = settings_for(None, None)
    with explaining_busy(_STOP_THE_SERVICE), counting_bar(stderr_console(), "标定") as told:
        work = parts_of(context).calibrating(settings, told)
        if questions is not None:
            found = work.calibrate(
                collection,
                questions,
                keep=not dry_run,
                judged=lambda done, total: told("判断题目", done, total),
            )
        else:
            forgotten = work.reset(collection)
    if questions is None:
        _tell_reset(collection, forgotten=forgotten, as_json=as_json)
        return
    if as_json:
        write_json(json.dumps(_fields(found), ensure_ascii=False, allow_nan=False))
    else:
        _show(stdout_console(), found, dry_run=dry_run)


def _tell_reset(collection: str, *, forgotten: bool, as_json: bool) -> None:
    if as_json:
        write_json(json.dumps({"collection": collection, "reset": forgotten}, ensure_ascii=False))
    elif forgotten:
        stdout_console().print(f"文库 {collection} 的标定已经去掉，可信度回到出厂的拟合。")
    else:
        stdout_console().print(f"文库 {collection} 没有标定过，什么也没有改。")


def _fields(found: Calibrated) -> dict[str, Any]:
    """What `--json` prints; a threshold of null stands for "never answers"."""
    outcome = found.outcome
    thresholds = (outcome.threshold_before, outcome.threshold_after)
    before, after = (
        asdict(scores) | {"threshold": threshold if math.isfinite(threshold) else None}
        for scores, threshold in zip((outcome.before, outcome.after), thresholds, strict=True)
    )
    return {
        "collection": found.collection,
        "kept": found.kept,
        "helps": outcome.helps,
        "was_calibrated": found.was_calibrated,
        "answerable": outcome.answerable,
        "unanswerable": outcome.unanswerable,
        "left_out": list(found.left_out),
        "slope": outcome.correction.slope,
        "offset": outcome.correction.offset,
        "before": before,
        "after": after,
    }


def _show(console: Console, found: Calibrated, *, dry_run: bool) -> None:
    outcome = found.outcome
    console.print(
        f"文库 {found.collection}：有答案的 {outcome.answerable} 题，没有答案的 {outcome.unanswerable} 题。"
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
    elif not outcome.helps:
        kept = "原有的标定没有动。" if found.was_calibrated else "可信度照旧。"
        console.print(Text(f"标定后 Brier 分数反而变差，没有存下；{kept}", style="bold"))
    elif dry_run:
        console.print(Text("只是预演，没有存下。", style="bold"))


def _rows(found: Calibrated) -> Iterator[tuple[str, str, str]]:
    outcome = found.outcome
    before, after = outcome.before, outcome.after
    for name, one, other in (
        ("Brier 分数（越低越好）", before.brier, after.brier),
        ("对数损失（越低越好）", before.log_loss, after.log_loss),
        ("校准误差（越低越好）", before.calibration_error, after.calibration_error),
    ):
        yield name, f"{one:.3f}", f"{other:.3f}"
    yield (
        "没有答案却作答",
        _share(before.false_answers, outcome.unanswerable),
        _share(after.false_answers, outcome.unanswerable),
    )
    yield (
        "有答案却不作答",
        _share(before.missed_answers, outcome.answerable),
        _share(after.missed_answers, outcome.answerable),
    )
    yield "作答的可信度门槛", _least(outcome.threshold_before), _least(outcome.threshold_after)


def _share(count: int, total: int) -> str:
    return f"{count}/{total}（{count / total:.0%}）"


def _least(threshold: float) -> str:
    return f"{threshold:.2f}" if math.isfinite(threshold) else "从不作答"
