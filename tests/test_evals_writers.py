"""JUnit, TREC, BEIR, RAGAS, Markdown and HTML: read back by somebody else's reader wherever there is one."""

from __future__ import annotations

import csv
import html.parser
import json
import math
import xml.etree.ElementTree as ET
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from evals.baseline import Baseline
from evals.compare import compare
from evals.evaluation import Outcome, Task, evaluate
from evals.gate_config import GateConfig
from evals.locate import locate_evidence
from evals.measures.spans import holds
from evals.outputs import write_outputs
from evals.report import Report
from evals.report_beir import beir_files, beir_passages
from evals.report_html import html_report
from evals.report_junit import junit_xml
from evals.report_markdown import comparison_table, markdown_summary
from evals.report_ragas import ragas_jsonl
from evals.report_trec import trec_qrels, trec_run
from evals.schema import QuestionFile
from evals.svg import Axes, Bar, bars, curve, histogram, nice_ceiling
from rag.errors import ConfigError
from tests.evals_fakes import QUESTIONS, SOURCE, TEXT, FakeService, question, subject

TWO_PIECES = question("q-6", "灯塔点灯停航", "list", [["塔高三十二米"], ["雾大就停航"]], [["停航"]])
ASKED = (*QUESTIONS, TWO_PIECES)
LIMITS = GateConfig.model_validate(
    {"version": 1, "floor": [{"name": "facts", "measure": "fact_coverage", "at_least": 0.99}]}
)
EVIDENCE = locate_evidence(ASKED, [SOURCE])
TASK = Task((QuestionFile("dev", "f" * 64, ASKED),), ASKED, EVIDENCE)


def outcome(service: FakeService | None = None) -> Outcome:
    return evaluate(TASK, subject(service), config=LIMITS)


OUTCOME = outcome()
REPORT = OUTCOME.report


def suites(text: str) -> dict[str, ET.Element]:
    return {suite.get("name", ""): suite for suite in ET.fromstring(text)}  # noqa: S314 -- our own


def test_junit_has_a_suite_for_each_slice_and_one_for_the_gates() -> None:
    found = suites(junit_xml(REPORT, OUTCOME.verdicts))
    assert list(found) == [
        "gates",
        "type:number",
        "type:name",
        "type:list",
        "type:why",
        "type:unanswerable",
        "slice:number",
        "slice:off-topic",
        "slice:short",
    ]
    numbers = found["type:number"]
    assert (numbers.get("tests"), numbers.get("failures")) == ("2", "1")
    assert [case.get("name") for case in numbers] == ["q-2 灯塔高多少米", "q-5 鲜叶只能制"]
    assert "gates" not in suites(junit_xml(REPORT))


def test_a_junit_failure_says_what_was_expected_and_what_came() -> None:
    refused = outcome(FakeService(threshold=1.1)).report
    failure = suites(junit_xml(refused))["type:number"].find("testcase/failure")
    assert failure is not None
    text = failure.text or ""
    assert "应引用：\n  第 3–4 行 塔高三十二米" in text
    assert "得到（abstained）" in text
    assert "- 应有 塔高三十二米\n+ 引文 （没有引文）" in text


def test_a_junit_failure_shows_the_nearest_quotation() -> None:
    first, *rest = REPORT.results
    missed = replace(
        first,
        measures={**first.measures, "correct": 0.0},
        citations=tuple(replace(citation, holds=()) for citation in first.citations),
    )
    failure = suites(junit_xml(replace(REPORT, results=(missed, *rest))))["type:name"].find(
        "testcase/failure"
    )
    assert failure is not None
    assert "- 应有 守塔人每天傍晚点灯\n+ 引文 守塔人每天傍晚点灯，清晨熄灯。" in (failure.text or "")


def test_a_red_gate_is_a_failed_test() -> None:
    gates = suites(junit_xml(REPORT, OUTCOME.verdicts))["gates"]
    failed = {case.get("name"): case.find("failure") for case in gates if case.find("failure") is not None}
    assert list(failed) == ["floor:facts"]
    assert gates.get("failures") == "1"


def test_junit_survives_characters_that_xml_cannot_hold() -> None:
    first, *rest = REPORT.results
    odd = replace(first, question='<a & "b">\x00\x1f\ufffe', measures={**first.measures, "correct": 0.0})
    found = suites(junit_xml(replace(REPORT, results=(odd, *rest))))["type:name"]
    assert found[0].get("name") == 'q-1 <a & "b">\ufffd\ufffd\ufffd'


def trec_scores(run: str, qrels: str) -> tuple[dict[str, float], dict[str, float]]:
    """RR@10 and nDCG@10 as trec_eval computes them from the two files."""
    relevant: dict[str, set[str]] = defaultdict(set)
    for line in qrels.splitlines():
        name, zero, document, grade = line.split()
        assert (zero, grade) == ("0", "1")
        relevant[name].add(document)
    ranked: dict[str, list[tuple[float, str]]] = defaultdict(list)
    for line in run.splitlines():
        name, q0, document, _, score, tag = line.split()
        assert (q0, tag) == ("Q0", "cewen")
        ranked[name].append((float(score), document))
    reciprocal, gains = {}, {}
    for name, wanted in relevant.items():
        order = [document for _, document in sorted(ranked[name], key=lambda pair: -pair[0])][:10]
        places = [place for place, document in enumerate(order, 1) if document in wanted]
        reciprocal[name] = 1 / places[0] if places else 0.0
        ideal = sum(1 / math.log2(place + 1) for place in range(1, min(len(wanted), 10) + 1))
        gains[name] = sum(1 / math.log2(place + 1) for place in places) / ideal
    return reciprocal, gains


def test_trec_files_give_our_figures_to_other_tools() -> None:
    reciprocal, gains = trec_scores(trec_run(REPORT), trec_qrels(REPORT))
    answerable = [row for row in REPORT.results if row.answerable]
    assert set(reciprocal) == {row.question_id for row in answerable}
    for row in answerable:
        assert reciprocal[row.question_id] == pytest.approx(row.measures["RR@10"], abs=1e-6)
        assert gains[row.question_id] == pytest.approx(row.measures["nDCG@10"], abs=1e-6)


def test_trec_names_are_unique_and_pieces_come_once() -> None:
    lines = [line.split() for line in trec_run(REPORT).splitlines() if line.startswith("q-6 ")]
    names = [line[2] for line in lines]
    assert len(names) == len(set(names))
    assert {"q-6/e1", "q-6/e2"} <= set(names)
    assert [int(line[3]) for line in lines] == list(range(1, len(lines) + 1))


def test_beir_passages_cover_the_source_once() -> None:
    passages = beir_passages(subject())
    assert passages[0].text == "灯塔小报"
    covered = [at for passage in passages for at in range(passage.start_char, passage.end_char)]
    assert len(covered) == len(set(covered))
    assert set(SOURCE.solid) <= set(covered)
    for passage in passages:
        held = "".join(TEXT[passage.start_char : passage.end_char].split())
        assert held == "".join(passage.text.split())


def test_beir_judges_every_answerable_question() -> None:
    files = beir_files(ASKED, EVIDENCE, subject())
    assert sorted(files) == ["corpus.jsonl", "qrels/dev.tsv", "queries.jsonl"]
    corpus = {row["_id"]: row for row in map(json.loads, files["corpus.jsonl"].splitlines())}
    queries = [json.loads(line)["_id"] for line in files["queries.jsonl"].splitlines()]
    rows = list(csv.DictReader(files["qrels/dev.tsv"].splitlines(), delimiter="\t"))
    assert queries == [row.question_id for row in ASKED]
    assert {row["query-id"] for row in rows} == {row.question_id for row in ASKED if row.answerable}
    for row in rows:
        start, end = map(int, row["corpus-id"].split(":")[1].split("-"))
        places = [place for piece in EVIDENCE[row["query-id"]] for place in piece.places]
        assert any(holds(place.offsets, start, end) for place in places)
        assert row["corpus-id"] in corpus


def test_ragas_gets_answered_questions_in_its_field_names() -> None:
    rows = [json.loads(line) for line in ragas_jsonl(REPORT).splitlines()]
    assert len(rows) == sum(row.answerable and row.status == "answered" for row in REPORT.results)
    assert rows[0] == {
        "user_input": "守塔人傍晚",
        "response": "守塔人每天傍晚点灯，清晨熄灯。[1]",
        "retrieved_contexts": ["守塔人每天傍晚点灯，清晨熄灯。"],
        "reference": "参考",
        "reference_contexts": ["守塔人每天傍晚点灯"],
    }


def test_the_summary_puts_red_gates_and_regressions_first() -> None:
    worse = evaluate(TASK, subject(FakeService(threshold=1.1)), config=LIMITS, baseline=Baseline.of(REPORT))
    text = markdown_summary(worse.report, worse.verdicts, worse.rows)
    gates = text[text.index("## 门禁") : text.index("## 与基线相比")].splitlines()
    marks = [line.split("|")[1].strip() for line in gates if line.startswith("| ") and line[2] in "❌✅"]
    assert marks == sorted(marks, key=lambda mark: mark != "❌")
    assert marks[0] == "❌"
    table = text[text.index("## 与基线相比") :].splitlines()
    arrows = [line[2] for line in table if line.startswith(("| ⬇", "| ⬆"))]
    assert arrows == sorted(arrows, key="⬇⬆".index)
    assert "| ⬇ | overall | false_refusal | 0.000 | 1.000 | +1.000 | 0.478–1.000 | 0 / 5 | 0.0625 |" in text


def test_the_confusion_matrix_by_hand() -> None:
    text = markdown_summary(REPORT)
    wrong = sum(row.answerable and row.measures["correct"] != 1 for row in REPORT.results)
    assert f"| 语料有说 | {5 - wrong} | {wrong} | 0 | 0 | 0 |" in text
    assert "| 语料没说 | 0 | 0 | 0 | 1 | 0 |" in text
    assert "| off-topic | 0 | 1 | 0 | 0 | 0 |" in text


def test_an_unchanged_comparison_has_no_table() -> None:
    text = comparison_table(compare(Baseline.of(REPORT), REPORT))
    assert "变差 0 项，变好 0 项" in text
    assert "|" not in text


def test_frozen_questions_are_not_spelt_out() -> None:
    hidden = frozenset({"dev"})
    for shown, secret in (
        (markdown_summary(REPORT), False),
        (markdown_summary(REPORT, None, None, hidden), True),
    ):
        assert ("鲜叶只能制" in shown) is not secret
        assert "q-5" in shown
    page = html_report(REPORT, OUTCOME.timings, None, hidden)
    assert "鲜叶只能制" not in page
    assert "鲜叶只能制" in html_report(REPORT, OUTCOME.timings)


class Tags(html.parser.HTMLParser):
    """Collects tags and attributes, and checks that what opens closes."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_has_plots_but_no_scripts() -> None:
    page = html_report(REPORT, OUTCOME.timings, OUTCOME.verdicts)
    tags = Tags()
    tags.feed(page)
    assert tags.open == []
    assert tags.names.count("svg") == 5
    assert not {"script", "link", "iframe", "img"} & set(tags.names)
    assert not [name for name in tags.attributes if name.startswith("on") or name in {"src", "href"}]
    assert "1 道门未过" in page


def test_markup_in_questions_and_answers_is_shown_not_run() -> None:
    first, *rest = REPORT.results
    evil = replace(
        first, question="<script>x</script>", answer="<b>", measures={**first.measures, "correct": 0.0}
    )
    page = html_report(replace(REPORT, results=(evil, *rest)), OUTCOME.timings)
    assert "<script>" not in page
    assert "&lt;script&gt;x&lt;/script&gt;" in page
    assert "&lt;b&gt;" in page


def test_a_report_without_confidences_or_times_still_has_a_page() -> None:
    empty = replace(REPORT, curve=(), reliability=())
    assert html_report(empty, ()).count("<svg") == 4


def test_drawings_by_hand() -> None:
    bar = bars([Bar("a<b", 0.5, (0.25, 0.75), "n=4")], "t")
    assert 'width="159.0"' in bar  # half of 560 - 150 - 92
    assert "a&lt;b" in bar
    line = curve([(0.0, 0.0), (1.0, 1.0)], Axes("x", "y"), "t")
    assert 'points="52.0,256.0 534.0,14.0"' in line
    drawn = histogram([1.0, 1.0, 9.0, 99.0], Axes("x", "y", x_max=10.0), "t", bins=10)
    assert drawn.count('class="bar"') == 10
    assert [nice_ceiling(value) for value in (0.7, 1.0, 1.1, 480.0, 6000.0)] == [
        1.0,
        1.0,
        2.0,
        500.0,
        10000.0,
    ]


def test_all_files_are_written_and_the_report_repeats(tmp_path: Path) -> None:
    def wrote(name: str) -> dict[str, bytes]:
        folder = tmp_path / name
        paths = write_outputs(folder, outcome(), TASK, subject(), ["trec", "beir", "ragas"], frozenset())
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

    first, second = wrote("a"), wrote("b")
    assert sorted(first) == [
        "beir/corpus.jsonl",
        "beir/qrels/dev.tsv",
        "beir/queries.jsonl",
        "junit.xml",
        "ragas.jsonl",
        "report.html",
        "report.json",
        "summary.md",
        "timings.json",
        "trec/qrels.txt",
        "trec/run.txt",
    ]
    differing = {name for name in first if first[name] != second[name]}
    assert differing <= {"timings.json", "report.html"}
    assert "timings.json" in differing


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="写不了"):
        write_outputs(tmp_path / "file", OUTCOME, TASK, subject(), [], frozenset())


def test_the_report_knows_the_second_run() -> None:
    assert isinstance(REPORT, Report)
    assert REPORT.repeated == ()
