"""A third party's generator, installed as a package would be, from its entry point to a checked answer."""

from __future__ import annotations

import logging
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from rag.answering.plugins import GROUP, load_plugins
from rag.errors import ConfigError
from rag.records import Degradation
from tests.answer_checks import check_citations, check_stream, same
from tests.tea_corpus import tea_engine, tea_sources

MODULE = """
class Haiku:
    name = "haiku"

    def generate(self, request):
        first = request.passages[0]
        yield "月亮是绿的。[1]\\n"
        yield f"守灯人每晚点灯九次。[{first.rank}]\\n"
        for passage in request.passages:
            if "守灯人" in passage.chunk.text:
                yield f"守灯人每晚要点灯2次，"
                yield f"雨夜则点3次。[{passage.rank}][99]"


class Broken:
    def __init__(self):
        raise RuntimeError("密文")


class Failing:
    name = "failing"

    def generate(self, request):
        raise OSError("密文")


class Nameless:
    def generate(self, request):
        return iter(())


class Mute:
    name = "mute"


def refuse(request):
    return iter(())
"""
GOOD = ("haiku = invented_haiku:Haiku",)
QUESTION = "守灯人每晚点灯几次？"
SAID = "守灯人每晚要点灯2次，雨夜则点3次。"
QUOTE = "守灯人每晚点灯两次，雨夜要点三次。"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of installed packages, with a module but no entry points yet."""
    folder = tmp_path / "site"
    folder.mkdir()
    (folder / "invented_haiku.py").write_text(MODULE, "utf-8")
    monkeypatch.syspath_prepend(folder)
    return folder


def install(site: Path, *entries: str) -> None:
    info = site / "invented_haiku-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: invented-haiku\nVersion: 1.0\n", "utf-8")
    (info / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *entries, ""]), "utf-8")


def point(name: str, value: str) -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_an_installed_plug_in_answers_when_it_is_asked_for(site: Path, tmp_path: Path) -> None:
    install(site, *GOOD)
    engine = tea_engine(tmp_path, false_answer_rate=1.0)
    answer = engine.ask(QUESTION, generator="haiku", explain=True)
    assert (answer.answer, answer.generator, answer.degraded) == (f"{SAID}[1]", "haiku", None)
    assert [(s.text, s.match) for s in answer.sentences] == [(SAID, "supported")]
    assert [citation.quote for citation in answer.citations] == [QUOTE]
    check_citations(answer, tea_sources())
    assert answer.explain is not None
    verdicts = [(verdict["text"], verdict["verdict"]) for verdict in answer.explain["verdicts"]]
    assert verdicts == [
        ("月亮是绿的。", "rejected"),
        ("守灯人每晚点灯九次。", "rejected"),
        (SAID, "supported"),
    ]
    streamed = check_stream(list(engine.stream(QUESTION, generator="haiku", explain=True)))
    assert same(streamed) == same(answer)
    assert engine.ask(QUESTION).generator == "extractive"


def test_it_can_be_the_default(site: Path, tmp_path: Path) -> None:
    install(site, *GOOD)
    engine = tea_engine(tmp_path, false_answer_rate=1.0, generator="haiku")
    assert engine.ask(QUESTION).answer == f"{SAID}[1]"
    assert engine.ask(QUESTION, generator="extractive").answer == f"{QUOTE}[1]"


def test_a_plug_in_that_fails_is_replaced(site: Path, tmp_path: Path) -> None:
    install(site, "failing = invented_haiku:Failing")
    engine = tea_engine(tmp_path, false_answer_rate=1.0)
    answer = engine.ask(QUESTION, generator="failing")
    assert (answer.answer, answer.generator) == (f"{QUOTE}[1]", "extractive")
    message = "生成器 'failing' 内部出错（OSError）。"
    assert answer.degraded == Degradation("failing", "generator_failed", message)


def test_which_plug_ins_there_are_is_part_of_the_fingerprint(site: Path, tmp_path: Path) -> None:
    before = tea_engine(tmp_path).fingerprint
    install(site, *GOOD)
    after = tea_engine(tmp_path).fingerprint
    assert before != after
    assert before.rpartition("-")[0] == after.rpartition("-")[0]


def test_a_broken_one_is_left_out_and_the_others_stay(
    site: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    install(site, "broken = invented_haiku:Broken", *GOOD)
    with caplog.at_level(logging.WARNING, "rag.answering.plugins"):
        engine = tea_engine(tmp_path, false_answer_rate=1.0)
    assert caplog.messages == ["generator plug-in 'broken' is left out: RuntimeError"]
    assert engine.ask(QUESTION, generator="haiku").generator == "haiku"


def test_a_broken_default_does_not_start(site: Path, tmp_path: Path) -> None:
    install(site, "broken = invented_haiku:Broken")
    with pytest.raises(ConfigError, match="CEWEN_GENERATOR='broken' 的插件 'invented_haiku:Broken' 无法加载"):
        tea_engine(tmp_path, generator="broken")


def test_a_default_that_nobody_installed_names_those_there_are(site: Path, tmp_path: Path) -> None:
    install(site, *GOOD)
    with pytest.raises(ConfigError, match="'sonnet' 不存在，可用的有：extractive、haiku"):
        tea_engine(tmp_path, generator="sonnet")


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("invented_haiku:Broken", "RuntimeError"),
        ("invented_haiku:Nameless", "TypeError"),
        ("invented_haiku:Mute", "TypeError"),
        ("invented_haiku:refuse", "TypeError"),
        ("invented_haiku:Missing", "AttributeError"),
        ("no_such_module_here:Haiku", "ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_loaded(
    site: Path, caplog: pytest.LogCaptureFixture, value: str, problem: str
) -> None:
    found = [point("verse", value), point("haiku", "invented_haiku:Haiku")]
    with caplog.at_level(logging.WARNING, "rag.answering.plugins"):
        assert set(load_plugins((), needed="extractive", found=found)) == {"haiku"}
    assert caplog.messages == [f"generator plug-in 'verse' is left out: {problem}"]
    with pytest.raises(ConfigError, match="无法加载") as caught:
        load_plugins((), needed="verse", found=found)
    assert type(caught.value.__cause__).__name__ == problem


@pytest.mark.parametrize("name", ["extractive", "openai"])
def test_our_own_names_cannot_be_taken(
    site: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    install(site, f"{name} = invented_haiku:Haiku")
    with caplog.at_level(logging.WARNING, "rag.answering.plugins"):
        engine = tea_engine(tmp_path, false_answer_rate=1.0)
    assert caplog.messages == [f"generator plug-in {name!r} is left out: the name is taken"]
    assert engine.ask(QUESTION).answer == f"{QUOTE}[1]"


def test_a_taken_name_is_not_even_loaded() -> None:
    assert load_plugins(("haiku",), needed="haiku", found=[point("haiku", "no_such_module_here:X")]) == {}


def test_without_plug_ins_there_are_none() -> None:
    assert load_plugins((), needed="extractive", found=[]) == {}


def test_it_is_known_by_its_entry(site: Path, tmp_path: Path) -> None:
    install(site, "verse = invented_haiku:Haiku")
    answer = tea_engine(tmp_path, false_answer_rate=1.0).ask(QUESTION, generator="verse")
    assert answer.generator == "verse"
