"""Bylines and notes are known by their form."""

from __future__ import annotations

import time

import pytest

from rag.reading.bylines import byline_authors, note_end, speaks_of_author
from rag.reading.decoding import source_from_text
from rag.reading.documents import read_documents
from rag.reading.lines import LineTable


@pytest.mark.parametrize(
    ("line", "authors"),
    [
        ("■李白云", ("李白云",)),
        ("■霍去病 闻一多", ("霍去病", "闻一多")),
        ("□ 李 白", ("李白",)),
        ("▲李白 杜 甫", ("李白", "杜甫")),
        ("●李 白　杜　甫 王维", ("李白", "杜甫", "王维")),
        ("◆欧阳修 司马 光", ("欧阳修", "司马光")),
        ("◎李白、杜甫；王维", ("李白", "杜甫", "王维")),
        ("■ 本报记者 李白", ("李白",)),
        ("作者：李白、杜甫", ("李白", "杜甫")),
        ("文/李白", ("李白",)),
        ("记者 李白 通讯员 杜甫之", ("李白", "杜甫之")),
        ("■劉禹錫", ("劉禹錫",)),
        ("■宋　嘉禾", ("宋嘉禾",)),
        ("■宋　嘉禾　李　白", ("宋嘉禾", "李白")),
        ("■安娜·卡列宁", ("安娜·卡列宁",)),
        ("● Anna Smith", ("Anna", "Smith")),
        # Characters beyond the basic plane.
        ("■王𠮷", ("王𠮷",)),
        ("作者：刘𬱖、王 𠮷", ("刘𬱖", "王𠮷")),
        ("■欧阳𠮷", ("欧阳𠮷",)),
        ("■安娜·𠮷宁", ("安娜·𠮷宁",)),
    ],
)
def test_bylines(line: str, authors: tuple[str, ...]) -> None:
    assert byline_authors(line) == authors


@pytest.mark.parametrize(
    "line",
    [
        "",
        "■",
        "■ ■",
        "李白 杜甫",
        "■茶经 ■星图 四海周刊",
        "■采茶时节",
        "■采 茶时",
        "■时间与茶",
        "■黄山的茶",
        "■李白：诗与酒",
        "■李白说，茶要趁热喝。",
        "■一、采茶",
        "■李白2031",
        "记者从南山获悉，新茶已经上市。",
        "作者认为，新茶不必久煮。",
        "■𠮷野茶",
        "■王😀",
    ],
)
def test_what_is_no_byline(line: str) -> None:
    assert byline_authors(line) == ()


def test_bare_names_count_where_no_mark_is_needed() -> None:
    assert byline_authors("李白 杜甫", needs_mark=False) == ("李白", "杜甫")
    assert byline_authors("采茶 制茶", needs_mark=False) == ()


@pytest.mark.parametrize(
    ("text", "end"),
    [
        ("（作者单位：茶学会）", 0),
        ("(作者单位：茶学会)", 0),
        ("（作者系南山（东海）\n大学【甲（乙）】\n教授） \n正文", 2),
        ("（一）采茶。", None),
        ("（甲）（乙）", None),
        ("（没有完", None),
        ("（作者单位：\n\n茶学会）", None),
        ("作者单位：茶学会", None),
        ("（" + "茶" * 400 + "）", None),
        ("（\n" * 9 + "）" * 9, None),
    ],
)
def test_where_a_note_ends(text: str, end: int | None) -> None:
    assert note_end(LineTable(text).lines, 0) == end


def test_what_speaks_of_an_author() -> None:
    assert speaks_of_author("（作 者 单 位：茶学会）")
    assert not speaks_of_author("（完）")


def test_a_page_of_names_costs_no_more_than_its_length() -> None:
    names = source_from_text("names.txt", "□张三 李四\n" * 60_000)
    began = time.thread_time()
    read_documents(names)
    assert time.thread_time() - began < 6  # about one; with a growing list of authors for each line, eleven
