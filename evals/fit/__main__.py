"""`python -m evals.fit --reading FILE`: fit the ranking weights and write them with their provenance.

Corpora whose number is divisible by three are kept out of the fit and only reported on.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import typer

from evals.fit.examples import Example, make_examples
from evals.fit.minicorpora import MiniCorpusMaker, Vectors, group_articles
from evals.fit.reading import Article, read_articles
from evals.fit.report import confidence_figures, ranking_figures
from evals.fit.solvers import fit_conditional_logit, fit_logistic
from rag.corpus import window_texts
from rag.encoding.encoder import BUNDLED_ENCODER, Encoder, SentenceTransformerEncoder
from rag.ranking.background import Background
from rag.ranking.features import FEATURES
from rag.ranking.model import QUESTION_FEATURES, question_features
from rag.settings import read_settings

_HELD_OUT = 3
_PACKAGE = Path(__file__).resolve().parents[2] / "rag" / "ranking"


def main(
    reading: Annotated[Path, typer.Option(help="gzipped JSON lines of reading-comprehension questions")],
    cache: Annotated[Path, typer.Option(help="where encoded rows are kept between runs")] = Path(
        "evals/out/fit"
    ),
    out: Annotated[Path, typer.Option(help="where weights.json and background.npz go")] = _PACKAGE,
) -> None:
    """Fit ranking and confidence on reading comprehension, held-out articles reported."""
    settings = read_settings()
    encoder = SentenceTransformerEncoder(BUNDLED_ENCODER, settings.cache_dir, settings.threads)
    articles = read_articles(reading)
    groups = group_articles(articles)
    cached = _Cache(cache, encoder)
    vectors = _rows(articles, cached)
    maker = MiniCorpusMaker(articles, vectors)
    fitted = [position for n, positions in enumerate(groups) if n % _HELD_OUT for position in positions]
    background = _background(vectors["sentence"][maker.sentence_rows(fitted)])
    examples = make_examples(articles, groups, maker, background, cached.queries)
    train = [example for example in examples if example.corpus % _HELD_OUT]
    held_out = [example for example in examples if not example.corpus % _HELD_OUT]
    weights = _fit(train)
    figures = {
        "ranking": ranking_figures(held_out, weights["rank_weights"]),
        "confidence": confidence_figures(held_out, weights),
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
    typer.echo(json.dumps(figures, ensure_ascii=False, indent=1))


def _fit(train: Sequence[Example]) -> dict[str, Any]:
    answerable = [example for example in train if example.positive.any()]
    rank = fit_conditional_logit([(example.evidence.matrix, example.positive) for example in answerable])
    values = np.concatenate([example.evidence.matrix @ rank for example in answerable])
    labels = np.concatenate([example.positive for example in answerable])
    scale, offset = fit_logistic(values[:, None], labels, balanced=False)
    inputs = np.stack([question_features(e.evidence, e.evidence.matrix @ rank, e.lacking) for e in train])
    slopes, intercept = fit_logistic(inputs, np.array([e.made == "answerable" for e in train]), balanced=True)
    return {
        "rank_weights": rank,
        "relevance_scale": float(scale[0]),
        "relevance_offset": offset,
        "confidence_weights": slopes,
        "confidence_offset": intercept,
    }


class _Cache:
    """Encoded texts, kept by a hash over the texts and the encoder."""

    def __init__(self, folder: Path, encoder: Encoder) -> None:
        self._folder = folder
        self._encoder = encoder
        folder.mkdir(parents=True, exist_ok=True)

    def queries(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self._kept("query", texts)

    def passages(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        return self._kept("passage", texts)

    def _kept(self, kind: str, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        key = hashlib.sha256("\0".join([self._encoder.revision, kind, *texts]).encode()).hexdigest()[:16]
        path = self._folder / f"{kind}-{key}.npy"
        if not path.exists():
            encode = self._encoder.encode_queries if kind == "query" else self._encoder.encode_passages
            np.save(path, encode(texts))
        rows: npt.NDArray[np.float32] = np.load(path)
        return rows


def _rows(articles: Sequence[Article], cached: _Cache) -> Vectors:
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
        "question_features": QUESTION_FEATURES,
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


if __name__ == "__main__":
    typer.run(main)
