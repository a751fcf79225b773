"""The gate: what passes, what turns which gate red, and what a configuration may say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evals.aggregate import group_results
from evals.baseline import Baseline
from evals.evaluation import Task, evaluate, prepare, read_gate
from evals.gate import Verdict, judge_gate
from evals.gate_config import GateConfig, read_gate_config
from evals.locate import locate_evidence
from evals.measures.intervals import clopper_pearson
from evals.paths import GATES, question_set
from evals.report import Report
from evals.schema import QuestionFile, load_questions
from evals.verify import Fault
from rag.errors import ConfigError
from tests.evals_fakes import QUESTIONS, SOURCE, FakeService, subject, written


def made(service: FakeService | None = None) -> Report:
    """A report of two runs."""
    task = Task((QuestionFile("dev", "f" * 64, QUESTIONS),), QUESTIONS, locate_evidence(QUESTIONS, [SOURCE]))
    return evaluate(task, subject(service), config=GateConfig(version=1)).report


REPORT = made()


def config(**parts: Any) -> GateConfig:
    return GateConfig.model_validate({"version": 1, **parts})


def red(report: Report, limits: GateConfig, baseline: Baseline | None = None) -> list[str]:
    return [verdict.name for verdict in judge_gate(report, limits, baseline) if not verdict.passed]


def verdict(report: Report, limits: GateConfig, name: str, baseline: Baseline | None = None) -> Verdict:
    return next(row for row in judge_gate(report, limits, baseline) if row.name == name)


def test_a_sound_service_passes_the_invariants() -> None:
    names = [row.name for row in judge_gate(REPORT, config(), None)]
    assert red(REPORT, config()) == []
    assert names == [
        "invariant:citations_verify",
        "invariant:answers_supported",
        "invariant:replies_consistent",
        "invariant:passages_verify",
        "invariant:search_and_ask_agree",
        "invariant:no_errors",
        "invariant:runs_identical",
        "invariant:one_fingerprint",
        "required:present",
    ]


@pytest.mark.parametrize(
    "name",
    [
        "citations_verify",
        "answers_supported",
        "replies_consistent",
        "passages_verify",
        "search_and_ask_agree",
    ],
)
def test_one_fault_in_one_reply_is_enough(name: str) -> None:
    first, *rest = REPORT.results
    broken = replace(REPORT, results=(replace(first, faults=(Fault(name, "broken"),)), *rest))
    assert red(broken, config()) == [f"invariant:{name}"]
    found = verdict(broken, config(), f"invariant:{name}")
    assert found.question_ids == ("q-1",)
    assert "broken" in found.got


def test_nothing_checked_is_not_passed() -> None:
    silent = replace(REPORT, results=tuple(replace(row, checked={}) for row in REPORT.results))
    assert "invariant:citations_verify" in red(silent, config())


def test_errors_a_second_run_and_the_fingerprint_count() -> None:
    first, *rest = REPORT.results
    failed = replace(REPORT, results=(replace(first, status="error", error="boom"), *rest))
    assert red(failed, config()) == ["invariant:no_errors"]
    assert red(replace(REPORT, repeated=("q-2",)), config()) == ["invariant:runs_identical"]
    assert red(replace(REPORT, repeated=None), config()) == ["invariant:runs_identical"]
    assert red(replace(REPORT, fingerprints=("a", "b")), config()) == ["invariant:one_fingerprint"]
    assert "invariant:no_errors" in red(replace(REPORT, results=()), config())


def test_a_floor_holds_the_end_of_the_interval_not_the_point() -> None:
    # Four of five right: the point is 0.8, the low end 0.284, the high end 0.995.
    low, high = clopper_pearson(4, 5)

    def with_limit(**limit: Any) -> list[str]:
        return red(REPORT, config(floor=[{"name": "f", "measure": "correct", **limit}]))

    assert with_limit(at_least=low - 0.001) == []
    assert with_limit(at_least=low + 0.001) == ["floor:f"]
    assert with_limit(at_most=high + 0.001) == []
    assert with_limit(at_most=high - 0.001) == ["floor:f"]
    assert with_limit(at_least=0.8, on="point") == []
    assert with_limit(at_least=0.81, on="point") == ["floor:f"]
    assert with_limit(at_most=0.79, on="point") == ["floor:f"]


@pytest.mark.parametrize(
    ("group", "measure"), [("slice:gone", "correct"), ("type:unanswerable", "R@5"), ("split:dev", "correct")]
)
def test_a_floor_on_nothing_is_red(group: str, measure: str) -> None:
    floor = {"name": "f", "group": group, "measure": measure, "at_most": 1.0}
    found = verdict(REPORT, config(floor=[floor]), "floor:f")
    assert not found.passed
    assert "没有值" in found.got


def test_a_missing_measure_or_an_empty_group_is_red() -> None:
    answerable = tuple(row for row in REPORT.results if row.answerable)
    narrow = replace(REPORT, results=answerable, groups=group_results(answerable))
    assert red(REPORT, config(required_measures=["auroc", "false_answer"])) == []
    found = verdict(narrow, config(required_measures=["auroc", "R@5"]), "required:present")
    assert (found.passed, found.got) == (False, "缺 auroc")
    assert red(narrow, config(required_groups=["body", "slice:off-topic"])) == ["required:present"]


def test_an_arm_that_says_the_same_to_every_question_is_dead() -> None:
    assert len({row.raw["shared"] for row in REPORT.results}) > 1
    assert red(REPORT, config(alive={"words": ["shared"]})) == []
    silent = replace(REPORT, results=tuple(replace(row, raw={"shared": 0.0}) for row in REPORT.results))
    found = verdict(silent, config(alive={"words": ["shared"]}), "alive:words")
    assert (found.passed, found.got) == (False, "shared 总是同一个值")
    found = verdict(REPORT, config(alive={"words": ["shared", "gone"]}), "alive:words")
    assert (found.passed, found.got) == (False, "gone 没有给出")
    assert red(REPORT, config(alive={"words": []})) == ["alive:words"]


def test_a_frozen_file_that_changed_or_is_gone_is_red() -> None:
    assert red(REPORT, config(frozen_questions={"dev": "f" * 64})) == []
    assert red(REPORT, config(frozen_questions={"dev": "e" * 64})) == ["frozen:dev"]
    assert red(REPORT, config(frozen_questions={"test": "f" * 64})) == ["frozen:test"]


def against(report: Report, baseline: Baseline | None, **parts: Any) -> list[str]:
    return red(report, config(baseline="baseline.json", **parts), baseline)


def test_a_baseline_that_is_named_must_be_there() -> None:
    assert against(REPORT, None) == ["baseline:present"]
    assert against(REPORT, Baseline.of(REPORT)) == []


def test_another_corpus_other_questions_or_fewer_need_a_new_baseline() -> None:
    baseline = Baseline.of(REPORT)
    assert against(replace(REPORT, corpus_sha256="0"), baseline) == ["baseline:corpus"]
    assert against(replace(REPORT, questions={"dev": "0"}), baseline) == ["baseline:questions"]
    fewer = REPORT.results[:-1]
    missing = replace(REPORT, results=fewer, groups=group_results(fewer))
    assert against(missing, baseline) == ["baseline:questions"]
    off = tuple(row for row in REPORT.results if "off-topic" not in row.slices)
    emptied = replace(REPORT, results=off, groups=group_results(off))
    assert against(emptied, baseline) == ["baseline:questions", "baseline:groups"]


def test_a_regression_is_a_paired_test() -> None:
    limit = {"name": "r", "measure": "false_refusal", "alpha": 0.125}
    worse = made(FakeService(threshold=1.1))  # four refusals more: p = 2 / 2^4 = 0.125
    assert "regression:r" in against(worse, Baseline.of(REPORT), regression=[limit])
    limit["alpha"] = 0.12
    assert "regression:r" not in against(worse, Baseline.of(REPORT), regression=[limit])
    limit["alpha"] = 0.9
    better = against(REPORT, Baseline.of(worse), regression=[limit])
    assert "regression:r" not in better
    found = verdict(worse, config(baseline="b", regression=[limit]), "regression:r", Baseline.of(REPORT))
    assert found.question_ids == ("q-1", "q-2", "q-3", "q-5")


def test_a_regression_without_pairs_is_red() -> None:
    limit = {"name": "r", "measure": "correct", "alpha": 0.1}
    strangers = replace(Baseline.of(REPORT), scores={})
    assert "regression:r" in against(REPORT, strangers, regression=[limit])


def test_pinned_questions_must_be_right() -> None:
    assert red(REPORT, config(pinned=["q-1", "q-4"])) == []
    found = verdict(REPORT, config(pinned=["q-1", "q-5", "q-9"]), "pinned:questions")
    assert (found.passed, found.question_ids) == (False, ("q-5", "q-9"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("version = 2", "version"),
        ("", "version"),
        ("version = 1\nflor = []", "flor"),
        ("version = 1\n[[floor]]\nname = 'f'\nmeasure = 'R@7'\nat_least = 0.1", "没有指标 'R@7'.*R@5"),
        ("version = 1\n[[floor]]\nname = 'f'\nmeasure = 'R@5'", "要且只要一个"),
        ("version = 1\n[[floor]]\nname = 'f'\nmeasure = 'R@5'\nat_least = 1\nat_most = 1", "要且只要一个"),
        ("version = 1\n[[floor]]\nname = 'f'\nmeasure = 'ece'\nat_most = 0.1", "没有置信区间"),
        ("version = 1\n[[floor]]\nname = 'f'\nmeasure = 'R@5'\ngroup = 'x:y'\nat_least = 0.1", "组名"),
        ("version = 1\n[[regression]]\nname = 'r'\nmeasure = 'auroc'\nalpha = 0.1", "不是逐题的指标"),
        ("version = 1\n[[regression]]\nname = 'r'\nmeasure = 'R@5'\nalpha = 0.1", "要写 baseline"),
        ("version = 1\nrequired_measures = ['x']", "没有指标"),
        (
            "version = 1\n" + "[[floor]]\nname = 'f'\nmeasure = 'R@5'\nat_least = 0.1\n" * 2,
            "名称有重复",
        ),
        ("version = ", "读不出来"),
    ],
)
def test_a_configuration_that_could_be_misread_is_refused(text: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        read_gate_config(written(tmp_path, text, "gates.toml"))


def test_the_projects_own_gate_is_sound_and_its_frozen_questions_are_untouched() -> None:
    limits = read_gate_config(GATES)
    files = {file.split: file for file in load_questions(question_set(None, None).files)}
    assert limits.frozen_questions == {"test": files["test"].sha256}
    ids = {question.question_id for file in files.values() for question in file.questions}
    groups = {f"type:{q.type}" for file in files.values() for q in file.questions}
    groups |= {f"slice:{tag}" for file in files.values() for q in file.questions for tag in q.slices}
    assert set(limits.pinned) <= ids
    assert set(limits.required_groups) == groups | {"body"}


def test_a_baseline_lies_beside_its_configuration(tmp_path: Path) -> None:
    gates = written(tmp_path, 'version = 1\nbaseline = "b.json"', "gates.toml")
    assert read_gate(gates, None)[1:] == (tmp_path / "b.json", None)
    written(tmp_path, Baseline.of(REPORT).to_json(), "b.json")
    assert read_gate(gates, None)[2] == Baseline.of(REPORT)
    other = written(tmp_path, Baseline.of(REPORT).to_json(), "other.json")
    assert read_gate(gates, other)[1] == other


def test_only_the_named_split_is_asked_but_all_files_count(tmp_path: Path) -> None:
    first = written(tmp_path)
    second = written(tmp_path, first.read_text(encoding="utf-8").replace("q-", "t-"), "test.jsonl")
    task = prepare([first, second], "test", subject())
    assert [row.question_id for row in task.questions] == ["t-1", "t-4"]
    assert [file.split for file in task.files] == ["dev", "test"]
    assert len(prepare([first, second], "all", subject()).questions) == 4
    with pytest.raises(ConfigError, match="没有 'train' 这一份题目，有的是：dev、test、all"):
        prepare([first, second], "train", subject())
