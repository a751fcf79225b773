"""Index terms: what a question and a text must have in common to meet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.folding import fold
from rag.text.function_words import FUNCTION_WORDS
from rag.text.terms import content_words, index_terms, pairs, query_terms, words


def test_words_and_pairs_live_in_separate_name_spaces() -> None:
    assert words("茶园。") == ["茶园"]
    assert pairs("茶园。") == ["·茶园"]
    assert index_terms("茶园。") == ["茶园", "·茶园"]


def test_pairs_do_not_cross_what_is_no_chinese_character() -> None:
    assert pairs("采茶，GPS定位。𠮷日") == ["·采茶", "·定位", "·𠮷日"]
    assert pairs("茶") == []


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("採茶與製茶", "采茶与制茶"),
        ("ＧＰＳ 定位", "gps定位"),
        ("3,000 亩", "3000亩"),
        ("增产１５％", "增产15%"),
    ],
)
def test_spellings_that_have_the_same_terms(left: str, right: str) -> None:
    assert words(left) == words(right)
    assert pairs(left) == pairs(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("一九三八年建桥", "1938年建桥"),
        ("种茶三千二百株", "种茶3,200株"),
        ("第二十条", "第20条"),
        ("百分之七十", "70%"),
        ("6.5万亩", "六万五千亩"),
    ],
)
def test_numbers_have_the_same_words_however_they_are_written(left: str, right: str) -> None:
    assert words(left) == words(right)
    assert set(query_terms(left)) <= set(index_terms(right))


def test_a_year_does_not_swallow_what_follows() -> None:
    assert words("1938年桥建成") == ["1938", "年", "桥", "建成"]
    assert words("1990年代的桥")[:2] == ["1990", "年代"]


def test_thousands_separators_are_no_lists() -> None:
    assert words("12,345,678")[0] == "12345678"
    assert words("1,2,3") == ["1", "2", "3"]
    assert words("3，100") == ["3", "100"]


def test_latin_words_and_codes_are_whole() -> None:
    assert {"gps", "c14", "cutty", "sark"} <= set(words("用GPS和C14测定Cutty Sark号"))


def test_questions_lose_their_function_words_and_their_repetitions() -> None:
    assert query_terms("茶园有哪些茶园？") == ["茶园", "·茶园"]
    assert content_words("请问茶园有多少个？") == ["茶园"]


def test_a_question_of_function_words_keeps_all_its_terms() -> None:
    assert query_terms("有多少个？") == index_terms("有多少个？")
    assert query_terms("") == []


def test_function_words_are_folded() -> None:
    assert all(word == fold(word) for word in FUNCTION_WORDS)


@given(st.text(alphabet="茶園船坞有哪些的，。A3 ", max_size=40))
def test_a_text_meets_itself(text: str) -> None:
    terms = set(index_terms(text))
    assert set(content_words(text)) <= terms
    assert all(word.startswith("·") or word in terms for word in query_terms(text))
    assert len(query_terms(text)) == len(set(query_terms(text)))
