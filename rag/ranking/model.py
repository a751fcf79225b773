"""The learned part of ranking: two small linear models over the evidence features, and nothing else.

`relevance` orders sentences and is the public score; `confidence` says whether the corpus answers at
all. Both were fitted by `evals/fit` on named data outside this corpus; `weights.json` carries the
numbers and their provenance. The formulas:

    r = w · x                                  (conditional logit over the candidates of a question)
    relevance  = 1 / (1 + exp(-(a r + b)))     (Platt 1999)
    confidence = 1 / (1 + exp(-(v · y + c)))   with y the question-level features below
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.claims import Lacking
from rag.errors import ConfigError
from rag.ranking.features import FEATURES, Evidence

Floats = npt.NDArray[np.float64]

QUESTION_FEATURES = (
    "near_sentence",
    "near_window",
    "near_corpus",
    "top_rank_value",
    "margin",
    "lacks_figure",
    "lacks_noun",
)
"""Names of the confidence model's inputs, in order."""

_DECIMALS = 4


@dataclass(frozen=True)
class RankingModel:
    """Fitted weights.

    Attributes:
        rank_weights: One per entry of `FEATURES`, shape (len(FEATURES),).
        relevance_scale, relevance_offset: Platt's a and b.
        confidence_weights: One per entry of `QUESTION_FEATURES`.
        confidence_offset: The intercept.
        provenance: What it was fitted on and how.
    """

    rank_weights: Floats
    relevance_scale: float
    relevance_offset: float
    confidence_weights: Floats
    confidence_offset: float
    provenance: dict[str, Any]

    def rank_values(self, matrix: Floats) -> Floats:
        """Ranking value of each candidate, rounded so that the last bits cannot decide an order."""
        return np.round(matrix @ self.rank_weights, 6)

    def relevance(self, rank_values: Floats) -> Floats:
        """Estimated probability, 0-1, that a sentence holds evidence for the question."""
        values = 1.0 / (1.0 + np.exp(-(self.relevance_scale * rank_values + self.relevance_offset)))
        return np.round(values, _DECIMALS)

    def confidence(self, features: Floats) -> float:
        """Estimated probability, 0-1, that the corpus answers the question."""
        logit = float(features @ self.confidence_weights) + self.confidence_offset
        return round(1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit)))), _DECIMALS)


def question_features(evidence: Evidence, rank_values: Floats, lacking: Lacking) -> Floats:
    """Inputs of the confidence model.

    Args:
        evidence: The candidates (at least one).
        rank_values: Their ranking values.
        lacking: What the question presumes and the corpus never writes.

    Returns:
        float64, shape (len(QUESTION_FEATURES),).
    """
    ordered = np.sort(rank_values)[::-1]
    rest = ordered[1:6]
    margin = ordered[0] - (float(rest.mean()) if len(rest) else 0.0)
    absent = [float(bool(lacking.figures)), float(bool(lacking.nouns))]
    return np.array([*evidence.nearness, ordered[0], margin, *absent], np.float64)


@lru_cache(maxsize=1)
def shipped_model() -> RankingModel:
    """The weights that ship with this package.

    Raises:
        ConfigError: If they were fitted for other features.
    """
    data = json.loads((files("rag.ranking") / "weights.json").read_text(encoding="utf-8"))
    if tuple(data["features"]) != FEATURES or tuple(data["question_features"]) != QUESTION_FEATURES:
        raise ConfigError("weights.json 与当前特征不符，请用 evals/fit 重新拟合。")
    return RankingModel(
        np.array(data["rank_weights"], np.float64),
        data["relevance_scale"],
        data["relevance_offset"],
        np.array(data["confidence_weights"], np.float64),
        data["confidence_offset"],
        data["provenance"],
    )
