"""The record of one judged question: what every report is made from, and exactly what the JSON holds."""

from __future__ import annotations

from dataclasses import dataclass

from evals.verify import Fault


@dataclass(frozen=True, slots=True)
class Expected:
    """A needed piece of evidence and the first place where it stands."""

    spans: tuple[str, ...]
    start_char: int
    end_char: int
    start_line: int
    end_line: int


@dataclass(frozen=True, slots=True)
class HitLine:
    """A hit in short, with the needed pieces (from 0) that it holds."""

    rank: int
    score: float
    chunk_id: str
    start_line: int
    end_line: int
    holds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class CitedLine:
    """A citation in short, with the needed pieces (from 0) that it holds."""

    number: int
    document_id: str
    start_char: int
    end_char: int
    start_line: int
    end_line: int
    quote: str
    holds: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """A judged question.

    Attributes:
        status: "answered", "abstained" or "error".
        error: Code of the error, if the service failed on this question.
        hits: The first ten.
        raw: What each arm of the search said of the best passage.
        measures: For each measure a score, or None where it does not judge this question.
        checked: For each invariant how many things were looked at.
    """

    question_id: str
    split: str
    line: int
    type: str
    slices: tuple[str, ...]
    question: str
    answerable: bool
    reference: str
    expected: tuple[Expected, ...]
    status: str
    reason: str | None
    error: str | None
    confidence: float
    resolved_question: str
    answer: str
    citations: tuple[CitedLine, ...]
    hits: tuple[HitLine, ...]
    raw: dict[str, float]
    measures: dict[str, float | None]
    faults: tuple[Fault, ...]
    checked: dict[str, int]
