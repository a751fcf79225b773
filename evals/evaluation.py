"""A whole evaluation: questions, a service, one or two runs, a report, the gate's verdicts.

It asks and judges; it writes nothing (`outputs`) and shows nothing (`cli`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.baseline import Baseline, read_baseline
from evals.compare import Row, compare
from evals.gate import Verdict, judge_gate
from evals.gate_config import GateConfig, read_gate_config
from evals.locate import Evidence, locate_evidence
from evals.report import Report, build_report
from evals.runner import Run, Timing, run_questions, runs_differ
from evals.schema import Question, QuestionFile, load_questions
from evals.service import Subject
from rag.errors import ConfigError

Progress = Callable[[str, int, int], None]
"""Called with (what is being done, questions done, questions in all)."""


@dataclass(frozen=True)
class Task:
    """Questions that are ready to be asked.

    Attributes:
        files: All files read, asked or not: their checksums count.
        questions: Those to ask.
        evidence: Their located gold spans.
    """

    files: tuple[QuestionFile, ...]
    questions: tuple[Question, ...]
    evidence: Evidence


@dataclass(frozen=True)
class Outcome:
    """What an evaluation came to.

    Attributes:
        report: Of the first run.
        timings: Of the first run.
        verdicts: Of the gate; None if it was not asked.
        rows: The comparison with the baseline; None if there is none.
    """

    report: Report
    timings: tuple[Timing, ...]
    verdicts: tuple[Verdict, ...] | None
    rows: tuple[Row, ...] | None


def prepare(paths: Sequence[Path], split: str, subject: Subject) -> Task:
    """Read the questions and find their evidence.

    Args:
        paths: Question files.
        split: The one to ask, or "all".
        subject: Its sources are searched for the evidence.

    Raises:
        ConfigError: If a file is wrong, a span is nowhere, or there is no such split.
    """
    files = load_questions(paths)
    chosen = tuple(question for file in files if split in {"all", file.split} for question in file.questions)
    if not chosen:
        raise ConfigError(
            f"没有 {split!r} 这一份题目，有的是：{'、'.join(file.split for file in files)}、all。"
        )
    return Task(files, chosen, locate_evidence(chosen, subject.sources))


def evaluate(
    task: Task,
    subject: Subject,
    *,
    config: GateConfig | None = None,
    baseline: Baseline | None = None,
    repeat: bool = True,
    progress: Progress | None = None,
) -> Outcome:
    """Ask, judge, and ask the gate if there is a configuration for one.

    For the gate everything is asked twice, the second time in reverse order, so that an answer that
    depends on what was asked before it shows.

    Args:
        task: The questions.
        subject: The service and its corpus.
        config: The gate's; None: no gate, and one run.
        baseline: What to compare with, if there is one.
        repeat: Whether to ask twice for the gate; once leaves its `invariant:runs_identical` red.
        progress: Told after each question.

    Raises:
        UnavailableError: If the service is not there.
    """
    run = _run(task.questions, task, subject, "提问", progress)
    repeated: tuple[str, ...] | None = None
    if config is not None and repeat:
        second = _run(tuple(reversed(task.questions)), task, subject, "再问一遍", progress)
        repeated = runs_differ(run, second)
    report = build_report(run, task.files, subject, repeated)
    verdicts = None if config is None else judge_gate(report, config, baseline)
    rows = None if baseline is None else compare(baseline, report)
    return Outcome(report, run.timings, verdicts, rows)


def read_gate(gates: Path, baseline: Path | None) -> tuple[GateConfig, Path | None, Baseline | None]:
    """The gate's configuration, where its baseline belongs, and the baseline if it is there.

    Args:
        gates: The configuration.
        baseline: Instead of the one that the configuration names.

    Raises:
        ConfigError: If a file cannot be read or is wrong.
    """
    config = read_gate_config(gates)
    place = baseline or (gates.parent / config.baseline if config.baseline else None)
    found = read_baseline(place) if place is not None and place.is_file() else None
    return config, place, found


def _run(
    questions: Sequence[Question], task: Task, subject: Subject, doing: str, progress: Progress | None
) -> Run:
    told = (lambda done, total: progress(doing, done, total)) if progress else None
    return run_questions(questions, task.evidence, subject, told)
