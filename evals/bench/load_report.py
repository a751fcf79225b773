"""The figures of `evals.bench.load`: what became of each request, and of all of them together."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from evals.bench.server_process import Usage
from evals.measures.latency import percentile

_REFUSED = (429, 503)

MAX_SLOWDOWN = 3.0
MAX_REFUSAL_MS = 50.0
MIN_GOODPUT = 0.8


@dataclass(frozen=True, slots=True)
class Sample:
    """One request.

    Attributes:
        status: HTTP status; 0 if there was no reply.
        ms: From sending to the last byte of the reply.
        retry_after: Whether it was told when to come again.
    """

    status: int
    ms: float
    retry_after: bool


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was measured; times in milliseconds, rates in requests a second.

    Attributes:
        unloaded_p50_ms, unloaded_p99_ms: One caller alone.
        sustainable_rate: Answers, as many callers as places.
        offered_rate: Requests of the overload.
        statuses: How many of its requests ended how.
        served_p50_ms, served_p99_ms: Of its answers.
        slowdown: served_p99_ms / unloaded_p99_ms.
        refused_p50_ms, refused_p99_ms: Of its refusals.
        goodput: Its answers a second, as a share of the sustainable rate.
        faults: Requests that were neither answered nor refused with a time to come again.
        before, after: What the server held before and after the overload.
    """

    unloaded_p50_ms: float
    unloaded_p99_ms: float
    sustainable_rate: float
    offered_rate: float
    statuses: dict[int, int]
    served_p50_ms: float
    served_p99_ms: float
    slowdown: float
    refused_p50_ms: float
    refused_p99_ms: float
    goodput: float
    faults: int
    before: Usage
    after: Usage

    def missed(self) -> list[str]:
        """Which of the targets are not met, for people."""
        targets = {
            f"作答的 p99 是空闲时的 {self.slowdown} 倍，应不超过 {MAX_SLOWDOWN}": self.slowdown
            <= MAX_SLOWDOWN,
            f"拒绝的 p99 是 {self.refused_p99_ms} 毫秒，应不超过 {MAX_REFUSAL_MS}": (
                self.refused_p99_ms <= MAX_REFUSAL_MS
            ),
            f"作答的速率是可持续的 {self.goodput}，应不低于 {MIN_GOODPUT}": self.goodput >= MIN_GOODPUT,
            f"有 {self.faults} 个请求既没有作答也没有正当地拒绝": self.faults == 0,
        }
        return [words for words, met in targets.items() if not met]


def summed_up(
    alone: Sequence[Sample],
    sustainable_rate: float,
    flood: Sequence[Sample],
    seconds: float,
    usages: tuple[Usage, Usage],
) -> LoadReport:
    """The report of these samples.

    Args:
        alone: Of one caller.
        sustainable_rate: Answers a second.
        flood: Of the overload.
        seconds: How long it lasted.
        usages: Before and after it.
    """
    unloaded = [sample.ms for sample in alone]
    served = [sample.ms for sample in flood if sample.status == 200] or [0.0]
    refused = [sample.ms for sample in flood if sample.status in _REFUSED] or [0.0]
    answers = sum(sample.status == 200 for sample in flood)
    proper = sum(sample.status in _REFUSED and sample.retry_after for sample in flood)
    return LoadReport(
        unloaded_p50_ms=round(percentile(unloaded, 0.5), 1),
        unloaded_p99_ms=round(percentile(unloaded, 0.99), 1),
        sustainable_rate=round(sustainable_rate, 2),
        offered_rate=round(len(flood) / seconds, 2),
        statuses=dict(sorted(Counter(sample.status for sample in flood).items())),
        served_p50_ms=round(percentile(served, 0.5), 1),
        served_p99_ms=round(percentile(served, 0.99), 1),
        slowdown=round(percentile(served, 0.99) / percentile(unloaded, 0.99), 2),
        refused_p50_ms=round(percentile(refused, 0.5), 1),
        refused_p99_ms=round(percentile(refused, 0.99), 1),
        goodput=round(answers / seconds / sustainable_rate, 2),
        faults=len(flood) - answers - proper,
        before=usages[0],
        after=usages[1],
    )
