"""Groups, the JSON report, the baseline and the comparison."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from evals.aggregate import Estimate, members_of_groups
from evals.baseline import Baseline, read_baseline
from evals.compare import Row, compare
from evals.evaluation import Outcome, Task, evaluate
from evals.locate import locate_evidence
from evals.measures.catalogue import MEASURE_BY_NAME, MEASURES
from evals.measures.intervals import clopper_pearson
from evals.report import Report, commit_of, read_report, report_json
from evals.schema import QuestionFile
from rag.errors import ConfigError
from tests.evals_fakes import QUESTIONS, SOURCE, FakeService, subject


def outcome(service: FakeService | None = None, questions: tuple[object, ...] = QUESTIONS) -> Outcome:
    chosen = tuple(row for row in QUESTIONS if row in questions)
    task = Task((QuestionFile("dev", "f" * 64, chosen),), chosen, locate_evidence(chosen, [SOURCE]))
    return evaluate(task, subject(service))


def report(service: FakeService | None = None) -> Report:
    return outcome(service).report


def estimate(name: str, measure: str) -> Estimate:
    group = report().group(name)
    assert group is not None
    return group.measures[measure]


def test_groups_by_hand() -> None:
    names = {
        name: [row.question_id for row in rows] for name, rows in members_of_groups(report().results).items()
    }
    assert names == {
        "overall": ["q-1", "q-2", "q-3", "q-4", "q-5"],
        "body": ["q-1", "q-2", "q-3", "q-5"],
        "type:number": ["q-2", "q-5"],
        "type:name": ["q-1"],
        "type:why": ["q-3"],
        "type:unanswerable": ["q-4"],
        "slice:number": ["q-2", "q-5"],
        "slice:off-topic": ["q-4"],
        "slice:short": ["q-1", "q-3"],
    }


def test_means_have_exact_intervals() -> None:
    # Four of five are right: q-5's key fact is not what the corpus says.
    low, high = clopper_pearson(4, 5)
    assert estimate("overall", "correct") == Estimate(0.8, 5, round(low, 6), round(high, 6))


def test_a_measure_judges_only_its_own_questions() -> None:
    assert estimate("overall", "false_answer").n == 1
    assert estimate("overall", "R@5").n == 4
    assert estimate("type:unanswerable", "R@5") == Estimate(None, 0)


def test_the_length_of_an_answer_is_a_median() -> None:
    lengths = [len(row.answer) - len("[1]") for row in report().results if row.status == "answered"]
    middle = sorted(lengths)[1:3]
    assert estimate("overall", "answer_chars") == Estimate(sum(middle) / 2, 4)


def test_confidence_needs_questions_of_both_kinds() -> None:
    rows = report().results
    wins = [row.confidence > rows[3].confidence for row in rows if row.answerable]
    assert estimate("overall", "auroc").value == sum(wins) / 4
    assert estimate("body", "auroc") == estimate("body", "ece") == Estimate(None, 0)


def test_every_measure_is_in_the_catalogue_and_the_other_way_round() -> None:
    judged = {name for row in report().results for name in row.measures}
    assert judged == {measure.name for measure in MEASURES if measure.paired}


def test_splits_are_groups_when_there_are_several() -> None:
    rows = [replace(row, split="test") if row.question_id == "q-1" else row for row in report().results]
    names = [name for name in members_of_groups(rows) if name.startswith("split:")]
    assert names == ["split:dev", "split:test"]


def test_the_json_repeats_byte_for_byte_and_holds_no_times() -> None:
    text = report_json(report())
    assert text == report_json(report())
    assert "_ms" not in text
    assert "塔高三十二米" in text  # not escaped


def test_a_report_comes_back_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(report_json(report()), encoding="utf-8")
    assert read_report(path) == report()


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda _: "{", "读不出来"),
        (lambda _: "[]", "读不出来"),
        (lambda text: text.replace('"schema_version": 1', '"schema_version": 99'), "格式是 99"),
        (lambda text: text.replace('"groups"', '"grupps"', 1), "有误"),
    ],
)
def test_a_report_that_is_not_ours_is_refused(
    damage: Callable[[str], str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "report.json"
    path.write_text(damage(report_json(report())), encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_report(path)


def test_a_commit_is_named_and_so_are_changes(tmp_path: Path) -> None:
    def git(*arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        done = subprocess.run(
            ["git", "-C", str(tmp_path), *who, *arguments], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    assert commit_of(tmp_path) is None
    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "a")
    head = git("rev-parse", "HEAD")
    assert commit_of(tmp_path) == head
    (tmp_path / "a").write_text("2")
    assert commit_of(tmp_path) == f"{head}+"


def test_a_baseline_keeps_scores_only_and_comes_back(tmp_path: Path) -> None:
    made = Baseline.of(report())
    path = tmp_path / "baseline.json"
    path.write_text(made.to_json(), encoding="utf-8")
    assert read_baseline(path) == made
    assert "灯塔" not in made.to_json()
    lines = made.to_json().splitlines()
    assert next(line for line in lines if '"q-2"' in line).count("R@5") == 1
    assert json.loads(made.to_json())["groups"]["overall"] == 5


def test_a_report_stands_in_for_a_baseline(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text(report_json(report()), encoding="utf-8")
    assert read_baseline(path) == Baseline.of(report())


@pytest.mark.parametrize(
    ("text", "said"), [("{", "读不出来"), ("{}", "格式是 None"), ('{"baseline_version": 1}', "缺少 'commit'")]
)
def test_a_baseline_that_is_not_ours_is_refused(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "baseline.json"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=said):
        read_baseline(path)


def test_equal_runs_compare_as_equal() -> None:
    rows = compare(Baseline.of(report()), report())
    assert rows
    assert all(row.delta == 0 and row.paired.p_value == 1 and not row.is_worse for row in rows)


def found(rows: tuple[Row, ...], group: str, measure: str) -> Row:
    return next(row for row in rows if (row.group, row.measure) == (group, measure))


def test_worse_comes_first_and_is_paired_by_question() -> None:
    rows = compare(Baseline.of(report()), report(FakeService(threshold=1.1)))
    assert rows[0].is_worse
    assert [row.is_worse for row in rows] == sorted((row.is_worse for row in rows), reverse=True)
    refusals = found(rows, "overall", "false_refusal")
    assert (refusals.before, refusals.after, refusals.paired.worse, refusals.is_worse) == (0.0, 1.0, 4, True)
    assert refusals.paired.p_value == 2 / 2**4
    right = found(rows, "overall", "correct")
    assert (right.paired.better, right.paired.worse, right.paired.tied) == (0, 3, 2)
    assert math.isclose(right.delta, -0.6)
    assert not any(row.measure == "answer_chars" for row in rows)  # nothing was answered any more


def test_a_measure_where_lower_is_better_turns_the_sign() -> None:
    before = Baseline.of(report(FakeService(threshold=1.1)))
    row = found(compare(before, report()), "overall", "false_refusal")
    assert (row.delta, row.is_worse, row.paired.better) == (-1.0, False, 4)
    assert not MEASURE_BY_NAME["false_refusal"].higher_is_better


def test_only_questions_of_both_runs_are_paired() -> None:
    before = Baseline.of(outcome(questions=QUESTIONS[:2]).report)
    paired = found(compare(before, report()), "overall", "correct").paired
    assert paired.better + paired.worse + paired.tied == 2


def test_unknown_questions_are_not_compared() -> None:
    other = replace(Baseline.of(report()), scores={"x": {"correct": 1.0}})
    assert compare(other, report()) == ()
