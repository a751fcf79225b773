"""Questions, headings and tables among the sentences that may answer, with relevance set by hand."""

from __future__ import annotations

import re

import pytest

from rag.answering.contradicting import asks_stance, negates
from rag.answering.extractive import ExtractiveGenerator
from rag.answering.generator import GenerationRequest, RankedSentence
from rag.answering.leads import Leads
from rag.corpus import build_corpus
from rag.question import read_question
from rag.ranking.asked_units import amount_test
from rag.reading.decoding import source_from_text
from rag.records import Passage, Sentence
from rag.structure import Structure
from rag.text.folding import fold

PAGE = """浴室问答与守则

毛巾要自带吗？

要。忘了带的可以在柜台租一条，当天还。

【停车】

后院能停十二辆车，先到先得，不收钱。

掌柜　傅大年

水池分三种，各有各的规矩，进门先看牌子。热池最深，只给会水的人用，小孩不要去。温池最浅，老人和孩子都可以下去。

| 水池 | 深 | 水温 |
|---|---|---|
| 热池 | 140 厘米 | 46 度 |
| 温池 | 90 厘米 | 38 度 |

一、开门的时候是清早五点，关门是夜里十点。
二、下列的人不接待：喝了酒的；带着狗的；身上有伤的。
三、丢了牌子的，在柜台说一声，不罚钱。
"""
CORPUS = build_corpus([source_from_text("bath.md", PAGE)], chunk_max_chars=200)
PASSAGES = [
    Passage(rank, 0.5, chunk, CORPUS.document_by_id[chunk.document_id], "/")
    for rank, chunk in enumerate(CORPUS.chunks, 1)
]
GENERATOR = ExtractiveGenerator(CORPUS, Structure(CORPUS))
LEADS = Leads(CORPUS)


def row(opening: str) -> Sentence:
    return next(sentence for sentence in CORPUS.sentences if sentence.text.startswith(opening))


def said(question: str, *found: tuple[str, float]) -> list[str]:
    """The sentences of the answer, without marks."""
    ranked = [RankedSentence(row(opening), relevance) for opening, relevance in found]
    request = GenerationRequest(read_question(question), PASSAGES, ranked, (), 320)
    text = "".join(GENERATOR.generate(request)).replace("\n", "")
    return [piece for piece in re.split(r"\[\d+\]", text) if piece]


def test_a_question_is_answered_by_the_paragraph_below_and_not_shown() -> None:
    assert said("要带毛巾吗？", ("毛巾要自带吗", 0.5)) == ["要。", "忘了带的可以在柜台租一条，当天还。"]


def test_a_heading_leads_to_what_stands_below() -> None:
    assert said("停车要紧吗？", ("【停车】", 0.5)) == ["后院能停十二辆车，先到先得，不收钱。"]


def test_a_name_below_a_text_is_left_out_unless_a_name_is_asked_for() -> None:
    found = ("后院能停", 0.5), ("掌柜", 0.4)
    assert said("车停在哪里？", *found) == ["后院能停十二辆车，先到先得，不收钱。"]
    assert said("掌柜叫什么名字？", *found)[-1] == "掌柜　傅大年"


@pytest.mark.parametrize(
    ("opening", "label"),
    [
        ("【停车】", True),
        ("掌柜", True),
        ("| 水池", True),
        ("| 热池", False),
        ("一、", False),
        ("后院", False),
    ],
)
def test_labels(opening: str, label: bool) -> None:
    assert LEADS.is_label(row(opening)) is label


def test_weak_evidence_is_not_padded() -> None:
    found = [("后院能停", 0.05), ("毛巾要自带吗", 0.04), ("一、", 0.04), ("三、", 0.04), ("温池最浅", 0.04)]
    strong = [(opening, 10 * relevance) for opening, relevance in found]
    assert len(said("这里怎么回事？", *found)) == 4  # the best, a question's two sentences, one more
    assert len(said("这里怎么回事？", *strong)) == 6


def test_a_way_brings_its_neighbours_and_a_number_does_not() -> None:
    found = ("热池最深", 0.5), ("水池分三种", 0.15)
    assert len(said("热池怎么用？", *found)) == 2
    assert len(said("热池深多少？", *found)) == 1


def test_an_amount_of_the_dimension_asked_for_goes_before_others() -> None:
    found = ("| 温池", 0.4), ("后院能停", 0.5)
    best_first = sorted(found, key=lambda each: -each[1])
    assert said("温池多深？", *best_first) == ["| 温池 | 90 厘米 | 38 度 |"]


@pytest.mark.parametrize(
    ("question", "sentence", "states"),
    [
        ("这条鱼多重？", "鱼身长三尺。", False),
        ("这条鱼多重？", "鱼有 8.6 kg。", True),
        ("一张票多少钱？", "一张票看三天。", False),
        ("一张票多少钱？", "小孩免费。", True),
        ("要等多久？", "等了两个半小时。", True),
        ("要等多久？", "来了三个人。", False),
        ("有多少？", "来了三个人。", True),
        ("比例有多高？", "占百分之九。", True),
    ],
)
def test_amounts(question: str, sentence: str, states: bool) -> None:
    assert amount_test(fold(question))(fold(sentence)) is states


def test_sections_of_a_page_do_not_answer_for_one_of_them() -> None:
    assert said("哪些人不接待？", ("二、", 0.6), ("一、", 0.03), ("三、", 0.02)) == [
        "二、下列的人不接待：喝了酒的；带着狗的；身上有伤的。"
    ]
    assert len(said("守则有哪些？", ("二、", 0.6), ("一、", 0.5), ("三、", 0.5))) == 3


@pytest.mark.parametrize(
    ("question", "sentence", "denies"),
    [
        ("丢了牌子罚多少钱？", "丢了牌子的，不罚钱。", True),
        ("丢了牌子罚多少钱？", "丢了牌子的，罚五元。", False),
        ("为什么不罚钱？", "丢了牌子的，不罚钱。", False),
        ("补多少钱？", "有没有钱补？", False),
        ("加班换成几小时调休？", "不得以调休代替。", True),
    ],
)
def test_what_denies_the_question(question: str, sentence: str, denies: bool) -> None:
    assert negates(sentence, read_question(question)) is denies


@pytest.mark.parametrize(
    ("question", "stance"),
    [
        ("池子晚上开吗？", True),
        ("池子晚上开，对不对？", True),
        ("晚上是否开门？", True),
        ("掌柜对收费的看法", True),
        ("他时不时来泡澡", False),
        ("泡澡多少钱？", False),
    ],
)
def test_questions_for_yes_or_no_and_for_a_stance(question: str, stance: bool) -> None:
    assert asks_stance(read_question(question)) is stance
