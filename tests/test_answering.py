"""Choosing and refusing, on an invented corpus."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from index.lexical import LexicalIndex
from rag.answering.abstention import abstain, abstention_reason
from rag.confidence.claims import lacking_claims
from rag.confidence.judge import Judgement
from rag.confidence.wording import Wording
from rag.engine import Engine
from rag.errors import InputError, NotFoundError
from rag.question import read_question
from rag.records import Answer
from rag.text.enumeration import inline_counts
from rag.text.folding import squeeze
from rag.text.terms import index_terms
from tests.tea_corpus import tea_engine, tea_sources


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tea_engine(tmp_path_factory.mktemp("tea"), false_answer_rate=1.0)


def test_a_number_is_answered_by_the_sentence_that_states_it(engine: Engine) -> None:
    answer = engine.ask("茶园种下茶树多少株？")
    assert answer.status == "answered"
    assert "1200株" in answer.sentences[0].text
    assert answer.answer.startswith(answer.sentences[0].text + "[1]")


def test_a_list_is_complete_and_in_order(engine: Engine) -> None:
    answer = engine.ask("制茶要经过哪三道工序？")
    assert [sentence.text for sentence in answer.sentences] == ["一是晒青。", "二是炒青。", "三是揉捻。"]


@pytest.mark.parametrize(
    "question",
    [
        "茶园种下茶树多少株？",
        "制茶有哪三道工序？",
        "老船工怎么认路？",
        "茶汤为什么发苦？",
        "制茶三法是谁写的？",
    ],
)
def test_every_citation_holds_its_quote(engine: Engine, question: str) -> None:
    answer = engine.ask(question)
    sources = {source.sha256: source.text for source in tea_sources()}
    assert answer.citations
    for citation in answer.citations:
        text = sources[citation.source_sha256]
        held = text[citation.start_char : citation.end_char]
        assert squeeze(held) == squeeze(citation.quote) != ""
        lines = text.split("\n")[citation.start_line - 1 : citation.end_line]
        assert squeeze(citation.quote) in squeeze("".join(lines))
    cited = {number for sentence in answer.sentences for number in sentence.citations}
    assert cited == {citation.number for citation in answer.citations}
    assert all(sentence.citations for sentence in answer.sentences)


def test_a_sentence_with_a_quote_is_verbatim(engine: Engine) -> None:
    answer = engine.ask("什么是回甘？")
    whole = squeeze("".join(source.text for source in tea_sources()))
    assert all(squeeze(s.text) in whole for s in answer.sentences)
    assert any("回甘" in s.text for s in answer.sentences)


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("制茶三法是谁写的？", "陆青山"),
        ("写船和灯塔的文章作者是谁？", "周海生、冯远帆"),
        ("陆青山在哪个单位工作？", "云岭茶叶学校"),
        ("Which institution is Lu Qingshan affiliated with?", "云岭茶叶学校"),
        ("陆青山那篇的标题是什么？", "《制茶三法》"),
        ("第一篇文章的标题叫什么？", "《制茶三法》"),
        ("陆青山是什么人？", "云岭茶叶学校"),
        ("哪位作者来自云岭？", "陆青山"),
        ("作者里谁是教授？", "周海生"),
        ("哪几位作者来自海事学院？东港海事学院的作者是谁？", "周海生"),
    ],
)
def test_typed_parts_answer_questions_about_the_text(engine: Engine, question: str, expected: str) -> None:
    answer = engine.ask(question)
    assert expected in answer.answer
    assert all(citation.paragraph == 0 for citation in answer.citations)
    assert engine.search(question)[0].chunk.paragraph == 0


@pytest.mark.parametrize(
    "question", ["这几篇文章的作者分别是谁？", "两篇文章的作者各在什么单位？", "作者都有谁？"]
)
def test_a_question_about_all_texts_names_all_authors(engine: Engine, question: str) -> None:
    answer = engine.ask(question)
    assert len(answer.sentences) == 2
    assert all(author in answer.answer for author in ("陆青山", "周海生", "冯远帆"))


def test_a_title_that_is_not_printed_is_not_made_up(engine: Engine) -> None:
    answer = engine.ask("冯远帆的文章标题是什么？")
    assert answer.status == "abstained"
    assert "没有印出" in answer.answer


def test_a_date_that_no_sentence_states_is_refused(tmp_path: Path) -> None:
    answer = tea_engine(tmp_path).ask("船是哪一年造的？")
    assert (answer.status, answer.citations, answer.sentences) == ("abstained", (), ())
    # Which of the two cannot be told with an encoder whose background is unknown.
    assert answer.reason in ("not_stated", "off_topic")
    assert answer.related


@pytest.mark.parametrize(
    ("stated", "unstated"),
    [("1200株茶树种在哪里？", "2031株茶树种在哪里？"), ("采茶工人有多少名？", "采茶裁缝有多少名？")],
)
def test_claims_that_the_corpus_lacks_lower_the_confidence(
    engine: Engine, stated: str, unstated: str
) -> None:
    assert engine.ask(unstated).confidence < engine.ask(stated).confidence


def test_threshold_one_never_answers_and_zero_always_does(tmp_path: Path, engine: Engine) -> None:
    never = tea_engine(tmp_path, false_answer_rate=0.0)
    assert never.ask("茶园种下茶树多少株？").status == "abstained"
    assert never.ask("制茶三法是谁写的？").status == "abstained"
    assert engine.ask("灯塔的造价是多少？").status == "answered"


def _content(answer: Answer) -> tuple[object, ...]:
    return (
        answer.status,
        answer.answer,
        answer.confidence,
        answer.citations,
        answer.related,
        answer.fingerprint,
    )


def test_the_same_question_gives_the_same_answer(tmp_path: Path, engine: Engine) -> None:
    again = tea_engine(tmp_path, false_answer_rate=1.0)
    for question in ("老船工怎么认路？", "茶汤为什么发苦？", "制茶三法是谁写的？"):
        assert (
            _content(engine.ask(question)) == _content(engine.ask(question)) == _content(again.ask(question))
        )


def test_search_is_ordered_scored_and_filtered_by_the_public_score(engine: Engine) -> None:
    passages = engine.search("灯塔为船指路", top_k=5)
    assert [passage.rank for passage in passages] == [1, 2, 3, 4, 5][: len(passages)]
    scores = [passage.score for passage in passages]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    cut = scores[1]
    kept = engine.search("灯塔为船指路", top_k=5, score_threshold=cut)
    assert [p.chunk.chunk_id for p in kept] == [p.chunk.chunk_id for p in passages if p.score >= cut]


def test_search_and_ask_agree_on_the_score_of_a_passage(engine: Engine) -> None:
    question = "老船工怎么认路？"
    scores = {p.chunk.chunk_id: p.score for p in engine.search(question, top_k=50)}
    explained = engine.ask(question, explain=True).explain
    assert explained is not None
    assert {p["chunk_id"]: p["score"] for p in explained["passages"]}.items() <= scores.items()


def test_unknown_names_are_refused(engine: Engine) -> None:
    with pytest.raises(NotFoundError, match="没有编号为"):
        engine.document("nothing")
    with pytest.raises(NotFoundError, match="extractive"):
        engine.ask("茶", generator="nothing")
    with pytest.raises(InputError, match="没有可读的文字"):
        engine.ask("\u3000\u200b")


def test_inner_lists_are_counted() -> None:
    assert 4 in inline_counts("形成“晒青、炒青、揉捻、烘干”的办法。")
    assert 3 in inline_counts("要备足桐油、麻绳和木钉。")
    assert inline_counts("船靠风行。") == set()


def test_claims_are_figures_and_counted_nouns() -> None:
    arm = LexicalIndex.build([index_terms("茶园去年种下1200株茶树。")])
    assert lacking_claims(read_question("2031年的茶怎么样？"), arm).figures == ("2031",)
    assert lacking_claims(read_question("1200株茶怎么样？"), arm).figures == ()
    assert lacking_claims(read_question("1,200株茶树种在哪里？"), arm).figures == ()
    assert lacking_claims(read_question("增长12.5%的是什么？"), arm).figures == ("12.5%",)
    assert lacking_claims(read_question("工人有多少？"), arm).nouns == ("工人",)
    assert lacking_claims(read_question("茶园有多少？"), arm).nouns == ()
    assert lacking_claims(read_question("工人为什么来？"), arm).nouns == ()
    assert lacking_claims(read_question("How many in 2031?"), arm).figures == ()


def judged(question: str, *, on_topic: bool, **unknown: tuple[str, ...]) -> Judgement:
    wording = Wording(
        read_question(question).words, (), *(unknown.get(k, ()) for k in ("names", "nouns", "verbs"))
    )
    return Judgement(0.1, False, on_topic, "general", wording, {}, absent=sum(unknown.values(), ()))


@pytest.mark.parametrize(
    ("question", "on_topic", "verbs", "reason"),
    [
        ("什么？", False, (), "too_vague"),
        ("火箭怎么造？", False, (), "off_topic"),
        ("茶园有多大？", True, (), "not_stated"),
        ("茶园为什么关门？", True, (), "false_premise"),
        ("茶园怎么搬迁到城里？", True, ("搬迁",), "false_premise"),
        ("茶园搬迁花了多少钱？", True, ("搬迁",), "not_stated"),
        ("茶园为什么种茶树？", True, (), "not_stated"),  # the nearest passage has all of it
    ],
)
def test_reasons_for_abstaining(
    engine: Engine, question: str, on_topic: bool, verbs: tuple[str, ...], reason: str
) -> None:
    related = engine.search("茶园种下茶树多少株？", top_k=1)
    judgement = judged(question, on_topic=on_topic, verbs=verbs)
    assert abstention_reason(read_question(question), judgement, related) == reason


def test_an_abstention_speaks_of_the_essay_that_was_named(engine: Engine) -> None:
    related = engine.search("茶园种下茶树多少株？", top_k=1)
    question = "茶园有多大？"
    for is_named, opening in ((True, "点名的文章没有说明这一点。"), (False, "文章谈到了相关内容，")):
        judgement = replace(judged(question, on_topic=True), is_named=is_named)
        assert abstain(read_question(question), judgement, related).text.startswith(opening)


def test_an_abstention_says_what_is_missing_and_what_is_near(engine: Engine) -> None:
    related = engine.search("茶园种下茶树多少株？", top_k=1)
    question = "上海的茶园有多大？"
    text = abstain(read_question(question), judged(question, on_topic=True, names=("上海",)), related).text
    assert "全文没有出现“上海”" in text
    assert "最接近的内容在《制茶三法》第 1 段" in text
    for near, last, shown in (
        ("新茶要晒干", 6, "（第 6 行）：“新茶要晒干”。"),
        ("茶" * 40, 7, f"（第 6–7 行）：“{'茶' * 40}”。"),
        ("茶" * 41, 9, f"（第 6–9 行）：“{'茶' * 40}…”。"),
    ):
        span = replace(related[0].chunk.span, start_line=6, end_line=last)
        passage = replace(related[0], chunk=replace(related[0].chunk, text=near, span=span))
        text = abstain(read_question(question), judged(question, on_topic=True), [passage]).text
        assert text.endswith(f"第 1 段{shown}")
    assert "最接近" not in abstain(read_question(question), judged(question, on_topic=False), related).text
