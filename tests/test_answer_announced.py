"""Lists that a question or a colon announces, and what stands beside the best sentence of a passage."""

from __future__ import annotations

import re

import pytest

from rag.answering.extractive import ExtractiveGenerator
from rag.answering.generator import GenerationRequest, RankedSentence
from rag.corpus import build_corpus
from rag.question import read_question
from rag.reading.decoding import source_from_text
from rag.records import Passage, Sentence
from rag.structure import Structure

PAGE = """# 养蚕须知

怎样让蚕吃饱？一是勤喂。一天喂五回。二是摊匀。三是桑叶要干。

**怎么看出病蚕？** 看三样：
- 头上发亮，身子发软；
- 不吃叶子，趴着不动；
- 吐出来的水发黄。

进蚕房的人有几条规矩要守，少一条都不放行：

• 洗手

• 换鞋

• 关门

蚕房有没有补贴？有。每间补六百元。

老秦养了三十年蚕，用的是地火龙。她说头一年花了两千元。毛病是夜里要起来添柴。

秋蚕不养也罢，有人这样讲。县里有一家人连着三年养过秋蚕。桑叶到后来总是不够给蚕吃。

睡过三眠之后还在吃的蚕，谓之大蚕。大蚕一天要吃掉一担桑叶。
"""
CORPUS = build_corpus([source_from_text("silk.md", PAGE)], chunk_max_chars=200)
PASSAGES = [
    Passage(rank, 0.5, chunk, CORPUS.document_by_id[chunk.document_id], "/")
    for rank, chunk in enumerate(CORPUS.chunks, 1)
]
STRUCTURE = Structure(CORPUS)
GENERATOR = ExtractiveGenerator(CORPUS, STRUCTURE)
SIGNS = ["- 头上发亮，身子发软；", "- 不吃叶子，趴着不动；", "- 吐出来的水发黄。"]


def row(opening: str) -> Sentence:
    return next(sentence for sentence in CORPUS.sentences if sentence.text.startswith(opening))


def said(question: str, *found: tuple[str, float]) -> list[str]:
    """The sentences of the answer, without marks."""
    ranked = [RankedSentence(row(opening), relevance) for opening, relevance in found]
    request = GenerationRequest(read_question(question), PASSAGES, ranked, (), 320)
    text = "".join(GENERATOR.generate(request)).replace("\n", "")
    return [piece.strip() for piece in re.split(r"\[\d+\]", text) if piece.strip()]


def test_a_question_that_announces_a_list_is_answered_by_all_of_it() -> None:
    assert said("蚕怎么才吃得饱？", ("怎样让蚕吃饱", 0.6)) == [
        "一是勤喂。",
        "一天喂五回。",
        "二是摊匀。",
        "三是桑叶要干。",
    ]


@pytest.mark.parametrize("opening", ["看三样", "**怎么看出"])
def test_a_short_line_that_ends_in_a_colon_leads_to_the_list_below(opening: str) -> None:
    assert said("病蚕怎么认？", (opening, 0.6)) == SIGNS


def test_a_count_finds_the_bullets() -> None:
    assert said("看病蚕要看哪三样？", ("看三样", 0.6)) == SIGNS


def test_what_a_long_line_announces_follows_it() -> None:
    line = "进蚕房的人有几条规矩要守，少一条都不放行："
    assert said("进蚕房要怎样？", ("进蚕房的人", 0.6)) == [line, "• 洗手", "• 换鞋", "• 关门"]


def test_items_that_are_built_alike_are_one_list() -> None:
    found = STRUCTURE.of_sentence(row("- 头上").ordinal)
    assert [(len(each.items), each.parallel) for each in found] == [(3, False)]


def test_a_question_in_the_text_denies_nothing() -> None:
    assert said("一间蚕房补贴多少元？", ("每间补", 0.6)) == ["每间补六百元。"]


def test_the_asked_noun_is_looked_for_beside_the_best_sentence() -> None:
    found = ("老秦", 0.9), ("毛病是", 0.2)
    best = "老秦养了三十年蚕，用的是地火龙。"
    assert said("地火龙有什么毛病？", *found) == [best, "毛病是夜里要起来添柴。"]
    assert said("地火龙是谁在用？", *found) == [best]


def test_a_stance_brings_its_neighbours_unless_something_is_denied() -> None:
    assert said("有人养过秋蚕吗？", ("县里", 0.6), ("秋蚕", 0.2)) == [
        "秋蚕不养也罢，有人这样讲。",
        "县里有一家人连着三年养过秋蚕。",
    ]
    assert said("秋蚕的叶子够吃吗？", ("桑叶到后来", 0.6), ("县里", 0.2)) == ["桑叶到后来总是不够给蚕吃。"]


def test_a_definition_stands_alone() -> None:
    found = ("睡过三眠", 0.6), ("大蚕一天", 0.2)
    assert said("什么是大蚕？", *found) == ["睡过三眠之后还在吃的蚕，谓之大蚕。"]
    assert len(said("大蚕怎么喂？", *found)) == 2
