"""`cewen review` over a real file, with the real encoder."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import api.cli.review as module
from api.cli.commands import app
from api.feedback.store import FeedbackStore, Kept
from evals.schema import load_questions
from rag.encoding.encoder import SentenceTransformerEncoder
from tests.feedback_samples import question


@pytest.fixture(autouse=True)
def store(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, bundled_encoder: SentenceTransformerEncoder
) -> FeedbackStore:
    """An empty store in the folder that the command looks in; nobody's environment decides anything."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("CEWEN_")]:
        monkeypatch.delenv(name)
    for name in ("FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CEWEN_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(module, "_vectors", lambda texts, _: bundled_encoder.encode_queries(texts))
    return FeedbackStore(tmp_path / "data")


@pytest.fixture
def filled(store: FeedbackStore) -> FeedbackStore:
    store.add_questions(
        [
            question(1, "灯塔是哪一年建成的？", day=1),
            question(2, "怎么炒火锅底料？", day=2, reason="off_topic"),
            question(3, "请问灯塔是哪一年建成的？", day=3),
            question(4, "守塔人叫什么？", day=4, status="answered", reason=None, documents=("d-1",)),
        ]
    )
    store.record("ans_4", "down", "问的是现在的\x1b[31m守塔人")
    store.record("ans_99", "down", "打不开")
    return store


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["review", *arguments], prog_name="cewen")


def as_json(*arguments: str) -> dict[str, Any]:
    result = run("--json", *arguments)
    assert result.exit_code == 0, result.output
    assert result.stdout.count("\n") == 1
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_nothing_yet() -> None:
    result = run()
    assert (result.exit_code, result.stdout) == (0, "")
    assert "没有没答上来的问题" in result.stderr
    assert "CEWEN_STORE_QUESTIONS=true" in result.stderr
    assert as_json() == {"groups": [], "without_question": [], "left_out": 0, "groups_found": 0}


def test_for_people(filled: FeedbackStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEWEN_STORE_QUESTIONS", "true")
    result = run()
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "1. 请问灯塔是哪一年建成的？",
        "    问过 2 次 · 弃答 2 次（文中没有说） · 最近 2026-03-03T08:00:00+00:00",
        "    也这样问：灯塔是哪一年建成的？（1 次）",
        "2. 守塔人叫什么？",
        "    问过 1 次 · 没帮助 1 次 · 最近 2026-03-04T08:00:00+00:00",
        "    留言：问的是现在的 [31m守塔人",
        "3. 怎么炒火锅底料？",
        "    问过 1 次 · 弃答 1 次（与文库无关） · 最近 2026-03-02T08:00:00+00:00",
        "另有 1 条“没帮助”，没有存下问题",
        f"    {filled.all().feedback[1].recorded_at} ans_99 打不开",
    ]
    assert result.stderr == ""


def test_for_programs(filled: FeedbackStore) -> None:
    found = as_json("--status", "abstained", "--limit", "1")
    assert found["groups_found"] == 2
    (group,) = found["groups"]
    assert group["question"] == "请问灯塔是哪一年建成的？"
    assert group["answer_ids"] == ["ans_3", "ans_1"]
    assert found["without_question"] == []
    assert [each["question"] for each in as_json("--status", "disliked")["groups"]] == ["守塔人叫什么？"]
    assert len(as_json("--since", "2026-03-03")["groups"]) == 2


def test_the_limit_is_said(filled: FeedbackStore) -> None:
    assert "还有 2 组" in run("--limit", "1").stderr
    assert "还有" not in run("--limit", "0").stderr


def test_an_export_is_read_by_the_evaluation(filled: FeedbackStore, tmp_path: Path) -> None:
    result = run("--export", "review.jsonl")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "已写出 3 题" in result.stderr
    path = tmp_path / "review.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (file,) = load_questions([path])
    assert [each.question for each in file.questions] == [
        "请问灯塔是哪一年建成的？",
        "守塔人叫什么？",
        "怎么炒火锅底料？",
    ]
    before = path.read_bytes()
    again = run("--export", "review.jsonl")
    assert again.exit_code == 1
    assert "不覆盖" in again.stderr
    assert path.read_bytes() == before


def test_an_export_of_nothing_writes_nothing(tmp_path: Path) -> None:
    assert run("--export", "review.jsonl").exit_code == 0
    assert not (tmp_path / "review.jsonl").exists()


def test_an_export_leaves_out_what_was_only_asked_with_filters(tmp_path: Path, store: FeedbackStore) -> None:
    store.add_questions([question(1, "灯塔有多高？", reason="filtered")])
    assert "弃答 1 次（在筛选出的文档里）" in run().stdout
    told = run("--export", "review.jsonl")
    assert "没有可写的题目" in told.stderr
    assert "另有 1 组只在加了筛选条件时问过" in told.stderr
    assert not (tmp_path / "review.jsonl").exists()


def test_an_export_that_cannot_be_written(filled: FeedbackStore) -> None:
    result = run("--export", "missing/review.jsonl")
    assert result.exit_code == 2
    assert "写不进去" in result.stderr


def test_forgetting(filled: FeedbackStore) -> None:
    result = run("--forget-before", "2026-03-03")
    assert result.exit_code == 0
    assert "已删去 2 个问题、0 条评价" in result.stderr
    assert "已删去 1 个问题、1 条评价" in run("--forget", "ans_4").stderr
    assert "已删去 1 个问题、1 条评价" in run("--forget", "ALL").stderr
    assert filled.all() == Kept((), ())


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--status", "liked"), "可用的有 abstained、disliked、all"),
        (("--since", "yesterday"), "--since 是 'yesterday'，应写成 2026-01-31"),
        (("--forget-before", "2026-13-01"), "--forget-before 是 '2026-13-01'"),
        (("--forget", "all of it"), "ALL，或答复的编号"),
        (("--forget", "ALL", "--forget-before", "2026-01-01"), "只给一个"),
        (("--limit", "-1"), "--limit"),
    ],
)
def test_what_cannot_be_meant(filled: FeedbackStore, arguments: tuple[str, ...], told: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 1
    assert told in result.stderr
    assert len(filled.all().questions) == 4


def test_a_damaged_file_is_exit_2(store: FeedbackStore) -> None:
    store.record("a", "up")
    store.path.write_text("no database " * 100, encoding="utf-8")
    result = run()
    assert result.exit_code == 2
    assert "feedback.sqlite3 不能用" in result.stderr
    assert "（feedback_unusable）" in result.stderr


def test_the_help_promises_no_commands_below() -> None:
    result = run("--help")
    assert result.exit_code == 0
    assert "cewen review [OPTIONS]" in result.stdout
    assert "COMMAND" not in result.stdout
