"""The gate's own test: broken services, and for each the gates that must stop it.

A gate that has never been red proves nothing. A fault counts as caught if one of the gates named here is
red for it and green for the healthy service; that some other gate is red is not enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from evals.baseline import Baseline
from evals.evaluation import Progress, Task, evaluate
from evals.gate import Verdict, judge_gate
from evals.gate_config import GateConfig
from evals.sabotage_index import ArmSet, mirrored, without_terms, without_vectors
from evals.sabotage_services import DriftingScores, Flickering, InventedNumber, ShiftedCitations
from evals.service import Service, Subject
from rag.ranking.arms import SearchIndex


class Workshop(Protocol):
    """Makes services over one corpus that differ in one thing."""

    def healthy(self) -> Service:
        """As it is served."""

    def with_rate(self, rate: float) -> Service:
        """With another rate of false answers, 0-1."""

    def with_index(self, change: Callable[[SearchIndex, int, int], ArmSet]) -> Service:
        """On a changed index; `change` gets the healthy one and its numbers of chunks and sentences."""


@dataclass(frozen=True, slots=True)
class Sabotage:
    """A broken service.

    Attributes:
        name: For reports.
        story: What went wrong, in Chinese.
        build: Makes it.
        caught_by: Gates of which at least one must turn red.
    """

    name: str
    story: str
    build: Callable[[Workshop], Service]
    caught_by: tuple[str, ...]

    @property
    def repeat(self) -> bool:
        """Whether asking once would not show it."""
        return _REPETITION in self.caught_by


_REPETITION = "invariant:runs_identical"

SABOTAGES = (
    Sabotage(
        "shuffled_ids",
        "索引的行号与段块对不上",
        lambda shop: shop.with_index(mirrored),
        ("floor:retrieval", "floor:first_hit"),
    ),
    Sabotage(
        "no_lexical",
        "词语检索一路什么也不返回",
        lambda shop: shop.with_index(lambda index, *_: without_terms(index)),
        ("alive:lexical",),
    ),
    Sabotage(
        "no_dense",
        "向量检索一路全部同分",
        lambda shop: shop.with_index(lambda index, *_: without_vectors(index)),
        ("alive:dense",),
    ),
    Sabotage(
        "answers_all",
        "阈值为 0，什么都作答",
        lambda shop: shop.with_rate(1.0),
        ("floor:false_answers", "regression:false_answers"),
    ),
    Sabotage(
        "answers_none",
        "阈值为 1，什么都不答",
        lambda shop: shop.with_rate(0.0),
        ("floor:false_refusals",),
    ),
    Sabotage(
        "shifted_citations",
        "引文偏移一个字",
        lambda shop: ShiftedCitations(shop.healthy()),
        ("invariant:citations_verify",),
    ),
    Sabotage(
        "invented_number",
        "答案里混入一个编造的数字",
        lambda shop: InventedNumber(shop.healthy()),
        ("invariant:answers_supported",),
    ),
    Sabotage(
        "flickering",
        "同一问题两次答得不同",
        lambda shop: Flickering(shop.healthy()),
        (_REPETITION,),
    ),
    Sabotage(
        "drifting_scores",
        "检索与问答给同一段不同的分",
        lambda shop: DriftingScores(shop.healthy()),
        ("invariant:search_and_ask_agree",),
    ),
)


@dataclass(frozen=True, slots=True)
class Trial:
    """What the gate made of one fault.

    Attributes:
        fault: Which.
        red: Gates that are red for it and green for the healthy service.
    """

    fault: Sabotage
    red: tuple[Verdict, ...]

    @property
    def caught(self) -> tuple[str, ...]:
        """Names of the gates that had to stop it and did."""
        return tuple(verdict.name for verdict in self.red if verdict.name in self.fault.caught_by)


def try_gate(
    task: Task, subject: Subject, shop: Workshop, config: GateConfig, progress: Progress | None = None
) -> tuple[tuple[Verdict, ...], list[Trial]]:
    """Put every fault before the gate.

    The baseline is the healthy service's own run, so the result does not depend on a committed one.

    Args:
        task: The questions.
        subject: The corpus; its service is not asked.
        shop: Makes the services.
        config: The gate's.
        progress: Told after each question.

    Returns:
        (verdicts on the healthy service, one trial for each fault).
    """
    config = config.model_copy(update={"baseline": "healthy"})
    sound = replace(subject, service=shop.healthy())
    report = evaluate(task, sound, config=config, progress=progress).report
    baseline = Baseline.of(report)
    healthy = judge_gate(report, config, baseline)
    green = {verdict.name for verdict in healthy if verdict.passed}
    trials: list[Trial] = []
    for fault in SABOTAGES:
        broken = replace(subject, service=fault.build(shop))
        tried = green if fault.repeat else green - {_REPETITION}
        outcome = evaluate(
            task,
            broken,
            config=config,
            baseline=baseline,
            repeat=fault.repeat,
            progress=_named(progress, fault.name),
        )
        red = (verdict for verdict in outcome.verdicts or () if not verdict.passed)
        trials.append(Trial(fault, tuple(verdict for verdict in red if verdict.name in tried)))
    return healthy, trials


def _named(progress: Progress | None, name: str) -> Progress | None:
    return (lambda doing, done, total: progress(f"{name}：{doing}", done, total)) if progress else None
