"""What calibrating one collection has found, and how it changes what the judge says there.

The shipped models are fitted on other corpora. Questions of the collection itself, labelled by a person,
correct them in two ways.

*The probability*: `confidence = logistic(slope * logit + offset)`, slope > 0 (Platt 1999), so that the order
of questions stays what it was; `rag.confidence.calibrating` fits the two.

*The threshold*: the setting is a rate, the share of unanswerable questions that may be answered, and must go
on meaning that. With n unanswerable questions of the collection's own, of which k(t) have a confidence of t
or more, and g(t) the share that the shipped model's operating points expect there, the threshold is the
least t for which both hold at the set rate r:

    (k(t) + 1) / (n + 1) <= r                          own:    the next one is the (n + 1)-th
    (M g(t) + k(t)) / (M + n) <= r                     pooled: as if M more questions had done as expected

The first is the split-conformal quantile that the shipped operating points are, too (Vovk, Gammerman & Shafer
2005, 2.2; Angelopoulos & Bates 2021): for questions like the labelled ones, at most a share r is answered, on
average over the draw of the n, whatever n is. The second only ever raises the threshold further. The first
rests on the labelled questions being like those to come, and people find it easier to think of questions
far from the subject than near it; so a threshold below the shipped one has to be earned with numbers, and
15 harmless questions do not throw away what was measured elsewhere (a posterior mean under a beta prior
worth M questions: Gelman et al. 2013, 2.4). A threshold above it needs no second opinion.

Where r < 1 / (n + 1), no count of n can show so small a rate; then it is k(t) = 0 and g(t) <= r.

Both are decided on what the shipped model says, which the correction of the probability does not touch.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from rag.confidence.model import GROUPS, ConfidenceModel, logistic

POOLED = 40
"""M: how many questions the shipped operating points count for."""
_VERSION = 1
_STEPS = 10_000
"""Confidences have four decimals."""
_SLACK = 1e-9


@dataclass(frozen=True)
class Basis:
    """What is corrected: a fitted model, in one setting.

    Attributes:
        model: The model.
        reader: Revision of the reader; None without one.
        threshold: Least confidence that is answered without a correction.
        rate: Set share, 0-1, of unanswerable questions that may be answered.
    """

    model: ConfidenceModel
    reader: str | None
    threshold: float
    rate: float

    @property
    def digest(self) -> str:
        """Sixteen hex digits that change with the model's numbers or the reader's."""
        model = self.model
        numbers = [model.name, model.weights.tolist(), model.offset, model.operating_points, self.reader]
        return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Correction:
    """A correction for one collection.

    Attributes:
        model: Name of the model it was made for.
        based_on: Digest of that, see `Basis`.
        slope: Above 0.
        offset: Added to the logit.
        unanswerable: What the model says, 0-1, of the collection's own unanswerable questions, ascending.
    """

    model: str
    based_on: str
    slope: float
    offset: float
    unanswerable: tuple[float, ...]

    def fits(self, basis: Basis) -> bool:
        """Whether it was made for this model and this reader."""
        return (self.model, self.based_on) == (basis.model.name, basis.digest)

    def confidence(self, logit: float) -> float:
        """The corrected probability, 0-1."""
        return logistic(self.slope * logit + self.offset)

    def threshold(self, basis: Basis) -> float:
        """Least confidence of the model, 0-1, that is answered; infinite at rate 0."""
        return threshold_of(basis, self.unanswerable)

    @cached_property
    def described(self) -> str:
        """Sixteen hex digits that name all that decides answers, for a fingerprint."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:16]

    def to_text(self, about: Mapping[str, Any]) -> str:
        """What is stored.

        Args:
            about: What else a person may want to know, such as a date; it decides nothing.
        """
        content = {"version": _VERSION, **asdict(self), "about": dict(about)}
        return json.dumps(content, ensure_ascii=False, sort_keys=True)

    @classmethod
    def from_text(cls, text: str) -> Correction:
        """What was stored.

        Raises:
            ValueError: If it is not what `to_text` writes.
        """
        try:
            content = json.loads(text)
            if content["version"] != _VERSION:
                raise ValueError(f"version {content['version']!r}")
            found = cls(
                str(content["model"]),
                str(content["based_on"]),
                float(content["slope"]),
                float(content["offset"]),
                tuple(map(float, content["unanswerable"])),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"not a calibration: {error!r}") from error
        sound = found.slope > 0 and math.isfinite(found.slope) and math.isfinite(found.offset)
        if not sound or found.model not in GROUPS or not found.unanswerable:
            raise ValueError("not a calibration: its numbers are out of range")
        if list(found.unanswerable) != sorted(found.unanswerable) or not (
            found.unanswerable[0] >= 0 and found.unanswerable[-1] <= 1
        ):
            raise ValueError("not a calibration: its confidences are out of range or order")
        return found


def threshold_of(basis: Basis, unanswerable: tuple[float, ...]) -> float:
    """The threshold that these confidences of unanswerable questions give; see this module.

    Args:
        basis: The model and the set rate.
        unanswerable: At least one, 0-1, ascending.
    """
    if basis.rate >= 1:
        return 0.0
    if basis.rate <= 0:
        return math.inf
    grid = np.arange(_STEPS + 2) / _STEPS
    # Half a step down, so that no last bit decides whether a confidence is at or above a threshold.
    above = len(unanswerable) - np.searchsorted(np.array(unanswerable), grid - 0.5 / _STEPS)
    expected = basis.model.rates(grid)
    count, rate = len(unanswerable), basis.rate
    own = (above + 1 <= rate * (count + 1) + _SLACK) | ((above == 0) & (expected <= rate + _SLACK))
    pooled = POOLED * expected + above <= rate * (POOLED + count) + _SLACK
    return float(grid[int(np.argmax(own & pooled))])
