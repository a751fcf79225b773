"""The measurement of a living library, on a small one with an encoder that costs nothing."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import numpy as np
import pytest

from evals.bench.living import Bench, add, measure_adding, measure_asking, measure_starts, measure_storm
from evals.bench.living_library import StandInEncoder, Texts, chunks_of, peak_rss_mib, source_of, write_files
from evals.bench.living_report import LivingReport
from rag.errors import CewenError
from rag.reading.decoding import read_source
from rag.settings import Settings
from tests.counting_encoder import CountingEncoder
from tests.invented_text import FIELDS, make_paragraph


@pytest.fixture(scope="module")
def texts(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    rng, words = random.Random(0), FIELDS[0]  # noqa: S311
    path = tmp_path_factory.mktemp("texts") / "texts.jsonl.gz"
    with gzip.open(path, "wt", encoding="utf-8") as lines:
        for number in range(700):
            text = f"第{number}篇。{make_paragraph(rng, words)}"
            lines.write(json.dumps({"text": text, "question": f"第{number % 7}篇说什么？"}) + "\n")
            lines.write(json.dumps({"passage": text}) + "\n")
    return Texts((path,))


@pytest.fixture
def bench(tmp_path: Path, texts: Texts) -> Bench:
    folders = {name: tmp_path / name for name in ("seeds_dir", "index_dir", "store_dir")}
    settings = Settings(reader="off", **folders)  # type: ignore[arg-type]
    return Bench(settings, CountingEncoder(), iter(texts), texts.questions(3), repeats=1)


def test_texts_and_questions_come_once(texts: Texts) -> None:
    found = list(texts)
    assert len(found) == len(set(found)) == 700
    assert texts.questions(3) == ["第0篇说什么？", "第2篇说什么？", "第4篇说什么？"]


def test_the_stand_in_gives_unit_vectors_and_the_same_ones_again() -> None:
    encoder = StandInEncoder(CountingEncoder())
    rows = encoder.encode_passages(["茶", "船", "茶"])
    assert rows.dtype == np.float32
    assert np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-6)
    assert np.array_equal(rows, encoder.encode_passages(["茶", "船", "茶"]))
    assert not np.array_equal(rows, encoder.encode_passages(["茶", "船", "船"]))
    assert np.array_equal(encoder.encode_queries(["茶"]), CountingEncoder().encode_queries(["茶"]))
    assert (encoder.name, encoder.revision, encoder.dimension) == ("counting", "1", 12)


def test_files_hold_what_was_asked_for(bench: Bench) -> None:
    made = write_files(bench.texts, bench.settings.seeds_dir, 20, bench.settings)
    files = sorted(bench.settings.seeds_dir.iterdir())
    read = [read_source(path.name, path.read_bytes()) for path in files]
    assert made == sum(chunks_of(source, bench.settings) for source in read) >= 20
    assert chunks_of(source_of(bench.texts, "一.txt", 1, bench.settings), bench.settings) == 1
    assert chunks_of(source_of(bench.texts, "十.txt", 10, bench.settings), bench.settings) >= 10


def test_it_measures_all_of_it(bench: Bench) -> None:
    report = LivingReport()
    measure_starts(bench, 100, report)
    with bench.opened() as library:
        measure_adding(bench, library, report)
        measure_asking(bench, library, report)
        measure_storm(bench, library, report, 0.2)
        (info,) = library.collections()
    assert info.chunks >= 100
    states = {"behind", "missing", "current", "removed"}
    assert set(report.start_seconds) == set(report.peak_rss_mib) == states
    assert set(report.start_processor_seconds) == states
    assert set(report.adding) == {1, 10, 100}
    assert all(time > 0 for times in report.adding.values() for time in times.values())
    assert set(report.asking) == {"all", "half", "ten"}
    assert min(report.storm["alone_p95_ms"], report.storm["adding_p95_ms"]) > 0


def test_what_was_not_added_is_said(bench: Bench) -> None:
    bench.settings.seeds_dir.mkdir()
    (bench.settings.seeds_dir / "一.txt").write_text("山里的茶树长得很慢。", encoding="utf-8")
    with bench.opened() as library, pytest.raises(CewenError):
        add(library, read_source("空.txt", b"\n"))


def test_memory_is_weighed_where_the_system_tells() -> None:
    assert peak_rss_mib(lambda: None) >= 0
