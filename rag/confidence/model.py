"""The fitted part of confidence: small logistic models and the operating points that go with them.

    confidence = 1 / (1 + exp(-(w · x + b)))              x the features of a group, see `features`

An operating point (r, t) says: of questions that the corpus does not answer, a share of at most r had a
confidence of t or more. The thresholds are split-conformal quantiles over questions that the model was not
fitted on: the ceil((n + 1)(1 - r))-th smallest of n confidences (Vovk, Gammerman & Shafer 2005; Angelopoulos
& Bates 2021).

`confidence.json` is made by `python -m evals.fit confidence` and carries its provenance.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

import numpy as np
import numpy.typing as npt

from rag.confidence.features import DENSE, READER, WORDS
from rag.errors import ConfigError

Floats = npt.NDArray[np.float64]

GROUPS: Mapping[str, tuple[str, ...]] = {
    "dense+words+reader": (*DENSE, *WORDS, *READER),
    "dense+words": (*DENSE, *WORDS),
    "words+reader": (*WORDS, *READER),
    "words": WORDS,
}
"""Every combination of features a model is fitted for, by name."""

_DECIMALS = 4
_LOGIT_CAP = 30.0


@dataclass(frozen=True)
class ConfidenceModel:
    """One fitted model.

    Attributes:
        name: A key of `GROUPS`.
        weights: One per feature, shape (n,).
        offset: The intercept.
        operating_points: (rate, threshold), both 0-1, rates ascending, thresholds descending.
    """

    name: str
    weights: Floats
    offset: float
    operating_points: tuple[tuple[float, float], ...]

    def confidence(self, features: Floats) -> float:
        """Estimated probability, 0-1, that the corpus answers the question."""
        return logistic(self.logit(features))

    def logit(self, features: Floats) -> float:
        """The same before it is squeezed between 0 and 1."""
        return float(features @ self.weights) + self.offset

    def threshold(self, rate: float) -> float:
        """Least confidence that is answered at this rate of false answers.

        At rate 1 everything is answered (0), at rate 0 nothing (above 1). Between two operating points the
        threshold is interpolated; below the first one between that and 1.
        """
        if rate >= 1:
            return 0.0
        if rate <= 0:
            return math.inf
        rates = [point[0] for point in self.operating_points]
        place = bisect_right(rates, rate)
        low = self.operating_points[place - 1] if place else (0.0, 1.0)
        high = self.operating_points[place] if place < len(rates) else (1.0, 0.0)
        share = (rate - low[0]) / (high[0] - low[0])
        return low[1] + share * (high[1] - low[1])

    def rates(self, thresholds: Floats) -> Floats:
        """The other way round: the rate of false answers, 0-1, at each threshold; shape as given."""
        points = [(1.0, 0.0), *reversed(self.operating_points), (0.0, 1.0)]
        found: Floats = np.interp(thresholds, [point[1] for point in points], [point[0] for point in points])
        return found


@dataclass(frozen=True)
class ConfidenceModels:
    """All that `confidence.json` holds.

    Attributes:
        by_name: The models, by the names of `GROUPS`.
        topic_weights, topic_offset: Whether a question is about the corpus's subject at all.
        provenance: What they were fitted on, and how they did on what was held out.
    """

    by_name: Mapping[str, ConfidenceModel]
    topic_weights: Floats
    topic_offset: float
    provenance: Mapping[str, Any]

    def on_topic(self, features: Floats) -> bool:
        """Whether a question is about the corpus's subject rather than about something else."""
        return float(features @ self.topic_weights) + self.topic_offset >= 0


def logistic(logit: float) -> float:
    """1 / (1 + exp(-logit)), rounded so that the last bits cannot decide."""
    return round(1.0 / (1.0 + math.exp(-max(-_LOGIT_CAP, min(_LOGIT_CAP, logit)))), _DECIMALS)


@lru_cache(maxsize=1)
def shipped_models() -> ConfidenceModels:
    """The models that ship with this package.

    Raises:
        ConfigError: If they were fitted for other features.
    """
    data = json.loads((files("rag.confidence") / "confidence.json").read_text(encoding="utf-8"))
    if {name: tuple(model["features"]) for name, model in data["models"].items()} != dict(GROUPS):
        raise ConfigError("confidence.json 与当前特征不符，请用 python -m evals.fit 重新拟合。")
    return ConfidenceModels(
        {
            name: ConfidenceModel(
                name,
                np.array(model["weights"], np.float64),
                model["offset"],
                tuple((rate, threshold) for rate, threshold in model["operating_points"]),
            )
            for name, model in data["models"].items()
        },
        np.array(data["topic"]["weights"], np.float64),
        data["topic"]["offset"],
        data["provenance"],
    )
