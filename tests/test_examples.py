"""Questions made from hand-made sentences, what is refused, and which are chosen."""

from __future__ import annotations

import ast
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import opencc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rag.corpus import Corpus, build_corpus
from rag.errors import GeneratorError
from rag.examples import candidates as candidates_module
from rag.examples import choosing, lists, numbers, patterns, people
from rag.examples.candidates import Candidate, candidates
from rag.examples.choosing import MAX_ASKED, WANTED, Ask, Examples, choose
from rag.examples.drafts import Kind
from rag.examples.naturalness import reads_well
from rag.examples.words import TRADITIONAL
from rag.reading.decoding import source_from_text
from rag.records import Answer, AnswerSentence, Citation, Document, Example, Sentence
from rag.text.terms import pairs
from tests.tea_corpus import tea_sources


def asked_of(made: Sequence[Example]) -> tuple[str, ...]:
    return tuple(one.question for one in made)


def chosen(found: Sequence[Candidate], ask: Ask) -> tuple[str, ...]:
    return asked_of(choose(found, ask))


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
        ("望海灯塔位于第三大街。", "望海灯塔位于哪里？"),
        ("望海县位于全省前列。", ""),
        ("望海县位于渔业百强县榜首，乡亲都高兴。", ""),
        ("望海县位于全国首位。", ""),
        ("望海县位于全省第三。", ""),
        ("望海县位于全省第12位。", ""),
        ("望海县位于全省前十。", ""),
        ("袁隆平被誉为“杂交水稻之父”。", "谁被称为“杂交水稻之父”？"),
        ("院士林墨涵被誉为“听潮之父”。", "谁被称为“听潮之父”？"),
        ("望海灯塔的守塔人被称为“守夜人”。", "谁被称为“守夜人”？"),
        ("鲁迅被誉为“听潮先生”。", ""),
        ("石斑鱼被誉为“礁石之王”。", "什么被称为“礁石之王”？"),
        ("巡塔机器人被称为“铁守塔人”。", "什么被称为“铁守塔人”？"),
        ("袁隆平是杂交水稻最大的功臣。", "杂交水稻最大的功臣是谁？"),
        ("2019年，望海县建成了听潮码头。", "望海县是哪一年建成听潮码头的？"),
        ("2019年，听潮码头建成了。", ""),
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
    assert questions_of("紅樹林被稱為“海岸衛士”。") == {"什麼被稱為“海岸衛士”？"}


def templates() -> set[str]:
    """Every text that the modules put into questions of their own: strings that are neither conditions nor
    arguments, but for those of a draft.
    """
    found: set[str] = set()

    def walk(node: ast.AST) -> None:
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            found.update(re.findall("[\u4e00-\u9fff]+", node.value))
        elif isinstance(node, ast.Call):
            is_draft = isinstance(node.func, ast.Name) and node.func.id == "Draft"
            for part in node.args if is_draft else [node.func]:
                walk(part)
        elif not isinstance(node, ast.Compare | ast.comprehension):
            for child in ast.iter_child_nodes(node):
                walk(child)

    for module in (patterns, people, lists, numbers, candidates_module):
        tree = ast.parse(Path(str(module.__file__)).read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for statement in function.body[1 if ast.get_docstring(function) else 0 :]:
                    walk(statement)
    return found


def test_every_template_is_known_in_traditional_script() -> None:
    made = templates()
    known = "什么是 被称为 指的是什么 由谁 哪里 多大比例 是哪一年 的作者是谁 哪些"
    assert set(known.split()) <= made
    to_traditional = opencc.OpenCC("s2tw")
    wrong = {one: want for one in made if one.translate(TRADITIONAL) != (want := to_traditional.convert(one))}
    assert wrong == {}


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
    assert chosen(found, answering(found)) == (found[0].question,)
    assert chosen(found, answering(found, confidence=0.4)) == ()
    assert chosen(found, answering(found, start=40, end=90)) == ()
    assert chosen(found, lambda _: abstained) == ()


def test_a_candidate_whose_question_cannot_be_asked_is_left_out() -> None:
    found = [made(0), made(1)]

    def ask(question: str) -> Answer:
        if question == found[0].question:
            raise GeneratorError("interrupted", code="generator_cancelled")
        return answer(found[1])

    assert chosen(found, ask) == (found[1].question,)


def test_it_ends_with_enough_found_or_enough_asked() -> None:
    found = [made(number) for number in range(32)]
    assert len(chosen(found, answering(found))) == WANTED
    asked: list[str] = []

    def ask(question: str) -> Answer:
        asked.append(question)
        return replace(answer(found[0]), status="abstained")

    assert chosen(found, ask) == ()
    assert len(asked) == len(set(asked)) == MAX_ASKED


def test_documents_are_spread_before_kinds_and_both_before_score() -> None:
    found = [
        made(0, "d1", "number", 1.6),
        made(1, "d1", "number", 1.5),
        made(2, "d1", "definition", 1.3),
        made(3, "d2", "number", 1.0),
        made(4, "d3", "author", 0.9),
    ]
    assert chosen(found, answering(found))[:4] == tuple(found[i].question for i in (0, 4, 3, 2))


def test_poor_candidates_and_near_duplicates_are_not_asked() -> None:
    first = replace(made(0), question="望海县的渔船有多少艘？")
    same_sentence = replace(made(1), start_char=first.start_char, end_char=first.end_char)
    same_words = replace(made(2), question="望海县的渔船用了多少年？")
    found = [first, same_sentence, same_words, made(3, score=0.5)]
    assert chosen(found, answering(found)) == (first.question,)


def test_the_same_corpus_gives_the_same_candidates() -> None:
    assert candidates(corpus_of(*TEXTS)) == candidates(corpus_of(*TEXTS))


TEXTS = [f"所谓听{name}风，是指{name}面来的海风。" for name in "东南西北上下左右"]


def made_from(corpus: Corpus) -> set[str]:
    return {candidate.document_id for candidate in candidates(corpus)}


def test_a_big_corpus_is_sampled_and_a_small_change_changes_the_sample_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(candidates_module, "MAX_DOCUMENTS", 4)
    whole = corpus_of(*TEXTS)
    assert len(made_from(whole)) == 4
    assert made_from(corpus_of(*reversed(TEXTS))) == made_from(whole)
    for document in whole.documents:
        less = made_from(whole.without([document.document_id]))
        assert len(less) == 4
        assert len(less - made_from(whole)) == (document.document_id in made_from(whole))


def test_a_document_is_looked_through_once_while_the_corpus_around_it_changes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_through: list[str] = []
    whole = candidates_module._of_text

    def noted(document: Document, rows: Sequence[Sentence]) -> Iterator[Candidate]:
        looked_through.append(document.document_id)
        return whole(document, rows)

    monkeypatch.setattr(candidates_module, "_of_text", noted)
    corpus, more = corpus_of(*TEXTS), corpus_of(TERM)
    first = candidates(corpus)
    assert candidates(corpus) == first
    assert len(looked_through) == len(TEXTS)
    grown = corpus.extended([more.rows_of(more.documents[0].document_id)])
    gone = corpus.documents[3].document_id
    changed = candidates(grown.without([gone]).compacted())
    assert len(looked_through) == len(TEXTS) + 1
    kept = [candidate for candidate in first if candidate.document_id != gone]
    assert {*changed} == {*kept, *candidates(more)}


@pytest.mark.parametrize(
    "text",
    [
        "。",
        "？？？\n！！",
        "Only English here. It has 30 words?",
        "一" * 3000,
        "“”《》（）「",
        "甲\n\n乙\n\n丙",
        "？",
        "……？",
        "（1）？",
        "，。；：！？",
        "？\n\n……？\n\n——？",
    ],
)
def test_odd_corpora_have_no_examples(text: str) -> None:
    assert candidates(corpus_of(text)) == []


def test_what_is_odd_costs_only_itself() -> None:
    assert "什么是回甘？" in questions_of(f"……？\n\n？\n\n{TERM}\n\n（1）？")


TERM = "所谓回甘，是指茶咽下以后口中生出的甜味。"
WORDS = """
2019年 被誉为 所谓 是指 之所以 是因为 位于 建于 30个 百分之三十 由 负责 望海县 渔船 “听潮” 为什么 包括 三个
关键 最大的 以 为例， 1200艘 袁隆平
"""
MARKS = "，。；：！？…—、（）“”《》「」 \n\t\u3000年月日第的了是为在有等哪谁一二三0123456789%a\U0001f600"
PIECES = (*MARKS, *WORDS.split())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=25).map("".join)))
def test_no_text_is_too_odd(text: str) -> None:
    """Each sentence is one of a corpus, whatever the reading of a file would make of the text."""
    known = corpus_of(TERM)
    (sentence,) = known.sentences
    odd = replace(known, sentences=tuple(replace(sentence, text=one) for one in (text, f"{text}？", TERM)))
    assert "什么是回甘？" in {candidate.question for candidate in candidates(odd)}


def test_topic_words_come_from_the_whole_document(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not from its opening alone: sentences are drawn from all of it."""
    monkeypatch.setattr(candidates_module, "MAX_SENTENCES", 10)
    told: list[frozenset[str]] = []

    def noted(question: str, kind: Kind, topic: frozenset[str]) -> float:
        told.append(topic)
        return 0.0

    monkeypatch.setattr(candidates_module, "appeal", noted)
    early = [f"第{number}天，渔民修船。" for number in range(20)]
    candidates(corpus_of("".join([TERM, *early, *["码头很长。"] * 20])))
    assert told
    assert all({"渔民", "码头"} <= topic for topic in told)


def test_a_boundless_sentence_gives_no_topic_words() -> None:
    topic = candidates_module._topic_words(corpus_of(TERM).documents[0], ["码头，" * 200])
    assert "码头" not in topic


def test_it_is_made_once_whoever_asks() -> None:
    corpus = corpus_of("所谓回甘，是指茶咽下以后口中生出的甜味。")
    (candidate,) = candidates(corpus)
    begun, asked = threading.Event(), []

    def ask(question: str) -> Answer:
        asked.append(question)
        begun.wait(5)
        span = candidate.end_char - candidate.start_char
        return answer(candidate, end=span)

    examples = Examples(corpus)
    with ThreadPoolExecutor(8) as threads:
        calls = [threads.submit(lambda: asked_of(examples.get(ask))) for _ in range(8)]
        begun.set()
        assert {call.result(10) for call in calls} == {("什么是回甘？",)}
    assert asked == ["什么是回甘？"]


@pytest.mark.parametrize("fault", [RuntimeError("broken"), GeneratorError("later", code="overloaded")])
def test_a_fault_means_no_examples_for_now(
    fault: Exception, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    corpus = corpus_of(TERM)
    (candidate,) = candidates(corpus)
    broken, asked = True, 0

    def ask(_: str) -> Answer:
        nonlocal asked
        asked += 1
        if broken:
            raise fault
        return answer(candidate, end=candidate.end_char - candidate.start_char)

    examples = Examples(corpus)
    assert examples.get(ask) == examples.get(ask) == ()
    assert (asked, len(caplog.records)) == (1, 1)
    broken = False
    monkeypatch.setattr(choosing, "RETRY_SECONDS", 0.0)
    assert asked_of(examples.get(ask)) == asked_of(examples.get(ask)) == ("什么是回甘？",)
    assert asked == 2


def test_where_there_is_nothing_to_ask_it_is_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "RETRY_SECONDS", 0.0)
    drawn: list[Corpus] = []

    def none_of(corpus: Corpus) -> list[Candidate]:
        drawn.append(corpus)
        return []

    monkeypatch.setattr(choosing, "candidates", none_of)
    examples = Examples(corpus_of("。"))
    assert examples.get(pytest.fail) == examples.get(pytest.fail) == ()
    assert len(drawn) == 1


def test_the_wording_of_a_candidate_is_taken_apart_once(monkeypatch: pytest.MonkeyPatch) -> None:
    folded: Counter[str] = Counter()

    def counting(text: str) -> list[str]:
        folded[text] += 1
        return pairs(text)

    monkeypatch.setattr(choosing, "pairs", counting)
    found = [made(number) for number in range(32)]
    assert len(chosen(found, answering(found))) == WANTED
    assert set(folded.values()) == {1}
