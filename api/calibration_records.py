"""What calibrating a collection gives, as the library hands it to routes and commands. Data only."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CalibrationScores:
    """How the confidences of labelled questions do.

    Attributes:
        brier: Mean squared error, 0-1.
        log_loss: In nats.
        calibration_error: Expected calibration error in ten bins, 0-1.
        false_answers: How many unanswerable questions were held for answered.
        missed_answers: How many answerable ones were not.
        threshold: Least confidence that is answered, as shown; None for never.
    """

    brier: float
    log_loss: float
    calibration_error: float
    false_answers: int
    missed_answers: int
    threshold: float | None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What came of calibrating a collection.

    Attributes:
        collection: Its name.
        kept: Whether it was stored.
        helps: Whether probabilities are no worse for it on questions that it was not made from.
        was_calibrated: Whether there was one before.
        answerable, unanswerable: How many questions of each kind were used.
        left_out: Numbers (lines of a file, places in a list, from 1) of questions that typed parts of the
            page or a rule decide, uncorrected.
        slope, offset: The correction of the logit.
        before, after: Without it, and with it, cross-validated.
    """

    collection: str
    kept: bool
    helps: bool
    was_calibrated: bool
    answerable: int
    unanswerable: int
    left_out: tuple[int, ...]
    slope: float
    offset: float
    before: CalibrationScores
    after: CalibrationScores


@dataclass(frozen=True, slots=True)
class Calibration:
    """The calibration that a collection has.

    Attributes:
        collection: Its name.
        in_use: Whether answers go by it: not if it was made for another confidence model.
        made_at: UTC, ISO 8601.
        documents: How many the collection had then.
        answerable, unanswerable: How many questions of each kind it was made from.
        slope, offset: The correction of the logit.
    """

    collection: str
    in_use: bool
    made_at: str
    documents: int
    answerable: int
    unanswerable: int
    slope: float
    offset: float
