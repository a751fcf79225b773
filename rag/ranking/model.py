"""The learned part of ranking: a small linear model over the evidence features, and nothing else.

`relevance` orders sentences and is the public score. It was fitted by `evals/fit` on named data outside any
corpus that is served; `weights.json` carries the numbers and their provenance. Whether the corpus answers at
all is `rag.confidence`'s business. The formulas:

    r = w · x                                  (conditional logit over the candidates of a question)
    relevance  = 1 / (1 + exp(-(a r + b)))     (Platt 1999)
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.errors import ConfigError
from rag.ranking.features import FEATURES

Floats = npt.NDArray[np.float64]

_DECIMALS = 4


@dataclass(frozen=True)
class RankingModel:
    """Fitted weights.

    Attributes:
        rank_weights: One per entry of `FEATURES`, shape (len(FEATURES),).
        relevance_scale, relevance_offset: Platt's a and b.
        provenance: What it was fitted on and how.
    """

    rank_weights: Floats
    relevance_scale: float
    relevance_offset: float
    provenance: dict[str, Any]

    def rank_values(self, matrix: Floats) -> Floats:
        """Ranking value of each candidate, rounded so that the last bits cannot decide an order."""
        return np.round(matrix @ self.rank_weights, 6)

    def relevance(self, rank_values: Floats) -> Floats:
        """Estimated probability, 0-1, that a sentence holds evidence for the question."""
        values = 1.0 / (1.0 + np.exp(-(self.relevance_scale * rank_values + self.relevance_offset)))
        return np.round(values, _DECIMALS)


@lru_cache(maxsize=1)
def shipped_model() -> RankingModel:
    """The weights that ship with this package.

    Raises:
        ConfigError: If they were fitted for other features.
    """
    data = json.loads((files("rag.ranking") / "weights.json").read_text(encoding="utf-8"))
    if tuple(data["features"]) != FEATURES:
        raise ConfigError("weights.json 与当前特征不符，请用 evals/fit 重新拟合。")
    return RankingModel(
        np.array(data["rank_weights"], np.float64),
        data["relevance_scale"],
        data["relevance_offset"],
        data["provenance"],
    )
