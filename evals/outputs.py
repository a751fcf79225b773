"""Write the files of an evaluation into a folder; `report.json` and all but the page repeat byte for byte."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from evals.evaluation import Outcome, Task
from evals.report import report_json
from evals.report_beir import beir_files
from evals.report_html import html_report
from evals.report_junit import junit_xml
from evals.report_markdown import markdown_summary
from evals.report_ragas import ragas_jsonl
from evals.report_trec import trec_qrels, trec_run
from evals.service import Subject
from rag.errors import ConfigError

Export = Literal["beir", "ragas", "trec"]


def write_outputs(
    folder: Path,
    outcome: Outcome,
    task: Task,
    subject: Subject,
    exports: Sequence[Export],
    hidden_splits: frozenset[str],
) -> list[Path]:
    """Write the report in all its forms.

    Args:
        folder: Made if it is not there; files of the same names are replaced.
        outcome: What to report.
        task: The questions that were asked.
        subject: The corpus, for the BEIR export.
        exports: Which exports for other tools.
        hidden_splits: Splits whose questions the summary and the page do not spell out.

    Returns:
        The files, in the order written.

    Raises:
        ConfigError: If one cannot be written.
    """
    report, verdicts = outcome.report, outcome.verdicts
    texts = {
        "report.json": report_json(report),
        "summary.md": markdown_summary(report, verdicts, outcome.rows, hidden_splits),
        "junit.xml": junit_xml(report, verdicts),
        "report.html": html_report(report, outcome.timings, verdicts, hidden_splits),
        "timings.json": json.dumps([asdict(timing) for timing in outcome.timings], indent=1) + "\n",
    }
    if "trec" in exports:
        texts |= {"trec/run.txt": trec_run(report), "trec/qrels.txt": trec_qrels(report)}
    if "beir" in exports:
        beir = beir_files(task.questions, task.evidence, subject)
        texts |= {f"beir/{name}": text for name, text in beir.items()}
    if "ragas" in exports:
        texts["ragas.jsonl"] = ragas_jsonl(report)
    return [write_text(folder / name, text) for name, text in texts.items()]


def write_text(path: Path, text: str) -> Path:
    """Write one file, with its folder.

    Raises:
        ConfigError: If it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise ConfigError(f"写不了 {str(path)!r}：{error}。请用 --out 换一个文件夹。") from error
    return path
