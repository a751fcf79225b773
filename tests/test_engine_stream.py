"""An answer part by part is the same answer, whoever writes it and whatever goes wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from rag.engine import Engine
from rag.errors import GeneratorError, InputError, NotFoundError
from rag.llm.faults import fault
from rag.records import Answer, AnswerSentence, CitationsKnown, TextAdded, Turn
from tests.answer_checks import check_citations, check_stream, same
from tests.injections import scripted_obeying_model
from tests.llm_server import (
    STREAM_HEAD,
    ChatServer,
    Script,
    event,
    failing,
    hanging,
    hanging_up,
    paced,
    refusing,
    serving,
    streaming,
    whole_json,
)
from tests.model_server import serving_model
from tests.tea_corpus import tea_engine, tea_sources

TREES = "茶园种下茶树多少株？"
TREES_QUOTE = "山上的茶园去年种下茶树1200株，采茶工人有36名。"
BITTER = "茶汤为什么发苦？"
BITTER_QUOTE = "茶汤之所以发苦，是因为水太烫。"
SWEET_QUOTE = "所谓回甘，是指茶咽下以后口中生出的甜味。"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tea_engine(tmp_path_factory.mktemp("tea"), false_answer_rate=1.0)


def both_ways(engine: Engine, question: str) -> Answer:
    """The answer to a question, asked for whole and in parts, and checked."""
    whole = engine.ask(question)
    streamed = check_stream(list(engine.stream(question)))
    assert same(streamed) == same(whole)
    assert streamed.answer_id != whole.answer_id
    assert streamed.timings_ms.keys() == whole.timings_ms.keys()
    check_citations(whole, tea_sources())
    return whole


def parts(engine: Engine, question: str) -> list[str | int]:
    """The parts of the text, and for each event of citations how many it holds."""
    told: list[str | int] = []
    for part in engine.stream(question):
        if isinstance(part, CitationsKnown):
            told.append(len(part.citations))
        elif isinstance(part, TextAdded):
            told.append(part.text)
    return told


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (TREES, f"{TREES_QUOTE}[1]"),
        (BITTER, f"{BITTER_QUOTE}[1]"),
        ("制茶要经过哪三道工序？", "一是晒青。[1]\n二是炒青。[2]\n三是揉捻。[3]"),
        ("制茶三法是谁写的？", "《制茶三法》的作者是陆青山。[1][2]"),
        (
            "两篇文章的作者各在什么单位？",
            "陆青山：作者单位：云岭茶叶学校。[1][2]\n周海生、冯远帆：作者系东港海事学院教授。[3][4]",
        ),
        (
            "冯远帆的文章标题是什么？",
            "原文没有印出“周海生、冯远帆：船靠风行，风来自海上的温差。老船工看…”的标题。",
        ),
    ],
)
def test_both_ways_give_the_same(engine: Engine, question: str, expected: str) -> None:
    assert both_ways(engine, question).answer == expected


def test_citations_come_before_the_text_that_marks_them(engine: Engine) -> None:
    assert parts(engine, TREES) == [1, f"{TREES_QUOTE}[1]"]
    first, *rest = parts(engine, "制茶要经过哪三道工序？")
    assert isinstance(first, int)
    assert [part for part in rest if isinstance(part, str)] == [
        "一是晒青。[1]",
        "\n二是炒青。[2]",
        "\n三是揉捻。[3]",
    ]
    assert [part for part in rest if isinstance(part, int)] == [3]


def test_a_typed_answer_comes_at_once(engine: Engine) -> None:
    assert parts(engine, "制茶三法是谁写的？") == [2, "《制茶三法》的作者是陆青山。[1][2]"]


def test_a_comparison_names_who_says_so(engine: Engine) -> None:
    answer = both_ways(engine, "陆青山和周海生的看法有什么不同？")
    assert answer.answer.startswith("陆青山：[1]\n")
    [byline] = [c for c in answer.citations if c.quote == "■周海生 冯远帆"]
    mine, theirs = answer.answer.split(f"\n周海生、冯远帆：[{byline.number}]\n")
    assert [c.quote for c in answer.citations if c.paragraph == 0] == ["■陆青山", "■周海生 冯远帆"]
    for citation in answer.citations:
        said = mine if citation.authors == ("陆青山",) else theirs
        assert f"[{citation.number}]" in said or citation == byline
    assert BITTER_QUOTE in mine


def test_an_abstention_is_one_part_and_cites_nothing(tmp_path: Path) -> None:
    engine = tea_engine(tmp_path)
    question = "船是哪一年造的？"
    answer = both_ways(engine, question)
    assert (answer.status, answer.citations, answer.sentences) == ("abstained", (), ())
    assert parts(engine, question) == [0, answer.answer]


def test_a_followup_is_resolved_both_ways(engine: Engine) -> None:
    history = [Turn("user", "茶汤为什么发苦？"), Turn("assistant", f"{BITTER_QUOTE}[1]")]
    whole = engine.ask("那灯塔呢？", history=history, explain=True)
    streamed = check_stream(list(engine.stream("那灯塔呢？", history=history, explain=True)))
    assert same(streamed) == same(whole)
    assert whole.resolved_question != "那灯塔呢？"
    assert whole.explain is not None
    assert whole.explain["resolved_by"] == "rules"


def test_what_is_wrong_with_a_request_is_raised_at_the_call(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="没有名为 'nothing' 的生成器，可用的有：extractive"):
        engine.stream(TREES, generator="nothing")
    with pytest.raises(InputError, match="没有可读的文字"):
        engine.stream("\u3000\u200b")
    with pytest.raises(InputError, match="2000"):
        engine.stream("茶" * 2001)


def test_who_has_left_is_not_answered(engine: Engine) -> None:
    events = engine.stream(TREES, cancelled=lambda: True)
    with pytest.raises(GeneratorError, match="已经离开") as caught:
        list(events)
    assert caught.value.code == "generator_cancelled"


# A language model writes.


def with_model(folder: Path, server: ChatServer | None, url: str = "", **changes: object) -> Engine:
    return tea_engine(
        folder,
        **{
            "false_answer_rate": 1.0,
            "generator": "openai",
            "llm_url": server.url if server else url,
            "llm_model": "m",
            "llm_max_retries": 0,
            **changes,
        },
    )


def copying(*quotes: str) -> Script:
    """A model that says these sentences with the wrong mark, which does no harm to what stands only once."""
    return streaming(*(piece for quote in quotes for piece in (quote[:5], quote[5:], "[", "1]", "\n")))


def problem(answer: Answer) -> tuple[str, str] | None:
    return (answer.degraded.generator, answer.degraded.code) if answer.degraded else None


def test_a_good_model(tmp_path: Path) -> None:
    with serving(copying(SWEET_QUOTE, "茶汤发苦，是因为水太烫。")) as server:
        engine = with_model(tmp_path, server)
        answer = both_ways(engine, BITTER)
        told = parts(engine, BITTER)
    assert answer.answer == f"{SWEET_QUOTE}[1]\n茶汤发苦，是因为水太烫。[2]"
    assert [citation.quote for citation in answer.citations] == [SWEET_QUOTE, BITTER_QUOTE]
    assert [sentence.match for sentence in answer.sentences] == ["exact", "supported"]
    assert (answer.generator, answer.degraded) == ("openai", None)
    assert told == [1, f"{SWEET_QUOTE}[1]", 2, "\n茶汤发苦，是因为水太烫。[2]"]


def test_a_slow_model_that_comes_in_time(tmp_path: Path) -> None:
    slow = paced(STREAM_HEAD, event(f"{SWEET_QUOTE}[1]"), event(finish="stop"), pause_seconds=0.06)
    with serving(slow) as server:
        answer = both_ways(with_model(tmp_path, server), BITTER)
    assert (answer.answer, answer.generator) == (f"{SWEET_QUOTE}[1]", "openai")
    assert answer.degraded is None


@pytest.mark.parametrize(
    ("script", "code"),
    [
        (hanging(STREAM_HEAD), "generator_timeout"),
        (hanging(STREAM_HEAD, event("")), "generator_timeout"),
        (failing("500 Internal Server Error"), "generator_failed"),
        (failing("401 Unauthorized"), "generator_refused"),
        (failing("429 Too Many Requests"), "generator_rate_limited"),
        (hanging_up(STREAM_HEAD), "generator_incomplete"),
        (streaming(""), "generator_invalid_reply"),
        (whole_json(None), "generator_invalid_reply"),
    ],
)
def test_a_model_that_says_nothing_is_replaced(tmp_path: Path, script: Script, code: str) -> None:
    with serving(script) as server:
        engine = with_model(tmp_path, server, llm_first_token_timeout_seconds=0.1)
        answer = both_ways(engine, BITTER)
        assert same(engine.ask(BITTER, generator="extractive")).answer == answer.answer
    assert answer.answer == f"{BITTER_QUOTE}[1]"
    assert (answer.generator, problem(answer)) == ("extractive", ("openai", code))
    assert answer.degraded is not None
    assert "机密" not in answer.degraded.message


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    with refusing() as url:
        answer = both_ways(with_model(tmp_path, None, url), BITTER)
    assert (answer.answer, problem(answer)) == (f"{BITTER_QUOTE}[1]", ("openai", "generator_unreachable"))
    assert answer.degraded is not None
    assert answer.degraded.message == fault("generator_unreachable", "ConnectError").message


def test_a_model_that_is_cut_off_is_completed(tmp_path: Path) -> None:
    with serving(hanging_up(STREAM_HEAD, event(f"{SWEET_QUOTE}[1]\n"), event("茶汤之所"))) as server:
        engine = with_model(tmp_path, server)
        answer = both_ways(engine, BITTER)
        told = parts(engine, BITTER)
    assert answer.answer == f"{SWEET_QUOTE}[1]\n{BITTER_QUOTE}[2]"
    assert (answer.generator, problem(answer)) == ("openai", ("openai", "generator_incomplete"))
    assert told == [1, f"{SWEET_QUOTE}[1]", 2, f"\n{BITTER_QUOTE}[2]"]


def test_a_model_that_stops_talking_is_completed(tmp_path: Path) -> None:
    script = hanging(STREAM_HEAD, event(f"{SWEET_QUOTE}[1]\n茶"))
    with serving(script) as server:
        answer = both_ways(with_model(tmp_path, server, llm_idle_timeout_seconds=0.1), BITTER)
    assert answer.answer == f"{SWEET_QUOTE}[1]\n{BITTER_QUOTE}[2]"
    assert problem(answer) == ("openai", "generator_timeout")


@pytest.mark.parametrize(
    "text",
    [
        "月亮是绿的。[1]",
        "茶汤之所以发苦，是因为水太凉。[1]",
        "###\n---\n[1]",
        "The tea is bitter. [1]",
        "𠮷" * 500,
    ],
)
def test_a_model_that_talks_nonsense_is_replaced(tmp_path: Path, text: str) -> None:
    with serving(streaming(text)) as server:
        answer = both_ways(with_model(tmp_path, server), BITTER)
    assert answer.answer == f"{BITTER_QUOTE}[1]"
    assert (answer.generator, problem(answer)) == ("extractive", ("openai", "generator_unsupported"))


def refusing_model(messages: Sequence[Mapping[str, str]]) -> str:
    """Writes the code that it was told to write if the passages do not answer."""
    _, _, rest = messages[-1]["content"].partition("NO_ANSWER_")
    return "NO_ANSWER_" + rest[:16]


def test_a_model_that_finds_no_answer_is_believed_where_it_is_not_certain(tmp_path: Path) -> None:
    with serving_model(refusing_model) as server:
        answer = both_ways(with_model(tmp_path, server), BITTER)
    assert 0.5 < answer.confidence < 0.9
    assert (answer.status, answer.generator, answer.degraded) == ("abstained", "openai", None)
    assert answer.related


def test_an_obeying_model_over_an_honest_corpus_is_a_good_one(tmp_path: Path) -> None:
    with serving_model(scripted_obeying_model) as server:
        answer = both_ways(with_model(tmp_path, server), TREES)
    assert answer.answer == f"{TREES_QUOTE}[1]"
    assert (answer.generator, answer.degraded) == ("openai", None)


def test_who_leaves_while_a_model_is_silent_frees_it(tmp_path: Path) -> None:
    left: list[bool] = []
    with serving(hanging(STREAM_HEAD, event(f"{SWEET_QUOTE}[1]\n茶"))) as server:
        events = with_model(tmp_path, server).stream(BITTER, cancelled=lambda: bool(left))
        assert isinstance(next(events), CitationsKnown)
        assert next(events) == TextAdded(f"{SWEET_QUOTE}[1]", AnswerSentence(SWEET_QUOTE, (1,), "exact"))
        left.append(True)
        with pytest.raises(GeneratorError, match="已经离开") as caught:
            next(events)
        assert caught.value.code == "generator_cancelled"
        assert server.left.wait(2)


def test_a_caller_that_stops_reading_frees_the_model(tmp_path: Path) -> None:
    with serving(hanging(STREAM_HEAD, event(f"{SWEET_QUOTE}[1]\n茶"))) as server:
        events = with_model(tmp_path, server).stream(BITTER)
        next(events)
        del events
        assert server.left.wait(2)


def test_a_typed_question_asks_no_model(tmp_path: Path) -> None:
    with serving(streaming("月亮是绿的。[1]")) as server:
        answer = both_ways(with_model(tmp_path, server), "制茶三法是谁写的？")
        assert server.requests == []
    assert answer.answer == "《制茶三法》的作者是陆青山。[1][2]"
    assert answer.degraded is None
