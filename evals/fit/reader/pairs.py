"""A pair to train on, and where a title's pairs belong."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from rag.text.folding import fold

Split = Literal["train", "calibration", "test"]
_BRACKETED = re.compile(r"[_\s]*[(（].*")


@dataclass(frozen=True)
class Pair:
    """A question and a passage.

    Attributes:
        question: As typed.
        passage: Text as the reader sees it (`rag.confidence.reader.passage_text`).
        answers: Whether the passage answers the question.
        spans: Stretches of the passage that answer, for the auxiliary loss; may be empty.
    """

    question: str
    passage: str
    answers: bool
    spans: tuple[str, ...] = ()


def title_key(title: str) -> str:
    """A title without what stands in brackets after it, folded: variants of an article have one key."""
    folded = fold(title)
    return _BRACKETED.sub("", folded).strip() or folded


def split_of(title: str) -> Split:
    """70, 15 and 15 % of the titles, by a hash, so that an article is on one side whatever is sampled."""
    place = int(hashlib.sha256(title_key(title).encode()).hexdigest(), 16) % 100
    return "train" if place < 70 else "calibration" if place < 85 else "test"
