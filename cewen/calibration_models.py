"""What the confidence of a collection rests on, as the service tells it. As `library_models`."""

from __future__ import annotations

from cewen.models import Model


class CalibrationScores(Model):
    """How the confidences of labelled questions do.

    Attributes:
        brier: Mean squared error, 0-1.
        log_loss: In nats.
        calibration_error: Expected calibration error in ten bins, 0-1.
        false_answers: How many unanswerable questions were held for answered.
        missed_answers: How many answerable ones were not.
        threshold: Least confidence that is answered; None for never.
    """

    brier: float
    log_loss: float
    calibration_error: float
    false_answers: int
    missed_answers: int
    threshold: float | None


class Calibrated(Model):
    """What came of calibrating a collection.

    Attributes:
        kept: Whether it was stored.
        helps: Whether probabilities are no worse for it on questions that it was not made from.
        was_calibrated: Whether there was one before.
        answerable, unanswerable: How many questions of each kind were used.
        left_out: Places in the list, from 1, of questions that typed parts of the page or a rule decide.
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


class Calibration(Model):
    """The calibration that a collection has.

    Attributes:
        in_use: Whether answers go by it: not if it was made for another confidence model.
        made_at: UTC, ISO 8601.
        documents: How many the collection had then.
        answerable, unanswerable: How many questions of each kind it was made from.
        slope, offset: The correction of the logit.
    """

    in_use: bool
    made_at: str
    documents: int
    answerable: int
    unanswerable: int
    slope: float
    offset: float
