"""Folding: which spellings count as the same, and that folding again changes nothing."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.folding import SPACE_BESIDE_HAN, fold, fold_for_encoder, has_han, squeeze, to_simplified

SAME = [
    ("ＡＩ 賦能", "AI赋能"),
    ("GPS 定位", "ｇｐｓ定位"),
    ("３０００株", "3000 株"),
    ("「好茶」", "“好茶”"),
    ("茶——船", "茶—船"),
    ("茶\u200b船", "茶船"),
    ("採茶、製茶、飲茶", "采茶、制茶、饮茶"),
    ("Cutty   Sark", "cutty sark"),
    (" 茶 ", "茶"),
    ("㎡", "m2"),
    ("，！？（）", ",!?()"),
    ("遙隄之槩畧", "遥堤之概略"),
    ("鑛塲敍事", "矿场叙事"),
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_what_counts_as_the_same(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("茶", "船"),
        ("Cutty Sark", "CuttySark"),
        ("3000", "300"),
        ("喆", "哲"),
        ("祇", "只"),
        ("乾隆", "干隆"),
    ],
)
def test_what_stays_different(left: str, right: str) -> None:
    assert fold(left) != fold(right)


@given(
    st.one_of(st.text(), st.text(alphabet="茶採隄乾塲ＡＩAi3 —–“”「」\u200b\u3000ﬁ㎡İẞ\u0345", max_size=30))
)
def test_folding_again_changes_nothing(text: str) -> None:
    once = fold(text)
    assert fold(once) == once


@given(st.text(alphabet="茶採ＡＩAi3 —“”\u200b\u3000㎡", max_size=30))
def test_the_encoders_form_is_stable_and_keeps_case(text: str) -> None:
    once = fold_for_encoder(text)
    assert fold_for_encoder(once) == once
    assert fold(once) == fold(text)
    assert ("A" in once) == ("A" in text or "Ａ" in text)


@given(st.text())
def test_squeezing_leaves_no_white_space(text: str) -> None:
    squeezed = squeeze(text)
    assert not any(char.isspace() for char in squeezed)
    assert [char for char in text if not char.isspace()] == list(squeezed)


def test_simplified_script() -> None:
    assert to_simplified("採茶人與馬幫") == "采茶人与马帮"


@pytest.mark.parametrize(
    ("text", "has"), [("茶", True), ("㐀", True), ("𠮷", True), ("tea", False), ("、", False)]
)
def test_has_han(text: str, has: bool) -> None:
    assert has_han(text) is has


@given(st.text("ab茶 \t\n\u3000\u2028é。", max_size=40))
def test_space_beside_a_character_that_is_not_ascii_is_closed_up(text: str) -> None:
    plainly = re.sub(r"(?<=[^\x00-\x7f])\s+|\s+(?=[^\x00-\x7f])", "", text)
    assert SPACE_BESIDE_HAN.sub("", text) == plainly


def test_a_long_run_of_spaces_costs_no_more_than_its_length() -> None:
    began = time.thread_time()
    assert fold("a" + " " * 300_000 + "b") == "a b"
    assert time.thread_time() - began < 10  # with the square of the run it is minutes
