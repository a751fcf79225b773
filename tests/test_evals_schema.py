from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from evals.locate import locate_evidence
from evals.paths import question_set
from evals.question_line import TYPES, schema_json
from evals.schema import load_questions
from evals.sources import read_untouched
from rag.errors import ConfigError
from rag.records import Turn
from tests.evals_fakes import written

PROJECT = Path(__file__).parent.parent
GOOD: dict[str, Any] = {
    "id": "a-1",
    "question": "多少个？",
    "type": "number",
    "slices": ["number", "colloquial"],
    "history": [],
    "evidence": [["甲乙", "丙"], ["丁"]],
    "key_facts": [["1031", "1,031"]],
    "reference": "1031 个。",
}
FAULTY: dict[str, dict[str, Any]] = {
    "unknown field": {"answer": "x"},
    "type": {"type": "riddle"},
    "span with a space": {"evidence": [["甲 乙"]]},
    "span with a line end": {"evidence": [["甲\n乙"]]},
    "empty span": {"evidence": [[""]]},
    "no alternatives": {"evidence": [[]]},
    "no evidence": {"evidence": []},
    "no key facts": {"key_facts": []},
    "unanswerable with evidence": {"type": "unanswerable", "key_facts": []},
    "unanswerable with key facts": {"type": "unanswerable", "evidence": []},
    "follow-up without history": {"type": "followup"},
    "a stand-alone form of what is no follow-up": {"standalone": "甲乙有多少个？"},
    "a slice twice": {"slices": ["typo", "typo"]},
    "a slice with a space": {"slices": ["two words"]},
    "an id with a slash": {"id": "a/1"},
    "a number for a text": {"question": 5},
    "nothing asked": {"question": ""},
    "a role": {"history": [{"role": "system", "content": "x"}]},
    "history as text": {"history": "x"},
}


def line(**changes: Any) -> str:
    return json.dumps({**GOOD, **changes}, ensure_ascii=False) + "\n"


def test_a_line_becomes_a_record(tmp_path: Path) -> None:
    history = [{"role": "user", "content": "问"}, {"role": "assistant", "content": "答"}]
    text = "// remark\n\n" + line() + line(id="a-2", type="followup", history=history)
    (file,) = load_questions([written(tmp_path, text, "own.jsonl")])
    first, second = file.questions
    assert (first.question_id, first.split, first.line, first.answerable) == ("a-1", "own", 3, True)
    assert first.evidence == (("甲乙", "丙"), ("丁",))
    assert first.key_facts == (("1031", "1,031"),)
    assert second.history == (Turn("user", "问"), Turn("assistant", "答"))
    assert (second.line, first.slices) == (4, ("number", "colloquial"))


def test_optional_fields_may_be_left_out(tmp_path: Path) -> None:
    small = {name: GOOD[name] for name in ("id", "question", "type", "evidence", "key_facts")}
    (file,) = load_questions([written(tmp_path, json.dumps(small))])
    assert (file.questions[0].slices, file.questions[0].reference) == ((), "")


@pytest.mark.parametrize("name", FAULTY)
def test_what_the_loader_refuses_the_json_schema_refuses_too(name: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"dev\.jsonl 第 2 行"):
        load_questions([written(tmp_path, line(id="ok") + line(**FAULTY[name]))])
    schema = json.loads(schema_json())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**GOOD, **FAULTY[name]}, schema)


@pytest.mark.parametrize("kind", TYPES)
def test_what_the_loader_takes_the_json_schema_takes_too(kind: str, tmp_path: Path) -> None:
    changes: dict[str, Any] = {"type": kind, "history": [{"role": "user", "content": "前"}]}
    if kind == "unanswerable":
        changes |= {"evidence": [], "key_facts": []}
    load_questions([written(tmp_path, line(**changes))])
    jsonschema.validate({**GOOD, **changes}, json.loads(schema_json()))


def test_every_faulty_line_is_named(tmp_path: Path) -> None:
    text = line() + "{not json}\n" + line(id="b", type="riddle") + line()
    with pytest.raises(ConfigError) as caught:
        load_questions([written(tmp_path, text)])
    assert "第 2 行" in caught.value.message
    assert "第 3 行：type" in caught.value.message
    assert "第 4 行：编号 'a-1' 已在dev.jsonl 第 1 行用过" in caught.value.message


def test_ids_are_unique_over_files(tmp_path: Path) -> None:
    paths = [written(tmp_path, line(), "dev.jsonl"), written(tmp_path, line(), "test.jsonl")]
    with pytest.raises(ConfigError, match=r"test\.jsonl 第 1 行：编号 'a-1'"):
        load_questions(paths)


def test_a_file_without_questions_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="没有题目"):
        load_questions([written(tmp_path, "// nothing\n")])


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "dev.jsonl"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="读不出来"):
        load_questions([path])


def test_the_committed_json_schema_is_the_models() -> None:
    committed = (PROJECT / "evals" / "questions.schema.json").read_text(encoding="utf-8")
    assert committed == schema_json(), "write evals.question_line.schema_json() into questions.schema.json"


def test_the_projects_own_questions_are_sound_and_many_enough() -> None:
    files = load_questions(question_set(None, None).files)
    questions = [question for file in files for question in file.questions]
    located = locate_evidence(questions, read_untouched(PROJECT / "seeds"))
    assert [file.split for file in files] == ["dev", "test"]
    assert all(piece.places for pieces in located.values() for piece in pieces)
    unanswerable = [question for question in questions if not question.answerable]
    assert len(questions) >= 200
    assert len(unanswerable) >= 70
    assert sum("near-topic" in question.slices for question in unanswerable) * 2 >= len(unanswerable)
    assert {question.type for question in questions} == set(TYPES)
