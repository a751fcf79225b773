"""What the service replies to feedback."""

from __future__ import annotations

from typing import Literal

from cewen.models import Model


class Feedback(Model):
    """A verdict that the service has kept.

    Attributes:
        id: Names it; stays when the verdict is changed.
        answer_id: `Answer.id` of what it is about.
        verdict: "up" or "down".
        recorded_at: UTC, ISO 8601.
        question_stored: Whether the service keeps the question of that answer; by default it keeps none.
    """

    id: str
    answer_id: str
    verdict: Literal["up", "down"]
    recorded_at: str
    question_stored: bool
