"""R@k, S@k, complete@k, RR@10 and nDCG@10 over gold spans.

Every function takes `held`: for each hit in rank order the set of needed pieces of evidence that it
holds (`evals.measures.spans`), numbered from 0, and `needed`, how many there are (n, at least 1). No
hits is a ranking too: all measures are 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

Held = Sequence[frozenset[int]]


def recall_at(held: Held, needed: int, k: int) -> float:
    """R@k = |H_1 u ... u H_k| / n, with H_i the pieces held by the hit at rank i.

    Recall at a cut-off (Manning, Raghavan & Schuetze 2008, section 8.4) with pieces of evidence in the
    place of relevant documents.
    """
    return len(frozenset().union(*held[:k])) / needed


def complete_at(held: Held, needed: int, k: int) -> float:
    """complete@k = 1 if R@k = 1, else 0: all that an answer needs is among the first k."""
    return float(len(frozenset().union(*held[:k])) == needed)


def success_at(held: Held, k: int) -> float:
    """S@k = 1 if any of the first k hits holds a needed piece, else 0 (trec_eval's `success`)."""
    return float(any(held[:k]))


def reciprocal_rank(held: Held, k: int) -> float:
    """RR@k = 1 / r with r <= k the rank of the first hit that holds any needed piece; 0 if there is none.

    Voorhees 1999, The TREC-8 Question Answering Track Report.
    """
    return next((1.0 / rank for rank, pieces in enumerate(held[:k], 1) if pieces), 0.0)


def items_of(held: Held) -> list[int | None]:
    """The ranking with pieces of evidence as its items.

    A hit stands for the pieces that no hit before it held, in ascending order, or for one item that is
    not relevant (None). So finding the same piece twice earns nothing, and one hit that holds two pieces
    is as good as two hits.
    """
    seen: set[int] = set()
    items: list[int | None] = []
    for pieces in held:
        new = sorted(pieces - seen)
        items.extend(new or [None])
        seen.update(new)
    return items


def ndcg_at(held: Held, needed: int, k: int) -> float:
    """nDCG@k = DCG@k / IDCG@k over `items_of(held)`, with gain 1 for a piece and 0 for the rest.

        DCG@k = sum over items i = 1..k of gain_i / log2(i + 1)
        IDCG@k = sum over i = 1..min(n, k) of 1 / log2(i + 1)

    Jaervelin & Kekaelaeinen 2002, in the form with log2(i + 1) that trec_eval computes.
    """
    items = items_of(held)[:k]
    found = sum(1 / math.log2(place + 1) for place, item in enumerate(items, 1) if item is not None)
    return found / sum(1 / math.log2(place + 1) for place in range(1, min(needed, k) + 1))
