"""`cewen review`: the questions that were not answered or not well, grouped; and how they are forgotten.

It reads the file that `cewen serve` writes, on the same machine. Questions are there only where
`CEWEN_STORE_QUESTIONS` was on when they were asked.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from api.cli.console import harmless, stderr_console, stdout_console, write_json
from api.cli.options import OneLine
from rag.errors import ConfigError, InputError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from api.feedback.review import Group, Review
    from api.feedback.store import FeedbackStore
    from rag.settings import Settings

app = typer.Typer(invoke_without_command=True, add_completion=False, subcommand_metavar="")

_INDENT = 4
_ALL = "ALL"
_REASONS = {
    "off_topic": "与文库无关",
    "not_stated": "文中没有说",
    "false_premise": "前提与原文不符",
    "too_vague": "问题太笼统",
    "filtered": "在筛选出的文档里",
}


@app.callback(help="整理没答上来的和被说“没帮助”的问题：相近的归在一起；也可以删去存下的问题。")
def run(
    status: Annotated[
        str, typer.Option(metavar="KIND", help="看哪些：abstained 弃答的，disliked 没帮助的，all 两种都看")
    ] = "all",
    as_json: OneLine = False,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="写成评测的题目文件，由人补上答案在原文的位置")
    ] = None,
    limit: Annotated[int, typer.Option(metavar="N", min=0, help="最多多少组，0 不限")] = 20,
    since: Annotated[
        str | None, typer.Option(metavar="DATE", help="只看这一天（UTC）以来的，如 2026-01-31")
    ] = None,
    forget_before: Annotated[
        str | None, typer.Option(metavar="DATE", help="删去这一天（UTC）以前的问题和评价，不能恢复")
    ] = None,
    forget: Annotated[
        str | None, typer.Option(metavar="WHAT", help="ALL 删去全部问题和评价；或一次答复的编号")
    ] = None,
) -> None:
    """Show, export or forget what is kept."""
    from api.cli.parts import settings_for
    from api.feedback.store import FeedbackStore

    settings = settings_for(None, None)
    store = FeedbackStore(settings.data_dir)
    if forget is not None or forget_before is not None:
        _forget(store, forget, _day("--forget-before", forget_before))
        return
    found = _review(store, settings, status, _day("--since", since))
    groups = found.groups[: limit or None]
    if export is not None:
        _export(export, groups)
    elif as_json:
        fields = asdict(found) | {"groups": [asdict(group) for group in groups]}
        write_json(json.dumps(fields | {"groups_found": len(found.groups)}, ensure_ascii=False))
    else:
        _show(stdout_console(), found, groups)
        _advise(stderr_console(), found, groups, settings)


def _review(store: FeedbackStore, settings: Settings, status: str, since: str) -> Review:
    from api.feedback.review import WANTED, review

    wanted = next((each for each in WANTED if each == status), None)
    if wanted is None:
        raise InputError(f"--status 是 {status[:40]!r}，可用的有 {'、'.join(WANTED)}。请改正后再试。")
    return review(store.all(), wanted, lambda texts: _vectors(texts, settings), since=since)


def _vectors(texts: Sequence[str], settings: Settings) -> npt.NDArray[np.float32]:
    """Of questions, by the bundled encoder whatever encoder answers: the threshold was measured with it."""
    from rag.encoding.encoder import BUNDLED_ENCODER, SentenceTransformerEncoder

    encoder = SentenceTransformerEncoder(BUNDLED_ENCODER, settings.cache_dir, settings.threads)
    return encoder.encode_queries(texts)


def _forget(store: FeedbackStore, what: str | None, before: str) -> None:
    from api.feedback.records import is_answer_id

    if what is not None and before:
        raise InputError("--forget 和 --forget-before 请只给一个。")
    if what not in {None, _ALL} and not is_answer_id(what or ""):
        raise InputError("--forget 后面应是 ALL，或答复的编号（cewen review --json 的 answer_ids 里有）。")
    answer_id = None if what in {None, _ALL} else what
    questions, verdicts = store.forget(before=before or None, answer_id=answer_id)
    stderr_console().print(f"已删去 {questions} 个问题、{verdicts} 条评价。备份里若有，请另行删除。")


def _day(option: str, text: str | None) -> str:
    """A day as the store has times, which compare as texts do; "" for none."""
    if text is None:
        return ""
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError as error:
        raise InputError(f"{option} 是 {text[:40]!r}，应写成 2026-01-31 这样的日期。") from error


def _export(path: Path, groups: Sequence[Group]) -> None:
    from api.feedback.export import exported, question_file

    written = exported(groups)
    aside = len(groups) - len(written)
    told = f"另有 {aside} 组只在加了筛选条件时问过，整个文库有没有答案不知道，没有写。" if aside else ""
    if not written:
        stderr_console().print(f"没有可写的题目，所以没有写文件。{told}")
        return
    try:
        # Questions are their askers' own: for this user only, and never over something else.
        with os.fdopen(
            os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w", encoding="utf-8"
        ) as file:
            file.write(question_file(written))
    except FileExistsError as error:
        raise InputError(f"{str(path)!r} 已经有了，不覆盖。请换一个文件名。") from error
    except OSError as error:
        raise ConfigError(f"{str(path)!r} 写不进去：{error.strerror}。请检查文件夹和权限。") from error
    stderr_console().print(
        f"已写出 {len(written)} 题：{path}。请补上答案在原文的位置，再用 cewen eval --questions 评测。{told}"
    )


def _show(console: Console, found: Review, groups: Sequence[Group]) -> None:
    for number, group in enumerate(groups, 1):
        counts = [f"问过 {group.asked} 次"]
        if group.abstained:
            why = "、".join(_REASONS.get(reason, reason) for reason in group.reasons)
            counts.append(f"弃答 {group.abstained} 次（{why}）")
        counts += [f"没帮助 {group.disliked} 次"] if group.disliked else []
        counts += [f"有帮助 {group.liked} 次"] if group.liked else []
        counts.append(f"最近 {group.last_asked}")
        counts += [f"文库 {group.collection}"] if group.collection != "default" else []
        console.print(Text.assemble((f"{number}. ", "dim"), (harmless(group.question), "bold")))
        _indented(console, " · ".join(counts), "dim")
        for other in group.others:
            _indented(console, f"也这样问：{other.text}（{other.times} 次）")
        for note in group.notes:
            _indented(console, f"留言：{note}", "cyan")
    if found.without_question:
        console.print(Text(f"另有 {len(found.without_question)} 条“没帮助”，没有存下问题", style="bold"))
        for each in found.without_question:
            _indented(console, f"{each.recorded_at} {each.answer_id} {each.note}".rstrip())


def _indented(console: Console, text: str, style: str = "") -> None:
    console.print(Padding(Text(harmless(text), style=style), (0, 0, 0, _INDENT), expand=False))


def _advise(console: Console, found: Review, groups: Sequence[Group], settings: Settings) -> None:
    if len(groups) < len(found.groups):
        console.print(f"还有 {len(found.groups) - len(groups)} 组；--limit 0 全部列出。")
    if found.left_out:
        console.print(f"另有 {found.left_out} 个较早的问题没有归组；用 --forget-before 可以删去旧的。")
    if not (groups or found.without_question):
        console.print("没有没答上来的问题，也没有“没帮助”的评价。")
    if not settings.store_questions:
        console.print("现在没有保存问题；要保存，设 CEWEN_STORE_QUESTIONS=true 后重新启动服务。")
