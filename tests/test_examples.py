"""Questions made from hand-made sentences, what is refused, and which are chosen."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from rag.corpus import Corpus, build_corpus
from rag.errors import GeneratorError
from rag.examples import candidates as candidates_module
from rag.examples.candidates import Candidate, candidates
from rag.examples.choosing import MAX_ASKED, WANTED, Examples, choose
from rag.examples.naturalness import reads_well
from rag.reading.decoding import source_from_text
from rag.records import Answer, AnswerSentence, Citation
from tests.tea_corpus import tea_sources


def corpus_of(*texts: str) -> Corpus:
    sources = [source_from_text(f"{number}.txt", text) for number, text in enumerate(texts)]
    return build_corpus(sources, chunk_max_chars=200)


def questions_of(*texts: str) -> set[str]:
    return {candidate.question for candidate in candidates(corpus_of(*texts))}


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("所谓回甘，是指茶咽下以后口中生出的甜味。", "什么是回甘？"),
        ("潮间带指的是涨潮时淹没、退潮时露出的海岸。", "什么是潮间带？"),
        ("渔民把夜里不点灯的船叫作“听潮船”。", "什么是“听潮船”？"),
        ("渔村立下“三不出海”：雾大不出海，风急不出海，酒后不出海。", "“三不出海”指的是什么？"),
        ("养护灯塔的关键是防锈。", "养护灯塔的关键是什么？"),
        ("灯塔养护的关键是防锈。", "灯塔养护的关键是什么？"),
        ("防锈是灯塔养护最大的难题。", "灯塔养护最大的难题是什么？"),
        ("它是灯塔养护最大的难题。", ""),
        ("望海县登记了渔船1200艘。", "望海县登记了多少艘渔船？"),
        (
            "以“听潮”计划为例，目前已经覆盖望海县31个渔村（社区）、6个码头。",
            "“听潮”计划覆盖望海县多少个渔村？",
        ),
        ("望海县的渔获量下降了百分之三十。", "望海县的渔获量下降了多少？"),
        ("望海县的渔船超过1200艘。", ""),
        ("望海县有1200至1300艘渔船。", ""),
        ("望海县有望在2031年东港灯会上展出旧船。", ""),
        ("望海县修建了时速90公里公路。", ""),
        ("2019年，望海县启动“听潮”计划。", "望海县是哪一年启动“听潮”计划的？"),
        ("望海县从2019年起整修渔港码头。", "望海县从哪一年起整修渔港码头？"),
        ("望海县生产了带鱼、黄鱼和海带等海产品。", "望海县生产了哪些海产品？"),
        ("修船工要先看风向、查船板、试船帆等步骤。", ""),
        ("望海县的渔船有三个用处：捕鱼、运货、救人。", "望海县的渔船有哪三个用处？"),
        ("茶汤之所以发苦，是因为水太烫。", "茶汤为什么发苦？"),
        ("望海灯塔由守塔人看守。", "望海灯塔由谁看守？"),
        ("望海灯塔位于东港的礁石上。", "望海灯塔位于哪里？"),
    ],
)  # fmt: skip
def test_a_construction_gives_its_question(sentence: str, question: str) -> None:
    assert questions_of(sentence) == ({question} if question else set())


def test_a_question_of_the_text_itself_is_taken_with_the_answer_behind_it() -> None:
    corpus = corpus_of("渔港为什么要清淤？因为河水带来的泥沙年年把航道填浅。")
    (made,) = candidates(corpus)
    assert (made.question, made.kind) == ("渔港为什么要清淤？", "reason")
    assert made.start_char == corpus.sentences[1].span.start_char


@pytest.mark.parametrize("asked", ["难道渔港不要清淤？", "渔港怎么能不清淤？", "渔港是否需要清淤？"])
def test_rhetorical_questions_and_those_for_yes_or_no_are_not(asked: str) -> None:
    assert questions_of(f"{asked}河水带来的泥沙年年把航道填浅。") == set()


def test_the_author_is_asked_for_where_title_and_byline_are_printed() -> None:
    made = candidates(build_corpus(tea_sources(), chunk_max_chars=200))
    assert [one.question for one in made if one.kind == "author"] == ["《制茶三法》的作者是谁？"]


def test_traditional_texts_give_traditional_questions() -> None:
    assert questions_of("所謂回甘，是指茶嚥下以後口中生出的甜味。") == {"什麼是回甘？"}
    assert questions_of("望海縣登記了漁船1200艘。") == {"望海縣登記了多少艘漁船？"}
    assert questions_of("望海燈塔由守塔人看守。") == {"望海燈塔由誰看守？"}


@pytest.mark.parametrize(
    ("question", "well"),
    [
        ("望海县有多少艘渔船？", True),
        ("“听潮船”指的是什么？", True),
        ("“该不该”指的是什么？", True),
        ("应该由谁看守望海灯塔？", False),
        ("这座灯塔有多少级台阶？", False),
        ("该县有多少艘渔船？", False),
        ("他们为什么不出海？", False),
        ("灯塔的其他用处是什么？", False),
        ("全县有多少艘渔船？", False),
        ("而望海县有多少艘渔船？", False),
        ("同时登记了多少艘渔船？", False),
        ("“听潮船指的是什么？", False),
        ("是什么？", False),
        ("望海县有渔船？", False),
        ("望海县有多少艘渔船", False),
        ("望海县" + "的渔港" * 10 + "是什么？", False),
        ("How many boats are 多少？", False),
    ],
)
def test_what_reads_well(question: str, well: bool) -> None:
    assert reads_well(question) is well


def made(number: int, document: str = "d1", kind: str = "number", score: float = 1.2) -> Candidate:
    name = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未申酉戌亥天地玄黄宇宙洪荒日月"[number]
    return Candidate(f"{name * 4}有几？", kind, document, 100 * number, 100 * number + 50, score)  # type: ignore[arg-type]


def answer(candidate: Candidate, *, confidence: float = 0.9, start: int = 0, end: int = 50) -> Answer:
    """An answer that cites these characters of the candidate's sentence."""
    first = candidate.start_char
    cited = Citation(
        1, candidate.document_id, "甲", (), 1, first + start, first + end, 1, 1, "甲", "0", "exact", "/", 1.0
    )
    sentences = (AnswerSentence("甲", (1,), "exact"),)
    return Answer(
        "a", "answered", "甲[1]", None, confidence, sentences, (cited,), (), "甲", "extractive", "f", {}
    )


def answering(found: list[Candidate], **how: float) -> Callable[[str], Answer]:
    by_question = {candidate.question: candidate for candidate in found}
    return lambda question: answer(by_question[question], **how)  # type: ignore[arg-type]


def test_only_what_is_answered_surely_and_from_its_own_sentence_is_kept() -> None:
    found = [made(0)]
    abstained = replace(answer(found[0]), status="abstained")
    assert choose(found, answering(found)) == (found[0].question,)
    assert choose(found, answering(found, confidence=0.4)) == ()
    assert choose(found, answering(found, start=40, end=90)) == ()
    assert choose(found, lambda _: abstained) == ()


def test_a_candidate_whose_question_cannot_be_asked_is_left_out() -> None:
    found = [made(0), made(1)]

    def ask(question: str) -> Answer:
        if question == found[0].question:
            raise GeneratorError("interrupted", code="generator_cancelled")
        return answer(found[1])

    assert choose(found, ask) == (found[1].question,)


def test_it_ends_with_enough_found_or_enough_asked() -> None:
    found = [made(number) for number in range(32)]
    assert len(choose(found, answering(found))) == WANTED
    asked: list[str] = []

    def ask(question: str) -> Answer:
        asked.append(question)
        return replace(answer(found[0]), status="abstained")

    assert choose(found, ask) == ()
    assert len(asked) == len(set(asked)) == MAX_ASKED


def test_documents_are_spread_before_kinds_and_both_before_score() -> None:
    found = [
        made(0, "d1", "number", 1.6),
        made(1, "d1", "number", 1.5),
        made(2, "d1", "definition", 1.3),
        made(3, "d2", "number", 1.0),
        made(4, "d3", "author", 0.9),
    ]
    assert choose(found, answering(found))[:4] == tuple(found[i].question for i in (0, 4, 3, 2))


def test_poor_candidates_and_near_duplicates_are_not_asked() -> None:
    first = replace(made(0), question="望海县的渔船有多少艘？")
    same_sentence = replace(made(1), start_char=first.start_char, end_char=first.end_char)
    same_words = replace(made(2), question="望海县的渔船用了多少年？")
    found = [first, same_sentence, same_words, made(3, score=0.5)]
    assert choose(found, answering(found)) == (first.question,)


def test_the_same_corpus_gives_the_same_candidates() -> None:
    assert candidates(corpus_of(*TEXTS)) == candidates(corpus_of(*TEXTS))


TEXTS = [f"所谓听{name}风，是指{name}面来的海风。" for name in "东南西北上下左右"]


def test_a_big_corpus_is_sampled_evenly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates_module, "MAX_DOCUMENTS", 4)
    made_from = {candidate.document_id for candidate in candidates(corpus_of(*TEXTS))}
    documents = [document.document_id for document in corpus_of(*TEXTS).documents]
    assert made_from <= {documents[place] for place in (0, 2, 4, 6)}
    assert len(made_from) == 4


@pytest.mark.parametrize(
    "text",
    [
        "。",
        "？？？\n！！",
        "Only English here. It has 30 words?",
        "一" * 3000,
        "“”《》（）「",
        "甲\n\n乙\n\n丙",
    ],
)
def test_odd_corpora_have_no_examples(text: str) -> None:
    assert candidates(corpus_of(text)) == []


def test_it_is_made_once_whoever_asks() -> None:
    corpus = corpus_of("所谓回甘，是指茶咽下以后口中生出的甜味。")
    (candidate,) = candidates(corpus)
    begun, asked = threading.Event(), []

    def ask(question: str) -> Answer:
        asked.append(question)
        begun.wait(5)
        span = candidate.end_char - candidate.start_char
        return answer(candidate, end=span)

    examples = Examples(corpus, ask)
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(examples.get) for _ in range(8)]
        begun.set()
        assert {call.result(10) for call in calls} == {("什么是回甘？",)}
    assert asked == ["什么是回甘？"]


def test_a_fault_means_no_examples_but_no_error() -> None:
    def ask(_: str) -> Answer:
        raise RuntimeError("broken")

    examples = Examples(corpus_of("所谓回甘，是指茶咽下以后口中生出的甜味。"), ask)
    assert examples.get() == examples.get() == ()
