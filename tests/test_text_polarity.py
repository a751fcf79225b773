"""Negations belong to the word they stand on; what turns a statement round is noticed when cut off."""

from __future__ import annotations

import pytest

from rag.text.polarity import hedges, is_conditional, leaves_out_a_turn, polarities, reports


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ("守灯人 每晚 点灯", [("守灯人", 0), ("每晚", 0), ("点灯", 0)]),
        ("守灯人 不 点灯", [("守灯人", 0), ("点灯", 1)]),
        ("守灯人 从不 在 白天 点灯", [("守灯人", 0), ("白天", 1), ("白天", 0), ("点灯", 1)]),
        ("取消 许可", [("取消", 0), ("许可", 1)]),
        ("没有 取消 许可", [("取消", 1), ("许可", 0)]),
        ("茶园 不大", [("茶园", 0), ("大", 1)]),
        ("不仅 茶园", [("茶园", 0)]),
        ("未来 茶园", [("茶园", 0)]),
    ],
)
def test_polarities(tokens: str, expected: list[tuple[str, int]]) -> None:
    assert polarities(tokens.split()) == expected


@pytest.mark.parametrize(
    "before", ["有人认为,", "并非茶树少,", "如果下雨,", "专家指出:", "茶厂计划", "他说", "从不"]
)
def test_what_must_not_be_left_out(before: str) -> None:
    assert leaves_out_a_turn(before, "")


@pytest.mark.parametrize("before", ["", "清晨,", "不仅如此,", "未来,", "非常好,"])
def test_what_may_be_left_out(before: str) -> None:
    assert not leaves_out_a_turn(before, "")


def test_a_disowned_quotation() -> None:
    assert leaves_out_a_turn("", "”的说法没有根据。")
    assert not leaves_out_a_turn("", "”是老话。")


def test_cues() -> None:
    assert reports("据说老镇在水下")
    assert not reports("老镇在水下")
    assert is_conditional("如果下雨")
    assert not is_conditional("下雨了")
    assert hedges("计划购买")
    assert not hedges("购买了")
