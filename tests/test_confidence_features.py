"""Confidence features by hand, on findings whose every number is chosen and on a real search of tea."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.confidence.features import (
    DENSE,
    READER,
    WORDS,
    dense_features,
    reader_features,
    topic_features,
    word_features,
)
from rag.confidence.model import GROUPS
from rag.confidence.wording import Wording, read_wording
from rag.corpus import build_corpus, window_texts
from rag.question import read_question
from rag.reading.decoding import source_from_text
from rag.text.terms import index_terms, query_terms
from tests.confidence_samples import arms_of, found_by_hand, ranking_by_hand, search, tea_rows
from tests.counting_encoder import CountingEncoder

CORPUS = tea_rows()
ARM = arms_of(CORPUS).chunk_terms
TEA, TASTE, SAILING, LIGHTHOUSE = range(4)
"""Chunk ordinals."""

FINITE = st.floats(-20, 20, allow_nan=False)


def words_of(text: str, *, searched: str | None = None, **found: object) -> dict[str, float]:
    """The word features of a question by name."""
    question = read_question(text)
    looked_for = question if searched is None else read_question(searched)
    finding = found_by_hand(CORPUS, looked_for, **found)  # type: ignore[arg-type]
    values = word_features(question, finding, read_wording(looked_for, ARM), ARM)
    return dict(zip(WORDS, values.tolist(), strict=True))


def sentence_of(text: str) -> int:
    """Ordinal of the tea corpus's one sentence with this text in it."""
    (ordinal,) = [row.ordinal for row in CORPUS.sentences if text in row.text]
    return ordinal


def test_groups_are_made_of_the_three_tuples() -> None:
    assert GROUPS["dense+words+reader"] == (*DENSE, *WORDS, *READER)
    assert GROUPS["dense+words"] == (*DENSE, *WORDS)
    assert GROUPS["words+reader"] == (*WORDS, *READER)
    assert GROUPS["words"] == WORDS
    for features in GROUPS.values():
        assert len(set(features)) == len(features)


def test_values_zip_with_their_names() -> None:
    question = read_question("采茶工人有多少名？")
    found = search(CORPUS, question.text)
    dense = dense_features(found)
    words = word_features(question, found, read_wording(question, ARM), ARM)
    reader = reader_features(np.array([1.0, 2.0]))
    for values, names in ((dense, DENSE), (words, WORDS), (reader, READER)):
        assert values.shape == (len(names),)
        assert values.dtype == np.float64
        assert np.isfinite(values).all()
    together = np.concatenate([dense, words, reader])
    assert len(dict(zip(GROUPS["dense+words+reader"], together, strict=True))) == len(together)


def test_dense_features_by_hand() -> None:
    found = found_by_hand(
        CORPUS,
        read_question("茶"),
        values=(1.0, 7.0, 3.0, -2.0, 2.0, 0.0, 4.0, -9.0),
        nearness=(3.5, 2.5, -1.5),
        relevances=(0.875,),
    )
    # Best 7; the next five are 4, 3, 2, 1, 0, so their mean is 2; -2 and -9 do not count.
    expected = {
        "near_sentence": 3.5,
        "near_window": 2.5,
        "near_corpus": -1.5,
        "top_rank_value": 7.0,
        "margin": 5.0,
        "best_relevance": 0.875,
    }
    assert dict(zip(DENSE, dense_features(found).tolist(), strict=True)) == expected


@pytest.mark.parametrize(
    ("values", "top", "margin"),
    [((2.5,), 2.5, 2.5), ((-2.5,), -2.5, -2.5), ((1.0, 3.0), 3.0, 2.0), ((4.0, 4.0, 4.0), 4.0, 0.0)],
)
def test_margin_over_few_candidates(values: tuple[float, ...], top: float, margin: float) -> None:
    dense = dict(
        zip(DENSE, dense_features(found_by_hand(CORPUS, read_question("茶"), values=values)), strict=True)
    )
    assert (dense["top_rank_value"], dense["margin"]) == (top, margin)


@given(st.lists(FINITE, min_size=1, max_size=12), st.randoms())
def test_dense_features_do_not_depend_on_the_order_of_candidates(values: list[float], random: object) -> None:
    shuffled = list(values)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = (
        dense_features(found_by_hand(CORPUS, read_question("茶"), values=each)) for each in (values, shuffled)
    )
    np.testing.assert_array_equal(first, second)
    best, *others = sorted(values, reverse=True)
    assert first[DENSE.index("margin")] == pytest.approx(best - (np.mean(others[:5]) if others else 0.0))


def test_dense_features_of_a_real_search_agree_with_brute_force() -> None:
    encoder, text = CountingEncoder(), "灯塔为谁的船指路？"
    found = search(CORPUS, text, ranking=ranking_by_hand(z_sentence=1.0))
    query = encoder.encode_queries([text])[0].astype(np.float64)
    cosines = encoder.encode_passages([s.text for s in CORPUS.sentences]).astype(np.float64) @ query
    windows = encoder.encode_passages(window_texts(CORPUS)).astype(np.float64) @ query
    values = np.sort(np.clip((cosines - cosines.mean()) / cosines.std(), -6, 6))[::-1]
    # An encoder without a measured background is held against the usual 0.80 ± 0.025.
    expected = [
        *((score - 0.80) / 0.025 for score in (cosines.max(), windows.max(), windows.mean())),
        values[0],
        values[0] - values[1:6].mean(),
        1 / (1 + np.exp(-values[0])),
    ]
    np.testing.assert_allclose(dense_features(found), expected, atol=1e-3)


def test_a_corpus_of_one_sentence_has_one_candidate() -> None:
    corpus = build_corpus([source_from_text("one.txt", "老船工看星认路。")], chunk_max_chars=200)
    question = read_question("老船工怎么认路？")
    found = search(corpus, question.text)
    assert len(found.values) == len(found.ranked) == len(found.passages) == 1
    dense = dict(zip(DENSE, dense_features(found).tolist(), strict=True))
    assert dense["margin"] == dense["top_rank_value"] == pytest.approx(found.values[0])
    arm = arms_of(corpus).chunk_terms
    words = dict(
        zip(WORDS, word_features(question, found, read_wording(question, arm), arm).tolist(), strict=True)
    )
    assert words["held_by_first"] == words["held_by_three"]


def test_word_features_of_a_counted_thing_by_hand() -> None:
    first = sentence_of("采茶工人有36名")
    assert words_of("采茶裁缝有多少名？", sentences=[first], chunks=[TEA, LIGHTHOUSE], peak=0.25) == {
        "lexical_peak": 0.25,
        "lacks_figure": 0.0,
        "lacks_counted": 1.0,  # 裁缝
        "unknown_share": 0.5,  # of 采茶, 裁缝
        "unknown_name": 0.0,
        "unknown_nouns": 1.0,
        "unknown_verbs": 0.0,
        "lacks_number": 0.0,  # 36 stands there
        "lacks_date": 0.0,
        "held_by_first": 0.5,
        "held_by_three": 0.5,
        "held_whole": 0.0,
        "list_agrees": 0.0,
        "asks_quantity": 1.0,
        "asks_reason": 0.0,
        "asks_way": 0.0,
        "asks_several": 0.0,
        "is_foreign": 0.0,
        "length": 2 / 12,
    }


def test_word_features_of_a_false_premise_by_hand() -> None:
    found = words_of(
        "2031年的灯塔为什么搬迁到青州？",
        sentences=[sentence_of("夜里的船指路")],
        chunks=[SAILING, LIGHTHOUSE],
    )
    wording = read_wording(read_question("2031年的灯塔为什么搬迁到青州？"), ARM)
    assert wording.words == ("灯塔", "搬迁", "青州")
    expected = {
        "lacks_figure": 1.0,
        "lacks_counted": 0.0,
        "unknown_share": 2 / 3,
        "unknown_name": 1.0,
        "unknown_nouns": 0.0,
        "unknown_verbs": 1.0,
        "held_by_first": 0.0,
        "held_by_three": 1 / 3,
        "held_whole": 0.0,
        "asks_quantity": 0.0,
        "asks_reason": 1.0,
        "length": 3 / 12,
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)


def test_numbers_and_dates_are_lacked_separately() -> None:
    bare = [sentence_of("船靠风行")]
    dated = [sentence_of("去年种下")]
    number, date = "守灯人点多少盏灯？", "守灯人是哪一年来的？"
    assert words_of(number, sentences=bare)["lacks_number"] == 1.0
    assert words_of(number, sentences=bare)["lacks_date"] == 0.0
    assert words_of(number, sentences=dated)["lacks_number"] == 0.0
    assert words_of(date, sentences=bare)["lacks_date"] == 1.0
    assert words_of(date, sentences=bare)["lacks_number"] == 0.0
    assert words_of(date, sentences=dated)["lacks_date"] == 0.0
    assert words_of(date, sentences=bare)["asks_quantity"] == 1.0


def test_a_list_is_looked_for_in_four_sentences_and_words_in_three_chunks() -> None:
    oil = sentence_of("桐油")
    listed = build_corpus(
        [source_from_text("list.txt", "船靠风行。船工看星。灯塔指路。要点三次。要备桐油、麻绳、木钉。")],
        chunk_max_chars=200,
    )
    question = read_question("要备哪三种东西？")
    arm = arms_of(listed).chunk_terms
    for order, agrees in (([0, 1, 2, 4], 1.0), ([0, 1, 2, 3, 4], -1.0)):
        found = found_by_hand(listed, question, sentences=order)
        values = word_features(question, found, read_wording(question, arm), arm)
        assert values[WORDS.index("list_agrees")] == agrees
    in_third = words_of("桐油", chunks=[TEA, TASTE, SAILING], sentences=[oil])
    in_fourth = words_of("桐油", chunks=[TEA, TASTE, LIGHTHOUSE, SAILING], sentences=[oil])
    assert (in_third["held_by_first"], in_third["held_by_three"], in_fourth["held_by_three"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("question", "asks"),
    [
        ("茶树有多少株？", (1, 0, 0, 0)),
        ("茶树何时种下？", (1, 0, 0, 0)),
        ("茶汤为什么发苦？", (0, 1, 0, 0)),
        ("老船工怎么认路？", (0, 0, 1, 0)),
        ("制茶有哪些工序？", (0, 0, 0, 1)),
        ("晒青和炒青有什么不同？", (0, 0, 0, 1)),
        ("茶园", (0, 0, 0, 0)),
    ],
)
def test_the_form_of_a_question_is_one_of_four(question: str, asks: tuple[int, ...]) -> None:
    found = words_of(question)
    names = ("asks_quantity", "asks_reason", "asks_way", "asks_several")
    assert tuple(found[name] for name in names) == asks


def test_the_form_is_the_asked_question_and_the_words_are_the_searched_one() -> None:
    found = words_of("陆青山说茶汤为什么发苦？", searched="茶汤", chunks=[TASTE])
    assert (found["asks_reason"], found["held_whole"], found["length"]) == (1.0, 1.0, 1 / 12)


def test_a_question_without_chinese_speaks_for_nothing() -> None:
    found = words_of("How many tea trees were planted in 2031?", peak=0.0)
    assert found["is_foreign"] == 1.0
    # No words are all held, and none of them is unknown.
    assert (found["held_by_first"], found["held_by_three"], found["held_whole"]) == (1.0, 1.0, 1.0)
    others = set(WORDS) - {"is_foreign", "held_by_first", "held_by_three", "held_whole", "asks_quantity"}
    assert {found[name] for name in others} == {0.0}


def test_counts_and_length_are_capped() -> None:
    many = "青州裁缝搬迁铜镜、珊瑚、牡丹、玻璃、琵琶、骆驼、狐狸、蝴蝶、葡萄、玫瑰、蜘蛛、鹦鹉"
    assert len(read_wording(read_question(many), ARM).nouns) > 2
    found = words_of(many)
    assert found["length"] == 1.0
    assert found["unknown_nouns"] == 2.0
    assert found["unknown_verbs"] <= 2.0


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((1.0, 3.0, 2.0), (3.0, 1.0, 2.0, 0.0)),
        ((3.0, 1.0, 2.0), (3.0, 3.0, 2.0, 1.0)),
        ((-4.0,), (-4.0, -4.0, -4.0, 1.0)),
        ((2.0, 2.0), (2.0, 2.0, 2.0, 1.0)),  # of equals the first agrees
    ],
)
def test_reader_features_by_hand(scores: tuple[float, ...], expected: tuple[float, ...]) -> None:
    assert tuple(reader_features(np.array(scores)).tolist()) == expected


@given(st.lists(FINITE, min_size=1, max_size=4))
def test_reader_features_are_order_statistics(scores: list[float]) -> None:
    best, first, second, agrees = reader_features(np.array(scores)).tolist()
    assert best == max(scores)
    assert first == scores[0]
    rest = list(scores)
    rest.remove(best)
    assert second == (max(rest) if rest else best)
    assert agrees == float(scores[0] == best)


def test_topic_features_by_hand() -> None:
    found = found_by_hand(CORPUS, read_question("茶"), nearness=(1.5, -0.5, 9.0), peak=0.25)
    wording = Wording(("甲", "乙", "丙", "丁"), ("乙",), (), (), ())
    assert topic_features(found.evidence, wording).tolist() == [1.5, -0.5, 0.25, 0.25]
    assert topic_features(found.evidence, Wording((), (), (), (), ())).tolist() == [1.5, -0.5, 0.25, 0.0]


def test_the_lexical_peak_is_the_best_window_s_share_of_idf() -> None:
    text = "守灯人每晚点几次灯？"
    terms = query_terms(text)
    sentences = arms_of(CORPUS).sentence_terms
    weights = {term: sentences.idf(term) for term in terms}

    rows = [set(index_terms(sentence.text)) for sentence in CORPUS.sentences]

    def share(ordinal: int) -> float:
        home = CORPUS.sentences[ordinal]
        near = CORPUS.sentences_of_paragraph[home.document_id, home.paragraph]
        window = set().union(*(rows[other] for other in near if abs(other - ordinal) <= 1))
        return sum(weights[term] for term in terms if term in window) / sum(weights.values())

    shares = [share(ordinal) for ordinal in range(len(rows))]
    assert CORPUS.sentences[int(np.argmax(shares))].chunk_ordinal == LIGHTHOUSE
    assert search(CORPUS, text).evidence.lexical_peak == pytest.approx(max(shares), abs=1e-6)
