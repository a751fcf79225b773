"""Gold spans to places: each span is found in the sources with white space left out of both.

A span may stand in several places; any of them counts. One that stands nowhere is a fault of the
question file, said with file and line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.schema import Question
from evals.sources import SourceText
from rag.errors import ConfigError

_MOST_FAULTS = 20


@dataclass(frozen=True, slots=True)
class Place:
    """Where a span stands.

    Attributes:
        source_sha256: In which source.
        offsets: Offsets of its characters there, white space left out, ascending; at least one.
        start_line, end_line: Printed lines from 1, inclusive.
    """

    source_sha256: str
    offsets: tuple[int, ...]
    start_line: int
    end_line: int

    @property
    def start_char(self) -> int:
        """Offset of the first character."""
        return self.offsets[0]

    @property
    def end_char(self) -> int:
        """Offset after the last character."""
        return self.offsets[-1] + 1


@dataclass(frozen=True, slots=True)
class Needed:
    """One needed piece of evidence: its alternative spans and all places where any of them stands."""

    spans: tuple[str, ...]
    places: tuple[Place, ...]


Evidence = Mapping[str, tuple[Needed, ...]]
"""For each question id its needed pieces, in file order."""


def places_of(span: str, sources: Sequence[SourceText]) -> tuple[Place, ...]:
    """Every place of a span, which must hold no white space, in source order."""
    found: list[Place] = []
    for source in sources:
        at = source.squeezed.find(span)
        while at >= 0:
            offsets = source.solid[at : at + len(span)]
            lines = source.line_of(offsets[0]), source.line_of(offsets[-1])
            found.append(Place(source.sha256, offsets, *lines))
            at = source.squeezed.find(span, at + 1)
    return tuple(found)


def locate_evidence(questions: Sequence[Question], sources: Sequence[SourceText]) -> Evidence:
    """The places of all gold spans.

    Raises:
        ConfigError: If a span stands nowhere; the message names questions and lines (the first 20).
    """
    faults: list[str] = []
    located: dict[str, tuple[Needed, ...]] = {}
    for question in questions:
        pieces: list[Needed] = []
        for spans in question.evidence:
            places: list[Place] = []
            for span in spans:
                found = places_of(span, sources)
                places.extend(found)
                if not found:
                    where = f"{question.split}.jsonl 第 {question.line} 行（{question.question_id}）"
                    faults.append(f"{where}：语料里找不到证据 {span!r}")
            pieces.append(Needed(spans, tuple(places)))
        located[question.question_id] = tuple(pieces)
    if faults:
        raise ConfigError(
            "题目里的证据与语料不符（比较时双方都去掉空白）：\n  " + "\n  ".join(faults[:_MOST_FAULTS])
        )
    return located
