"""Fitting confidence: operating points, weights of rows, folds, figures and the cases they come from."""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import evals.fit
from evals.fit.cases import Case, cases_of_folder, holds_evidence
from evals.fit.confidence import (
    PRIOR,
    RATES,
    Row,
    confidences_of,
    figures,
    fit_models,
    operating_points,
    out_of_fold,
    rows_of,
)
from evals.fit.reading import CHUNK_MAX_CHARS
from evals.fit.reading_cases import reading_cases
from evals.fit.solvers import fit_weighted_logistic
from evals.fit.vectors import VectorCache
from rag.confidence.features import DENSE, READER, WORDS, dense_features, reader_features
from rag.confidence.model import GROUPS, ConfidenceModel
from rag.corpus import build_corpus
from rag.encoding.encoder import Progress, Vectors
from rag.reading.decoding import source_from_text
from rag.text.folding import squeeze
from tests.confidence_samples import SharedCharacters, passages_of, ranking_by_hand
from tests.counting_encoder import CountingEncoder
from tests.reading_sets import write_reading_set
from tests.tea_corpus import SHIPS, TEA

EVERY = GROUPS["dense+words+reader"]
RANKING = ranking_by_hand(cover_sentence=2.0, cover_chunk=1.0)


def row_of(corpus: str, *, answerable: bool, trap: str = "", topic: float = 0.0, **features: float) -> Row:
    """A case with these features, 0 for the others."""
    return Row(
        corpus,
        np.array([features.get(name, 0.0) for name in EVERY]),
        np.array([topic, 0.0, 0.0, 0.0]),
        answerable,
        trap,
    )


# Operating points


def test_operating_points_by_hand() -> None:
    # 19 negatives, .05 to .95: the ceil(20 (1 - r))-th smallest and a ten-thousandth more.
    points = dict(operating_points([place / 20 for place in range(1, 20)]))
    assert 0.03 not in points  # ceil(19.4) = 20: too few negatives to say so
    assert points[0.05] == 0.9501  # the 19th
    assert points[0.1] == 0.9001  # the 18th
    assert points[0.12] == 0.9001  # ceil(17.6)
    assert points[0.5] == 0.5001
    assert points[0.8] == 0.2001
    assert list(points) == [rate for rate in RATES if rate >= 0.05]


def test_few_negatives_promise_little() -> None:
    assert operating_points([]) == []
    assert operating_points([0.3]) == [(0.5, 0.3001), (0.6, 0.3001), (0.8, 0.3001)]


@given(st.lists(st.floats(0, 1).map(lambda value: round(value, 4)), min_size=1, max_size=120))
def test_operating_points_agree_with_exact_arithmetic(confidences: list[float]) -> None:
    negatives = sorted(confidences)
    expected: list[tuple[float, float]] = []
    for rate in RATES:
        # The least confidence that enough of the negatives do not exceed, counted in fractions.
        needed = (len(negatives) + 1) * (1 - Fraction(str(rate)))
        enough = [value for value in negatives if sum(other <= value for other in negatives) >= needed]
        if enough:
            expected.append((rate, round(enough[0] + 1e-4, 4)))
    points = operating_points(negatives)
    assert points == expected
    for rate, threshold in points:
        # No more than the rate of these very negatives is answered.
        assert sum(value >= threshold for value in negatives) <= rate * len(negatives)
    assert [t for _, t in points] == sorted((t for _, t in points), reverse=True)


@pytest.mark.parametrize("count", [40, 99, 250])
def test_at_most_the_rate_is_answered_of_questions_to_come(count: int) -> None:
    # Confidences of negatives are uniform on 0-1 here, so that t answers a share of 1 - t to come.
    generator = np.random.default_rng(7)
    repeats = 3000
    draws = np.sort(generator.uniform(size=(repeats, count)), axis=1)
    shares: dict[float, list[float]] = {}
    for draw in draws:
        for rate, threshold in operating_points(draw.tolist()):
            shares.setdefault(rate, []).append(max(0.0, 1 - threshold))
    assert shares
    for rate, answered in shares.items():
        place = math.ceil((count + 1) * (1 - Fraction(str(rate))))
        error = 4 * float(np.std(answered)) / math.sqrt(repeats)
        assert np.mean(answered) <= rate + error
        # And hardly less: 1 - k / (n + 1) of exchangeable draws exceed the k-th of n.
        assert np.mean(answered) == pytest.approx(1 - place / (count + 1), abs=error + 2e-4)


# Fits


def test_without_evidence_confidence_is_the_prior() -> None:
    # One answerable row among twenty, but answerable rows weigh PRIOR of the total.
    essays = [row_of("sea", answerable=place == 0) for place in range(19)]
    essays.append(row_of("sea", answerable=False, trap="off-topic", topic=1.0))
    fitted = fit_models([*essays, *(replace(row, corpus="law") for row in essays)], essays)
    assert set(fitted["models"]) == set(GROUPS)
    for name, model in fitted["models"].items():
        assert tuple(model["features"]) == GROUPS[name]
        assert 1 / (1 + math.exp(-model["offset"])) == pytest.approx(PRIOR, abs=1e-3)
        assert model["weights"] == pytest.approx([0.0] * len(GROUPS[name]), abs=1e-4)
        # 19 unanswerable essays, all judged .6 by what was fitted on the other corpus.
        assert model["operating_points"] == [(rate, 0.6001) for rate in RATES if rate >= 0.05]
    topic = fitted["topic"]
    assert (topic["right_on_topic"], topic["right_off_topic"]) == (1.0, 1.0)
    assert topic["weights"][0] < 0 < topic["offset"]
    assert topic["weights"][1:] == [0.0, 0.0, 0.0]


def counted_rows(corpora: Sequence[str], counts: dict[tuple[bool, bool], int]) -> list[Row]:
    """Rows counted by (whether its words are held, whether it is answered), dealt out in turn."""
    every = [key for key, count in sorted(counts.items()) for _ in range(count)]
    return [
        row_of(corpora[place % len(corpora)], answerable=answerable, held_by_first=float(held))
        for place, (held, answerable) in enumerate(every)
    ]


PROBES = [row_of("probe", answerable=False), row_of("probe", answerable=True, held_by_first=1.0)]
"""Judged out of fold: what all other rows teach of words that are not held, and of words that are."""

MANY = {(True, True): 150, (False, True): 50, (True, False): 25, (False, False): 75}
FEW = {(True, True): 1, (False, True): 3, (True, False): 6, (False, False): 2}


@pytest.mark.parametrize(
    "corpora", [["sea"], ["reading-1", "reading-2"], ["reading-1", "reading-2", "reading-30"]]
)
def test_a_large_corpus_weighs_as_much_as_a_small_one(corpora: list[str]) -> None:
    # Weighted as they should be, the two contradict each other to nothing. Where words are held:
    #   answerable .6 (150/200 + 1/4) = .6, not answerable .4 (25/100 + 6/8) = .4; where not, the same.
    rows = [*counted_rows(corpora, MANY), *counted_rows(["law"], FEW), *PROBES]
    for name in GROUPS:
        assert out_of_fold(rows, name)[-2:].tolist() == pytest.approx([0.6, 0.6], abs=2e-3)


def test_one_corpus_alone_is_fitted_to_its_shares() -> None:
    # Held: .6 (150/200) = .45 against .4 (25/100) = .1; not held: .6 (50/200) = .15 against .4 (75/100) = .3.
    not_held, held = out_of_fold([*counted_rows(["sea"], MANY), *PROBES], "words")[-2:]
    # The penalty pulls the two a little together.
    assert held == pytest.approx(0.45 / 0.55, abs=0.04)
    assert not_held == pytest.approx(0.15 / 0.45, abs=0.04)


def test_a_corpus_is_never_judged_by_what_it_taught() -> None:
    # In each corpus the feature tells all; in the other one it says the opposite.
    rows = [
        row_of(corpus, answerable=answerable, held_by_first=float(answerable == (corpus == "sea")))
        for corpus in ("sea", "law")
        for answerable in (True, False)
        for _ in range(20)
    ]
    for name in GROUPS:
        held_out = out_of_fold(rows, name)
        for corpus in ("sea", "law"):
            chosen = [place for place, row in enumerate(rows) if row.corpus == corpus]
            assert figures([rows[p] for p in chosen], held_out[chosen])["auroc"][0] == 0.0


def test_out_of_fold_uses_only_the_columns_of_its_group() -> None:
    rows = [
        row_of(
            corpus, answerable=answerable, near_sentence=float(answerable), reader_best=float(not answerable)
        )
        for corpus in ("sea", "law")
        for answerable in (True, False)
        for _ in range(10)
    ]
    areas = {
        name: figures(rows, out_of_fold(rows, name))["auroc"][0]
        for name in ("dense+words", "words+reader", "words")
    }
    assert areas == {"dense+words": 1.0, "words+reader": 1.0, "words": 0.5}


def test_weighted_logistic_regression_agrees_with_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(2)
    features = generator.normal(size=(300, 3)) * [1.0, 4.0, 0.3] + [0.0, 2.0, -1.0]
    labels = features @ [1.0, -0.4, 1.5] + generator.logistic(size=300) > -1.0
    cost = generator.uniform(0.1, 3.0, size=300)
    centre, scale = features.mean(0), features.std(0)
    for l2 in (1e-6, 3e-3, 0.1):
        # mean(cost * loss) + l2 |w|^2 is scikit-learn's C sum(cost * loss) + |w|^2 / 2 with C = 1 / (2 n l2).
        reference = LogisticRegression(C=1 / (2 * len(labels) * l2), max_iter=10_000, tol=1e-10)
        reference.fit((features - centre) / scale, labels, sample_weight=cost)
        slopes = reference.coef_[0] / scale
        weights, offset = fit_weighted_logistic(features, labels, cost, l2=l2)
        np.testing.assert_allclose(weights, slopes, rtol=2e-3)
        assert offset == pytest.approx(reference.intercept_[0] - slopes @ centre, rel=5e-3)


def test_a_weight_of_two_is_two_rows() -> None:
    generator = np.random.default_rng(3)
    features = generator.normal(size=(60, 2))
    labels = features[:, 0] + generator.logistic(size=60) > 0
    twice = np.arange(60) < 20
    doubled = np.r_[np.arange(60), np.flatnonzero(twice)]
    weights, offset = fit_weighted_logistic(features, labels, np.where(twice, 2.0, 1.0), l2=1e-9)
    again, offset_again = fit_weighted_logistic(features[doubled], labels[doubled], np.ones(80), l2=1e-9)
    np.testing.assert_allclose(weights, again, rtol=1e-3)
    assert offset == pytest.approx(offset_again, abs=1e-3)


# Figures


def test_figures_by_hand() -> None:
    rows = [row_of("sea", answerable=True)] * 3 + [
        row_of("sea", answerable=False, trap="near-topic"),
        row_of("sea", answerable=False, trap="near-topic"),
        row_of("sea", answerable=False, trap="off-topic"),
    ]
    found = figures(rows, np.array([0.9, 0.8, 0.3, 0.7, 0.2, 0.1]), 0.75)
    assert (found["answerable"], found["unanswerable"]) == (3, 3)
    assert found["auroc"][0] == round(8 / 9, 3)  # of nine pairs .3 loses to .7 only
    assert found["auroc near-topic"] == round(5 / 6, 3)
    assert found["auroc off-topic"] == 1.0
    # Each stands alone in its bin: (.1 + .2 + .7 + .7 + .2 + .1) / 6.
    assert found["ece"] == round(2.0 / 6, 3)
    # None of three: at most 1 - .025^(1/3). One of three: from 1 - .975^(1/3), the upper end from a table.
    assert found["false_answers"] == [0.0, 0.0, round(1 - 0.025 ** (1 / 3), 3)]
    assert found["false_refusals"] == [0.333, round(1 - 0.975 ** (1 / 3), 3), 0.906]
    assert "false_answers" not in figures(rows, np.linspace(0, 1, 6))


def test_a_confidence_at_the_threshold_is_an_answer() -> None:
    rows = [row_of("sea", answerable=True), row_of("sea", answerable=False)]
    found = figures(rows, np.array([0.5, 0.5]), 0.5)
    assert (found["false_answers"][0], found["false_refusals"][0]) == (1.0, 0.0)
    assert found["auroc"][0] == 0.5


def test_the_area_agrees_with_scikit_learn() -> None:
    from sklearn.metrics import roc_auc_score

    generator = np.random.default_rng(5)
    labels = generator.uniform(size=200) < 0.6
    noisy = 0.5 + 0.2 * labels.astype(np.float64) + generator.normal(scale=0.3, size=200)
    confidences = np.asarray(np.round(np.clip(noisy, 0, 1), 2), np.float64)
    rows = [row_of("sea", answerable=bool(label)) for label in labels]
    found = figures(rows, confidences)
    assert found["auroc"][0] == pytest.approx(roc_auc_score(labels, confidences), abs=5.1e-4)
    assert found["auroc"][1] < found["auroc"][0] < found["auroc"][2]


@pytest.mark.parametrize("name", GROUPS)
def test_confidences_of_take_a_group_s_columns(name: str) -> None:
    row = replace(row_of("sea", answerable=True), features=np.arange(len(EVERY), dtype=np.float64))
    for place, feature in enumerate(GROUPS[name]):
        weights = np.eye(len(GROUPS[name]))[place] / 10
        expected = 1 / (1 + math.exp(-EVERY.index(feature) / 10))
        (confidence,) = confidences_of([row], ConfidenceModel(name, weights, 0.0, ()))
        assert confidence == pytest.approx(expected, abs=5.1e-5)


# Vectors


class NotingEncoder(CountingEncoder):
    """The counting encoder, with a note of what was encoded."""

    def __init__(self, revision: str = "1") -> None:
        self.revision = revision
        self.noted: list[tuple[str, tuple[str, ...]]] = []

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        self.noted.append(("query", tuple(texts)))
        return super().encode_queries(texts)

    def encode_passages(self, texts: Sequence[str], progress: Progress | None = None) -> Vectors:
        self.noted.append(("passage", tuple(texts)))
        return CountingEncoder().encode_passages(texts, progress)


def test_texts_are_encoded_once(tmp_path: Path) -> None:
    encoder, texts = NotingEncoder(), ["灯塔", "茶园"]
    cache = VectorCache(tmp_path / "new" / "folder", encoder)
    expected = CountingEncoder().encode_passages(texts)
    np.testing.assert_array_equal(cache.passages(texts), expected)
    np.testing.assert_array_equal(cache.passages(texts), expected)
    np.testing.assert_array_equal(VectorCache(tmp_path / "new" / "folder", encoder).passages(texts), expected)
    assert encoder.noted == [("passage", ("灯塔", "茶园"))]
    cache.queries(texts)
    cache.passages(texts[::-1])
    cache.passages(["灯塔茶园"])  # not the same as the two
    assert [kind for kind, _ in encoder.noted] == ["passage", "query", "passage", "passage"]
    other = NotingEncoder("2")
    VectorCache(tmp_path / "new" / "folder", other).passages(texts)
    assert other.noted == [("passage", ("灯塔", "茶园"))]
    assert cache.encoder_name == "counting"
    assert cache.queries(texts).dtype == np.float32


# Cases

QUESTIONS: list[dict[str, object]] = [
    {
        "id": "tea-1",
        "question": "茶园种下茶树多少株？",
        "type": "number",
        "evidence": [["去年种下茶树1200株"]],
        "key_facts": [["1200"]],
    },
    {
        "id": "tea-2",
        "question": "茶园去年卖了多少钱？",
        "type": "unanswerable",
        "slices": ["paraphrase", "near-topic"],
        "evidence": [],
        "key_facts": [],
    },
    {
        "id": "tea-3",
        "question": "制茶三法是谁写的？",
        "type": "authorship",
        "evidence": [["陆青山"]],
        "key_facts": [["陆青山"]],
    },
    {
        "id": "tea-4",
        "question": "制茶的前两道工序是什么？",
        "type": "list",
        "evidence": [["一是晒青"], ["二是炒青", "铁锅要烧到发白才能下茶"]],
        "key_facts": [["晒青"], ["炒青"]],
    },
    {
        "id": "tea-5",
        "question": "那雨夜呢？",
        "type": "followup",
        "history": [
            {"role": "user", "content": "守灯人每晚点灯几次？"},
            {"role": "assistant", "content": "两次。"},
        ],
        "evidence": [["雨夜要点三次"]],
        "key_facts": [["三次"]],
    },
    {
        "id": "tea-6",
        "question": "陆青山说茶汤为什么发苦？",
        "type": "why",
        "evidence": [["是因为水太烫"]],
        "key_facts": [["水太烫"]],
    },
    {
        "id": "tea-7",
        "question": "火箭发动机怎么点火？",
        "type": "unanswerable",
        "slices": ["off-topic"],
        "evidence": [],
        "key_facts": [],
    },
    {"id": "tea-8", "question": "谁给灯塔刷漆？", "type": "unanswerable", "evidence": [], "key_facts": []},
]


@pytest.fixture(scope="module")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    folder = tmp_path_factory.mktemp("corpora") / "harbour"
    (folder / "documents").mkdir(parents=True)
    (folder / "documents" / "tea.txt").write_text(TEA, encoding="utf-8")
    (folder / "documents" / "ships.txt").write_text(SHIPS, encoding="utf-8")
    lines = [json.dumps(line, ensure_ascii=False) for line in QUESTIONS]
    (folder / "questions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    made = cases_of_folder(folder, VectorCache(folder.parent / "kept", CountingEncoder()), RANKING)
    names = [str(line["id"]) for line in QUESTIONS if line["id"] != "tea-3"]  # a typed part answers that
    return dict(zip(names, made, strict=True))


def test_cases_say_what_their_questions_do(cases: dict[str, Case]) -> None:
    assert {case.corpus for case in cases.values()} == {"harbour"}
    answerable = {name for name, case in cases.items() if case.answerable}
    assert answerable == {"tea-1", "tea-4", "tea-5", "tea-6"}
    assert cases["tea-1"].evidence == ("去年种下茶树1200株",)
    assert cases["tea-4"].evidence == ("一是晒青", "二是炒青", "铁锅要烧到发白才能下茶")
    assert cases["tea-2"].evidence == ()
    traps = {name: case.trap for name, case in cases.items()}
    assert traps == dict.fromkeys(traps, "") | {"tea-2": "near-topic", "tea-7": "off-topic"}


def test_cases_are_searched_as_the_product_does(cases: dict[str, Case]) -> None:
    # A follow-up stands alone.
    assert "雨夜" in cases["tea-5"].question.text
    assert "灯" in cases["tea-5"].question.text
    # The name of an author is asked but not searched, and the kind is that of the question asked.
    asked, found = cases["tea-6"].question, cases["tea-6"].found
    assert (asked.text, asked.kind) == ("陆青山说茶汤为什么发苦？", "why")
    assert "陆青山" not in found.question.text
    assert found.question.kind == "why"
    for case in cases.values():
        assert [passage.rank for passage in case.found.passages] == [1, 2, 3, 4]
        assert case.arm.count == 4
        assert len(case.found.values) == len(case.found.ranked)
    for name in ("tea-1", "tea-4", "tea-5", "tea-6"):
        assert holds_evidence(cases[name].found.passages[0], cases[name].evidence)


def test_rows_are_the_product_s_features(cases: dict[str, Case]) -> None:
    rows = rows_of(list(cases.values()), SharedCharacters())
    assert len(rows) == len(cases)
    for row, case in zip(rows, cases.values(), strict=True):
        assert (row.corpus, row.answerable, row.trap) == (case.corpus, case.answerable, case.trap)
        assert row.features.shape == (len(EVERY),)
        assert row.topic.shape == (4,)
        np.testing.assert_array_equal(row.features[: len(DENSE)], dense_features(case.found))
        scores = SharedCharacters().read(case.question.text, case.found.passages[:4])
        np.testing.assert_array_equal(row.features[-len(READER) :], reader_features(scores))
        named = dict(zip(WORDS, row.features[len(DENSE) : -len(READER)].tolist(), strict=True))
        assert named["lexical_peak"] == case.found.evidence.lexical_peak == row.topic[2]
        assert named["unknown_share"] == row.topic[3]
    by_name = dict(zip(cases, rows, strict=True))
    unknown = EVERY.index("unknown_share")
    assert by_name["tea-1"].features[unknown] == 0.0
    assert by_name["tea-7"].features[unknown] == 1.0


@pytest.mark.parametrize(
    ("text", "evidence", "held"),
    [
        ("去年种下茶树1200株，工人36名。", ("种下茶树1200株",), True),
        ("去年种下 茶树\u30001200 株。", ("种下茶树1200株",), True),  # without white space
        ("去年种下茶树", ("种下茶树1200株",), False),  # 4 of 9 characters
        ("去年种下茶树1", ("种下茶树1200株",), True),  # 5 of 9, from its start
        ("1200株，工人36名。", ("种下茶树1200株",), True),  # 5 of 9, to its end
        ("200株，工人36名。", ("种下茶树1200株",), False),
        ("下茶树120", ("种下茶树1200株",), False),  # its middle only
        ("工人36名。", ("种下茶树1200株", "36名"), True),  # any one will do
        ("工人36名。", ("工",), True),
        ("工人36名。", ("工名",), False),  # two characters are needed whole
        ("工人36名。", (), False),
    ],
)
def test_half_a_span_is_evidence(text: str, evidence: tuple[str, ...], held: bool) -> None:
    corpus = build_corpus([source_from_text("one.txt", "船靠风行。")], chunk_max_chars=200)
    (passage,) = passages_of(corpus, [0])
    passage = replace(passage, chunk=replace(passage.chunk, text=text))
    assert holds_evidence(passage, evidence) is held


def test_reading_cases_are_whole_left_out_or_swapped(tmp_path: Path) -> None:
    path = tmp_path / "reading.jsonl.gz"
    rows = write_reading_set(path, each=6)
    answers = {row["question"]: squeeze(row["answers"][0]) for row in rows}

    def made() -> list[Case]:
        cache = VectorCache(tmp_path / "kept", CountingEncoder())
        return reading_cases(path, "calibration", cache, RANKING, max_passages=12)

    cases = made()
    assert {case.corpus for case in cases} == {"reading-0"}  # six articles are one small corpus
    assert {case.trap for case in cases if not case.answerable} <= {"swapped", "near", "other"}
    answerable = [case for case in cases if case.answerable]
    assert len(answerable) > 5
    for case in answerable:
        assert case.trap == ""
        assert any(span in squeeze(p.chunk.text) for p in case.found.passages for span in case.evidence)
    missing = [case for case in cases if case.trap in ("near", "other") and case.question.text in answers]
    assert len(missing) >= 5
    for case in missing:
        assert case.evidence == ()
        assert not any(answers[case.question.text] in squeeze(p.chunk.text) for p in case.found.passages)
    assert [(case.question.text, case.trap) for case in made()] == [(c.question.text, c.trap) for c in cases]


# The written corpora


def test_a_written_corpus_is_on_one_side_only() -> None:
    here = Path(evals.fit.__file__).parent
    sides = tomllib.loads((here / "corpora.toml").read_text(encoding="utf-8"))
    assert set(sides) == {"train", "calibration"}
    named = [name for names in sides.values() for name in names]
    assert len(set(named)) == len(named)
    for name in named:
        assert any((here / "corpora" / name / "documents").iterdir())
        assert (here / "corpora" / name / "questions.jsonl").is_file()
    # A name that begins like the reading set's small corpora would be counted as one of them.
    assert not any(name.startswith("reading") or "-" in name for name in named)
    assert CHUNK_MAX_CHARS == 200
