"""Evidence features, the general background and the fitted models: against arithmetic and second oracles."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from api.assembly import open_snapshot
from evals.fit.solvers import fit_conditional_logit, fit_logistic
from rag.encoding.encoder import BUNDLED_ENCODER
from rag.question import read_question
from rag.ranking.background import Background, shipped_background
from rag.ranking.features import FEATURES, gather_evidence
from rag.ranking.model import shipped_model
from rag.retrieval import soft_maximum
from rag.text.terms import query_terms
from tests.counting_encoder import CountingEncoder
from tests.tea_corpus import tea_settings, tea_sources

UNKNOWN = Background(None, None)


def test_features_are_what_they_say(tmp_path: Path) -> None:
    encoder = CountingEncoder()
    state = open_snapshot(tea_settings(tmp_path), encoder=encoder, sources=tea_sources())
    corpus, index = state.corpus, state.index
    question = read_question("采茶工人有多少名？")
    vector = encoder.encode_queries([question.text])[0]
    evidence = gather_evidence(question, vector, index, corpus, UNKNOWN, 50)
    assert evidence.ordinals.tolist() == list(range(len(corpus.sentences)))
    rows = encoder.encode_passages([sentence.text for sentence in corpus.sentences]).astype(np.float64)
    cosines = rows @ vector
    column = evidence.matrix[:, FEATURES.index("z_sentence")]
    np.testing.assert_allclose(column, np.clip((cosines - cosines.mean()) / cosines.std(), -6, 6), atol=1e-3)
    terms = query_terms(question.text)
    weights = {term: index.sentence_terms.idf(term) for term in terms}
    for row, sentence in enumerate(corpus.sentences):
        share = sum(weight for term, weight in weights.items() if term.lstrip("·") in sentence.text) / sum(
            weights.values()
        )
        assert evidence.matrix[row, FEATURES.index("cover_sentence")] == pytest.approx(share, abs=1e-6)
    match = evidence.matrix[:, FEATURES.index("kind_match")]
    for sentence, value in zip(corpus.sentences, match, strict=True):
        assert value == (
            1.0 if any(c in sentence.text for c in ("1200", "36", "八桶", "两次", "三道", "半个")) else -1.0
        ), sentence.text


def test_background_standard_score_against_all_rows() -> None:
    generator = np.random.default_rng(3)
    rows = generator.normal(size=(500, 8)) + 2.0
    query = generator.normal(size=8).astype(np.float32)
    background = Background(rows.mean(0), np.cov(rows.T))
    scores = rows @ query.astype(np.float64)
    expected = (scores - scores.mean()) / scores.std(ddof=1)
    np.testing.assert_allclose(background.standard(query, scores), expected, atol=1e-9)
    assert not UNKNOWN.is_known
    assert UNKNOWN.standard(query, np.array([0.80]))[0] == pytest.approx(0.0)


def test_the_shipped_background_belongs_to_the_bundled_encoder() -> None:
    known = shipped_background(BUNDLED_ENCODER)
    assert known.mean is not None
    assert known.covariance is not None
    assert known.covariance.shape == (384, 384)
    np.testing.assert_allclose(known.covariance, known.covariance.T)
    assert not shipped_background("another encoder").is_known


def test_shipped_weights_name_their_features_and_data() -> None:
    model = shipped_model()
    assert model.rank_weights.shape == (len(FEATURES),)
    assert {"data", "data_sha256", "encoder", "examples", "held_out_figures"} <= set(model.provenance)
    stored = json.loads((files("rag.ranking") / "weights.json").read_text(encoding="utf-8"))
    assert stored["provenance"] == model.provenance


def test_relevance_is_logistic() -> None:
    model = shipped_model()
    value = 7.0
    by_hand = 1 / (1 + np.exp(-(model.relevance_scale * value + model.relevance_offset)))
    assert model.relevance(np.array([value]))[0] == pytest.approx(by_hand, abs=1e-4)
    grid = model.relevance(np.linspace(-20, 30, 50))
    assert (np.diff(grid) >= 0).all()


def test_soft_maximum_by_hand() -> None:
    assert soft_maximum(np.array([3.0])) == 3.0
    assert soft_maximum(np.array([1.0, 1.0])) == pytest.approx(1.0 + 0.5 * np.log(2.0))
    assert soft_maximum(np.array([0.0, 40.0])) == pytest.approx(40.0)
    assert soft_maximum(np.array([1000.0, 999.0])) == pytest.approx(1000 + 0.5 * np.log(1 + np.exp(-2.0)))


def test_conditional_logit_agrees_with_a_grid_search() -> None:
    generator = np.random.default_rng(0)
    groups = []
    for _ in range(60):
        features = generator.normal(size=(5, 1))
        chosen = np.argmax(1.5 * features[:, 0] + generator.gumbel(size=5))
        groups.append((features, np.arange(5) == chosen))

    def loss(weight: float) -> float:
        total = 0.0
        for features, flags in groups:
            values = weight * features[:, 0]
            total -= values[flags][0] - np.log(np.exp(values).sum())
        return total / len(groups) + 1e-3 * weight**2

    grid = np.linspace(0, 4, 4001)
    best = grid[int(np.argmin([loss(float(weight)) for weight in grid]))]
    assert fit_conditional_logit(groups)[0] == pytest.approx(best, abs=2e-3)


def test_logistic_regression_agrees_with_scikit_learn() -> None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(1)
    features = generator.normal(size=(400, 3)) * [1.0, 5.0, 0.2] + [0.0, 3.0, 1.0]
    labels = features @ [1.0, -0.3, 2.0] + generator.logistic(size=400) > 0.5
    weights, intercept = fit_logistic(features, labels, balanced=True, l2=1e-9)
    reference = LogisticRegression(C=1e9, class_weight="balanced", max_iter=10000, tol=1e-10)
    reference.fit(features, labels)
    np.testing.assert_allclose(weights, reference.coef_[0], rtol=2e-3)
    assert intercept == pytest.approx(reference.intercept_[0], rel=5e-3)
