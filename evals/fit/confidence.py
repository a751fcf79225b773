"""Fit the confidence models on cases that nothing else was fitted on, and find their operating points.

Every corpus weighs the same; answerable cases weigh `PRIOR` of the total, so that confidence is a probability
for a mix of questions like that. Operating points come from confidences out of fold: each corpus is judged by
a model fitted on the other ones.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.fit.cases import Case
from evals.fit.solvers import fit_weighted_logistic
from evals.measures.calibration import expected_calibration_error
from evals.measures.discrimination import auroc, auroc_interval
from evals.measures.intervals import mean_interval
from rag.confidence.features import (
    READ_PASSAGES,
    dense_features,
    reader_features,
    topic_features,
    word_features,
)
from rag.confidence.model import GROUPS, ConfidenceModel, logistic
from rag.confidence.reader import Reader
from rag.confidence.wording import read_wording

Floats = npt.NDArray[np.float64]

PRIOR = 0.6
RATES = (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6, 0.8)
_L2 = 1e-2
_TOPIC_L2 = 1e-3


@dataclass(frozen=True)
class Row:
    """A case as numbers.

    Attributes:
        corpus: Splits go by it.
        features: Values of all features, shape (len(GROUPS["dense+words+reader"]),).
        topic: Values of the topic features.
        answerable: The label.
        trap: The sort of an unanswerable case.
    """

    corpus: str
    features: Floats
    topic: Floats
    answerable: bool
    trap: str


def rows_of(cases: Sequence[Case], reader: Reader) -> list[Row]:
    """Features of cases, computed by the product's own code."""
    rows: list[Row] = []
    for case in cases:
        wording = read_wording(case.found.question, case.arm)
        scores = reader.read(case.question.text, case.found.passages[:READ_PASSAGES])
        features = np.concatenate(
            [
                dense_features(case.found),
                word_features(case.question, case.found, wording, case.arm),
                reader_features(scores),
            ]
        )
        topic = topic_features(case.found.evidence, wording)
        rows.append(Row(case.corpus, features, topic, case.answerable, case.trap))
    return rows


def fit_models(rows: Sequence[Row], essays: Sequence[Row]) -> dict[str, Any]:
    """The content of `confidence.json` but for its provenance.

    Args:
        rows: What the models are fitted on; `essays` first.
        essays: Those of them that set the operating points.
    """
    models = {}
    for name, features in GROUPS.items():
        columns = _columns(name)
        matrix = np.stack([row.features[columns] for row in rows])
        weights, offset = _fit(matrix, rows)
        held_out = out_of_fold(rows, name)
        negatives = sorted(held_out[place] for place, row in enumerate(essays) if not row.answerable)
        models[name] = {
            "features": features,
            "weights": [round(float(weight), 5) for weight in weights],
            "offset": round(offset, 5),
            "operating_points": operating_points(negatives),
        }
    return {"models": models, "topic": _fit_topic(essays)}


def out_of_fold(rows: Sequence[Row], name: str) -> Floats:
    """Confidence of every row by a model that saw nothing of its corpus; shape (len(rows),)."""
    columns = _columns(name)
    matrix = np.stack([row.features[columns] for row in rows])
    corpora = np.array([row.corpus for row in rows])
    found = np.zeros(len(rows))
    for corpus in sorted(set(corpora.tolist())):
        inside = corpora == corpus
        kept = [row for row in rows if row.corpus != corpus]
        weights, offset = _fit(matrix[~inside], kept)
        found[inside] = [logistic(float(value)) for value in matrix[inside] @ weights + offset]
    return found


def operating_points(negatives: Sequence[float]) -> list[tuple[float, float]]:
    """(rate, threshold) for each of `RATES`, after `rag.confidence.model`.

    Args:
        negatives: Confidences, out of fold, of unanswerable questions, ascending.
    """
    points: list[tuple[float, float]] = []
    for rate in RATES:
        place = math.ceil((len(negatives) + 1) * (1 - rate))
        if place <= len(negatives):
            points.append((rate, round(negatives[place - 1] + 1e-4, 4)))
    return points


def figures(rows: Sequence[Row], confidences: Floats, threshold: float | None = None) -> dict[str, Any]:
    """How confidences do on rows: area under the curve, calibration, and the two errors at a threshold."""
    positive = [c for c, row in zip(confidences, rows, strict=True) if row.answerable]
    negative = [c for c, row in zip(confidences, rows, strict=True) if not row.answerable]
    area = auroc(positive, negative)
    low, high = auroc_interval(area, len(positive), len(negative))
    found: dict[str, Any] = {
        "answerable": len(positive),
        "unanswerable": len(negative),
        "auroc": [round(value, 3) for value in (area, low, high)],
        "ece": round(expected_calibration_error(confidences.tolist(), [row.answerable for row in rows]), 3),
    }
    for trap in sorted({row.trap for row in rows if not row.answerable}):
        chosen = [
            c for c, row in zip(confidences, rows, strict=True) if row.trap == trap and not row.answerable
        ]
        found[f"auroc {trap}"] = round(auroc(positive, chosen), 3)
    if threshold is not None:
        for name, values in (
            ("false_answers", [float(c >= threshold) for c in negative]),
            ("false_refusals", [float(c < threshold) for c in positive]),
        ):
            low, high = mean_interval(values)
            found[name] = [round(value, 3) for value in (float(np.mean(values)), low, high)]
    return found


def confidences_of(rows: Sequence[Row], model: ConfidenceModel) -> Floats:
    """What a fitted model says of rows."""
    columns = _columns(model.name)
    return np.array([model.confidence(row.features[columns]) for row in rows])


def _columns(name: str) -> list[int]:
    every = GROUPS["dense+words+reader"]
    return [every.index(feature) for feature in GROUPS[name]]


def _fit(matrix: Floats, rows: Sequence[Row]) -> tuple[Floats, float]:
    labels = np.array([row.answerable for row in rows])
    return fit_weighted_logistic(matrix, labels, _weights(rows), l2=_L2)


def _weights(rows: Sequence[Row]) -> Floats:
    """Every corpus the same in total, answerable cases `PRIOR` of it."""
    # The small corpora of the reading set count as one.
    rows = [replace(row, corpus=row.corpus.partition("-")[0]) for row in rows]
    counts: Mapping[tuple[str, bool], int] = {
        key: sum((row.corpus, row.answerable) == key for row in rows)
        for key in {(row.corpus, row.answerable) for row in rows}
    }
    shares = [(PRIOR if row.answerable else 1 - PRIOR) / counts[row.corpus, row.answerable] for row in rows]
    return np.array(shares) * len(rows) / sum(shares)


def _fit_topic(rows: Sequence[Row]) -> dict[str, Any]:
    """Off-topic questions against all others, both weighing the same."""
    on_topic = np.array([row.trap not in ("off-topic", "other") for row in rows])
    share = on_topic.mean()
    cost = np.where(on_topic, 0.5 / share, 0.5 / (1 - share))
    matrix = np.stack([row.topic for row in rows])
    weights, offset = fit_weighted_logistic(matrix, on_topic, cost, l2=_TOPIC_L2)
    right = ((matrix @ weights + offset >= 0) == on_topic).astype(float)
    return {
        "weights": [round(float(weight), 5) for weight in weights],
        "offset": round(offset, 5),
        "right_on_topic": round(float(right[on_topic].mean()), 3),
        "right_off_topic": round(float(right[~on_topic].mean()), 3),
    }
