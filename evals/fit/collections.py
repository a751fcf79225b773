"""What calibrating one collection is worth: correct with one half of its questions, measure on the other.

Each half is used either way, so every question is judged once by a correction that has not seen it. "kept"
is what a person gets who runs `cewen calibrate`: where cross-validation within the labelled half says that it
makes probabilities worse, nothing changes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from evals.fit.confidence import Row
from rag.confidence.calibrating import Labelled, Scores, calibrate, scores
from rag.confidence.correction import Basis
from rag.confidence.model import GROUPS, ConfidenceModel

_SEED = 31


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of one question: its probability, and whether it is answered."""

    confidence: float
    answered: bool
    truth: bool


def measure_collections(
    collections: Sequence[Sequence[Row]], model: ConfidenceModel, reader: str | None, rates: Sequence[float]
) -> dict[str, Any]:
    """Figures before and after, of each collection and of all questions together, for each set rate.

    Args:
        collections: The rows of each.
        model: What is corrected.
        reader: Revision of the reader.
        rates: Shares of unanswerable questions that may be answered.
    """
    columns = [GROUPS["dense+words+reader"].index(name) for name in GROUPS[model.name]]
    labelled = [
        [Labelled(model.logit(row.features[columns]), row.answerable) for row in rows] for rows in collections
    ]
    found: dict[str, Any] = {}
    for rate in rates:
        basis = Basis(model, reader, model.threshold(rate), rate)
        sides: dict[str, list[Said]] = {"before": [], "after": [], "kept": []}
        each = []
        for questions in labelled:
            here, fits = _of_collection(basis, questions)
            each.append({side: _told(said) for side, said in here.items()} | {"corrections": fits})
            for side, said in here.items():
                sides[side] += said
        found[f"rate {rate}"] = {
            "all": {side: _told(said) for side, said in sides.items()},
            "collections": each,
        }
    return found


def _of_collection(
    basis: Basis, questions: Sequence[Labelled]
) -> tuple[dict[str, list[Said]], list[dict[str, Any]]]:
    sides: dict[str, list[Said]] = {"before": [], "after": [], "kept": []}
    fits = []
    halves = _halves(questions)
    for known, unknown in (halves, halves[::-1]):
        outcome = calibrate(basis, known)
        threshold = outcome.correction.threshold(basis)
        fits.append(
            {
                "slope": outcome.correction.slope,
                "offset": outcome.correction.offset,
                "threshold": threshold,
                "kept": outcome.helps,
            }
        )
        for one in unknown:
            before = Said(one.confidence, one.confidence >= basis.threshold, one.answerable)
            after = Said(
                outcome.correction.confidence(one.logit), one.confidence >= threshold, one.answerable
            )
            sides["before"].append(before)
            sides["after"].append(after)
            sides["kept"].append(after if outcome.helps else before)
    return sides, fits


def _halves(questions: Sequence[Labelled]) -> tuple[list[Labelled], list[Labelled]]:
    """Two halves with as many of each kind, drawn once for all."""
    generator = random.Random(_SEED)
    halves: tuple[list[Labelled], list[Labelled]] = ([], [])
    for kind in (True, False):
        some = [one for one in questions if one.answerable is kind]
        generator.shuffle(some)
        for place, one in enumerate(some):
            halves[place % 2].append(one)
    return halves


def _told(said: Sequence[Said]) -> dict[str, Any]:
    figures: Scores = scores(
        [one.confidence for one in said], [one.answered for one in said], [one.truth for one in said]
    )
    answerable = sum(one.truth for one in said)
    return asdict(figures) | {"answerable": answerable, "unanswerable": len(said) - answerable}
