"""`cewen calibrate` over a real library with an encoder one can compute, and what comes of it."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.cli.commands import app
from api.cli.parts import Parts
from api.engine_parts import EngineParts
from api.library.calibrating import Calibrating
from api.library.labelled import MOST_QUESTIONS, read_labelled
from api.library.library import Library
from api.library.opening import open_library, open_store
from api.library_records import Upload
from api.wire.convert import ask_reply
from cewen.models import Answer as ClientAnswer
from index.store import Store
from rag.confidence.calibrating import LEAST_EACH
from rag.errors import InputError
from rag.metadata import Filters
from rag.reading.decoding import source_from_text
from rag.settings import Settings
from tests.counting_encoder import CountingEncoder

KEPT = 20
NAMES = (
    "松",
    "竹",
    "梅",
    "兰",
    "菊",
    "荷",
    "桂",
    "枫",
    "柳",
    "杏",
    "桃",
    "李",
    "梨",
    "枣",
    "榆",
    "槐",
    "桐",
    "樟",
    "柏",
    "杉",
)
FACTS = tuple(f"{name}溪的水车有{place + 3}架，每天从{name}溪引水上山。" for place, name in enumerate(NAMES))
NOTES = "溪边记\n\n" + "".join(f"  {fact}\n" for fact in FACTS)


class OtherEncoder(CountingEncoder):
    revision = "2"


@pytest.fixture(autouse=True)
def place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, value in {
        "SEEDS_DIR": "seeds",
        "DATA_DIR": "data",
        "INDEX_DIR": "index",
        "READER": "off",
    }.items():
        monkeypatch.setenv(f"CEWEN_{name}", value)
    Path("seeds").mkdir()
    Path("seeds", "brooks.txt").write_text(NOTES, "utf-8")
    return tmp_path


def settings() -> Settings:
    return Settings(  # type: ignore[call-arg]
        seeds_dir=Path("seeds"), index_dir=Path("index"), data_dir=Path("data"), reader="off", _env_file=None
    )


def opened(encoder: CountingEncoder | None = None, *, writable: bool | None = True) -> Library:
    return open_library(settings(), encoder=encoder or CountingEncoder(), writable=writable)


def answerable(place: int) -> dict[str, Any]:
    return {
        "id": f"a-{place}",
        "question": f"{NAMES[place]}溪的水车有几架？",
        "type": "number",
        "evidence": [[f"{NAMES[place]}溪的水车有{place + 3}架"]],
        "key_facts": [[str(place + 3)]],
    }


def unanswerable(place: int) -> dict[str, Any]:
    question = f"{NAMES[place]}溪的渡船每天开出几班？"
    return {"id": f"u-{place}", "question": question, "type": "unanswerable", "evidence": [], "key_facts": []}


def written(lines: list[Any], name: str = "questions.jsonl") -> str:
    rows = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    Path(name).write_text("\n".join(rows) + "\n", "utf-8")
    return name


def some(good: int = KEPT, bad: int = KEPT) -> str:
    return written(["// 题目", "", *map(answerable, range(good)), *map(unanswerable, range(bad))])


def run(*arguments: str, encoder: CountingEncoder | None = None) -> Result:
    def calibrating(chosen: Settings, told: Any) -> Calibrating:
        return Calibrating(chosen, told, parts=EngineParts(chosen, encoder=encoder or CountingEncoder()))

    parts = replace(Parts(), calibrating=calibrating)
    return CliRunner().invoke(app, ["calibrate", *arguments], obj=parts, prog_name="cewen")


def said(result: Result) -> dict[str, Any]:
    assert result.exit_code == 0, result.stderr
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def stored() -> str | None:
    with open_store(settings(), writable=False) as store:
        return store.calibration("default", key_of(store))


def key_of(store: Store) -> str:
    del store
    return json.dumps(["counting", "1", CountingEncoder.dimension], ensure_ascii=False)


def test_it_is_kept_and_answers_go_by_it() -> None:
    question = f"{NAMES[0]}溪的水车有几架？"
    with opened() as library:
        before = library.engine()
        plain = before.ask(question)
    found = said(run(some(), "--json"))
    assert (found["answerable"], found["unanswerable"], found["left_out"]) == (KEPT, KEPT, [])
    assert (found["kept"], found["helps"], found["was_calibrated"]) == (True, True, False)
    assert found["after"]["brier"] <= found["before"]["brier"]
    text = stored()
    assert text is not None
    assert "made_at" in json.loads(text)["about"]
    with opened() as library:
        engine = library.engine()
        corrected = engine.ask(question)
        assert (plain.calibration, corrected.calibration) == ("none", "collection")
        assert engine.fingerprint != before.fingerprint
        assert [info.calibration for info in library.collections()] == ["collection"]
        assert library.live().snapshot.fingerprint == before.fingerprint.split("-")[0]
        reply = ask_reply(corrected).model_dump_json()
        assert ClientAnswer.model_validate_json(reply).calibration == "collection"
        judging = engine.judging.judge(question)
        assert judging is not None
        expected = found["slope"] * judging.logit + found["offset"]
        assert judging.confidence == pytest.approx(1 / (1 + math.exp(-expected)), abs=1e-4)
    again = said(run(some(), "--json"))
    assert again["was_calibrated"]
    assert {name: again[name] for name in ("before", "slope", "offset")} == {
        name: found[name] for name in ("before", "slope", "offset")
    }  # it is always made from the shipped model, not from the last calibration


def test_it_stays_through_changes_and_filters_and_is_of_one_collection() -> None:
    question = f"{NAMES[0]}溪的水车有几架？"
    assert said(run(some(), "--json"))["kept"]
    with opened() as library:
        library.wait(
            library.add("default", Upload(source_from_text("boat.txt", "渡船记\n\n  船早开。"))).job_id, 20
        )
        assert library.engine().ask(question).calibration == "collection"
        filtered = library.engine("default", Filters(names=("brooks.txt",)))
        assert filtered.ask(question).calibration == "collection"
        library.create_collection("other")
        assert library.live("other").snapshot.calibration == "none"


def test_an_encoder_that_changes_leaves_it_aside() -> None:
    assert said(run(some(), "--json"))["kept"]
    with opened(OtherEncoder()) as library:
        assert library.live().snapshot.calibration == "none"
    with opened() as library:
        assert library.live().snapshot.calibration == "collection"


def test_what_is_damaged_is_left_aside(caplog: pytest.LogCaptureFixture) -> None:
    assert said(run(some(), "--json"))["kept"]
    with open_store(settings(), writable=True) as store:
        store.set_calibration("default", key_of(store), '{"version": 9}')
    with opened() as library:
        assert library.live().snapshot.calibration == "none"
    assert "left aside" in caplog.text


def test_a_reader_catches_up() -> None:
    with opened() as library:
        library.live()
    reading = opened(writable=False)
    try:
        assert reading.live().snapshot.calibration == "none"
        engine = reading.engine()
        assert said(run(some(), "--json"))["kept"]
        assert reading.live().snapshot.calibration == "collection"
        assert engine.ask("水车有几架？").calibration == "none"  # whoever holds an old state keeps it
        assert said(run("--reset", "--json")) == {"collection": "default", "reset": True}
        assert reading.live().snapshot.calibration == "none"
    finally:
        reading.close()


def test_trying_keeps_nothing_and_needs_no_lock() -> None:
    with opened() as library:
        found = said(run(some(), "--dry-run", "--json"))
        assert (found["helps"], found["kept"]) == (True, False)
        refused = run(some())
        assert (refused.exit_code, refused.stdout) == (2, "")
        assert "library_busy" in refused.stderr
        assert "--dry-run" in refused.stderr
        assert run("--reset").exit_code == 2
        assert library.live().snapshot.calibration == "none"
    assert stored() is None
    assert "只是预演" in run(some(), "--dry-run").stdout


def test_forgetting_it() -> None:
    assert "没有标定过" in run("--reset").stdout
    assert "已存下" in run(some()).stdout
    assert "已经去掉" in run("--reset").stdout
    assert stored() is None


def test_people_are_shown_both_sides() -> None:
    shown = run(some()).stdout
    for told in (
        "Brier",
        "对数损失",
        "校准误差",
        "没有答案却作答",
        "有答案却不作答",
        "门槛",
        "20 题",
        f"/{KEPT}（",
    ):
        assert told in shown


def test_what_makes_it_worse_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.confidence.calibrating.Outcome.helps", False)
    result = run(some())
    assert result.exit_code == 0
    assert "反而变差" in result.stdout
    assert stored() is None
    assert said(run(some(), "--json"))["kept"] is False


def test_questions_that_are_not_the_judges_are_left_out() -> None:
    typed = [
        answerable(0) | {"question": "《溪边记》的标题是什么" + mark, "evidence": [["溪边记"]]}
        for mark in "？?"
    ]
    abroad = unanswerable(0) | {"question": "北京的水车有几架？"}
    name = written([*map(answerable, range(KEPT)), *map(unanswerable, range(KEPT)), *typed, abroad])
    found = said(run(name, "--json"))
    assert (found["answerable"], found["unanswerable"]) == (KEPT, KEPT)
    assert found["left_out"] == [2 * KEPT + 1, 2 * KEPT + 2, 2 * KEPT + 3]
    assert "另有 3 题" in run(name).stdout


# What is refused.


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        (LEAST_EACH - 1, KEPT, "文库有答案的还差 1 题"),
        (KEPT, 3, f"文库没有答案的还差 {LEAST_EACH - 3} 题"),
        (0, 1, f"文库有答案的还差 {LEAST_EACH} 题"),
    ],
)
def test_too_few_are_refused_with_what_is_missing(good: int, bad: int, told: str) -> None:
    result = run(some(good, bad))
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "不是 JSON"),
        ("[1]", "应是一个 JSON 对象"),
        ("[" * 100_000, "不是 JSON"),
        ({"question": "几架？"}, "缺少 type"),
        ({"type": "number", "evidence": [["水"]]}, "缺少 question"),
        ({"type": "number", "question": "几架？"}, "要有 evidence"),
        ({"type": "unanswerable", "question": "几架？", "evidence": [["水"]]}, "不能有 evidence"),
        ({"type": "number", "question": "几架？", "evidence": ["水"]}, "应是列表"),
        ({"type": "number", "question": "几架？", "evidence": [[" "]]}, "应是列表"),
        ({"type": "number", "question": "几架？", "evidence": "水"}, "evidence 应是列表"),
        ({"type": "unanswerable", "question": " "}, "问题"),
        (unanswerable(0) | {"history": [{"role": "system", "content": ""}]}, "role"),
        ({"type": "unanswerable", "question": "它呢？", "history": [3]}, "role"),
        (answerable(0) | {"type": "unanswerable", "evidence": []}, "与第 1 行同一个问题"),
    ],
)
def test_lines_that_are_wrong_are_named(line: Any, told: str) -> None:
    result = run(written([answerable(0), line]))
    assert (result.exit_code, result.stdout) == (1, "")
    assert "第 2 行" in result.stderr
    assert told in result.stderr


def test_evidence_has_to_be_in_the_collection() -> None:
    wrong = answerable(0) | {"question": "桑溪的水车有几架？", "evidence": [["桑溪的水车"]]}
    result = run(written([*map(answerable, range(KEPT)), *map(unanswerable, range(KEPT)), wrong]))
    assert result.exit_code == 1
    assert f"第 {2 * KEPT + 1} 行" in result.stderr
    assert "找不到依据" in result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--reset", "questions.jsonl"),
        ("--reset", "--dry-run"),
        ("missing.jsonl",),
        ("questions.jsonl", "--collection", "nowhere"),
        ("--reset", "--collection", "nowhere"),
    ],
)
def test_command_lines_that_make_no_sense(arguments: tuple[str, ...]) -> None:
    some()
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (1, "")


def test_files_that_cannot_be_used(tmp_path: Path) -> None:
    Path("gb.jsonl").write_bytes("水车".encode("gb18030"))
    many = written(
        [unanswerable(0) | {"question": f"第{n}架？"} for n in range(MOST_QUESTIONS + 1)], "many.jsonl"
    )
    for path, told in (("gb.jsonl", "UTF-8"), (many, "最多"), (str(tmp_path), "读不出来")):
        with pytest.raises(InputError, match=told):
            read_labelled(Path(path))


def test_the_same_question_twice_counts_once() -> None:
    twice = written(
        [answerable(0), answerable(0), unanswerable(0) | {"history": [{"role": "user", "content": "水"}]}]
    )
    assert [one.number for one in read_labelled(Path(twice))] == [1, 3]


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm() -> None:
    line = json.dumps(unanswerable(0), ensure_ascii=False)
    Path("marked.jsonl").write_bytes(b"\xef\xbb\xbf" + f"// 题\r\n\r\n{line}\r\n".encode())
    assert [one.number for one in read_labelled(Path("marked.jsonl"))] == [3]
