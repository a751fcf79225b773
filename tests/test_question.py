"""What a question's form says."""

from __future__ import annotations

import pytest

from rag.question import read_question


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("茶园里种了多少株茶树？", "number"),
        ("茶樹種了幾株？", "number"),
        ("How many trees are there?", "number"),
        ("灯塔是哪一年建的？", "date"),
        ("会是几月几号开的？", "date"),
        ("谁在守灯？", "person"),
        ("桐油产自哪里？", "place"),
        ("制茶有哪三道工序？", "list"),
        ("分别有什么用？", "list"),
        ("什么是回甘？", "definition"),
        ("茶汤为什么发苦？", "why"),
        ("船工咋认路？", "how"),
        ("两种茶有什么不同？", "comparison"),
        ("茶园", "other"),
        ("好几个人都说茶苦", "other"),
    ],
)
def test_the_kind_asked_for(text: str, kind: str) -> None:
    assert read_question(text).kind == kind


def test_the_last_clause_that_asks_decides() -> None:
    assert read_question("花了多少钱先不说，这支队伍叫什么？").kind == "definition"
    assert read_question("我想问问，茶园很大，采茶工人有多少？").kind == "number"


@pytest.mark.parametrize(
    ("text", "metadata"),
    [
        ("这篇文章是谁写的？", "authors"),
        ("制茶三法 作者", "authors"),
        ("who wrote the essay about tea?", "authors"),
        ("陆青山在哪里工作？", "affiliation"),
        ("作者来自哪个单位", "affiliation"),
        ("写船的那篇标题是什么？", "title"),
        ("哪篇文章谈到灯塔？", "documents"),
        ("茶树种了多少株？", None),
    ],
)
def test_questions_about_the_text_itself(text: str, metadata: str | None) -> None:
    assert read_question(text).metadata == metadata


@pytest.mark.parametrize(
    ("text", "count"), [("哪三道工序", 3), ("哪4个方面", 4), ("which two methods", 2), ("哪些工序", None)]
)
def test_the_count_asked_for(text: str, count: int | None) -> None:
    assert read_question(text).count == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("第三次会议有哪些人出席？", None),
        ("第二十三次会议有哪些人出席？", None),
        ("第 3 次会议有哪些人出席？", None),
        ("三次会议有哪些人出席？", 3),
        ("十三次会议有哪些人出席？", 13),
        ("第三次会议定了哪两件事？", 2),
        ("第三点是什么？", None),
        ("三点是什么？", 3),
    ],
)
def test_an_ordinal_is_no_count(text: str, count: int | None) -> None:
    assert read_question(text).count == count


def test_one_thing_by_its_ordinal_is_no_list() -> None:
    assert read_question("三点是什么？").kind == "list"
    assert read_question("第三点是什么？").kind == "definition"


def test_script_and_width_do_not_matter() -> None:
    plain, odd = read_question("AI为什么重要？"), read_question("ＡＩ為什麼重要？")
    assert (plain.kind, plain.words) == (odd.kind, odd.words)
    assert read_question("Why?").is_foreign
    assert not plain.is_foreign
