"""The report for people: one HTML file with its style and plots inside, no script, nothing fetched."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from evals.aggregate import BODY, Group
from evals.gate import Verdict
from evals.measures.catalogue import MEASURE_BY_NAME, MEASURES
from evals.measures.latency import percentile
from evals.report import Report
from evals.runner import Timing
from evals.svg import Axes, Bar, bars, curve, histogram, nice_ceiling


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing with a title and what it shows."""

    title: str
    note: str
    svg: str


def html_report(
    report: Report,
    timings: Sequence[Timing],
    verdicts: Sequence[Verdict] | None = None,
    hidden_splits: frozenset[str] = frozenset(),
) -> str:
    """The report as one HTML page.

    Args:
        report: Of the run.
        timings: Its times; the only part of the page that does not repeat.
        verdicts: What the gate said, if it was asked.
        hidden_splits: Splits whose questions are not spelt out, so that nobody tunes to them.
    """
    from jinja2 import Environment, StrictUndefined
    from markupsafe import Markup

    pages = files("evals") / "pages"
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    template = environment.from_string((pages / "report.html").read_text(encoding="utf-8"))
    groups = report.groups
    page: str = template.render(
        style=Markup((pages / "report.css").read_text(encoding="utf-8")),  # noqa: S704 -- our own file
        report=report,
        verdicts=verdicts,
        red=sum(not verdict.passed for verdict in verdicts or ()),
        plots=[
            {"title": plot.title, "note": plot.note, "svg": Markup(plot.svg)}  # noqa: S704 -- escaped by svg
            for plot in _plots(report, timings)
        ],
        tables=[
            ("指标", [group for group in groups if not _is_part(group)]),
            ("分组", [group for group in groups if _is_part(group)]),
        ],
        measures=MEASURES,
        number=_number,
        wrong=[row for row in report.results if row.measures.get("correct") != 1 or row.faults],
        hidden_splits=hidden_splits,
    )
    return page


def _plots(report: Report, timings: Sequence[Timing]) -> list[Plot]:
    retrieval = [group for group in report.groups if group.name == BODY or _is_part(group)]
    risk = [(point.coverage, point.risk) for point in report.curve]
    bins = [(row.confidence, row.accuracy) for row in report.reliability]
    plots = [
        Plot("R@5，按分组", "证据在前五段的比例与 95% 区间", bars(_bars(retrieval, "R@5"), "R@5")),
        Plot("全对，按分组", "答全要点，或该弃答时弃答", bars(_bars(report.groups, "correct"), "correct")),
        Plot(
            "风险—覆盖",
            "只回答 confidence 最高的一部分时，其中有多少是语料没说的",
            curve(risk, Axes("覆盖率", "风险"), "风险—覆盖曲线"),
        ),
        Plot(
            "校准",
            "每一档 confidence 里，语料真的有说的比例；虚线为理想",
            curve(bins, Axes("confidence", "真的有说"), "校准图", diagonal=True),
        ),
    ]
    times = [timing.ask_ms for timing in timings]
    if times:
        note = f"p50 {percentile(times, 0.5):.0f} 毫秒，p95 {percentile(times, 0.95):.0f} 毫秒"
        axes = Axes("毫秒", "题数", nice_ceiling(max(percentile(times, 0.99), 1.0)))
        plots.append(Plot("提问耗时", note, histogram(times, axes, "提问耗时")))
    return plots


def _bars(groups: Sequence[Group], measure: str) -> list[Bar]:
    rows: list[Bar] = []
    for group in groups:
        found = group.measures[measure]
        if found.value is not None:
            interval = None if found.low is None or found.high is None else (found.low, found.high)
            rows.append(Bar(group.name, found.value, interval, f"n={found.n}"))
    return rows


def _number(group: Group, measure: str) -> str:
    value = group.measures[measure].value
    if value is None:
        return "—"
    return f"{value:g}" if MEASURE_BY_NAME[measure].statistic == "median" else f"{value:.3f}"


def _is_part(group: Group) -> bool:
    return group.name.startswith(("type:", "slice:"))
