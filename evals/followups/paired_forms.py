"""Ask every follow-up both ways and compare: with its history, and as its stand-alone form without.

What is lost between the two is lost in resolving the follow-up, whatever the search and the generator do
with either. Judging is `evals.judge`'s, statistics are `evals.measures`'.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from evals.locate import locate_evidence
from evals.measures.catalogue import MEASURE_BY_NAME
from evals.measures.intervals import clopper_pearson
from evals.measures.paired import Paired, compare_pairs
from evals.result import Result
from evals.runner import Progress, run_questions
from evals.schema import Question
from evals.service import Subject
from rag.errors import ConfigError

JUDGED = ("S@1", "S@5", "facts_complete", "false_refusal")
"""Measures compared, each 0 or 1 for a question."""


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the questions, with Clopper and Pearson's 95 % interval of their share."""

    count: int
    total: int
    low: float
    high: float

    @property
    def value(self) -> float:
        """The share, 0-1."""
        return self.count / self.total


@dataclass(frozen=True, slots=True)
class Row:
    """One measure of both forms.

    Attributes:
        followup: Asked with the history.
        standalone: Asked as the stand-alone form.
        points: `followup` minus `standalone` in percentage points.
        paired: From stand-alone to follow-up, question by question.
    """

    measure: str
    label: str
    followup: Share
    standalone: Share
    points: float
    paired: Paired


@dataclass(frozen=True, slots=True)
class Comparison:
    """The rows, and the results of both forms in question order."""

    rows: tuple[Row, ...]
    followup: tuple[Result, ...]
    standalone: tuple[Result, ...]

    def to_dict(self) -> dict[str, Any]:
        """For JSON: the rows, and for each question both questions searched and both sets of scores."""
        return {
            "questions": len(self.followup),
            "rows": [asdict(row) for row in self.rows],
            "results": [
                {
                    "id": with_history.question_id,
                    "question": with_history.question,
                    "resolved_question": with_history.resolved_question,
                    "standalone": alone.question,
                    "followup_scores": _scores(with_history),
                    "standalone_scores": _scores(alone),
                }
                for with_history, alone in zip(self.followup, self.standalone, strict=True)
            ],
        }


def compare_forms(
    questions: Sequence[Question], subject: Subject, progress: Progress | None = None
) -> Comparison:
    """Ask both forms of every question.

    Args:
        questions: Those without a stand-alone form are left out.
        subject: The service and its corpus.
        progress: Told after each question asked, of twice as many as there are.

    Raises:
        ConfigError: If no question has a stand-alone form, or a span is nowhere.
        UnavailableError: If the service is not there.
    """
    leaning = tuple(question for question in questions if question.standalone)
    if not leaning:
        raise ConfigError("题目文件里没有带 standalone 的 followup 题。请在题目里写上独立问法。")
    evidence = locate_evidence(leaning, subject.sources)
    alone = tuple(replace(question, question=question.standalone, history=()) for question in leaning)
    # One run over both, each follow-up beside its other form.
    both = [question for pair in zip(leaning, alone, strict=True) for question in pair]
    results = run_questions(both, evidence, subject, progress).results
    followup, standalone = results[::2], results[1::2]
    rows = tuple(_row(name, followup, standalone) for name in JUDGED)
    return Comparison(rows, followup, standalone)


def _row(name: str, followup: Sequence[Result], standalone: Sequence[Result]) -> Row:
    measure = MEASURE_BY_NAME[name]
    pairs = [
        (_score(alone, name), _score(leaning, name))
        for leaning, alone in zip(followup, standalone, strict=True)
    ]
    alone, leaning = (_share([pair[side] for pair in pairs]) for side in (0, 1))
    paired = compare_pairs(pairs, higher_is_better=measure.higher_is_better)
    points = round(100 * (leaning.value - alone.value), 1)
    return Row(name, measure.label, leaning, alone, points, paired)


def _share(scores: Sequence[float]) -> Share:
    count = round(sum(scores))
    return Share(count, len(scores), *clopper_pearson(count, len(scores)))


def _score(result: Result, name: str) -> float:
    return float(result.measures[name] or 0.0)


def _scores(result: Result) -> dict[str, float]:
    return {name: _score(result, name) for name in JUDGED}
