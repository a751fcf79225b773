"""What a correction does: the threshold against brute force and conformal quantiles; judges that have one."""

from __future__ import annotations

import json
import math
from fractions import Fraction
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evals.fit.confidence import operating_points
from rag.confidence import correction as module
from rag.confidence.correction import POOLED, Basis, Correction, threshold_of
from rag.confidence.judge import Judge, Judgement
from rag.confidence.model import ConfidenceModel, logistic, shipped_models
from rag.question import read_question
from tests.confidence_samples import SharedCharacters, arms_of, models_by_hand, search, tea_rows

POINTS = ((0.1, 0.8), (0.3, 0.6), (0.5, 0.4), (0.8, 0.2))
MODEL = ConfidenceModel("words", np.array([1.0]), 0.0, POINTS)
CONFIDENCES = st.lists(st.integers(0, 10_000), min_size=1, max_size=60).map(
    lambda drawn: tuple(sorted(value / 10_000 for value in drawn))
)


def basis_at(rate: float, model: ConfidenceModel = MODEL) -> Basis:
    return Basis(model, None, model.threshold(rate), rate)


def expected_at(threshold: Fraction) -> Fraction:
    """g(t) by hand: on the straight line between two operating points."""
    points = [
        (Fraction(1), Fraction(0)),
        *((Fraction(str(r)), Fraction(str(t))) for r, t in reversed(POINTS)),
        (Fraction(0), Fraction(1)),
    ]
    if threshold >= 1:
        return Fraction(0)
    low, high = next((low, high) for low, high in pairwise(points) if low[1] <= threshold < high[1])
    return low[0] + (threshold - low[1]) / (high[1] - low[1]) * (high[0] - low[0])


def allowed(threshold: Fraction, rate: Fraction, unanswerable: tuple[float, ...]) -> bool:
    """Both rules in exact numbers, question by question."""
    count = len(unanswerable)
    above = sum(Fraction(str(value)) >= threshold for value in unanswerable)
    expected = expected_at(threshold)
    own = above + 1 <= rate * (count + 1) or (above == 0 and expected <= rate)
    return own and POOLED * expected + above <= rate * (POOLED + count)


@settings(deadline=None)
@given(CONFIDENCES, st.sampled_from([Fraction(n, 100) for n in (1, 4, 5, 10, 25, 50, 77, 99)]))
def test_the_threshold_is_the_least_that_both_rules_allow(
    unanswerable: tuple[float, ...], rate: Fraction
) -> None:
    found = threshold_of(basis_at(float(rate)), unanswerable)
    place = round(found * 10_000)
    assert found == place / 10_000
    assert allowed(Fraction(place, 10_000), rate, unanswerable)
    for lower in {place - 1, *range(place - 2, -1, -97)}:
        assert lower < 0 or not allowed(Fraction(lower, 10_000), rate, unanswerable)


@given(st.lists(st.integers(0, 9_990), min_size=15, max_size=80))
def test_without_pooling_it_is_the_conformal_quantile_of_the_shipped_points(drawn: list[int]) -> None:
    unanswerable = tuple(sorted(value / 10_000 for value in drawn))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "POOLED", 0)
        for rate, threshold in operating_points(unanswerable):
            if rate * (len(unanswerable) + 1) >= 1:
                assert threshold_of(basis_at(rate), unanswerable) == pytest.approx(threshold)


@given(CONFIDENCES, st.floats(0.01, 0.98), st.floats(0.001, 0.5))
def test_a_higher_rate_never_asks_for_more(unanswerable: tuple[float, ...], rate: float, more: float) -> None:
    low, high = basis_at(rate), basis_at(min(0.99, rate + more))
    assert threshold_of(high, unanswerable) <= threshold_of(low, unanswerable)


@given(CONFIDENCES, st.floats(0.01, 0.99))
def test_no_more_of_the_own_questions_are_answered_than_the_rate_says(
    unanswerable: tuple[float, ...], rate: float
) -> None:
    threshold = threshold_of(basis_at(rate), unanswerable)
    above = sum(value >= threshold for value in unanswerable)
    assert above == 0 or above + 1 <= rate * (len(unanswerable) + 1) + 1e-6


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
@pytest.mark.parametrize("count", [15, 60])
def test_on_average_the_rate_is_kept_also_where_few_were_labelled(rate: float, count: int) -> None:
    # Unanswerable questions of this collection look far better to the model than elsewhere.
    generator = np.random.default_rng(4)
    answered = []
    for _ in range(300):
        own = np.round(generator.beta(3, 1.5, count), 4)
        threshold = threshold_of(basis_at(rate), tuple(sorted(own.tolist())))
        answered.append(np.mean(generator.beta(3, 1.5, 200) >= threshold))
    assert np.mean(answered) <= rate + 3 * np.std(answered) / math.sqrt(300)
    shipped = np.mean(generator.beta(3, 1.5, 20_000) >= MODEL.threshold(rate))
    assert shipped > 1.5 * rate  # which is what the correction is for


def test_a_few_harmless_questions_do_not_throw_the_shipped_threshold_away() -> None:
    harmless = [tuple([0.001] * count) for count in (15, 40, 100, 1000)]
    found = [threshold_of(basis_at(0.3), unanswerable) for unanswerable in harmless]
    assert found == sorted(found, reverse=True)
    assert MODEL.threshold(0.3) > found[0] > 0.35  # 15 of them: hardly lower than 0.6
    assert found[-1] == pytest.approx(0.0011)


def test_a_rate_too_small_for_the_count_is_met_by_both_grounds() -> None:
    # 15 questions cannot show a rate of 0.01: none of them may be answered, and elsewhere at most 0.01.
    assert threshold_of(basis_at(0.01), (0.3,) * 15) == pytest.approx(0.98)
    assert threshold_of(basis_at(0.01), (*(0.3,) * 14, 0.99)) == pytest.approx(0.9901)


@given(st.floats(0, 1))
def test_rates_and_thresholds_are_the_inverse_of_each_other(rate: float) -> None:
    for model in (MODEL, *shipped_models().by_name.values()):
        threshold = min(model.threshold(rate), 1.0)
        assert float(model.rates(np.array([threshold]))[0]) == pytest.approx(rate, abs=1e-9)


# What is stored.


def correction_for(judge: Judge, **changes: Any) -> Correction:
    fields: dict[str, Any] = {
        "model": judge.basis.model.name,
        "based_on": judge.basis.digest,
        "slope": 0.5,
        "offset": 0.75,
        "unanswerable": (0.05,) * 20,
    }
    return Correction(**(fields | changes))


def test_what_is_stored_comes_back() -> None:
    made = Correction("words", "ab12", 0.7, -0.1, (0.1, 0.25))
    text = made.to_text({"made_at": "2026-01-01T00:00:00+00:00"})
    assert Correction.from_text(text) == made
    assert "2026" in text
    assert made.described == Correction.from_text(made.to_text({"made_at": "later"})).described
    assert made.described != Correction("words", "ab12", 0.7, -0.1, (0.1, 0.26)).described


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"version": None},
        {"slope": 0.0},
        {"slope": -1.0},
        {"slope": float("nan")},
        {"offset": float("inf")},
        {"offset": "x"},
        {"offset": None},
        {"unanswerable": []},
        {"unanswerable": [0.5, 0.2]},
        {"unanswerable": [0.5, 1.2]},
        {"unanswerable": 5},
        {"model": "other"},
    ],
)
def test_what_is_not_sound_is_refused(changes: dict[str, Any]) -> None:
    content = json.loads(Correction("words", "ab12", 0.7, -0.1, (0.1, 0.25)).to_text({}))
    with pytest.raises(ValueError, match=r".+"):
        Correction.from_text(json.dumps(content | changes))


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "{}", '"x"'])
def test_what_is_no_calibration_at_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Correction.from_text(text)


# A judge that has one.

CORPUS = tea_rows()
ARM = arms_of(CORPUS).chunk_terms
QUESTION = read_question("老船工怎么认路？")
FOUND = search(CORPUS, QUESTION.text)
OFFSETS = {"dense+words+reader": 3.0, "dense+words": 2.0, "words+reader": 1.0, "words": -1.0}


def judge_of(correction: Correction | None = None, *, rate: float = 0.5, **changes: Any) -> Judge:
    options = {"reader": None, "knows_encoder": True, "models": models_by_hand(OFFSETS)} | changes
    models, reader = options.pop("models"), options.pop("reader")
    return Judge(ARM, models, reader, false_answer_rate=rate, correction=correction, **options)


def judged(judge: Judge) -> Judgement:
    return judge.judge(QUESTION, FOUND)


@pytest.mark.parametrize("knows_encoder", [True, False])
@pytest.mark.parametrize("reader", [None, SharedCharacters()])
def test_the_correction_is_of_the_logit(knows_encoder: bool, reader: SharedCharacters | None) -> None:
    options: dict[str, Any] = {"knows_encoder": knows_encoder, "reader": reader}
    plain = judge_of(**options)
    corrected = judge_of(correction_for(plain), **options)
    before, after = judged(plain), judged(corrected)
    assert before.logit == after.logit
    assert before.confidence == logistic(before.logit)
    assert after.confidence == logistic(0.5 * before.logit + 0.75)
    assert (before.calibration, after.calibration) == ("general" if knows_encoder else "none", "collection")
    assert after.features == before.features
    assert after.on_topic == before.on_topic
    assert corrected.basis.digest == plain.basis.digest


def test_the_threshold_is_the_collections_own() -> None:
    own = (0.95,) * 20  # above what the model says of this question, 1 / (1 + exp(-2)) = 0.88
    plain = judge_of()
    assert judged(plain).answerable
    assert not judged(judge_of(correction_for(plain, unanswerable=own))).answerable
    assert judged(judge_of(correction_for(plain, unanswerable=(0.1,) * 20))).answerable
    assert judged(judge_of(correction_for(plain, unanswerable=own), rate=1.0)).answerable
    assert not judged(judge_of(correction_for(plain, unanswerable=(0.1,) * 20), rate=0.0)).answerable


def test_a_correction_of_another_model_or_reader_is_left_aside() -> None:
    with_reader = judge_of(reader=SharedCharacters())
    made = correction_for(with_reader)
    others: tuple[dict[str, Any], ...] = (
        {},
        {"knows_encoder": False, "reader": SharedCharacters()},
        {"reader": SharedCharacters("shared-2")},
        {"reader": SharedCharacters(), "models": models_by_hand(OFFSETS | {"dense+words+reader": 3.5})},
    )
    for options in others:
        plain, other = judge_of(**options), judge_of(made, **options)
        assert judged(other) == judged(plain)
        assert other.calibration == plain.calibration
        assert other.described == plain.described
    assert judge_of(made, reader=SharedCharacters()).calibration == "collection"


def test_what_decides_answers_is_described_and_nothing_else() -> None:
    plain = judge_of()
    made = [
        correction_for(plain),
        correction_for(plain, slope=0.6),
        correction_for(plain, offset=0.7),
        correction_for(plain, unanswerable=(0.05,) * 19 + (0.06,)),
    ]
    described = [json.dumps(judge_of(one).described) for one in (None, *made)]
    assert len(set(described)) == 5
    assert json.dumps(judge_of(correction_for(plain)).described) == described[1]


def test_places_that_the_collection_never_names_still_decide() -> None:
    judge = judge_of(correction_for(judge_of(), offset=5.0))
    question = read_question("重庆的老船工怎么认路？")
    found = judge.judge(question, search(CORPUS, question.text))
    assert found.elsewhere == ("重庆",)
    assert (found.confidence, found.answerable) == (0.05, False)
    assert found.logit == 2.0
