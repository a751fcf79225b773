from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.llm.thinking import ThinkFilter

BLOCKS = re.compile(r"\A(?:\s*<think>.*?(?:</think>|\Z)\s*)+", re.DOTALL)


def shown(*pieces: str) -> str:
    thinking = ThinkFilter()
    return "".join(thinking.feed(piece) for piece in pieces) + thinking.finish()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("茶树有36株。[1]", "茶树有36株。[1]"),
        ("<think>先想想</think>\n\n答。", "答。"),
        ("\n <think></think>答。", "答。"),
        ("<think>一</think> <think>二</think>答。", "答。"),
        ("<think>没有完", ""),
        ("<think>a</thin</think>答", "答"),
        ("答。<think>留下</think>", "答。<think>留下</think>"),
        ("<think", "<think"),
        ("<thinking>x", "<thinking>x"),
        ("  答", "  答"),
        ("", ""),
    ],
)
def test_blocks_at_the_start_are_dropped(text: str, kept: str) -> None:
    assert shown(text) == kept
    assert shown(*text) == kept


@given(st.lists(st.sampled_from(["<think>", "</think>", "<th", "ink>", "</", " ", "\n", "答", "x<", ">"])))
def test_the_cutting_changes_nothing(pieces: list[str]) -> None:
    text = "".join(pieces)
    assert shown(*pieces) == shown(*text) == BLOCKS.sub("", text)


def test_no_more_is_held_back_than_could_be_a_tag() -> None:
    thinking = ThinkFilter()
    assert [thinking.feed(piece) for piece in (" <", "thi", "s", "是")] == ["", "", " <this", "是"]


def test_long_thinking_is_not_kept() -> None:
    thinking = ThinkFilter()
    thinking.feed("<think>")
    for _ in range(100):
        assert thinking.feed("想" * 1000) == ""
    assert len(thinking._held) < 10
