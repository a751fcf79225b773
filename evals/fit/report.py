"""Figures on held-out corpora, for the provenance that travels with the weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from evals.fit.examples import Example
from rag.ranking.model import question_features


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


def confidence_figures(examples: Sequence[Example], weights: dict[str, Any]) -> dict[str, float]:
    """Area under the ROC curve of the confidence, against each way of being unanswerable."""
    from sklearn.metrics import roc_auc_score

    scores = np.array(
        [
            question_features(e.evidence, e.evidence.matrix @ weights["rank_weights"], e.lacking)
            @ weights["confidence_weights"]
            for e in examples
        ]
    )
    good = np.array([e.made == "answerable" for e in examples])
    groups = {
        "AUROC": good | True,
        "AUROC swapped": good | np.array([e.made == "swapped" for e in examples]),
        "AUROC left out, near topic": good | np.array([e.made == "left out" and e.near for e in examples]),
        "AUROC left out, off topic": good | np.array([e.made == "left out" and not e.near for e in examples]),
    }
    return {name: round(float(roc_auc_score(good[mask], scores[mask])), 4) for name, mask in groups.items()}
