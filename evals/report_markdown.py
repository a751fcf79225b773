"""The summary that a merge request shows: what went red, what got worse, then the figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from evals.aggregate import Estimate, Group
from evals.compare import Row
from evals.gate import Verdict
from evals.measures.catalogue import MEASURE_BY_NAME, MEASURES
from evals.report import Report
from evals.result import Result

_HEADLINE = ("correct", "R@1", "R@5", "nDCG@10", "fact_coverage", "false_answer", "false_refusal")
_MOST_REGRESSIONS = 25
_MOST_FAILURES = 60
_REASONS = ("off_topic", "not_stated", "false_premise", "too_vague")


def markdown_summary(
    report: Report,
    verdicts: Sequence[Verdict] | None = None,
    rows: Sequence[Row] | None = None,
    hidden_splits: frozenset[str] = frozenset(),
) -> str:
    """The summary as Markdown.

    Args:
        report: Of the run.
        verdicts: What the gate said, if it was asked.
        rows: The comparison with a baseline, if there is one.
        hidden_splits: Splits whose questions are not spelt out, so that nobody tunes to them.
    """
    parts = [_head(report, verdicts)]
    if verdicts is not None:
        parts.append(_gate(verdicts))
    if rows is not None:
        parts.append(comparison_table(rows))
    parts += [_overall(report), _by_group(report.groups), _confusion(report), _reasons(report)]
    parts.append(_failures(report, hidden_splits))
    return "\n\n".join(parts) + "\n"


def _head(report: Report, verdicts: Sequence[Verdict] | None) -> str:
    word = "评测"
    if verdicts is not None:
        red = sum(not verdict.passed for verdict in verdicts)
        word = f"评测：{red} 道门未过" if red else "评测：全部通过"
    facts = [
        f"- 题目 {len(report.results)} 道（"
        + "，".join(f"{name} {sha[:12]}" for name, sha in report.questions.items())
        + "）",
        f"- 语料 {report.corpus_sha256[:12]}，指纹 {'、'.join(report.fingerprints) or '无'}",
        f"- 提交 {report.commit or '未知'}",
    ]
    return f"# {word}\n\n" + "\n".join(facts)


def _gate(verdicts: Sequence[Verdict]) -> str:
    ordered = sorted(verdicts, key=lambda verdict: verdict.passed)
    rows = [
        (
            "✅" if verdict.passed else "❌",
            verdict.name,
            verdict.expected,
            verdict.got,
            "、".join(verdict.question_ids[:8]),
        )
        for verdict in ordered
    ]
    return "## 门禁\n\n" + table(("", "门", "要求", "得到", "题"), rows)


def comparison_table(rows: Sequence[Row]) -> str:
    """Worse measures first, then the better ones; what did not move is counted only."""
    worse = [row for row in rows if row.is_worse]
    better = [row for row in rows if not row.is_worse and row.delta != 0]
    same = len(rows) - len(worse) - len(better)
    text = f"## 与基线相比\n\n变差 {len(worse)} 项，变好 {len(better)} 项，未变 {same} 项。"
    shown = [*worse[:_MOST_REGRESSIONS], *better[:_MOST_REGRESSIONS]]
    if not shown:
        return text
    lines = [
        (
            "⬇" if row.is_worse else "⬆",
            row.group,
            row.measure,
            _number(row.measure, row.before),
            _number(row.measure, row.after),
            f"{row.delta:+.3f}",
            _interval(row.measure, row.interval),
            f"{row.paired.better} / {row.paired.worse}",
            f"{row.paired.p_value:.3g}",
        )
        for row in shown
    ]
    head = ("", "分组", "指标", "基线", "现在", "差", "现在的 95% 区间", "好 / 差", "p")
    left_out = len(worse) + len(better) - len(shown)
    more = f"\n\n（另有 {left_out} 项未列）" if left_out else ""
    return f"{text}\n\n{table(head, lines)}{more}"


def _overall(report: Report) -> str:
    groups = [group for group in report.groups if group.name in {"overall", "body"} or _is_split(group)]
    lines = [
        (
            measure.name,
            measure.label,
            *(_cell(measure.name, group.measures[measure.name]) for group in groups),
        )
        for measure in MEASURES
    ]
    head = ("指标", "含义", *(f"{group.name}（{group.questions} 题）" for group in groups))
    return "## 指标\n\n" + table(head, lines)


def _by_group(groups: Sequence[Group]) -> str:
    shown = [group for group in groups if group.name.startswith(("type:", "slice:"))]
    lines = [
        (
            group.name,
            str(group.questions),
            *(_number(name, group.measures[name].value) for name in _HEADLINE),
            _number("answer_chars", group.measures["answer_chars"].value),
        )
        for group in shown
    ]
    return "## 分组\n\n" + table(("分组", "题数", *_HEADLINE, "answer_chars"), lines)


def _confusion(report: Report) -> str:
    cells = Counter((row.answerable, _outcome(row)) for row in report.results)
    outcomes = ("答全", "答了但不全", "作答", "弃答", "出错")
    lines = [
        (name, *(str(cells[answerable, outcome]) for outcome in outcomes))
        for name, answerable in (("语料有说", True), ("语料没说", False))
    ]
    return "## 混淆矩阵\n\n" + table(("", *outcomes), lines)


def _outcome(row: Result) -> str:
    if row.status == "error":
        return "出错"
    if row.status == "abstained":
        return "弃答"
    if not row.answerable:
        return "作答"
    return "答全" if row.measures["facts_complete"] == 1 else "答了但不全"


def _reasons(report: Report) -> str:
    tags = ("off-topic", "near-topic", "false-premise")
    rows = [row for row in report.results if not row.answerable]
    lines = [
        (
            tag,
            *(
                str(sum(tag in row.slices and (row.reason or "作答") == reason for row in rows))
                for reason in (*_REASONS, "作答")
            ),
        )
        for tag in tags
        if any(tag in row.slices for row in rows)
    ]
    return "## 语料没说的题：弃答的理由\n\n" + table(("题", *_REASONS, "作答"), lines)


def _failures(report: Report, hidden_splits: frozenset[str]) -> str:
    wrong = [row for row in report.results if row.measures.get("correct") != 1]
    lines = [
        (
            row.question_id,
            row.type,
            "（冻结，不显示）" if row.split in hidden_splits else _escape(row.question),
            _why(row),
        )
        for row in wrong[:_MOST_FAILURES]
    ]
    left_out = max(len(wrong) - _MOST_FAILURES, 0)
    more = f"\n\n（另有 {left_out} 道，见 report.json）" if left_out else ""
    return f"## 没有答对的题（{len(wrong)} 道）\n\n" + table(("题", "类型", "问题", "结果"), lines) + more


def _why(row: Result) -> str:
    if row.error is not None:
        return f"出错 {row.error}"
    if not row.answerable:
        return f"作答了，confidence {row.confidence:.2f}"
    if row.status == "abstained":
        return (
            f"弃答（{row.reason}），confidence {row.confidence:.2f}，证据名次 {first_rank(row) or '前十之外'}"
        )
    coverage = row.measures["fact_coverage"] or 0.0
    return f"要点 {coverage:.0%}，证据名次 {first_rank(row) or '前十之外'}"


def first_rank(row: Result) -> int | None:
    """Rank of the first hit that holds a needed piece of evidence, among the first ten."""
    return next((hit.rank for hit in row.hits if hit.holds), None)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _escape(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _cell(name: str, estimate: Estimate) -> str:
    if estimate.value is None:
        return "—"
    interval = None if estimate.low is None or estimate.high is None else (estimate.low, estimate.high)
    span = f"（{_interval(name, interval)}）" if interval else ""
    return f"{_number(name, estimate.value)}{span} n={estimate.n}"


def _number(name: str, value: float | None) -> str:
    if value is None:
        return "—"
    return f"{value:g}" if MEASURE_BY_NAME[name].statistic == "median" else f"{value:.3f}"


def _interval(name: str, interval: tuple[float, float] | None) -> str:
    return f"{_number(name, interval[0])}–{_number(name, interval[1])}" if interval else "—"


def _is_split(group: Group) -> bool:
    return group.name.startswith("split:")
