"""Pairs from the written corpora: what search brings up for a question, and whether it holds the evidence.

For an answerable question the best two passages with evidence are positive and the best one without is
negative; for an unanswerable one the best two are negative and one of the next four. So the reader learns on
the very passages that it will be shown.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from evals.fit.cases import Case, holds_evidence
from evals.fit.reader.pairs import Pair
from rag.confidence.reader import passage_text
from rag.records import Passage

_SEED = 1
_LOOKED_AT = 8


def essay_pairs(cases: Sequence[Case]) -> list[Pair]:
    """The pairs of all cases, in a fixed order."""
    generator = random.Random(_SEED)
    made: list[Pair] = []
    for case in cases:
        passages = case.found.passages[:_LOOKED_AT]
        if case.answerable:
            holding = [passage for passage in passages if holds_evidence(passage, case.evidence)]
            lacking = [passage for passage in passages[:5] if not holds_evidence(passage, case.evidence)]
            made += [_pair(case, passage, answers=True) for passage in holding[:2]]
            made += [_pair(case, passage, answers=False) for passage in lacking[:1]]
        else:
            further = [generator.choice(passages[2:6])] if len(passages) > 2 else []
            made += [_pair(case, passage, answers=False) for passage in (*passages[:2], *further)]
    return made


def _pair(case: Case, passage: Passage, *, answers: bool) -> Pair:
    document = passage.document
    shown = passage_text(document.authors, document.title, passage.chunk.text)
    return Pair(case.question.text, shown, answers)
