"""The gate: a report, a configuration and a baseline in, one verdict for each gate out.

Three kinds: invariants (must hold in every reply), floors (limits on the end of an interval, so that a
small sample cannot pass by luck) and regressions (paired exact tests against the baseline, and pinned
questions). What was not measured is never taken as passed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import get_args

from evals.aggregate import OVERALL, Estimate, members_of_groups
from evals.baseline import Baseline
from evals.compare import compare_group
from evals.gate_config import Floor, GateConfig, Regression
from evals.measures.catalogue import MEASURE_BY_NAME
from evals.report import Report
from evals.verify import Invariant

_SHOWN_IDS = 8


@dataclass(frozen=True, slots=True)
class Verdict:
    """One gate.

    Attributes:
        name: "kind:name", e.g. "floor:retrieval".
        passed: Whether it is green.
        expected, got: For people, in Chinese.
        question_ids: Questions behind a red one.
    """

    name: str
    passed: bool
    expected: str
    got: str
    question_ids: tuple[str, ...] = ()


def judge_gate(report: Report, config: GateConfig, baseline: Baseline | None) -> tuple[Verdict, ...]:
    """Every verdict, in a fixed order.

    Args:
        report: Of the run to judge.
        config: The limits.
        baseline: What to compare with; None is red if the configuration names one.
    """
    verdicts = [_invariant(report, name) for name in get_args(Invariant)]
    verdicts += [_no_errors(report), _identical(report), _one_fingerprint(report)]
    verdicts += [_frozen(report, split, wanted) for split, wanted in config.frozen_questions.items()]
    verdicts += [_required(report, config)]
    verdicts += [_alive(report, arm, names) for arm, names in config.alive.items()]
    verdicts += [_floor(report, floor) for floor in config.floor]
    if config.baseline is not None:
        verdicts += _against_baseline(report, config, baseline)
    if config.pinned:
        verdicts.append(_pinned(report, config.pinned))
    return tuple(verdicts)


def _invariant(report: Report, name: str) -> Verdict:
    checked = sum(row.checked.get(name, 0) for row in report.results)
    faults = [
        (row.question_id, f.message) for row in report.results for f in row.faults if f.invariant == name
    ]
    got = f"查了 {checked} 处，{len(faults)} 处不符" if checked else "没有可查的，不能算通过"
    if faults:
        got += f"；如 {faults[0][0]}：{faults[0][1]}"
    ids = tuple(dict.fromkeys(question_id for question_id, _ in faults))
    return Verdict(f"invariant:{name}", bool(checked) and not faults, "每一处都相符", got, ids)


def _no_errors(report: Report) -> Verdict:
    failed = [(row.question_id, row.error) for row in report.results if row.error is not None]
    got = f"{len(failed)} 题出错" + (f"，如 {failed[0][0]}：{failed[0][1]}" if failed else "")
    ids = tuple(question_id for question_id, _ in failed)
    return Verdict("invariant:no_errors", not failed and bool(report.results), "没有一题出错", got, ids)


def _identical(report: Report) -> Verdict:
    if report.repeated is None:
        return Verdict("invariant:runs_identical", False, "两次运行完全相同", "没有运行第二次")
    got = f"{len(report.repeated)} 题不同"
    return Verdict("invariant:runs_identical", not report.repeated, "两次运行完全相同", got, report.repeated)


def _one_fingerprint(report: Report) -> Verdict:
    got = "、".join(report.fingerprints) or "没有"
    return Verdict("invariant:one_fingerprint", len(report.fingerprints) == 1, "所有答复同一个指纹", got)


def _frozen(report: Report, split: str, wanted: str) -> Verdict:
    found = report.questions.get(split)
    got = "没有这个题目文件" if found is None else found[:12]
    return Verdict(f"frozen:{split}", found == wanted, f"{split} 题目的 SHA-256 是 {wanted[:12]}…", got)


def _required(report: Report, config: GateConfig) -> Verdict:
    overall = report.group(OVERALL)
    missing = [
        name for name in config.required_measures if overall is None or overall.measures[name].value is None
    ]
    missing += [name for name in config.required_groups if report.group(name) is None]
    got = f"缺 {'、'.join(missing)}" if missing else "齐全"
    return Verdict("required:present", not missing, "要求的指标都有值，要求的分组都有题", got)


def _alive(report: Report, arm: str, names: list[str]) -> Verdict:
    seen = {name: {row.raw[name] for row in report.results if name in row.raw} for name in names}
    dead = [
        f"{name} {'没有给出' if not values else '总是同一个值'}"
        for name, values in seen.items()
        if len(values) < 2
    ]
    expected = f"{'、'.join(names)} 随问题而变"
    return Verdict(f"alive:{arm}", not dead and bool(names), expected, "；".join(dead) or "都在变")


def _floor(report: Report, floor: Floor) -> Verdict:
    name = f"floor:{floor.name}"
    group = report.group(floor.group)
    estimate = group.measures[floor.measure] if group else Estimate(None, 0)
    if floor.at_least is not None:
        end, compared, limit = "下端 ≥", estimate.low, floor.at_least
    else:
        end, compared, limit = "上端 ≤", estimate.high, floor.at_most or 0.0
    if floor.on == "point":
        end, compared = end[-1], estimate.value
    expected = f"{floor.group} 的 {floor.measure}：{'' if floor.on == 'point' else '区间'}{end} {limit:g}"
    if estimate.value is None or compared is None:
        return Verdict(name, False, expected, "没有值（分组里没有受评的题）")
    got = f"{estimate.value:.4g}（n={estimate.n}）"
    if estimate.low is not None and estimate.high is not None:
        got += f"，95% 区间 {estimate.low:.4g}–{estimate.high:.4g}"
    return Verdict(
        name, compared >= limit if floor.at_least is not None else compared <= limit, expected, got
    )


def _against_baseline(report: Report, config: GateConfig, baseline: Baseline | None) -> list[Verdict]:
    if baseline is None:
        return [
            Verdict(
                "baseline:present", False, f"有基线 {config.baseline}", "没有；用 --write-baseline 写一份"
            )
        ]
    judged = {row.question_id for row in report.results}
    absent = tuple(name for name in baseline.scores if name not in judged)
    empty = [name for name in baseline.groups if report.group(name) is None]
    changed = [split for split, sha in baseline.questions.items() if report.questions.get(split) != sha]
    return [
        Verdict(
            "baseline:corpus",
            baseline.corpus_sha256 == report.corpus_sha256,
            f"语料与基线相同（{baseline.corpus_sha256[:12]}）",
            f"{report.corpus_sha256[:12]}；有意更换时用 --write-baseline 写新基线",
        ),
        Verdict(
            "baseline:questions",
            not changed and not absent,
            "题目与基线相同，且都评了",
            f"变了的文件：{'、'.join(changed) or '无'}；没评的题：{len(absent)}",
            absent[:_SHOWN_IDS],
        ),
        Verdict("baseline:groups", not empty, "基线里的分组都有题", f"空了的：{'、'.join(empty) or '无'}"),
        *(_regression(report, limit, baseline) for limit in config.regression),
    ]


def _regression(report: Report, limit: Regression, baseline: Baseline) -> Verdict:
    name = f"regression:{limit.name}"
    expected = f"{limit.group} 的 {limit.measure} 没有变差（配对精确检验 p > {limit.alpha:g}）"
    group = report.group(limit.group)
    members = members_of_groups(report.results).get(limit.group, [])
    measure = MEASURE_BY_NAME[limit.measure]
    row = compare_group(baseline, group, members, measure) if group else None
    if row is None:
        return Verdict(name, False, expected, "没有可配对的题")
    paired = row.paired
    red = paired.worse > paired.better and paired.p_value <= limit.alpha
    got = f"{row.before:.4g} → {row.after:.4g}，好 {paired.better} 差 {paired.worse}，p={paired.p_value:.3g}"
    return Verdict(name, not red, expected, got, _worse_ids(report, limit, baseline) if red else ())


def _worse_ids(report: Report, limit: Regression, baseline: Baseline) -> tuple[str, ...]:
    sign = 1 if MEASURE_BY_NAME[limit.measure].higher_is_better else -1
    found: list[str] = []
    for row in members_of_groups(report.results).get(limit.group, []):
        before = baseline.scores.get(row.question_id, {}).get(limit.measure)
        after = row.measures.get(limit.measure)
        if before is not None and after is not None and sign * after < sign * before:
            found.append(row.question_id)
    return tuple(found)


def _pinned(report: Report, pinned: list[str]) -> Verdict:
    right = Counter({row.question_id: int(row.measures.get("correct") == 1) for row in report.results})
    broken = tuple(name for name in pinned if not right[name])
    got = f"{len(broken)} 题没有" if broken else "都对"
    return Verdict("pinned:questions", not broken, f"{len(pinned)} 道钉住的题都要全对", got, broken)
