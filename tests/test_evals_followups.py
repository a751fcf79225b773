from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from evals.followups.__main__ import QUESTIONS, show
from evals.followups.paired_forms import JUDGED, compare_forms
from evals.locate import locate_evidence
from evals.measures.intervals import clopper_pearson
from evals.schema import load_questions
from evals.sources import read_untouched
from rag.errors import ConfigError
from rag.records import Turn
from tests.evals_fakes import QUESTIONS as PLAIN
from tests.evals_fakes import FakeService, question, subject

# The fake resolves a follow-up by putting the earlier question before it: "茶呢" is drowned by a long one.
LEANING = (
    replace(
        question(
            "f-1", "塔高呢", "followup", [["塔高三十二米"]], [["三十二米"]], history=[Turn("user", "灯塔")]
        ),
        standalone="灯塔塔高",
    ),
    replace(
        question(
            "f-2",
            "停航呢",
            "followup",
            [["雾大就停航"]],
            [["停航"]],
            history=[Turn("user", "守塔人每天傍晚点灯")],
        ),
        standalone="雾大停航",
    ),
)


def test_both_forms_are_asked_and_compared() -> None:
    service = FakeService()
    told: list[tuple[int, int]] = []
    found = compare_forms([*PLAIN, *LEANING], subject(service), lambda *at: told.append(at))
    assert service.asked == ["塔高呢", "灯塔塔高", "停航呢", "雾大停航"]
    assert told[-1] == (4, 4)
    rows = {row.measure: row for row in found.rows}
    assert tuple(rows) == JUDGED
    first = rows["S@1"]
    assert (first.followup.count, first.standalone.count, first.followup.total) == (1, 2, 2)
    assert (first.points, first.paired.better, first.paired.worse, first.paired.tied) == (-50.0, 0, 1, 1)
    assert first.paired.p_value == 1.0
    assert (first.followup.low, first.followup.high) == clopper_pearson(1, 2)
    assert rows["facts_complete"].followup.count == 1


def test_the_table_and_the_json_say_the_same() -> None:
    found = compare_forms(LEANING, subject())
    console = Console(record=True, width=140)
    with console.capture() as shown:
        show(found, console)
    assert "1/2 0.50 [0.01, 0.99]" in shown.get()
    assert "-50.0" in shown.get()
    data = json.loads(json.dumps(found.to_dict()))
    assert data["questions"] == 2
    assert data["results"][1]["resolved_question"] == "守塔人每天傍晚点灯停航呢"
    assert data["results"][1]["standalone_scores"]["S@1"] == 1.0


def test_questions_without_a_stand_alone_form_are_refused() -> None:
    with pytest.raises(ConfigError, match="standalone"):
        compare_forms(PLAIN, subject())


def test_the_projects_own_followups_are_sound() -> None:
    questions = load_questions([QUESTIONS])[0].questions
    located = locate_evidence(questions, read_untouched(Path(__file__).parent.parent / "seeds"))
    assert all(piece.places for pieces in located.values() for piece in pieces)
    assert len(questions) >= 40
    assert all(each.type == "followup" and each.standalone and each.history for each in questions)
    assert sum("colloquial" in each.slices for each in questions) * 4 >= len(questions)
    readme = (QUESTIONS.parent / "README.md").read_text(encoding="utf-8")
    assert f"holds {len(questions)} follow-ups" in readme
