"""Fit the ranking weights: `python -m evals.fit ranking --reading FILE`.

Corpora whose number is divisible by three are kept out of the fit and only reported on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from evals.fit.examples import Example, make_examples
from evals.fit.minicorpora import MiniCorpusMaker, Vectors, group_articles
from evals.fit.reading import Article, read_articles
from evals.fit.report import ranking_figures
from evals.fit.solvers import fit_conditional_logit, fit_logistic
from evals.fit.vectors import VectorCache
from rag.corpus import window_texts
from rag.encoding.encoder import Encoder
from rag.ranking.background import Background
from rag.ranking.features import FEATURES

_HELD_OUT = 3
PACKAGE = Path(__file__).resolve().parents[2] / "rag" / "ranking"


def fit_ranking(reading: Path, cached: VectorCache, encoder: Encoder, out: Path = PACKAGE) -> dict[str, Any]:
    """Fit and write the weights; the figures on held-out articles come back.

    Args:
        reading: Gzipped JSON lines of reading-comprehension questions.
        cached: Encodes.
        encoder: The encoder it encodes with.
        out: Where `weights.json` and `background.npz` go.
    """
    articles = read_articles(reading)
    groups = group_articles(articles)
    vectors = row_vectors(articles, cached)
    maker = MiniCorpusMaker(articles, vectors)
    fitted = [position for n, positions in enumerate(groups) if n % _HELD_OUT for position in positions]
    background = _background(vectors["sentence"][maker.sentence_rows(fitted)])
    examples = make_examples(articles, groups, maker, background, cached.queries)
    train = [example for example in examples if example.corpus % _HELD_OUT]
    held_out = [example for example in examples if not example.corpus % _HELD_OUT]
    weights = _fit(train)
    figures = {
        "ranking": ranking_figures(held_out, weights["rank_weights"]),
    }
    provenance = {
        "data": f"{reading.name} (CMRC 2018, DRCD, XQuAD; CC BY-SA)",
        "data_sha256": hashlib.sha256(reading.read_bytes()).hexdigest(),
        "encoder": encoder.name,
        "encoder_revision": encoder.revision,
        "articles": len(articles),
        "examples": {"fitted": len(train), "held_out": len(held_out)},
        "held_out_figures": figures,
    }
    _write(out, weights, provenance, background, encoder.name)
    return figures


def _fit(train: Sequence[Example]) -> dict[str, Any]:
    answerable = [example for example in train if example.positive.any()]
    rank = fit_conditional_logit([(example.evidence.matrix, example.positive) for example in answerable])
    values = np.concatenate([example.evidence.matrix @ rank for example in answerable])
    labels = np.concatenate([example.positive for example in answerable])
    scale, offset = fit_logistic(values[:, None], labels, balanced=False)
    return {
        "rank_weights": rank,
        "relevance_scale": float(scale[0]),
        "relevance_offset": offset,
    }


def row_vectors(articles: Sequence[Article], cached: VectorCache) -> Vectors:
    """Vectors of all rows of articles, by kind."""
    return {
        "sentence": cached.passages([s.text for a in articles for s in a.corpus.sentences]),
        "window": cached.passages([text for a in articles for text in window_texts(a.corpus)]),
        "chunk": cached.passages([c.text for a in articles for c in a.corpus.chunks]),
    }


def _background(rows: npt.NDArray[np.float32]) -> Background:
    wide = rows.astype(np.float64)
    return Background(wide.mean(0), np.cov(wide.T))


def _write(
    out: Path, weights: dict[str, Any], provenance: dict[str, Any], background: Background, encoder: str
) -> None:
    rounded = {
        name: [round(float(v), 5) for v in value] if isinstance(value, np.ndarray) else round(value, 5)
        for name, value in weights.items()
    }
    content = {
        "features": FEATURES,
        **rounded,
        "provenance": provenance,
    }
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    (out / "weights.json").write_text(text, encoding="utf-8")
    if background.mean is None or background.covariance is None:
        raise ValueError("no background to write")
    upper = background.covariance[np.triu_indices(len(background.mean))]
    np.savez_compressed(
        out / "background.npz",
        encoder=np.array(encoder),
        mean=background.mean.astype(np.float32),
        covariance=upper.astype(np.float32),
    )
