"""The report of a run: one frozen record, written as JSON that repeats byte for byte.

Times are no part of it (`timings.json` lies beside it). Reading one back checks its schema version, so
that two reports can be compared only if they mean the same.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from evals.aggregate import Group, group_results
from evals.measures.calibration import Bin, reliability
from evals.measures.risk_coverage import RiskPoint, risk_coverage
from evals.result import Result
from evals.runner import Run
from evals.schema import QuestionFile
from evals.service import Subject
from evals.sources import corpus_sha256
from rag.errors import ConfigError

SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class Report:
    """Everything about a run that must repeat.

    Attributes:
        schema_version: Of this record.
        commit: Of the project, with "+" behind it if files differ from it; None without git.
        corpus_sha256: Over the source texts.
        sources: Name to SHA-256.
        questions: Split to SHA-256 of its file.
        described: Names and fingerprints of the service's parts.
        fingerprints: What replies carried: one, if all is well.
        repeated: Ids of questions judged differently in a second run; None if there was none.
        groups: Every measure by group.
        reliability, curve: Plots of `confidence` as a forecast that the corpus answers.
        results: Every question.
    """

    schema_version: int
    commit: str | None
    corpus_sha256: str
    sources: dict[str, str]
    questions: dict[str, str]
    described: dict[str, str | int | float]
    fingerprints: tuple[str, ...]
    repeated: tuple[str, ...] | None
    groups: tuple[Group, ...]
    reliability: tuple[Bin, ...]
    curve: tuple[RiskPoint, ...]
    results: tuple[Result, ...]

    def group(self, name: str) -> Group | None:
        """A group by its name."""
        return next((group for group in self.groups if group.name == name), None)


def build_report(
    run: Run, files: Sequence[QuestionFile], subject: Subject, repeated: tuple[str, ...] | None
) -> Report:
    """The report of a run.

    Args:
        run: What was judged.
        files: Where the questions came from.
        subject: What was asked.
        repeated: See `Report`.
    """
    judged = [row for row in run.results if row.error is None]
    confidences = [row.confidence for row in judged]
    answerable = [row.answerable for row in judged]
    return Report(
        schema_version=SCHEMA_VERSION,
        commit=commit_of(Path(__file__).parent),
        corpus_sha256=corpus_sha256(subject.sources),
        sources={source.name: source.sha256 for source in subject.sources},
        questions={file.split: file.sha256 for file in files},
        described=dict(subject.described),
        fingerprints=run.fingerprints,
        repeated=repeated,
        groups=group_results(run.results),
        reliability=reliability(confidences, answerable),
        curve=risk_coverage(confidences, [not flag for flag in answerable]),
        results=run.results,
    )


def report_json(report: Report) -> str:
    """The report as JSON, UTF-8 text with a line end."""
    return json.dumps(asdict(report), ensure_ascii=False, indent=1) + "\n"


def read_report(path: Path) -> Report:
    """A report from its JSON.

    Raises:
        ConfigError: If it cannot be read or is of another schema version.
    """
    from pydantic import TypeAdapter, ValidationError

    try:
        data = json.loads(path.read_text(encoding="utf-8"))
        version = data["schema_version"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"报告 {path.name!r} 读不出来：{error}。应为 cewen eval 写的 report.json。"
        ) from error
    if version != SCHEMA_VERSION:
        raise ConfigError(f"报告 {path.name!r} 的格式是 {version!r}，应为 {SCHEMA_VERSION}。请重新评测。")
    try:
        return TypeAdapter(Report).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        raise ConfigError(f"报告 {path.name!r} 的 {first['loc']} 有误：{first['msg']}。") from error


def commit_of(folder: Path) -> str | None:
    """The commit that a folder is checked out at, with "+" if tracked files differ; None without git."""
    git = shutil.which("git")
    if git is None:
        return None

    def said(*arguments: str) -> str | None:
        done = subprocess.run(
            [git, "-C", str(folder), *arguments], capture_output=True, text=True, check=False, timeout=30
        )
        return done.stdout.strip() if done.returncode == 0 else None

    head = said("rev-parse", "HEAD")
    if head is None:
        return None
    return f"{head}+" if said("status", "--porcelain", "--untracked-files=no") else head
