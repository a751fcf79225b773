"""Figures on held-out corpora, for the provenance that travels with the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evals.fit.examples import Example


def ranking_figures(examples: Sequence[Example], weights: Any) -> dict[str, float]:
    """Share of answerable questions with their answer in the first sentence, chunk, five chunks."""
    hits: list[tuple[bool, bool, bool]] = []
    for example in examples:
        if not example.positive.any():
            continue
        order = np.argsort(-(example.evidence.matrix @ weights), kind="stable")
        chunks = list(dict.fromkeys(example.chunks[order].tolist()))
        right = set(example.chunks[example.positive].tolist())
        rank = next(place for place, chunk in enumerate(chunks) if chunk in right)
        hits.append((bool(example.positive[order[0]]), rank < 1, rank < 5))
    sentence, first, five = np.mean(hits, axis=0).round(4).tolist()
    return {"questions": len(hits), "sentence R@1": sentence, "chunk R@1": first, "chunk R@5": five}
