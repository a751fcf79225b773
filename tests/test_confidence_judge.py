"""The judge: which model it takes, what rate it uses, what it says; with models and a reader by hand."""

from __future__ import annotations

import math
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from evals.remembering import RememberingReader
from rag.confidence.features import (
    READ_PASSAGES,
    dense_features,
    reader_features,
    word_features,
)
from rag.confidence.judge import Judge, Judgement
from rag.confidence.model import GROUPS, ConfidenceModels, shipped_models
from rag.confidence.wording import read_wording
from rag.corpus import build_corpus
from rag.names import DocumentNames
from rag.question import read_question
from rag.question_patterns import FRAME_WORDS
from rag.reading.decoding import source_from_text
from rag.scope import Scope
from tests.confidence_samples import (
    SharedCharacters,
    arms_of,
    found_by_hand,
    models_by_hand,
    passages_of,
    search,
    tea_rows,
)

CORPUS = tea_rows()
ARM = arms_of(CORPUS).chunk_terms
QUESTION = read_question("老船工怎么认路？")
FOUND = search(CORPUS, QUESTION.text)
OFFSETS = {"dense+words+reader": 3.0, "dense+words": 2.0, "words+reader": 1.0, "words": -1.0}


def judge_of(
    models: ConfidenceModels | None = None,
    reader: SharedCharacters | None = None,
    *,
    knows_encoder: bool = False,
    rate: float = 0.2,
) -> Judge:
    return Judge(
        ARM,
        models or models_by_hand(OFFSETS),
        reader,
        knows_encoder=knows_encoder,
        false_answer_rate=rate,
    )


@pytest.mark.parametrize(
    ("knows_encoder", "has_reader", "name"),
    [
        (True, True, "dense+words+reader"),
        (True, False, "dense+words"),
        (False, True, "words+reader"),
        (False, False, "words"),
    ],
)
def test_the_model_is_the_one_for_what_is_at_hand(knows_encoder: bool, has_reader: bool, name: str) -> None:
    judge = judge_of(reader=SharedCharacters() if has_reader else None, knows_encoder=knows_encoder)
    judgement = judge.judge(QUESTION, FOUND)
    assert judge.described["model"] == name
    assert judgement.confidence == pytest.approx(1 / (1 + math.exp(-OFFSETS[name])), abs=5e-5)
    assert tuple(judgement.features) == GROUPS[name]
    assert judgement.calibration == ("general" if knows_encoder else "none")


@pytest.mark.parametrize("knows_encoder", [True, False])
@pytest.mark.parametrize("has_reader", [True, False])
def test_features_are_named_and_in_order(knows_encoder: bool, has_reader: bool) -> None:
    reader = SharedCharacters() if has_reader else None
    judgement = judge_of(reader=reader, knows_encoder=knows_encoder).judge(QUESTION, FOUND)
    parts = [word_features(QUESTION, FOUND, read_wording(QUESTION, ARM), ARM)]
    if knows_encoder:
        parts.insert(0, dense_features(FOUND))
    if has_reader:
        scores = SharedCharacters().read(QUESTION.text, FOUND.passages[:READ_PASSAGES])
        parts.append(reader_features(scores))
    np.testing.assert_allclose(list(judgement.features.values()), np.concatenate(parts), atol=5.1e-5)
    assert judgement.wording == read_wording(QUESTION, ARM)


def test_confidence_is_the_weighted_sum_of_the_named_features() -> None:
    weights = {"near_sentence": 0.01, "unknown_share": -2.0, "held_by_first": 1.5, "reader_best": 0.125}
    models = models_by_hand({"dense+words+reader": -1.0}, weights=weights)
    judgement = judge_of(models, SharedCharacters(), knows_encoder=True).judge(QUESTION, FOUND)
    logit = sum(weights[name] * value for name, value in judgement.features.items() if name in weights) - 1.0
    assert judgement.confidence == pytest.approx(1 / (1 + math.exp(-logit)), abs=1e-4)
    # 老船工看星认路 holds 老, 船, 工, 认 and 路 of the question.
    assert judgement.features["reader_best"] == 5.0


@pytest.mark.parametrize(
    ("knows_encoder", "rate", "confidence", "answerable"),
    [
        # Points (.1, .8) (.2, .6) (.5, .4): at a rate of .2 known encoders ask for .6, unknown ones for .8.
        (True, 0.2, 0.7, True),
        (False, 0.2, 0.7, False),
        (False, 0.2, 0.81, True),
        (True, 0.2, 0.59, False),
        (False, 0.4, 0.61, True),
        (False, 0.4, 0.59, False),
        # Rate 1 answers all and rate 0 none, whatever was measured.
        (False, 1.0, 0.01, True),
        (True, 1.0, 0.01, True),
        (False, 0.0, 0.9999, False),
        (True, 0.0, 0.9999, False),
    ],
)
def test_half_the_rate_is_used_where_nothing_was_measured(
    knows_encoder: bool, rate: float, confidence: float, answerable: bool
) -> None:
    offset = math.log(confidence / (1 - confidence))
    models = models_by_hand(dict.fromkeys(GROUPS, offset))
    judgement = judge_of(models, knows_encoder=knows_encoder, rate=rate).judge(QUESTION, FOUND)
    assert judgement.confidence == pytest.approx(confidence, abs=1e-4)
    assert judgement.answerable is answerable


def test_a_confidence_equal_to_the_threshold_is_enough() -> None:
    models = models_by_hand({"words": 0.0}, points=((0.1, 0.5),))
    assert judge_of(models, rate=0.2).judge(QUESTION, FOUND).answerable


@pytest.mark.parametrize(("rate", "ever"), [(0.0, False), (0.001, True), (0.5, True), (1.0, True)])
def test_a_rate_of_zero_never_answers(rate: float, ever: bool) -> None:
    assert judge_of(rate=rate).ever_answers is ever


def test_on_topic_by_hand_and_without_the_reader() -> None:
    # On topic where half of the question's idf mass stands in one window.
    reader = SharedCharacters()
    judge = judge_of(reader=reader, knows_encoder=True)
    for text in ("老船工看星认路", "灯塔为船指路吗？", "火箭发动机怎么点火？", "Where is the moon?"):
        found = search(CORPUS, text)
        expected = found.evidence.lexical_peak >= 0.5
        assert judge.on_topic(found) is expected
        assert judge.judge(read_question(text), found).on_topic is expected
    assert judge.on_topic(search(CORPUS, "老船工看星认路"))
    assert not judge.on_topic(search(CORPUS, "火箭发动机怎么点火？"))
    assert len(reader.asked) == 4  # by `judge` alone


def test_the_topic_counts_unknown_words() -> None:
    models = models_by_hand({}, topic=((0.0, 0.0, 0.0, -1.0), 0.5))
    judge = judge_of(models)
    # One word of two is unknown: -1/2 + 1/2 = 0 is just enough; two of three are not.
    assert judge.on_topic(found_by_hand(CORPUS, read_question("灯塔裁缝")))
    assert not judge.on_topic(found_by_hand(CORPUS, read_question("灯塔裁缝铜镜")))


def test_the_reader_sees_the_question_as_asked_and_the_best_passages() -> None:
    paragraphs = "\n".join(f"第{char}盏灯由守灯人点亮，夜里的船靠它认路。" for char in "甲乙丙丁戊己庚")
    corpus = build_corpus([source_from_text("lamps.txt", paragraphs)], chunk_max_chars=200)
    asked, searched = read_question("周海生说谁来点灯？"), read_question("谁来点灯？")
    found = found_by_hand(corpus, searched, chunks=[5, 1, 0, 3, 2])
    reader = SharedCharacters()
    Judge(
        arms_of(corpus).chunk_terms,
        models_by_hand(OFFSETS),
        reader,
        knows_encoder=True,
        false_answer_rate=0.1,
    ).judge(asked, found)
    assert READ_PASSAGES == 4
    assert reader.asked == [(asked.text, tuple(corpus.chunks[place].text for place in (5, 1, 0, 3)))]


def described(
    *,
    reader: SharedCharacters | None = None,
    knows_encoder: bool = True,
    rate: float = 0.1,
    provenance: dict[str, str] | None = None,
) -> dict[str, Any]:
    models = models_by_hand(OFFSETS, provenance=MappingProxyType(provenance or {"made": "by hand"}))
    return judge_of(models, reader, knows_encoder=knows_encoder, rate=rate).described


def test_the_description_changes_with_every_part() -> None:
    plain = described()
    assert plain == {
        "model": "dense+words",
        "reader": None,
        "false_answer_rate": 0.1,
        "provenance": {"made": "by hand"},
    }
    assert described() == plain
    others = [
        described(reader=SharedCharacters()),
        described(reader=SharedCharacters("shared-2")),
        described(knows_encoder=False),
        described(rate=0.2),
        described(provenance={"made": "on other corpora"}),
    ]
    distinct = [plain, *others]
    assert all(one != other for at, one in enumerate(distinct) for other in distinct[:at])


def test_judging_twice_gives_the_same_judgement() -> None:
    judge = judge_of(reader=SharedCharacters(), knows_encoder=True)
    again = judge_of(reader=SharedCharacters(), knows_encoder=True)
    for text in ("老船工怎么认路？", "茶汤为什么发苦？", "采茶裁缝有多少名？", "Who guards it?"):
        question, found = read_question(text), search(CORPUS, text)
        first = judge.judge(question, found)
        assert first == judge.judge(question, found) == again.judge(question, search(CORPUS, text))


@pytest.mark.parametrize("knows_encoder", [True, False])
def test_shipped_models_serve_every_combination(knows_encoder: bool) -> None:
    for reader in (None, SharedCharacters()):
        judgement = judge_of(shipped_models(), reader, knows_encoder=knows_encoder).judge(QUESTION, FOUND)
        assert 0.0 <= judgement.confidence <= 1.0


def test_a_remembering_reader_reads_a_pair_once() -> None:
    inner = SharedCharacters("inner-1")
    reader = RememberingReader(inner)
    sailing = passages_of(CORPUS, [2, 3])
    expected = SharedCharacters().read("船靠什么走？", sailing)
    for _ in range(2):
        np.testing.assert_array_equal(reader.read("船靠什么走？", sailing), expected)
    np.testing.assert_array_equal(reader.read("船靠什么走？", sailing[::-1]), expected[::-1])
    assert len(inner.asked) == 2
    reader.read("灯塔给谁指路？", sailing[:1])
    assert len(inner.asked) == 3
    assert reader.revision == "inner-1"
    assert reader.read("船", ()).shape == (0,)


def test_a_place_that_the_corpus_never_names_is_elsewhere() -> None:
    def judged(text: str, note: str = "") -> tuple[float, tuple[str, ...]]:
        judge = Judge(
            ARM,
            models_by_hand(OFFSETS),
            None,
            knows_encoder=False,
            false_answer_rate=1.0,
            names={"d-1": DocumentNames(), "d-2": DocumentNames(labels=note)},
        )
        judgement = judge.judge(read_question(text), search(CORPUS, text))
        return judgement.confidence, judgement.elsewhere

    usual, nowhere = judged("茶园种下茶树多少株？")
    assert usual > 0.05
    assert nowhere == ()
    assert judged("廣州的茶园种下茶树多少株？") == (0.05, ("广州",))
    # A byline or note is part of the page, though not of what is searched.
    assert judged("广州的茶园种下茶树多少株？", "（作者系广州茶学会会员）")[1] == ()


def judged_by_title(
    text: str, corpus_names: dict[str, DocumentNames], scope: Scope | None = None
) -> Judgement:
    judge = Judge(
        ARM, models_by_hand(OFFSETS), None, knows_encoder=False, false_answer_rate=1.0, names=corpus_names
    )
    return judge.judge(read_question(text), search(CORPUS, text, scope=scope))


def test_a_year_that_the_corpus_never_names_is_elsewhere() -> None:
    def judged(text: str, **called: str) -> tuple[float, tuple[str, ...], tuple[str, ...]]:
        names = {"d-1": DocumentNames(), "d-2": DocumentNames(**called)}  # type: ignore[arg-type]
        judgement = judged_by_title(text, names)
        return judgement.confidence, judgement.elsewhere, judgement.absent

    asked = "2031年茶园种下茶树多少株？"
    confidence, elsewhere, absent = judged(asked)
    assert (confidence, elsewhere, absent[0]) == (0.05, ("2031年",), "2031年")
    assert judged("二〇三一年茶园种下茶树多少株？")[1] == ("2031年",)
    # A title or a date is part of what is known of a text, in any spelling.
    assert judged(asked, date="2031-05")[1] == ()
    assert judged(asked, labels="二〇三一年的茶园")[1] == ()
    assert judged(asked, labels="2029-2033年茶园规划")[1] == ()
    assert judged(asked, date="2030-05")[1] == ("2031年",)
    assert judged("1031年历史的茶园在哪里？")[1] == ()


def test_what_names_a_document_is_on_topic() -> None:
    text = "火箭发动机怎么点火？"
    named = Scope((CORPUS.documents[0].document_id,), text)
    assert not judged_by_title(text, {}).on_topic
    assert not judged_by_title(text, {}).is_named
    assert judged_by_title(text, {}, named).on_topic
    assert judged_by_title(text, {}, named).is_named


def test_words_of_the_questions_frame_are_not_said_to_be_absent() -> None:
    judgement = judged_by_title("作者对茶园裁缝的看法和评价是什么？", {})
    assert "裁缝" in judgement.absent
    assert not FRAME_WORDS.intersection(judgement.absent)
    # They are words of the question all the same: what the fitted model sees is as it was.
    assert FRAME_WORDS.intersection(judgement.wording.unknown)


@pytest.mark.parametrize(
    ("question", "relevance", "confidence"),
    [
        ("什么是冬片？", 0.5, 0.5),
        ("“冬片”是什么意思？", 0.9, 0.5),
        ("什么是冬片？", 0.49, 0.1),
        ("冬片是什么时候采的？", 0.9, 0.1),
        ("什么是春片？", 0.9, 0.1),
        ("什么是2031年的冬片？", 0.9, 0.05),
    ],
)
def test_a_definition_of_the_asked_word_is_even_odds_at_least(
    question: str, relevance: float, confidence: float
) -> None:
    page = "立冬以后还有一茬嫩芽可以采下来，茶农称为“冬片”。"
    corpus = build_corpus([source_from_text("winter.txt", page)], chunk_max_chars=200)
    judge = judge_of(models_by_hand({"words": math.log(0.1 / 0.9)}), rate=0.8)
    found = found_by_hand(corpus, read_question(question), relevances=(relevance,))
    judgement = judge.judge(read_question(question), found)
    assert judgement.confidence == pytest.approx(confidence, abs=1e-6)
    assert judgement.answerable is (confidence == 0.5)


def test_what_is_likelier_than_even_stays_as_it_is() -> None:
    page = "立冬以后还有一茬嫩芽可以采下来，茶农称为“冬片”。"
    corpus = build_corpus([source_from_text("winter.txt", page)], chunk_max_chars=200)
    question = read_question("什么是冬片？")
    judge = judge_of(models_by_hand({"words": math.log(9.0)}))
    assert judge.judge(question, found_by_hand(corpus, question)).confidence == pytest.approx(0.9)
