"""What is measured for every question, in report order: names, what is better, how it is summed up.

A measure is None for a question that it does not judge (retrieval for an unanswerable one). A question
that is judged and has no result scores 0, or 1 where lower is better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Statistic = Literal["mean", "median"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A measure.

    Attributes:
        name: In reports and in gate configurations.
        label: In Chinese, for people.
        higher_is_better: Which way is good.
        statistic: How questions are summed up. Means are of scores in 0-1 and get an interval.
        paired: Whether it has a value for each question, so that two runs can be paired.
    """

    name: str
    label: str
    higher_is_better: bool = True
    statistic: Statistic = "mean"
    paired: bool = True


MEASURES = (
    Measure("correct", "全对（答全要点，或该弃答时弃答）"),
    Measure("S@1", "首段就有证据"),
    Measure("S@5", "前 5 段里有证据"),
    Measure("R@1", "证据在前 1 段的比例"),
    Measure("R@3", "证据在前 3 段的比例"),
    Measure("R@5", "证据在前 5 段的比例"),
    Measure("R@10", "证据在前 10 段的比例"),
    Measure("complete@5", "证据全在前 5 段"),
    Measure("RR@10", "首个命中段的名次倒数"),
    Measure("nDCG@10", "折损累计增益"),
    Measure("citation_recall", "句子有引文支持的比例（ALCE）"),
    Measure("citation_precision", "引文切题的比例（ALCE）"),
    Measure("evidence_recall", "所需证据被引用的比例"),
    Measure("evidence_precision", "引文落在所需证据上的比例"),
    Measure("fact_coverage", "要点出现在答案里的比例"),
    Measure("facts_complete", "要点全部出现"),
    Measure("answer_chars", "答案字数（中位数）", higher_is_better=False, statistic="median"),
    Measure("false_answer", "误答：语料没说却作答", higher_is_better=False),
    Measure("false_refusal", "误拒：语料有说却弃答", higher_is_better=False),
    Measure("auroc", "confidence 区分可答与不可答", paired=False),
    Measure("ece", "confidence 的校准误差", higher_is_better=False, paired=False),
    Measure("aurc", "风险—覆盖曲线下的面积", higher_is_better=False, paired=False),
)
MEASURE_BY_NAME = {measure.name: measure for measure in MEASURES}
