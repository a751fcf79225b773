"""What the evaluation's README says is so."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest
import typer

from evals.cli import app
from evals.gate import judge_gate
from evals.gate_config import read_gate_config
from evals.measures.catalogue import MEASURES
from evals.paths import GATES, question_set
from evals.question_line import TYPES, QuestionLine
from evals.sabotage import SABOTAGES
from evals.schema import load_questions
from evals.verify import Invariant
from tests.test_evals_gate import REPORT
from tests.test_evals_writers import OUTCOME

EVALS = Path(__file__).parent.parent / "evals"
README = (EVALS / "README.md").read_text(encoding="utf-8")
QUOTED = set(re.findall(r"`([^`\n]+)`", README))


def test_every_measure_field_and_type_is_explained() -> None:
    # `R@1` … `R@10` stand for those between.
    named = {measure.name for measure in MEASURES} - {"R@3", "R@5"}
    assert named <= QUOTED
    assert set(QuestionLine.model_fields) <= QUOTED
    assert set(TYPES) <= QUOTED


def test_every_command_is_named_and_every_command_named_exists() -> None:
    commands = set(typer.main.get_group(app).commands)
    assert set(re.findall(r"cewen eval ([a-z]+)", README)) == commands
    options = {option for parameter in typer.main.get_group(app).params for option in parameter.opts}
    assert set(re.findall(r"(--[a-z]+(?:-[a-z]+)*)", README)) <= options


def test_every_kind_of_gate_is_explained() -> None:
    config = read_gate_config(GATES).model_copy(update={"pinned": ["q-1"]})
    kinds = {verdict.name.split(":")[0] for verdict in judge_gate(REPORT, config, None)}
    table = README[README.index("| kind |") : README.index("To change a limit")]
    assert kinds <= set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert len(get_args(Invariant)) == 5  # each has its words in the row of invariants


def test_the_counts_are_the_files() -> None:
    files = load_questions(question_set(None, None).files)
    for file in files:
        assert f"`questions/{file.split}.jsonl` ({len(file.questions)})" in README
    questions = [question for file in files for question in file.questions]
    refused = [question for question in questions if not question.answerable]
    near, false, off = (
        sum(tag in question.slices for question in refused)
        for tag in ("near-topic", "false-premise", "off-topic")
    )
    said = " ".join(README.split())
    assert (
        f"{len(refused)} questions cannot be answered: {near} near the topic, {false} with a false premise, "
        f"{off} off topic." in said
    )
    assert f"{len(questions) - len(refused)} answerable questions" in said
    assert len(SABOTAGES) == 9
    assert "nine broken services" in said


@pytest.mark.parametrize("place", re.findall(r"\]\(([^)]+)\)", README))
def test_links_lead_somewhere(place: str) -> None:
    assert (EVALS / place).exists()


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`((?:measures/)?\w+\.(?:py|toml))`", README))))
def test_modules_named_exist(name: str) -> None:
    assert (EVALS / name).is_file() or (EVALS / "measures" / name).is_file()


def test_the_report_has_the_parts_that_are_named() -> None:
    row = next(line for line in README.splitlines() if line.startswith("| `report.json`"))
    parts = set(re.findall(r"`(\w+)`", row)) - {"report"}
    known = set(OUTCOME.report.__slots__) | set(OUTCOME.report.groups[0].__slots__)
    known |= set(OUTCOME.report.results[0].__slots__) | {"value", "n", "low", "high"}
    assert parts <= known
    assert {"schema_version", "results", "groups", "repeated"} <= parts


def test_the_ci_job_has_five_lines() -> None:
    job = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
    assert job
    assert len(job[1].splitlines()) == 5
    assert "cewen eval --gate --seeds" in job[1]
