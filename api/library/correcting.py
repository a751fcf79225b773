"""Calibrate one collection with questions that a person has labelled, and keep what comes of it.

What is kept goes by the encoder's key, so that after a change of encoder it is not found. The questions are
put to the judge alone: nothing is answered, and nothing counted.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from api.calibration_records import Calibrated, Calibration, CalibrationScores
from api.library.collection import LiveCollection
from api.library.labelled import IN_LIST, LabelledQuestion, Where, check_counts, check_evidence
from api.library.snapshots import Snapshot, encoder_key
from rag.confidence.calibrating import Labelled, Outcome, Scores, calibrate
from rag.confidence.correction import Correction
from rag.engine import Engine
from rag.errors import InputError

Judged = Callable[[int, int], None]
"""Told (questions judged, questions in all); what it raises ends the work."""


def calibrated(
    live: LiveCollection,
    questions: Sequence[LabelledQuestion],
    where: Where = IN_LIST,
    *,
    keep: bool,
    judged: Judged = lambda _done, _total: None,
    decide: Callable[[], None] = lambda: None,
) -> Calibrated:
    """Calibrate a collection; what makes its probabilities worse is not kept.

    Args:
        live: The collection.
        questions: At least 15 of either kind.
        where: Where they stand.
        keep: Whether to store what is found.
        judged: Told of each question.
        decide: Called directly before it is stored; what it raises ends the work.

    Raises:
        InputError: With code `evidence_not_found`; with `invalid_questions` if the judge decides too
            few of them; with `calibration_outdated` if the encoder was changed meanwhile.
        IndexFileError: If the store cannot be written; nothing has changed.
    """
    snapshot = live.snapshot
    judged(0, len(questions))
    check_evidence(questions, snapshot.corpus.sources, where)  # what was removed of them is blank there
    used, labelled = _judge(snapshot.engine, questions, judged)
    check_counts(used, where, len(questions) - len(used))
    outcome = calibrate(snapshot.engine.judging.basis, labelled)
    kept = keep and outcome.helps
    if kept:
        decide()
        _keep(live, snapshot, outcome)
    numbers = {one.number for one in used}
    return Calibrated(
        collection=live.name,
        kept=kept,
        helps=outcome.helps,
        was_calibrated=snapshot.correction is not None,
        answerable=outcome.answerable,
        unanswerable=outcome.unanswerable,
        left_out=tuple(one.number for one in questions if one.number not in numbers),
        slope=outcome.correction.slope,
        offset=outcome.correction.offset,
        before=_scores(outcome.before, outcome.threshold_before),
        after=_scores(outcome.after, outcome.threshold_after),
    )


def calibration_of(live: LiveCollection) -> Calibration | None:
    """The calibration that is kept for a collection's encoder; None if none is there or can be read.

    Raises:
        IndexFileError: If the store is damaged.
    """
    text = live.calibration()
    if text is None:
        return None
    try:
        correction = Correction.from_text(text)
    except ValueError:
        return None
    about = json.loads(text).get("about")
    said: dict[str, Any] = about if isinstance(about, dict) else {}
    return Calibration(
        collection=live.name,
        in_use=live.snapshot.calibration == "collection",
        made_at=str(said.get("made_at", "")),
        documents=int(said.get("documents", 0)),
        answerable=int(said.get("answerable", 0)),
        unanswerable=len(correction.unanswerable),
        slope=correction.slope,
        offset=correction.offset,
    )


def forget(live: LiveCollection) -> bool:
    """Forget the calibration of a collection's encoder; whether there was one.

    Raises:
        IndexFileError: If the store cannot be written; nothing has changed.
    """
    if live.calibration() is None:
        return False
    return live.correct(encoder_key(live.snapshot.model.encoder), None)


def _judge(
    engine: Engine, questions: Sequence[LabelledQuestion], judged: Judged
) -> tuple[list[LabelledQuestion], list[Labelled]]:
    """The questions that the judge decides, and what its model says of them."""
    used: list[LabelledQuestion] = []
    labelled: list[Labelled] = []
    for done, one in enumerate(questions, 1):
        judgement = engine.judging.judge(one.question, one.history)
        if judgement is not None and not judgement.elsewhere:
            used.append(one)
            labelled.append(Labelled(judgement.logit, one.answerable))
        judged(done, len(questions))
    return used, labelled


def _keep(live: LiveCollection, snapshot: Snapshot, outcome: Outcome) -> None:
    about = {
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "documents": len(snapshot.stamps),
        "answerable": outcome.answerable,
    }
    if not live.correct(encoder_key(snapshot.model.encoder), outcome.correction.to_text(about)):
        raise InputError(
            f"标定期间，文库 {live.name} 换了编码模型，结果没有存下。请再标定一次。",
            code="calibration_outdated",
        )


def _scores(scores: Scores, threshold: float) -> CalibrationScores:
    return CalibrationScores(**asdict(scores), threshold=threshold if math.isfinite(threshold) else None)
