"""The committed baseline: the scores of an accepted run, one question a line, and what they were made on.

It holds no texts and no rankings, only what a paired test needs, so a change of it can be read in review.
A full report can stand in for one.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.report import SCHEMA_VERSION, Report, read_report
from rag.errors import ConfigError

Scores = dict[str, float | None]


@dataclass(frozen=True, slots=True)
class Baseline:
    """Scores to compare with.

    Attributes:
        commit: Of the project when they were made.
        corpus_sha256: Of the corpus they were made on.
        questions: Split to SHA-256 of its file.
        groups: Group name to how many questions it had.
        scores: Question id to measure to score.
    """

    commit: str | None
    corpus_sha256: str
    questions: dict[str, str]
    groups: dict[str, int]
    scores: dict[str, Scores]

    @classmethod
    def of(cls, report: Report) -> Baseline:
        """The baseline that accepting this report makes."""
        return cls(
            report.commit,
            report.corpus_sha256,
            report.questions,
            {group.name: group.questions for group in report.groups},
            {row.question_id: row.measures for row in report.results},
        )

    def to_json(self) -> str:
        """As JSON with one question a line."""
        head = {
            "baseline_version": SCHEMA_VERSION,
            "commit": self.commit,
            "corpus_sha256": self.corpus_sha256,
            "questions": self.questions,
            "groups": self.groups,
        }
        lines = [f"  {json.dumps(name)}: {json.dumps(scores)}" for name, scores in self.scores.items()]
        body = ",\n".join(lines)
        return json.dumps(head, ensure_ascii=False, indent=1)[:-2] + f',\n "scores": {{\n{body}\n }}\n}}\n'


def read_baseline(path: Path) -> Baseline:
    """A baseline, or a report taken as one.

    Raises:
        ConfigError: If the file is neither, or of another version.
    """
    try:
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"基线 {path.name!r} 读不出来：{error}。") from error
    if "schema_version" in data:
        return Baseline.of(read_report(path))
    if data.get("baseline_version") != SCHEMA_VERSION:
        found = data.get("baseline_version")
        raise ConfigError(
            f"基线 {path.name!r} 的格式是 {found!r}，应为 {SCHEMA_VERSION}。请用 --write-baseline 重写。"
        )
    try:
        return Baseline(**{name: data[name] for name in Baseline.__slots__})
    except KeyError as error:
        raise ConfigError(f"基线 {path.name!r} 缺少 {error}。请用 --write-baseline 重写。") from error
