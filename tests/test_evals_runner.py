"""Judging and running: every question gets a result, and nothing but times differs between two runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from evals.locate import locate_evidence
from evals.result import Result
from evals.runner import Run, run_questions, runs_differ
from evals.schema import Question
from evals.service import Reply
from rag.errors import InputError, UnavailableError
from rag.records import Turn
from tests.evals_fakes import QUESTIONS, SOURCE, FakeService, question, subject


def ran(questions: Sequence[Question] = QUESTIONS, service: FakeService | None = None) -> Run:
    return run_questions(questions, locate_evidence(questions, [SOURCE]), subject(service))


def result_of(name: str) -> Result:
    return next(row for row in ran().results if row.question_id == name)


def test_a_right_answer_by_hand() -> None:
    row = result_of("q-1")
    assert row.measures == {
        "correct": 1.0,
        "R@1": 1.0,
        "R@3": 1.0,
        "R@5": 1.0,
        "R@10": 1.0,
        "S@1": 1.0,
        "S@5": 1.0,
        "complete@5": 1.0,
        "RR@10": 1.0,
        "nDCG@10": 1.0,
        "citation_recall": 1.0,
        "citation_precision": 1.0,
        "evidence_recall": 1.0,
        "evidence_precision": 1.0,
        "fact_coverage": 1.0,
        "facts_complete": 1.0,
        "answer_chars": float(len("守塔人每天傍晚点灯，清晨熄灯。")),
        "false_answer": None,
        "false_refusal": 0.0,
    }
    assert row.faults == ()
    assert (row.expected[0].start_line, row.citations[0].holds, row.hits[0].holds) == (4, (0,), (0,))


def test_an_answer_without_the_fact_is_not_correct_but_finds_its_evidence() -> None:
    row = result_of("q-5")
    names = ("correct", "fact_coverage", "R@1", "evidence_recall", "false_refusal")
    assert [row.measures[name] for name in names] == [0.0, 0.0, 1.0, 1.0, 0.0]


def test_an_abstention_where_the_corpus_says_nothing_is_right() -> None:
    row = result_of("q-4")
    assert row.measures == {"correct": 1.0, "false_answer": 0.0, "false_refusal": None}


def test_an_answer_where_the_corpus_says_nothing_is_a_false_answer() -> None:
    (row,) = ran([question("q", "守塔人傍晚", "unanswerable")]).results
    assert row.measures == {"correct": 0.0, "false_answer": 1.0, "false_refusal": None}


def test_a_refusal_of_an_answerable_question_scores_nothing_but_its_retrieval() -> None:
    (row,) = ran([QUESTIONS[0]], FakeService(threshold=1.1)).results
    names = ("correct", "fact_coverage", "evidence_recall", "citation_recall", "false_refusal", "R@1")
    assert [row.measures[name] for name in names] == [0.0, 0.0, 0.0, 0.0, 1.0, 1.0]
    assert row.measures["answer_chars"] is None


class Failing(FakeService):
    """Refuses one question."""

    def ask(self, question: str, history: Sequence[Turn]) -> Reply:
        if question == QUESTIONS[0].question:
            raise InputError("no", code="question_too_long")
        return super().ask(question, history)


def test_a_failed_question_scores_0_and_does_not_vanish() -> None:
    row, *others = ran(service=Failing()).results
    assert (row.status, row.error, row.faults[0].invariant) == ("error", "question_too_long", "no_errors")
    scores = {name: value for name, value in row.measures.items() if value is not None}
    assert scores.pop("false_refusal") == 1.0
    assert set(scores.values()) == {0.0}
    assert "R@5" in scores
    assert len(others) == len(QUESTIONS) - 1


def test_a_failed_unanswerable_question_is_not_a_right_abstention() -> None:
    failed = replace(QUESTIONS[0], type="unanswerable", evidence=(), key_facts=())
    (row,) = ran([failed], Failing()).results
    assert row.measures["correct"] == 0.0


def test_a_service_that_is_not_there_stops_the_run() -> None:
    class Gone(FakeService):
        def ask(self, question: str, history: Sequence[Turn]) -> Reply:
            raise UnavailableError(f"gone before {question!r} and {len(history)} turns")

    with pytest.raises(UnavailableError, match="gone"):
        ran(service=Gone())


def test_a_follow_up_is_searched_as_it_was_resolved() -> None:
    asked = question(
        "f", "塔高呢", "followup", [["塔高三十二米"]], [["三十二米"]], history=[Turn("user", "灯塔")]
    )
    (row,) = ran([asked]).results
    assert row.resolved_question == "灯塔塔高呢"
    assert row.hits[0].score == len(set("灯塔高呢") & set("望海角灯塔建于一九零七年，塔高三十二米。")) / 4


def test_two_runs_are_equal_in_any_order() -> None:
    first, again = ran(), ran(tuple(reversed(QUESTIONS)))
    assert runs_differ(first, again) == ()
    assert first.timings != again.timings


def test_runs_that_differ_are_named() -> None:
    first, other = ran(), ran(service=FakeService(threshold=1.1))
    assert set(runs_differ(first, other)) == {"q-1", "q-2", "q-3", "q-5"}
    moved = replace(first, fingerprints=("fake-2",))
    assert runs_differ(first, moved) == ("fingerprint",)


def test_progress_is_told_after_each_question() -> None:
    told: list[tuple[int, int]] = []
    evidence = locate_evidence(QUESTIONS, [SOURCE])
    run_questions(QUESTIONS, evidence, subject(), lambda done, total: told.append((done, total)))
    assert told == [(done, len(QUESTIONS)) for done in range(1, len(QUESTIONS) + 1)]
