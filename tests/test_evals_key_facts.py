from __future__ import annotations

import pytest

from evals.measures.key_facts import answer_chars, fact_coverage, plain_answer


def test_by_hand() -> None:
    facts = [["1207", "1,207"], ["2.3万"], ["8.4万"], ["茶垄"]]
    assert fact_coverage("覆盖 1,207 亩茶园[1]，2.3 万株茶[2]。", facts) == 2 / 4


@pytest.mark.parametrize(
    ("answer", "spelling", "named"),
    [
        ("共1207个", "07", False),
        ("共1207个", "120", False),
        ("共１２０７个", "1207", True),
        ("共1207.5个", "1207", False),
        ("共0.85", "85", False),
        ("共85个", "85个", True),
        ("共85。", "85", True),
        ("ＡＩ 赋能", "ai赋能", True),
        ("以“AI预判”", "AI 预判", True),
        ("市域(郊)铁路", "市域（郊）铁路", True),
        ("第[31]条", "31", False),
    ],
)
def test_spellings(answer: str, spelling: str, *, named: bool) -> None:
    assert (fact_coverage(answer, [[spelling]]) == 1) is named


def test_marks_and_white_space_do_not_count() -> None:
    assert plain_answer("甲[1][12]。") == "甲。"
    assert answer_chars("甲 乙[1]\n丙[2]。") == 4
