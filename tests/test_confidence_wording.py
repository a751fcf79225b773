"""A question's words held against a corpus of three invented rows, by hand."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.lexical import LexicalIndex
from rag.confidence.claims import Lacking, counted_nouns, lacking_claims
from rag.confidence.wording import Wording, held_share, is_word, knows, lacks_kind, list_agrees, read_wording
from rag.question import read_question
from rag.text.enumeration import inline_counts
from rag.text.folding import fold
from rag.text.terms import index_terms

ROWS = ("云岭的茶园种下1200株茶树。", "采茶工人每天进山。", "老船工看星认路。")
ARM = LexicalIndex.build([index_terms(row) for row in ROWS])
NOTHING = Wording((), (), (), (), ())


@pytest.mark.parametrize(
    ("term", "known"),
    [
        ("茶园", True),
        ("1200", True),
        ("岭的茶", True),  # no word, but both of its pairs stand there
        ("星认", True),
        ("茶园工人", False),  # its middle pair 园工 stands nowhere
        ("裁缝", False),
        ("12", False),  # part of a number is no number
        ("茶", False),  # one character: no word of its own here, and it has no pairs
        ("", False),
        ("\0", False),
    ],
)
def test_a_term_is_known_as_a_word_or_by_all_its_pairs(term: str, known: bool) -> None:
    assert knows(ARM, term) is known


def test_knowing_is_having_an_idf_below_that_of_nowhere() -> None:
    nowhere = math.log(1 + (3 - 0 + 0.5) / 0.5)
    assert ARM.idf("裁缝") == pytest.approx(nowhere)
    assert ARM.idf("茶园") == pytest.approx(math.log(1 + (3 - 1 + 0.5) / 1.5))
    # Even a term of every row is known: its idf is the smallest there is.
    everywhere = LexicalIndex.build([["船"], ["船"]])
    assert knows(everywhere, "船")
    # Nothing is known to a corpus without rows.
    assert not knows(LexicalIndex.build([]), "船")


@given(st.sampled_from(ROWS), st.integers(0, 8), st.integers(2, 9))
def test_every_stretch_of_chinese_in_a_row_is_known(row: str, start: int, length: int) -> None:
    piece = row.replace("1200", "")[start : start + length].rstrip("。")
    # A stretch across the place where the number was cut out stands in no row.
    if len(piece) >= 2 and piece in row:
        assert knows(ARM, piece)


@given(st.text(alphabet="裁缝铜镜鼓楼", min_size=0, max_size=6))
def test_characters_of_no_row_are_never_known(term: str) -> None:
    assert not knows(ARM, term)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "云岭的茶园为什么搬迁到青州城里？",
            Wording(
                ("云岭", "茶园", "搬迁", "青州", "城里"),
                ("搬迁", "青州", "城里"),
                ("青州",),
                (),
                ("搬迁",),
            ),
        ),
        ("采茶裁缝有多少名？", Wording(("采茶", "裁缝"), ("裁缝",), (), ("裁缝",), ())),
        ("茶園種下多少株茶樹？", Wording(("茶园", "种下", "茶树"), (), (), (), ())),
        ("什么？", NOTHING),
        ("How many tea trees grow there?", NOTHING),
        ("1200", NOTHING),
    ],
)
def test_words_of_a_question_by_hand(question: str, expected: Wording) -> None:
    assert read_wording(read_question(question), ARM) == expected


@given(
    st.lists(
        st.sampled_from(["云岭", "茶园", "裁缝", "青州", "搬迁", "老船工", "哪里", "多少", "的", "1200"])
    )
)
def test_what_is_unknown_is_among_the_words_and_stands_in_no_row(pieces: list[str]) -> None:
    wording = read_wording(read_question("".join(pieces)), ARM)
    assert set(wording.unknown) <= set(wording.words)
    assert len(set(wording.words)) == len(wording.words)
    for word in (*wording.unknown, *wording.names, *wording.nouns, *wording.verbs):
        assert len(word) >= 2
        assert not any(word in fold(row) for row in ROWS)


@given(st.text(alphabet="abcdefgh 0123456789?.,-", max_size=40))
def test_questions_without_chinese_claim_nothing(text: str) -> None:
    question = read_question(text)
    assert read_wording(question, ARM) == NOTHING
    assert lacking_claims(question, ARM) == Lacking((), ())
    assert not lacks_kind(question, ["茶园很大。"])


@pytest.mark.parametrize(
    ("question", "lacking"),
    [
        ("2031年的目标产值是多少？", Lacking(("2031",), ("目标", "产值"))),
        ("1200株茶树种在哪里？", Lacking((), ())),
        ("一千二百株茶树种在哪里？", Lacking((), ())),
        ("一千三百株茶树种在哪里？", Lacking(("1300",), ())),
        ("茶树E05和hy-30种在哪里？", Lacking((), ())),  # digits of a name
        ("7株茶树种在哪里？", Lacking((), ())),  # one digit is no figure
        ("采茶裁缝有多少名？", Lacking((), ("裁缝",))),
        ("采茶裁缝为什么来？", Lacking((), ())),  # nothing is counted
        ("How many in 2031?", Lacking((), ())),
    ],
)
def test_claims_by_hand(question: str, lacking: Lacking) -> None:
    assert lacking_claims(read_question(question), ARM) == lacking


@pytest.mark.parametrize(
    ("word", "whole"),
    [("请假", True), ("年桥", False), ("能进", False), ("邬伯年", True), ("盐瓜子", False), ("王", True)],
)
def test_words_are_told_from_scraps_of_the_segmenter(word: str, whole: bool) -> None:
    assert is_word(word) is whole


def test_counted_nouns_are_those_of_the_last_clause() -> None:
    assert counted_nouns(read_question("茶园很大，工人有多少？")) == ["工人"]
    assert counted_nouns(read_question("工人的数量是多少？")) == ["工人"]  # 数量 asks, it is not counted
    assert counted_nouns(read_question("几本书有多少页？")) == []  # 几本书: a count and its measure word


def test_held_share_by_hand() -> None:
    assert held_share(("茶园", "裁缝", "茶树", "青州"), ROWS[0]) == 0.5
    assert held_share(("茶园",), "") == 0.0
    assert held_share((), "茶园") == held_share((), "") == 1.0


@given(
    st.lists(st.sampled_from(["茶园", "裁缝", "茶树", "青州", "星"])),
    st.sampled_from([*ROWS, "", ROWS[0] * 2]),
)
def test_held_share_counts_words(words: list[str], text: str) -> None:
    share = held_share(words, text)
    assert 0.0 <= share <= 1.0
    assert share * len(words) == pytest.approx(len([word for word in words if text.find(word) >= 0]))
    assert held_share([*words, *words], text) == pytest.approx(share)


NUMBERED, BARE = "种下茶树三百株。", "茶汤很浓。"


@pytest.mark.parametrize(
    ("question", "sentences", "lacks"),
    [
        ("茶树有多少株？", [BARE, NUMBERED], False),
        ("茶树有多少株？", [BARE], True),
        ("茶树有多少株？", [], True),
        ("茶树有多少株？", [BARE, BARE, NUMBERED], False),
        ("茶树有多少株？", [BARE, BARE, BARE, NUMBERED], True),  # the fourth is not looked at
        ("茶树是哪一年种的？", ["去年种下茶树。"], False),
        ("茶树是哪一年种的？", [NUMBERED], True),  # a number, but no date
        ("2031年种了多少株？", ["2031年种下茶树。"], True),  # the question's own number is no answer
        ("2031年种了多少株？", ["2031年种下茶树1200株。"], False),
        ("茶树怎么种？", [BARE], False),  # no number asked for
        ("How many trees?", [BARE], False),
    ],
)
def test_the_kind_asked_for_is_looked_for_in_three_sentences(
    question: str, sentences: list[str], lacks: bool
) -> None:
    assert lacks_kind(read_question(question), sentences) is lacks


@pytest.mark.parametrize(
    ("question", "sentences", "agrees"),
    [
        ("制茶有哪三道工序？", ["晒青、炒青、揉捻。"], 1.0),
        ("制茶有哪三道工序？", ["晒青、炒青和揉捻。"], 1.0),
        ("制茶有哪三道工序？", ["晒青、炒青。"], -1.0),
        ("制茶有哪三道工序？", ["茶汤很浓。", "晒青、炒青、揉捻。"], 1.0),
        ("制茶有哪三道工序？", [], -1.0),
        ("制茶有哪些工序？", ["晒青、炒青、揉捻。"], 0.0),
        ("What three steps are there?", ["晒青、炒青、揉捻。"], 1.0),
    ],
)
def test_a_list_agrees_with_the_count_asked_for(question: str, sentences: list[str], agrees: float) -> None:
    assert list_agrees(read_question(question), sentences) == agrees


@given(st.integers(2, 9), st.integers(2, 9))
def test_a_list_of_plain_items_agrees_with_its_own_length_only(asked: int, listed: int) -> None:
    numeral = "零一二三四五六七八九"[asked]
    sentence = "、".join("甲乙丙丁戊己庚辛壬"[:listed]) + "。"
    assert inline_counts(sentence) == {listed}
    expected = 1.0 if asked == listed else -1.0
    assert list_agrees(read_question(f"制茶有哪{numeral}种办法？"), [sentence]) == expected
