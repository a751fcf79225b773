"""Marks are found from the sentences, whatever the sentences themselves say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.openai_chat.annotations import (
    Mark,
    Marks,
    annotation,
    marks_of,
    sentences_within,
    shown_title,
)
from api.openai_chat.footnotes import escaped, footnotes
from rag.answering.gate import Checked
from rag.answering.rendering import answer_parts
from rag.errors import CitationError
from rag.records import AnswerSentence
from tests.openai_fakes import citation, sentence

ODD = st.lists(
    st.sampled_from(["[1]", "[2]", "[3]", "[", "]", "𠮷", "灯。", "\n", " ", "\u2028", "a"])
    | st.text(max_size=3),
    max_size=5,
).map("".join)
SENTENCES = st.lists(
    st.builds(
        lambda text, numbers: AnswerSentence(text, tuple(numbers), "exact"),
        ODD,
        st.lists(st.integers(1, 12), min_size=1, max_size=3, unique=True),
    ),
    min_size=1,
    max_size=5,
)


def rendered(sentences: list[AnswerSentence], lines: int = 0) -> list[str]:
    layout = tuple(bool(lines >> place & 1) for place in range(len(sentences)))
    return answer_parts(Checked(tuple(sentences), (), (), layout))


@given(SENTENCES, st.integers(0, 31))
def test_every_mark_is_where_it_says(sentences: list[AnswerSentence], lines: int) -> None:
    text = "".join(rendered(sentences, lines))
    marks = marks_of(text, sentences)
    assert [mark.number for mark in marks] == [number for each in sentences for number in each.citations]
    assert all(text[mark.start : mark.end] == f"[{mark.number}]" for mark in marks)
    without = "".join(
        text[start:end]
        for start, end in zip(
            [0, *(mark.end for mark in marks)], [*(mark.start for mark in marks), len(text)], strict=True
        )
    )
    assert without.replace("\n", "").replace(" ", "") == "".join(each.text for each in sentences).replace(
        "\n", ""
    ).replace(" ", "")


@given(SENTENCES, st.integers(0, 31), st.integers(0, 31))
def test_part_by_part_the_same_marks_are_found(
    sentences: list[AnswerSentence], lines: int, unknown: int
) -> None:
    marks, found, text = Marks(), list[Mark](), ""
    for place, part in enumerate(rendered(sentences, lines)):
        text += part
        found += marks.added(len(text), None if unknown >> place & 1 else sentences[place])
    assert sorted(found + marks.finish(text, sentences)) == marks_of(text, sentences)
    assert found == sorted(found)


def test_sentences_that_a_shortened_text_holds() -> None:
    sentences = [sentence("灯。", 1), sentence("塔[1]。", 1, 2), sentence("港。", 3)]
    parts = rendered(sentences, 0b100)
    assert sentences_within("".join(parts[:2]), sentences) == tuple(sentences[:2])
    assert sentences_within("".join(parts), sentences) == tuple(sentences)
    assert sentences_within("", sentences) == ()


@pytest.mark.parametrize("text", ["灯。[1]", "灯。[1]塔。[2]港", "灯。[2]塔。[2]", " \n灯。[1]塔。[2]", ""])
def test_a_text_that_is_not_its_sentences_is_refused(text: str) -> None:
    with pytest.raises(CitationError, match="对不上"):
        marks_of(text, [sentence("灯。", 1), sentence("塔。", 2)])


def test_an_abstention_has_no_marks() -> None:
    assert marks_of("文库里没有说到[1]。", []) == []


def test_what_was_told_and_is_no_mark_is_refused() -> None:
    marks = Marks()
    assert marks.added(5, sentence("灯。", 1)) == [Mark(2, 5, 1)]
    with pytest.raises(CitationError, match="没有"):
        marks.finish("灯。[1]塔。[1]", [sentence("灯。[1]塔。", 1)])


def test_what_a_source_says_itself_is_no_mark() -> None:
    marks = Marks()
    assert marks.added(11, sentence("灯高三丈。[2]", 1)) == [Mark(8, 11, 1)]
    assert marks.added(16, None) == []
    told = marks.finish("灯高三丈。[2][1]塔。[2]", [sentence("灯高三丈。[2]", 1), sentence("塔。", 2)])
    assert told == [Mark(13, 16, 2)]


def test_an_annotation() -> None:
    made = annotation(Mark(3, 6, 1), citation(1), lambda url: f"https://cewen.example{url}")
    assert made == {
        "type": "url_citation",
        "url_citation": {
            "start_index": 3,
            "end_index": 6,
            "title": "望海角灯塔 · 第3–4行：守塔人每天傍晚点灯，清晨熄灯。",
            "url": f"https://cewen.example{citation(1).url}",
        },
    }


def test_a_title_is_bounded_and_on_one_line() -> None:
    long = citation(1, "灯\n" * 500, title="塔" * 500, end_line=3)
    title = shown_title(long)
    assert title == f"{'塔' * 39}… · 第3行：{'灯 ' * 19}灯…"
    assert shown_title(citation(1, end_line=3)) == "望海角灯塔 · 第3行：守塔人每天傍晚点灯，清晨熄灯。"


def test_the_footnotes() -> None:
    made = footnotes(
        [citation(1), citation(2, "灯*塔*", title="甲[乙]", authors=())], lambda url: f"http://x/(a b){url}"
    )
    first, second = (citation(number).url for number in (1, 2))
    assert made == (
        "\n\n---\n\n**引文出处**\n\n"
        f"[1] [望海角灯塔](http://x/%28a%20b%29{first}) · 周望潮 · 林听雨 · 第3–4行\n"
        "> 守塔人每天傍晚点灯，清晨熄灯。\n\n"
        f"[2] [甲\\[乙\\]](http://x/%28a%20b%29{second}) · 第3–4行\n> 灯\\*塔\\*"
    )
    assert footnotes([], str) == ""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("灯塔", "灯塔"),
        ("# 灯\n\n塔", "\\# 灯 塔"),
        ("1. 灯", "1\\. 灯"),
        ("12) 灯", "12\\) 灯"),
        ("1907年", "1907年"),
        ("- 灯", "\\- 灯"),
        ("===", "\\==="),
        ("<b>&lt;[1]</b>", "\\<b\\>\\&lt;\\[1\\]\\</b\\>"),
        ("$a_b$ `c` ~~d~~ |", "\\$a\\_b\\$ \\`c\\` \\~\\~d\\~\\~ \\|"),
        ("", ""),
    ],
)
def test_markdown_shows_what_the_source_says(text: str, shown: str) -> None:
    assert escaped(text) == shown
