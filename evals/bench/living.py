"""Size and speed of a library of very many chunks: starting, adding, removing, asking, asking meanwhile.

    python -m evals.bench.living TEXTS.jsonl.gz ... --chunks 50000

The bulk gets vectors that cost nothing (`evals.bench.living_library`); what is added afterwards and every
question is encoded by the encoder of the settings. Adding is compared with encoding the same texts alone, in
the same run, because absolute times only say what machine it was. Loading the model is not part of any time.
"""

from __future__ import annotations

import gc
import itertools
import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import TYPE_CHECKING, Annotated

import typer

from evals.bench.living_library import StandInEncoder, Texts, peak_rss_mib, source_of, write_files
from evals.bench.living_report import LivingReport
from evals.measures.latency import percentile
from rag.encoding.encoder import Encoder
from rag.errors import CewenError
from rag.metadata import Filters
from rag.records import Metadata, Source
from rag.rows import rows_of_source
from rag.settings import Settings, read_settings

if TYPE_CHECKING:
    from api.assembly import Library
    from rag.engine import Engine

_SIZES = (1, 10, 100)
_WAIT_SECONDS = 600.0
_NOT_RUN = 2

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Bench:
    """What all measurements need.

    Attributes:
        settings: Those of a library of its own.
        encoder: The real one, loaded.
        texts: What is added comes from here, each text once.
        questions: What is asked.
        repeats: How often each thing is added.
    """

    settings: Settings
    encoder: Encoder
    texts: Iterator[str]
    questions: Sequence[str]
    repeats: int

    def opened(self, encoder: Encoder | None = None, *, keep_writing: bool = True) -> Library:
        """The library, open, with the real encoder or with another."""
        from api.assembly import open_library

        used = encoder or self.encoder
        return open_library(self.settings, encoder=used, writable=True, keep_writing=keep_writing)

    def settle(self) -> None:
        """Take in what is in its folder, with vectors that cost nothing, and have the index written."""
        self.opened(StandInEncoder(self.encoder), keep_writing=False).close()


def milliseconds(work: Callable[[], object]) -> float:
    """How long some work takes."""
    started = perf_counter()
    work()
    return 1e3 * (perf_counter() - started)


def measure_starts(bench: Bench, chunks: int, report: LivingReport) -> None:
    """Build the library, and open it with the index behind, missing, current and with a document removed."""
    seeds = bench.settings.seeds_dir
    write_files(bench.texts, seeds, chunks - chunks // 100, bench.settings)
    bench.settle()
    write_files(bench.texts, seeds, chunks // 100, bench.settings)
    bench.settle()  # so few come into the store, and into no index
    for state in ("behind", "missing", "current", "removed"):
        if state == "missing":
            shutil.rmtree(bench.settings.index_dir)
        _measure_start(bench, state, report)
        if state == "missing":
            bench.settle()
        if state == "current":
            with bench.opened() as library:
                library.remove("default", library.engine().documents()[0].document_id)


def _measure_start(bench: Bench, state: str, report: LivingReport) -> None:
    gc.collect()
    times: list[tuple[float, float]] = []

    def start() -> None:
        started, worked = perf_counter(), process_time()
        library = bench.opened()
        times.append((perf_counter() - started, process_time() - worked))
        library.close()

    report.peak_rss_mib[state] = peak_rss_mib(start)
    report.start_seconds[state], report.start_processor_seconds[state] = (round(t, 2) for t in times[0])


def measure_adding(bench: Bench, library: Library, report: LivingReport) -> None:
    """Add sources of several sizes, change what is said of them, replace and remove them."""
    for size in _SIZES:
        rows = [_one_of_each(bench, library, size, number) for number in range(bench.repeats)]
        found = {name: round(median(row[name] for row in rows), 1) for name in rows[0]}
        found["ratio"] = round(median(row["add_ms"] / row["encode_ms"] for row in rows), 2)
        report.adding[size] = found


def _one_of_each(bench: Bench, library: Library, size: int, number: int) -> dict[str, float]:
    source, other = (
        source_of(bench.texts, f"added-{size}-{number}-{which}.txt", size, bench.settings) for which in "ab"
    )
    rows = rows_of_source(source, chunk_max_chars=bench.settings.chunk_max_chars)
    texts = [chunk.text for one in rows for chunk in one.chunks]
    texts += [text for one in rows for text in (*(row.text for row in one.sentences), *one.windows())]
    described = replace(source, metadata=Metadata(tags=("described",)))
    return {
        "encode_ms": milliseconds(lambda: bench.encoder.encode_passages(texts)),
        "add_ms": milliseconds(lambda: add(library, source)),
        "describe_ms": milliseconds(lambda: add(library, described)),
        "replace_ms": milliseconds(lambda: add(library, other, replaces=source.source_id)),
        "remove_ms": milliseconds(lambda: library.remove("default", other.source_id)),
    }


def add(library: Library, source: Source, replaces: str | None = None) -> None:
    """Add a source and wait until it is found.

    Raises:
        CewenError: If it was not added.
    """
    from api.assembly import Upload

    job = library.add("default", Upload(source), replaces=replaces)
    job = library.wait(job.job_id, _WAIT_SECONDS)
    if job.state != "done":
        raise CewenError(f"{source.name} 没有加进去：{job.error_message or job.state}。请查看日志。")


def measure_asking(bench: Bench, library: Library, report: LivingReport) -> None:
    """Ask all, half and ten of the documents."""
    ids = [document.document_id for document in library.engine().documents()]
    chosen: dict[str, Filters | None] = {
        "all": None,
        "half": Filters(document_ids=tuple(ids[::2])),
        "ten": Filters(document_ids=tuple(ids[:: max(1, len(ids) // 10)][:10])),
    }
    for name, filters in chosen.items():

        def engine(filters: Filters | None = filters) -> Engine:
            return library.engine("default", filters)

        engine().ask(bench.questions[0])
        asks = [milliseconds(lambda q=q: engine().ask(q)) for q in bench.questions]  # type: ignore[misc]
        searches = [milliseconds(lambda q=q: engine().search(q)) for q in bench.questions]  # type: ignore[misc]
        report.asking[name] = {
            "ask_p50_ms": round(median(asks), 1),
            "ask_p95_ms": round(percentile(asks, 0.95), 1),
            "search_p50_ms": round(median(searches), 1),
        }
    report.examples_seconds = round(milliseconds(library.engine().examples) / 1e3, 2)


def measure_storm(bench: Bench, library: Library, report: LivingReport, seconds: float) -> None:
    """Ask in two threads, first alone and then while sources of ten chunks are added."""
    for name, adds in (("alone_p95_ms", False), ("adding_p95_ms", True)):
        stop, times = threading.Event(), list[float]()

        def ask(stop: threading.Event = stop, times: list[float] = times) -> None:
            for question in itertools.cycle(bench.questions):
                if stop.is_set():
                    return
                times.append(milliseconds(lambda: library.engine().ask(question)))  # noqa: B023

        threads = [threading.Thread(target=ask) for _ in range(2)]
        for thread in threads:
            thread.start()
        ends, number = perf_counter() + seconds, 0
        while adds and perf_counter() < ends:
            add(library, source_of(bench.texts, f"storm-{number}.txt", 10, bench.settings))
            number += 1
        stop.wait(max(0.0, ends - perf_counter()))
        stop.set()
        for thread in threads:
            thread.join()
        report.storm[name] = round(percentile(times, 0.95), 1)


@app.command()
def main(
    texts: Annotated[list[Path], typer.Argument(help="每行一个 JSON 的 .jsonl.gz，字段 text 或 passage")],
    chunks: Annotated[int, typer.Option(help="文库的块数", min=100)] = 50_000,
    repeats: Annotated[int, typer.Option(help="每种添加做几次", min=1)] = 5,
    storm_seconds: Annotated[float, typer.Option(help="边添加边提问测多久", min=0.1)] = 20.0,
    out: Annotated[Path | None, typer.Option(help="另写成 JSON 文件")] = None,
) -> None:
    """Measure and print as JSON."""
    from evals.outputs import write_text

    try:
        with tempfile.TemporaryDirectory(prefix="cewen-bench-") as folder:
            report = measure(Texts(tuple(texts)), Path(folder), chunks, repeats, storm_seconds)
        text = json.dumps(asdict(report), indent=1)
        typer.echo(text)
        if out is not None:
            write_text(out, text + "\n")
    except CewenError as error:
        typer.secho(error.message, fg="red", err=True)
        raise typer.Exit(_NOT_RUN) from error


def measure(texts: Texts, folder: Path, chunks: int, repeats: int, storm_seconds: float) -> LivingReport:
    """Everything, in a folder of its own.

    Raises:
        CewenError: If the library or the encoder cannot be opened.
    """
    from api.assembly import load_encoder

    own = {name: folder / name.removesuffix("_dir") for name in ("seeds_dir", "index_dir", "store_dir")}
    settings = read_settings().model_copy(update=own)
    bench = Bench(settings, load_encoder(settings), iter(texts), texts.questions(60), repeats)
    report = LivingReport()
    measure_starts(bench, chunks, report)
    with bench.opened() as library:
        (info,) = library.collections()
        report.chunks, report.documents = info.chunks, info.documents
        report.store_mib, report.index_mib = (_mib(own[name]) for name in ("store_dir", "index_dir"))
        gc.collect()
        gc.freeze()  # as `cewen serve` does
        measure_adding(bench, library, report)
        measure_asking(bench, library, report)
        measure_storm(bench, library, report, storm_seconds)
    gc.unfreeze()
    return report


def _mib(folder: Path) -> float:
    return round(sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 2**20, 1)


if __name__ == "__main__":
    app()
