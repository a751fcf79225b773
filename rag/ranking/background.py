"""How near text in general is to a question: the yardstick for "is anything here about this at all?".

A cosine of 0.85 is high for one question and noise for another (colloquial or English questions lie
lower altogether). Against the mean and covariance of many unrelated sentences it gets a meaning that
carries from corpus to corpus:

    z = (s - q·mu) / sqrt(q^T Sigma q)

with s an inner product, q the question's vector, mu and Sigma mean and covariance of general text.
The shipped numbers were computed by `evals/fit` for the bundled encoder; for any other encoder there
are none, and `Background.unknown` says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float64]

# Where cosines of E5-like encoders lie for unrelated text; used only where nothing was measured.
_USUAL_MEAN, _USUAL_STD = 0.80, 0.025


@dataclass(frozen=True)
class Background:
    """Mean and covariance of the vectors of general text.

    Attributes:
        mean: float64, shape (dimension,); None if unknown for this encoder.
        covariance: float64, shape (dimension, dimension); None if unknown.
    """

    mean: Matrix | None
    covariance: Matrix | None

    @property
    def is_known(self) -> bool:
        """Whether it was measured for the encoder in use."""
        return self.mean is not None

    def standard(self, vector: npt.NDArray[np.float32], scores: Matrix) -> Matrix:
        """Inner products with `vector` as standard scores; shape as `scores`."""
        if self.mean is None or self.covariance is None:
            return (scores - _USUAL_MEAN) / _USUAL_STD
        query = vector.astype(np.float64)
        spread = max(float(query @ self.covariance @ query), 1e-12) ** 0.5
        standard: Matrix = (scores - float(query @ self.mean)) / spread
        return standard


@lru_cache(maxsize=4)
def shipped_background(encoder_name: str) -> Background:
    """The measured background of an encoder, or an unknown one."""
    with (files("rag.ranking") / "background.npz").open("rb") as handle, np.load(handle) as data:
        if str(data["encoder"]) != encoder_name:
            return Background(None, None)
        packed = data["covariance"].astype(np.float64)
        size = len(data["mean"])
        covariance = np.zeros((size, size))
        covariance[np.triu_indices(size)] = packed
        covariance += np.triu(covariance, 1).T
        return Background(data["mean"].astype(np.float64), covariance)
