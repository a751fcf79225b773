"""Folding: which spellings count as the same, and that folding again changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.text.folding import fold, fold_for_encoder, has_han, squeeze, to_simplified

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
]


@pytest.mark.parametrize(("left", "right"), SAME)
def test_what_counts_as_the_same(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@pytest.mark.parametrize(("left", "right"), [("茶", "船"), ("Cutty Sark", "CuttySark"), ("3000", "300")])
def test_what_stays_different(left: str, right: str) -> None:
    assert fold(left) != fold(right)


@given(st.one_of(st.text(), st.text(alphabet="茶採ＡＩAi3 —–“”「」\u200b\u3000ﬁ㎡İẞ\u0345", max_size=30)))
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
