"""Text with marks, cut anywhere, gives the same sentences with the same numbers."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.answering.mark_forms import find_marks
from rag.answering.marks import SENTENCE_MAX_CHARS, MarkedSentence, MarkedTextReader, read_marked

PIECES = [
    "茶园在山上",
    "火要旺",
    "。",
    "！",
    "？",
    "”",
    "“",
    "（",
    "）",
    "，",
    "、",
    "…",
    "——",
    " ",
    "\n",
    "\r\n",
    "\n\n",
    "[1]",
    "［2］",
    "【3】",
    "〔1〕",
    "〔1〕5号",
    "［１］",
    "[1,2]",
    "[1-3]",
    "[",
    "]",
    "【",
    "1",
    "[^1]",
    "[来源1]",
    "【1†source】",
    "[citation:1]",
    "¹",
    "²",
    "[1998]",
    "[0]",
    "**",
    "*",
    "- ",
    "1. ",
    "### ",
    ">",
    "```",
    "`",
    "的问题",
    "Tea is good",
    ". ",
    ".",
    "Then",
    "e.g. ",
    "3.5",
    "为什么？”",
    "[[1]]",
    "_",
    "文" * 120,
    "……" * 60,
    "甲" * 900 + "，",
]


def read_in_pieces(text: str, cuts: list[int]) -> list[MarkedSentence]:
    places = [0, *sorted(cut % (len(text) + 1) for cut in cuts), len(text)]
    reader = MarkedTextReader()
    given = [
        sentence for left, right in itertools.pairwise(places) for sentence in reader.feed(text[left:right])
    ]
    return [*given, *reader.close()]


TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@settings(deadline=None)
@given(TEXTS, st.lists(st.integers(0, 10**6), max_size=12))
def test_cut_anywhere_gives_the_same(text: str, cuts: list[int]) -> None:
    assert read_in_pieces(text, cuts) == read_marked(text)


@settings(max_examples=40, deadline=None)
@given(TEXTS)
def test_cut_everywhere_gives_the_same(text: str) -> None:
    assert read_in_pieces(text, list(range(len(text)))) == read_marked(text)


@given(TEXTS)
def test_sentences_hold_words_and_no_marks(text: str) -> None:
    for sentence in read_marked(text):
        assert any(char.isalnum() for char in sentence.text)
        assert len(sentence.text) <= SENTENCE_MAX_CHARS
        assert sentence.text == sentence.text.strip()
        assert len(set(sentence.numbers)) == len(sentence.numbers)


@pytest.mark.parametrize(
    ("mark", "numbers"),
    [
        ("[1]", (1,)),
        ("［1］", (1,)),
        ("【1】", (1,)),
        ("〔1〕", (1,)),
        ("［１］", (1,)),
        ("[１２]", (12,)),
        ("[1,2]", (1, 2)),
        ("[1、2]", (1, 2)),
        ("[1，3]", (1, 3)),
        ("[1; 2]", (1, 2)),
        ("[1-3]", (1, 2, 3)),
        ("[3-1]", (3, 1)),
        ("[1–2, 5]", (1, 2, 5)),
        ("[1-900]", (1, 900)),
        ("[1][2]", (1, 2)),
        ("[^1]", (1,)),
        ("[^1^]", (1,)),
        ("[[2]]", (2,)),
        ("[来源1]", (1,)),
        ("[来源：2]", (2,)),
        ("【文献3】", (3,)),
        ("[段落 4]", (4,)),
        ("【1†source】", (1,)),
        ("【4:0†来源】", (4,)),
        ("[citation:1]", (1,)),
        ("[Source 2]", (2,)),
        ("¹", (1,)),
        ("¹²", (1, 2)),
        ("[0]", (0,)),
        ("[007]", (7,)),
        ("[99999999999999]", (99999999999999,)),
        ("[来源1998]", (1998,)),
        ("[1][1]", (1,)),
    ],
)
def test_every_form_of_a_mark(mark: str, numbers: tuple[int, ...]) -> None:
    both = MarkedSentence("茶园在山上。", numbers, True)
    assert read_marked(f"茶园在山上{mark}。") == [both]
    assert read_marked(f"茶园在山上。{mark}") == [both]
    assert read_marked(f"茶园{mark}在山上。\n") == [both]
    assert read_marked(f"茶园在山上。{mark}船坞在海边。") == [both, MarkedSentence("船坞在海边。")]
    assert read_marked(f"{mark}茶园在山上。") == (
        [both] if mark[0] != "¹" else read_marked(f"{mark}茶园在山上。")
    )


@pytest.mark.parametrize(
    "text",
    [
        "见[1998]年报告",
        "文件〔12〕5号",
        "文件〔2023〕5号",
        "数组[١]",
        "面积8km²",
        "[注]甲",
        "[1到2]甲",
        "[ab1]甲",
        "（1）甲乙",
    ],
)
def test_what_is_no_mark(text: str) -> None:
    assert find_marks(text) == []


def test_sentences_and_lines() -> None:
    text = "茶园在山上。船坞在海边[2]。[1]“为什么？”[3]的问题\n\n灯塔也在海边"
    assert read_marked(text) == [
        MarkedSentence("茶园在山上。", (), True),
        MarkedSentence("船坞在海边。", (2, 1), False),
        MarkedSentence("“为什么？”", (3,), False),
        MarkedSentence("的问题", (), False),
        MarkedSentence("灯塔也在海边", (), True),
    ]


def test_marks_may_stand_apart() -> None:
    assert read_marked("茶园在山上。 [1] [2] 船来了") == [
        MarkedSentence("茶园在山上。", (1, 2), True),
        MarkedSentence("船来了", (), False),
    ]


def test_a_mark_before_a_closing_quote_belongs_inside() -> None:
    assert read_marked("他说：“好茶。[1]”船来了。[2]") == [
        MarkedSentence("他说：“好茶。”", (1,), True),
        MarkedSentence("船来了。", (2,), False),
    ]


def test_marks_alone_on_a_line_belong_to_the_sentence_before() -> None:
    assert read_marked("茶园在山上。\n[1][2]\n船来了。") == [
        MarkedSentence("茶园在山上。", (1, 2), True),
        MarkedSentence("船来了。", (), True),
    ]
    assert read_marked("[1]\n——\n") == []


def test_scraps_join_the_sentence_before() -> None:
    assert read_marked("茶园在山上。……！船来了。") == [
        MarkedSentence("茶园在山上。……！", (), True),
        MarkedSentence("船来了。", (), False),
    ]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("- 茶园在山上", "茶园在山上"),
        ("* 茶园", "茶园"),
        ("1. 茶园", "茶园"),
        ("2、茶园", "茶园"),
        ("2.5万人", "2.5万人"),
        ("12) 茶园", "茶园"),
        ("（3）茶园", "茶园"),
        ("### 茶园", "茶园"),
        ("> 茶园", "茶园"),
        ("**茶园**在山上", "茶园在山上"),
        ("- **茶园**：在`山上`", "茶园：在山上"),
        ("3*4", "3*4"),
        ("3、5号船", "3、5号船"),
        ("2023. 茶", "2023. 茶"),
    ],
)
def test_markdown_is_taken_out(written: str, text: str) -> None:
    assert [sentence.text for sentence in read_marked(written)] == [text]


def test_code_fences_are_dropped() -> None:
    assert read_marked("```text\n茶园。\n```") == [MarkedSentence("茶园。", (), True)]


def test_a_sentence_is_given_as_soon_as_it_is_certain() -> None:
    reader = MarkedTextReader()
    assert reader.feed("茶园在山上。") == []
    assert reader.feed("[1]") == []
    assert reader.feed("[2") == []
    assert reader.feed("]船") == [MarkedSentence("茶园在山上。", (1, 2), True)]
    assert reader.feed("来了。\n") == []
    assert reader.feed("灯") == [MarkedSentence("船来了。", (), False)]
    assert reader.close() == [MarkedSentence("灯", (), True)]
    assert reader.close() == []


def test_a_long_sentence_is_cut_at_a_comma() -> None:
    sentences = read_marked("甲" * 1500 + "，" + "乙" * 3000 + "。[1]")
    assert [len(sentence.text) for sentence in sentences] == [1501, 2000, 1001]
    assert [sentence.numbers for sentence in sentences] == [(), (), (1,)]


def test_endless_marks_are_cut_too() -> None:
    reader = MarkedTextReader()
    given = [sentence for _ in range(1500) for sentence in reader.feed("茶[1]" + "[2]" * 9)]
    assert sum(sentence.text.count("茶") for sentence in [*given, *reader.close()]) == 1500
    assert len(given) > 3
