"""`python -m evals.fit ranking|reader|confidence|measure|collections`: fit, and say how it does.

Which corpus is for what stands in `corpora.toml`; the reading set is split by article. Nothing of the
corpora that are served, nor of the questions that measure them, enters a fit.
"""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import typer

from evals.fit.cases import Case, cases_of_folder
from evals.fit.collection_cases import collection_cases
from evals.fit.collections import measure_collections
from evals.fit.confidence import confidences_of, figures, fit_models, out_of_fold, rows_of
from evals.fit.news_cases import news_cases
from evals.fit.ranking import fit_ranking
from evals.fit.reader.essay_pairs import essay_pairs
from evals.fit.reader.packing import packed, write_reader
from evals.fit.reader.reading_pairs import ReadingPairs
from evals.fit.reader.stages import train_reader
from evals.fit.reading_cases import reading_cases
from evals.fit.vectors import LogitCache, VectorCache
from rag.confidence.model import GROUPS, shipped_models
from rag.confidence.reader import WEIGHTS_FILE, BundledReader
from rag.encoding.encoder import BUNDLED_ENCODER, SentenceTransformerEncoder
from rag.ranking.model import shipped_model
from rag.settings import read_settings

_HERE = Path(__file__).resolve().parent
_CONFIDENCE = _HERE.parents[1] / "rag" / "confidence"
_FULL = "dense+words+reader"
_CALIBRATION_PASSAGES, _TEST_PASSAGES = 120, 120
_COLLECTIONS = 6
_RATES = (0.5, 0.2, 0.1)

Reading = Annotated[Path, typer.Option(help="gzipped JSON lines of reading-comprehension questions")]
News = Annotated[Path | None, typer.Option(help="gzipped JSON lines of news articles")]
Cache = Annotated[Path, typer.Option(help="where encoded rows and a half-trained reader are kept")]
_CACHE = Path("evals/out/fit")

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def ranking(reading: Reading, cache: Cache = _CACHE) -> None:
    """Fit `rag/ranking/weights.json` and `background.npz`."""
    encoder, cached = _encoder(cache)
    _show(fit_ranking(reading, cached, encoder))


@app.command()
def reader(reading: Reading, cache: Cache = _CACHE) -> None:
    """Train `rag/confidence/reader.npz`: about an hour on two cores."""
    encoder, cached = _encoder(cache)
    cases = _cases("train", cached)
    trained = train_reader(
        ReadingPairs(reading).pairs(),
        essay_pairs(cases),
        encoder.transformer,
        encoder.tokenizer,
        cache,
        lambda done, steps, loss: typer.echo(f"{done}/{steps} loss {loss:.3f}"),
    )
    arrays = packed(trained, encoder.transformer)
    write_reader(_CONFIDENCE / WEIGHTS_FILE, arrays)
    typer.echo(f"reader {arrays['revision']}")


@app.command()
def confidence(reading: Reading, cache: Cache = _CACHE) -> None:
    """Fit `rag/confidence/confidence.json` on the calibration corpora."""
    encoder, cached = _encoder(cache)
    read = LogitCache(cache, BundledReader(encoder.transformer, encoder.tokenizer))
    cases = _cases("calibration", cached)
    cases += reading_cases(
        reading, "calibration", cached, shipped_model(), max_passages=_CALIBRATION_PASSAGES
    )
    rows = rows_of(cases, read)
    read.save()
    essays = [row for row in rows if not row.corpus.startswith("reading")]
    fitted = fit_models(rows, essays)
    held_out = {name: figures(essays, out_of_fold(rows, name)[: len(essays)]) for name in GROUPS}
    content = fitted | {
        "provenance": {
            "corpora": _names("calibration"),
            "corpora_sha256": _digest("calibration"),
            "reading": f"{reading.name}, calibration side (CMRC 2018, DRCD, XQuAD; CC BY-SA)",
            "reading_sha256": hashlib.sha256(reading.read_bytes()).hexdigest(),
            "encoder": encoder.name,
            "encoder_revision": encoder.revision,
            "reader": read.revision,
            "cases": {"essays": len(essays), "reading": len(rows) - len(essays)},
            "out_of_fold_figures": held_out,
        }
    }
    text = json.dumps(content, ensure_ascii=False, indent=1) + "\n"
    (_CONFIDENCE / "confidence.json").write_text(text, encoding="utf-8")
    _show(held_out)


@app.command()
def measure(
    reading: Reading,
    news: News = None,
    folder: Annotated[list[Path], typer.Option(help="folders with documents/ and questions.jsonl")] = [],  # noqa: B006
    cache: Cache = _CACHE,
) -> None:
    """Say how confidence does on the test side of the reading set, on news and on folders of one's own."""
    encoder, cached = _encoder(cache)
    read = LogitCache(cache, BundledReader(encoder.transformer, encoder.tokenizer))
    model = shipped_models().by_name[_FULL]
    threshold = model.threshold(read_settings().false_answer_rate)
    sets: dict[str, Sequence[Case]] = {
        each.name: cases_of_folder(each, cached, shipped_model()) for each in folder
    }
    sets["reading (test)"] = reading_cases(
        reading, "test", cached, shipped_model(), max_passages=_TEST_PASSAGES
    )
    if news is not None:
        sets["news"] = news_cases(news, cached, shipped_model())
    measured = {name: rows_of(cases, read) for name, cases in sets.items()}
    read.save()
    _show({name: figures(rows, confidences_of(rows, model), threshold) for name, rows in measured.items()})


@app.command()
def collections(reading: Reading, news: News = None, cache: Cache = _CACHE) -> None:
    """Say what `cewen calibrate` is worth on small collections: of reading passages, and of news."""
    encoder, cached = _encoder(cache)
    read = LogitCache(cache, BundledReader(encoder.transformer, encoder.tokenizer))
    made = {
        "reading (test)": collection_cases(reading, "test", cached, shipped_model(), collections=_COLLECTIONS)
    }
    if news is not None:
        found = news_cases(news, cached, shipped_model())
        made["news"] = [list(cases) for _, cases in groupby(found, lambda case: case.corpus)]
    rows = {name: [rows_of(cases, read) for cases in sets] for name, sets in made.items()}
    read.save()
    models = shipped_models().by_name
    _show(
        {
            name: {
                "with the reader": measure_collections(sets, models[_FULL], read.revision, _RATES),
                "without": measure_collections(sets, models["dense+words"], None, _RATES),
            }
            for name, sets in rows.items()
        }
    )


def _encoder(cache: Path) -> tuple[SentenceTransformerEncoder, VectorCache]:
    settings = read_settings()
    encoder = SentenceTransformerEncoder(BUNDLED_ENCODER, settings.cache_dir, settings.threads)
    return encoder, VectorCache(cache, encoder)


def _names(purpose: str) -> list[str]:
    names: list[str] = tomllib.loads((_HERE / "corpora.toml").read_text(encoding="utf-8"))[purpose]
    return names


def _cases(purpose: str, cached: VectorCache) -> list[Case]:
    model = shipped_model()
    return [
        case for name in _names(purpose) for case in cases_of_folder(_HERE / "corpora" / name, cached, model)
    ]


def _digest(purpose: str) -> str:
    """SHA-256 over every file of the corpora of one purpose."""
    digest = hashlib.sha256()
    for name in _names(purpose):
        for path in sorted((_HERE / "corpora" / name).rglob("*.*")):
            digest.update(f"{path.relative_to(_HERE).as_posix()}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _show(content: Any) -> None:
    typer.echo(json.dumps(content, ensure_ascii=False, indent=1))


if __name__ == "__main__":
    app()
