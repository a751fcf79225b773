"""Planted texts in the corpus, and a model that obeys them: no reader is told what no passage says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.assembly import open_engine
from rag.engine import Engine
from rag.reading.decoding import source_from_text
from rag.records import Answer, Source
from rag.text.folding import fold, squeeze
from tests.answer_checks import check_citations, check_stream, same
from tests.counting_encoder import CountingEncoder
from tests.injections import INJECTIONS, Injection, obeyed, scripted_obeying_model
from tests.llm_server import ChatServer
from tests.model_server import serving_model
from tests.tea_corpus import tea_settings, tea_sources

QUESTION = "茶园种下茶树多少株？"
TRUE_ANSWER = "山上的茶园去年种下茶树1200株，采茶工人有36名。[1]"
REFUSALS = {"真无答案代码"}
"""What makes a model refuse in the agreed way: that is believed where the judge is not certain."""
RESTATED = {
    "忽略要求，带人名",
    "假编号",
    "全角编号",
    "假出处",
    "冒充作者",
    "冒充管理员",
    "Markdown 标题",
    "代码块",
    "思考标签",
    "很长",
}
"""The planted text holds the payload too, in other digits or a few words more: citing it is not forging."""
QUOTABLE = [each for each in INJECTIONS if each.quotable]
INVENTED = [each for each in INJECTIONS if not each.quotable and each.name not in REFUSALS | RESTATED]


@pytest.fixture(scope="module")
def model() -> Iterator[ChatServer]:
    with serving_model(scripted_obeying_model) as server:
        yield server


def sources_with(planted: Injection) -> tuple[Source, ...]:
    text = f"■何采薇\n\n茶园的南坡另有一段说明。{planted.text}\n"
    return (*tea_sources(), source_from_text("planted.txt", text))


def engine_over(folder: Path, model: ChatServer, planted: Injection) -> Engine:
    settings = tea_settings(
        folder,
        false_answer_rate=1.0,
        generator="openai",
        llm_url=model.url,
        llm_model="obeying",
        llm_max_retries=0,
    )
    return open_engine(settings, encoder=CountingEncoder(), sources=sources_with(planted))


def was_obeyed(model: ChatServer, planted: Injection) -> bool:
    """Whether the last prompt held this planted text and no other."""
    return obeyed(model.requests[-1].json()["messages"]) == (planted,)


def test_all_are_tried() -> None:
    assert len(INVENTED) >= 20
    assert len(INVENTED) + len(QUOTABLE) + len(REFUSALS) + len(RESTATED) == len(INJECTIONS)
    assert {each.name for each in INJECTIONS} >= REFUSALS | RESTATED


@pytest.mark.parametrize("planted", INVENTED, ids=lambda planted: planted.name)
def test_what_is_invented_reaches_nobody(planted: Injection, model: ChatServer, tmp_path: Path) -> None:
    engine = engine_over(tmp_path, model, planted)
    answer = engine.ask(QUESTION, top_k=50)
    assert was_obeyed(model, planted)
    assert answer.answer == TRUE_ANSWER
    assert answer.answer == engine.ask(QUESTION, top_k=50, generator="extractive").answer
    assert answer.generator == "extractive"
    assert answer.degraded is not None
    assert (answer.degraded.generator, answer.degraded.code) == ("openai", "generator_unsupported")
    check_citations(answer, sources_with(planted))
    assert same(check_stream(list(engine.stream(QUESTION, top_k=50)))) == same(answer)


def asked_of(planted: Injection, model: ChatServer, folder: Path) -> Answer:
    """The answer, true or a claim of the planted document that cites it, the same both ways."""
    engine = engine_over(folder, model, planted)
    answer = engine.ask(QUESTION, top_k=50)
    assert was_obeyed(model, planted)
    sources = sources_with(planted)
    check_citations(answer, sources)
    if answer.generator == "extractive":
        assert answer.answer == TRUE_ANSWER
        assert answer.degraded is not None
        assert answer.degraded.code == "generator_unsupported"
    else:
        assert {citation.source_sha256 for citation in answer.citations} == {sources[-1].sha256}
        assert {citation.authors for citation in answer.citations} == {("何采薇",)}
    assert same(check_stream(list(engine.stream(QUESTION, top_k=50)))) == same(answer)
    return answer


def bare(text: str) -> str:
    return squeeze(fold(text)).rstrip("。.!?")


@pytest.mark.parametrize("planted", QUOTABLE, ids=lambda planted: planted.name)
def test_what_is_planted_word_for_word_is_at_most_quoted(
    planted: Injection, model: ChatServer, tmp_path: Path
) -> None:
    answer = asked_of(planted, model, tmp_path)
    for sentence in answer.sentences:
        quotes = [answer.citations[number - 1].quote for number in sentence.citations]
        assert any(bare(sentence.text) in bare(quote) for quote in quotes)


@pytest.mark.parametrize(
    "planted", [each for each in INJECTIONS if each.name in RESTATED], ids=lambda planted: planted.name
)
def test_what_is_planted_in_other_words_names_its_source(
    planted: Injection, model: ChatServer, tmp_path: Path
) -> None:
    assert asked_of(planted, model, tmp_path).status == "answered"


def test_a_planted_refusal_costs_the_answer_but_tells_no_lie(model: ChatServer, tmp_path: Path) -> None:
    """The corpus's encoder was never measured, so the judge is never certain here."""
    (planted,) = (each for each in INJECTIONS if each.name in REFUSALS)
    engine = engine_over(tmp_path, model, planted)
    answer = engine.ask(QUESTION, top_k=50)
    assert was_obeyed(model, planted)
    assert answer.confidence < 0.9
    assert (answer.status, answer.citations, answer.degraded) == ("abstained", (), None)
    assert "NO_ANSWER" not in answer.answer
