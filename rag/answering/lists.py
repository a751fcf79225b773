"""Which enumeration, if any, a question for several things asks for.

Three shapes compete: a series of sentences ("一是…。二是…。"), parallel paragraphs, and a list inside one
sentence ("A、B、C和D"), which needs nothing but that sentence. A count in the question ("哪三个") decides
between them; without one the evidence does.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.generator import RankedSentence
from rag.enumerations import Enumeration
from rag.structure import Structure
from rag.text.enumeration import inline_counts

_POOL = 8
_COUNT_AGREES, _COUNT_DIFFERS = 2.5, 0.35
_HEAD_SHARE, _MEMBER_SHARE = 0.8, 0.4
_ENOUGH = 0.6
_LEAD_SHARE, _FAIR_SHARE = 0.4, 0.1


def wanted_enumeration(
    ranked: Sequence[RankedSentence], structure: Structure, count: int | None
) -> Enumeration | None:
    """The series that best fits the evidence, or None if a sentence by itself fits better.

    Args:
        ranked: Candidate sentences, best first (at least one).
        structure: The corpus's enumerations.
        count: How many items the question asks for, if it says.
    """
    relevance = {found.sentence.ordinal: found.relevance for found in ranked}
    alone = max(_alone(found, count) for found in ranked[:3])
    best: tuple[float, Enumeration] | None = None
    for found in ranked[:_POOL]:
        for enumeration in structure.of_sentence(found.sentence.ordinal):
            if count is None and not _speaks_as_a_whole(enumeration, relevance, ranked[0].relevance):
                continue
            value = _fit(enumeration, found, relevance, count)
            if best is None or value > best[0]:
                best = (value, enumeration)
    return best[1] if best and best[0] >= _ENOUGH * alone else None


def _speaks_as_a_whole(enumeration: Enumeration, relevance: dict[int, float], best: float) -> bool:
    """Whether more than one of its items is what was asked about: its announcement, or half of its heads.

    A page of numbered sections is a list too; what is asked for may be the list inside one of them.
    """
    lead = max((relevance.get(announcer, 0.0) for announcer in enumeration.announcers), default=0.0)
    spoken = sum(relevance.get(head, 0.0) >= _FAIR_SHARE * best for head in enumeration.heads)
    return lead >= _LEAD_SHARE * best or 2 * spoken >= len(enumeration.heads)


def _alone(found: RankedSentence, count: int | None) -> float:
    """How well a sentence by itself answers: better if it lists as many things as are asked for."""
    if count is None:
        return found.relevance
    return found.relevance * (_COUNT_AGREES if count in inline_counts(found.sentence.text) else 1.0)


def _fit(
    enumeration: Enumeration, found: RankedSentence, relevance: dict[int, float], count: int | None
) -> float:
    heads = [relevance.get(head, 0.0) for head in enumeration.heads]
    lead = max((relevance.get(announcer, 0.0) for announcer in enumeration.announcers), default=0.0)
    opens = found.sentence.ordinal in (*enumeration.heads, *enumeration.announcers)
    share = _HEAD_SHARE if opens else _MEMBER_SHARE
    value = max(lead, sum(heads) / len(heads), share * found.relevance)
    if count is not None:
        value *= _COUNT_AGREES if count == len(enumeration.items) else _COUNT_DIFFERS
    return value
