"""JUnit XML, for CI systems that list tests: a suite for each slice and type, one for the gates.

A question is a test in every group that it belongs to; it fails if it is not right. The failure text
gives the expected lines, what came, and the difference between the expected and the cited text.
"""

from __future__ import annotations

import difflib
import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from evals.aggregate import members_of_groups
from evals.gate import Verdict
from evals.report import Report
from evals.result import Expected, Result

# Characters that XML 1.0 cannot hold even as references.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report, verdicts: Sequence[Verdict] | None = None) -> str:
    """The report as JUnit XML. Times are left out, so the file repeats too.

    Args:
        report: Of the run.
        verdicts: What the gate said; without it the suite of gates is left out.
    """
    root = ET.Element("testsuites", name="cewen eval")
    if verdicts is not None:
        _add_suite(root, "gates", [(verdict.name, _gate_failure(verdict)) for verdict in verdicts])
    for name, rows in members_of_groups(report.results).items():
        if name.startswith(("slice:", "type:")):
            _add_suite(root, name, [(_title(row), _failure(row)) for row in rows])
    ET.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _add_suite(root: ET.Element, name: str, cases: Sequence[tuple[str, tuple[str, str] | None]]) -> None:
    failures = sum(failure is not None for _, failure in cases)
    suite = ET.SubElement(
        root, "testsuite", name=name, tests=str(len(cases)), failures=str(failures), errors="0", skipped="0"
    )
    for title, failure in cases:
        case = ET.SubElement(suite, "testcase", classname=name.replace(":", "."), name=_safe(title))
        if failure is not None:
            message, text = failure
            ET.SubElement(case, "failure", message=_safe(message), type="quality").text = _safe(text)


def _safe(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)


def _title(row: Result) -> str:
    return f"{row.question_id} {row.question}"


def _gate_failure(verdict: Verdict) -> tuple[str, str] | None:
    if verdict.passed:
        return None
    ids = f"\n题：{'、'.join(verdict.question_ids)}" if verdict.question_ids else ""
    return verdict.got, f"要求：{verdict.expected}\n得到：{verdict.got}{ids}"


def _failure(row: Result) -> tuple[str, str] | None:
    if row.measures.get("correct") == 1 and not row.faults:
        return None
    faults = "".join(f"\n{fault.invariant}：{fault.message}" for fault in row.faults)
    if not row.answerable:
        cited = "".join(f"\n  {_lines(c.start_line, c.end_line)} {c.quote}" for c in row.citations)
        return f"{row.status}，应弃答", f"应弃答：{row.reference}\n得到：{row.answer}{cited}{faults}"
    coverage = row.measures.get("fact_coverage") or 0.0
    expected = "".join(f"\n  {_lines(e.start_line, e.end_line)} {' / '.join(e.spans)}" for e in row.expected)
    found = "".join(f"\n  {h.rank}. {h.chunk_id} {_lines(h.start_line, h.end_line)}" for h in row.hits[:5])
    text = (
        f"应引用：{expected}\n参考答案：{row.reference}\n得到（{row.status}）：{row.answer}"
        f"\n前五段：{found}\n{_quote_diff(row)}{faults}"
    )
    return f"{row.status}，要点 {coverage:.0%}", text


def _lines(first: int, last: int) -> str:
    return f"第 {first} 行" if first == last else f"第 {first}–{last} 行"


def _quote_diff(row: Result) -> str:
    """For every needed piece that no citation holds: the difference to the nearest quotation."""
    held = {number for citation in row.citations for number in citation.holds}
    missing = [piece for number, piece in enumerate(row.expected) if number not in held]
    return "\n".join(_diff(piece, [citation.quote for citation in row.citations]) for piece in missing)


def _diff(piece: Expected, quotes: Sequence[str]) -> str:
    wanted = piece.spans[0]
    nearest = max(quotes, key=lambda quote: difflib.SequenceMatcher(None, wanted, quote).ratio(), default="")
    return f"- 应有 {wanted}\n+ 引文 {nearest or '（没有引文）'}"
