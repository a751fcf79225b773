"""Latency, memory and start-up of the service, against the encoder's own time on the same machine.

    python -m evals.bench.latency

A server process of its own answers `POST /v1/ask` for every question without history; in between, this
process encodes the same question with the same encoder, so that both meet the same load of the machine.
The ratio of the two medians says what everything but the encoder costs; absolute times only say what
machine it was.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated

import typer

from evals.measures.latency import percentile
from evals.schema import load_questions
from rag.errors import CewenError

_WARM_UP = 5
_NOT_RUN = 2

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class LatencyReport:
    """What was measured; times in milliseconds unless the name says otherwise.

    Attributes:
        requests: How many times each was timed.
        ask_p50_ms, ask_p95_ms: `POST /v1/ask`, as the caller sees it.
        encode_p50_ms: The encoder alone, one question.
        ratio: ask_p50_ms / encode_p50_ms.
        cold_start_seconds: From starting the process to being ready, with the index built.
        peak_rss_mib: Largest resident memory of the server process.
        cores: Of this machine, as far as this process may use them.
    """

    requests: int
    ask_p50_ms: float
    ask_p95_ms: float
    encode_p50_ms: float
    ratio: float
    cold_start_seconds: float
    peak_rss_mib: float
    cores: int


def time_both(
    questions: Sequence[str], ask: Callable[[str], object], encode: Callable[[str], object]
) -> tuple[list[float], list[float]]:
    """Times in milliseconds of asking and of encoding each question, taken alternately.

    The first few questions are done once before, untimed: what is measured is a warm service.
    """
    for question in questions[:_WARM_UP]:
        ask(question)
        encode(question)
    asked: list[float] = []
    encoded: list[float] = []
    for question in questions:
        for work, times in ((ask, asked), (encode, encoded)):
            started = perf_counter()
            work(question)
            times.append(1e3 * (perf_counter() - started))
    return asked, encoded


def summed_up(
    asked: Sequence[float], encoded: Sequence[float], cold_start_seconds: float, peak_rss_bytes: int
) -> LatencyReport:
    """The report of these times."""
    ask, encode = percentile(asked, 0.5), percentile(encoded, 0.5)
    return LatencyReport(
        requests=len(asked),
        ask_p50_ms=round(ask, 2),
        ask_p95_ms=round(percentile(asked, 0.95), 2),
        encode_p50_ms=round(encode, 2),
        ratio=round(ask / encode, 3),
        cold_start_seconds=round(cold_start_seconds, 2),
        peak_rss_mib=round(peak_rss_bytes / 2**20, 1),
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
    )


def measure(questions: Sequence[str]) -> LatencyReport:
    """Start a server, ask it, end it.

    Args:
        questions: Each is asked once, timed.

    Raises:
        CewenError: If encoder or server cannot be started.
    """
    from api.assembly import load_encoder
    from evals.bench.server_process import started
    from evals.service_http import HttpService, new_client
    from rag.settings import read_settings

    encoder = load_encoder(read_settings())
    with started() as server, new_client(server.url) as client:
        service = HttpService(client)
        asked, encoded = time_both(
            questions,
            lambda question: service.ask(question, ()),
            lambda question: encoder.encode_queries([question]),
        )
    return summed_up(asked, encoded, server.cold_start_seconds, server.peak_rss_bytes)


@app.command()
def main(
    questions: Annotated[Path | None, typer.Option(help="题目文件；默认用项目的 dev")] = None,
    out: Annotated[Path | None, typer.Option(help="另写成 JSON 文件")] = None,
    max_ratio: Annotated[float, typer.Option(help="比值超过它就以退出码 1 结束")] = float("inf"),
    max_rss_mib: Annotated[float, typer.Option(help="内存超过它就以退出码 1 结束")] = float("inf"),
) -> None:
    """Measure and print as JSON."""
    from evals.outputs import write_text
    from evals.paths import QUESTIONS

    try:
        (file,) = load_questions([questions or QUESTIONS / "dev.jsonl"])
        report = measure([row.question for row in file.questions if not row.history])
        text = json.dumps(asdict(report), indent=1)
        typer.echo(text)
        if out is not None:
            write_text(out, text + "\n")
    except CewenError as error:
        typer.secho(error.message, fg="red", err=True)
        raise typer.Exit(_NOT_RUN) from error
    if report.ratio > max_ratio or report.peak_rss_mib > max_rss_mib:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
