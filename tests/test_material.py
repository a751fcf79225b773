"""What a generator gets to see, for hand-made findings over an invented corpus."""

from __future__ import annotations

import numpy as np
import pytest

from rag.answering.citations import SourceLinks
from rag.answering.generator import GenerationRequest, RankedSentence, never
from rag.answering.material import MaterialMaker
from rag.corpus import Corpus, build_corpus
from rag.question import read_question
from rag.ranking.features import FEATURES, Evidence
from rag.reading.decoding import source_from_text
from rag.records import Passage
from rag.retrieval import Retrieved
from rag.scope import Scope, ScopeFinder
from rag.structure import Structure

BOATS = """造船记

■周海生

造一条船有四道大工序，缺了哪一道都不能下水。一是选料，老船工只用山阴面长了三十年以上的杉木，锯开以后还要晾上两个冬天。\
二是放样，把船的每一根肋骨按原样画在沙地上，差一指宽的都要抹平了重新画过。三是捻缝，用桐油和麻丝把每一道板缝填满，要填三遍才不漏水。\
四是下水，挑一个大潮的早晨，全村的人一起把船推进海里去，推不动的时候就喊号子，一直喊到船浮起来为止。

船的寿命看人怎么待它，年年上油的能用四十年。
"""
TEA = """制茶记

■陆青山

茶的好坏一半看山，一半看火。高山上的茶叶厚而耐泡，平地上的茶叶薄而味淡。

炒茶的锅要烧到发白，手要快，心要定。
"""
STARS = """看星记

■方北斗

夜里行船看北斗，北斗的柄指着哪里，季节就到了哪里。
"""
NAMES = ("boats.txt", "tea.txt", "stars.txt")
CORPUS = build_corpus(
    [source_from_text(name, text) for name, text in zip(NAMES, (BOATS, TEA, STARS), strict=True)],
    chunk_max_chars=60,
)
ASKED = build_corpus(
    [source_from_text("q.txt", "挑柴要注意什么？\n柴要晒过两个夏天。\n锅要烧热。\n")], chunk_max_chars=60
)
MAKER = MaterialMaker(CORPUS, Structure(CORPUS), answer_max_chars=321, links=SourceLinks("http://cewen"))
NOTHING = Scope((), "")


def row_of(text: str) -> int:
    """The ordinal of the sentence that begins like this."""
    (row,) = [sentence.ordinal for sentence in CORPUS.sentences if sentence.text.startswith(text)]
    return row


def chunk_of(text: str) -> int:
    return CORPUS.sentences[row_of(text)].chunk_ordinal


def passage_of(corpus: Corpus, ordinal: int, rank: int, score: float) -> Passage:
    chunk = corpus.chunks[ordinal]
    document = corpus.document_by_id[chunk.document_id]
    return Passage(
        rank, score, chunk, document, SourceLinks("http://cewen").to(chunk.document_id, chunk.span)
    )


def found(question: str, *sentences: str) -> Retrieved:
    """Finding these sentences in this order: 0.9, 0.8 and so on; a chunk is worth its best sentence."""
    ranked = [
        RankedSentence(CORPUS.sentences[row_of(text)], 0.9 - 0.1 * place)
        for place, text in enumerate(sentences)
    ]
    best: dict[int, float] = {}
    for each in ranked:
        best.setdefault(each.sentence.chunk_ordinal, each.relevance)
    passages = [
        passage_of(CORPUS, ordinal, rank, score) for rank, (ordinal, score) in enumerate(best.items(), 1)
    ]
    none = Evidence(
        np.zeros(0, np.int64), np.zeros((0, len(FEATURES))), np.zeros(0), np.zeros(3), lexical_peak=0.0
    )
    return Retrieved(tuple(ranked), tuple(passages), read_question(question), none, np.zeros(0), {})


def request_of(question: str, *sentences: str, scope: Scope = NOTHING, top_k: int = 8) -> GenerationRequest:
    return MAKER.request(
        read_question(question), found(question, *sentences), scope, top_k=top_k, cancelled=never
    )


def chunks(request: GenerationRequest) -> list[int]:
    return [passage.chunk.ordinal for passage in request.passages]


ITEMS = ("一是选料", "二是放样", "三是捻缝", "四是下水")
LIST_CHUNKS = [chunk_of(text) for text in ITEMS]


def test_the_corpus_is_what_these_tests_need() -> None:
    """Each item of the list stands in a chunk of its own."""
    assert sorted(set(LIST_CHUNKS)) == LIST_CHUNKS
    assert len(CORPUS.documents) == 3


@pytest.fixture(
    params=[
        ("造船有哪四道工序？", ("三是捻缝",), 8),
        ("造船有哪四道工序？", ("三是捻缝", "高山上"), 1),
        ("造船与制茶有什么不同？", ("一是选料", "高山上", "夜里行船"), 1),
        ("炒茶的锅要烧多久？", ("炒茶的锅",), 3),
    ],
    ids=["list", "list, one passage", "comparison", "plain"],
)
def request_made(request: pytest.FixtureRequest) -> GenerationRequest:
    question, sentences, top_k = request.param
    return request_of(question, *sentences, top_k=top_k)


def test_ranks_count_from_one_and_no_passage_comes_twice(request_made: GenerationRequest) -> None:
    numbers = [passage.rank for passage in request_made.passages]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(set(chunks(request_made))) == len(numbers)


def test_nothing_is_ranked_that_cannot_be_cited(request_made: GenerationRequest) -> None:
    assert {ranked.sentence.chunk_ordinal for ranked in request_made.ranked} <= set(chunks(request_made))
    scores = [ranked.relevance for ranked in request_made.ranked]
    assert scores == sorted(scores, reverse=True)


def test_a_list_is_completed_by_passages_that_no_search_found() -> None:
    request = request_of("造船有哪四道工序？", "三是捻缝")
    first = chunk_of("三是捻缝")
    rest = [ordinal for ordinal in LIST_CHUNKS if ordinal != first]
    assert chunks(request) == [first, *rest]
    assert [passage.score for passage in request.passages] == [0.9, 0.0, 0.0, 0.0]
    assert [ranked.sentence.text[:4] for ranked in request.ranked] == ["三是捻缝"]
    assert all(passage.document.authors == ("周海生",) for passage in request.passages)


def test_a_companion_links_to_its_own_place() -> None:
    request = request_of("造船有哪四道工序？", "三是捻缝")
    for passage in request.passages:
        links = SourceLinks("http://cewen")
        assert passage.url == links.to(passage.chunk.document_id, passage.chunk.span)


def test_the_sentence_that_announces_a_list_brings_it_in() -> None:
    request = request_of("造船有哪些工序？", "造一条船")
    assert set(chunks(request)) == {chunk_of("造一条船"), *LIST_CHUNKS}


def test_a_companion_that_search_found_further_down_keeps_its_score_and_its_sentence() -> None:
    request = request_of("造船有哪四道工序？", "三是捻缝", "高山上", "四是下水", top_k=1)
    assert chunks(request)[0] == chunk_of("三是捻缝")
    assert chunk_of("高山上") not in chunks(request)
    scores = {passage.chunk.ordinal: passage.score for passage in request.passages}
    assert scores[chunk_of("四是下水")] == pytest.approx(0.7)
    assert scores[chunk_of("一是选料")] == 0.0
    assert [ranked.sentence.text[:4] for ranked in request.ranked] == ["三是捻缝", "四是下水"]


def test_the_best_passages_come_first_and_as_many_as_asked_for() -> None:
    sentences = ("炒茶的锅", "船的寿命", "夜里行船")
    assert chunks(request_of("炒茶的锅要烧多久？", *sentences, top_k=2)) == [
        chunk_of("炒茶的锅"),
        chunk_of("船的寿命"),
    ]
    one = request_of("炒茶的锅要烧多久？", *sentences, top_k=1)
    assert chunks(one) == [chunk_of("炒茶的锅")]
    assert [(passage.rank, passage.score) for passage in one.passages] == [(1, 0.9)]
    assert [ranked.relevance for ranked in one.ranked] == [0.9]


def test_a_comparison_hears_every_side() -> None:
    sentences = ("船的寿命", "炒茶的锅", "高山上", "夜里行船")
    compared = request_of("船和茶有什么不同？", *sentences, top_k=1)
    assert chunks(compared) == [chunk_of("船的寿命"), chunk_of("炒茶的锅"), chunk_of("夜里行船")]
    assert [passage.score for passage in compared.passages] == pytest.approx([0.9, 0.8, 0.6])
    plain = request_of("船的寿命有多长？", *sentences, top_k=1)
    assert chunks(plain) == [chunk_of("船的寿命")]


def test_a_comparison_of_named_texts_hears_no_other() -> None:
    question = "周海生和方北斗的看法有什么不同？"
    scope = ScopeFinder(CORPUS).find(question)
    request = request_of(question, "炒茶的锅", "船的寿命", "夜里行船", scope=scope, top_k=1)
    assert chunks(request) == [chunk_of("炒茶的锅"), chunk_of("船的寿命"), chunk_of("夜里行船")]
    assert request.named == tuple(CORPUS.documents[place].document_id for place in (0, 2))
    without = request_of(question, "船的寿命", "炒茶的锅", "夜里行船", scope=scope, top_k=1)
    assert chunks(without) == [chunk_of("船的寿命"), chunk_of("夜里行船")]


def test_a_question_brings_the_paragraph_below_it() -> None:
    below = next(chunk.ordinal for chunk in ASKED.chunks if chunk.text.startswith("柴要"))
    asked = ASKED.sentences[0]
    maker = MaterialMaker(ASKED, Structure(ASKED), answer_max_chars=321, links=SourceLinks())
    evidence = Evidence(
        np.array([0]), np.zeros((1, len(FEATURES))), np.zeros(1), np.zeros(3), lexical_peak=0.0
    )
    chunk = ASKED.chunks[asked.chunk_ordinal]
    passage = Passage(1, 0.9, chunk, ASKED.documents[0], "")
    question = read_question("柴怎么挑？")
    found = Retrieved((RankedSentence(asked, 0.9),), (passage,), question, evidence, np.zeros(1), {})
    request = maker.request(question, found, NOTHING, top_k=1, cancelled=never)
    assert chunks(request) == [asked.chunk_ordinal, below]


def test_what_else_a_request_says() -> None:
    request = request_of("炒茶的锅要烧多久？", "炒茶的锅")
    assert (request.max_chars, request.named, request.question.text) == (321, (), "炒茶的锅要烧多久？")
    assert request.cancelled is never


def test_an_endless_list_brings_no_more_than_sixteen() -> None:
    numerals = "一二三四五六七八九十"
    items = "".join(
        f"（{n}）第{n}件要办的事写得很长，为的是让它在自己的段块里占满地方，一个也挤不进来。"
        for n in range(1, 21)
    )
    short = "".join(
        f"{n}是把第{n}只桶装满清水并且抬到船上去放好，再回来抬下一只，直到天亮。" for n in numerals
    )
    corpus = build_corpus(
        [source_from_text("long.txt", f"要办二十件事。{items}\n\n要抬十只桶。{short}\n")], chunk_max_chars=60
    )
    structure = Structure(corpus)
    assert [len(enumeration.items) for enumeration in structure.enumerations] == [20, 10]
    maker = MaterialMaker(corpus, structure, answer_max_chars=320, links=SourceLinks())
    for opening, whole in (("（1）", False), ("一是", True)):
        row = next(sentence for sentence in corpus.sentences if sentence.text.startswith(opening))
        passage = passage_of(corpus, row.chunk_ordinal, 1, 0.9)
        base = found("要办哪些事？", "炒茶的锅")
        one = Retrieved(
            (RankedSentence(row, 0.9),), (passage,), base.question, base.evidence, base.values, {}
        )
        request = maker.request(one.question, one, NOTHING, top_k=8, cancelled=never)
        assert 1 <= len(request.passages) <= 17
        assert (len(request.passages) > 1) == whole
