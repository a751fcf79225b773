from __future__ import annotations

import pytest

from evals.measures.citations import Statement, citation_precision, citation_recall, is_supported

ONE, TWO, OTHER = "守塔人每天\n傍晚点灯，", "清晨熄灯。", "一斤鲜叶只能制二两干茶。"


def verbatim(text: str, *slices: str) -> Statement:
    return Statement(text, True, slices)


def made(text: str, *slices: str, sources: tuple[str, ...] = ()) -> Statement:
    return Statement(text, False, slices, sources)


def test_recall_is_the_share_of_supported_sentences() -> None:
    statements = [
        verbatim("守塔人每天傍晚点灯，", ONE),
        verbatim("守塔人每天傍晚点灯，清晨熄灯。", ONE, TWO),
        verbatim("守塔人每天傍晚点灯，清晨熄灯。", ONE),
        verbatim("清晨熄灯。"),
    ]
    assert citation_recall(statements) == 2 / 4


def test_precision_counts_citations_that_are_needed_or_enough() -> None:
    # Both needed (2 of 2); one enough, the other irrelevant (1 of 2); unsupported (0 of 1).
    statements = [
        verbatim("守塔人每天傍晚点灯，清晨熄灯。", ONE, TWO),
        verbatim("清晨熄灯。", TWO, OTHER),
        verbatim("清晨熄灯。", OTHER),
    ]
    assert citation_precision(statements) == 3 / 5


def test_two_citations_of_which_each_is_enough_both_count() -> None:
    assert citation_precision([verbatim("熄灯。", TWO, TWO)]) == 1.0


def test_no_sentences_and_no_citations_score_nothing() -> None:
    assert citation_recall([]) == 0.0
    assert citation_precision([]) == 0.0
    assert citation_precision([verbatim("清晨熄灯。")]) == 0.0


def test_verbatim_means_every_character() -> None:
    assert is_supported(verbatim("清晨 熄灯。"), [TWO])
    assert not is_supported(verbatim("清晨熄灯！"), [TWO])
    assert not is_supported(verbatim("   "), [TWO])


@pytest.mark.parametrize(
    ("text", "supported"),
    [
        ("作者是周望潮。", True),
        ("作者是周望潮，共 31 人。", False),
        ("作者是周望潮，编号ＫＦ２０１８。", True),
        ("作者是周望潮，编号 kf 2018。", True),
        ("作者是周望潮，编号 KF201。", False),
        ("作者是何采薇。", False),
    ],
)
def test_a_sentence_put_together_may_only_use_cited_numbers_and_words(text: str, *, supported: bool) -> None:
    assert is_supported(made(text), ["■周望\n潮（KF2018）"]) is supported


def test_a_quotation_is_checked_against_the_source_instead() -> None:
    text, source = "《茶山 3 号》的作者是何采薇。", "茶山\n3号"
    assert is_supported(made(text, sources=(source,)), ["■何采薇"])
    assert not is_supported(made(text), ["■何采薇"])
    assert is_supported(made("以“茶山3号…”开头的是何采薇的。", sources=("茶山3号的茶",)), ["何采薇"])
