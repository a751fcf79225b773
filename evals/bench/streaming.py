"""How soon a streamed answer begins, against the same answer whole, in one run.

    python -m evals.bench.streaming

For each question in turn: the whole answer, then the stream of our own format, then that of the OpenAI
format. First byte is what keeps a proxy or a person waiting; first text is the first verified sentence,
which with the extractive generator comes when nearly all the work is done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Annotated, Any

import httpx
import typer

from evals.measures.latency import percentile
from evals.schema import load_questions
from rag.errors import CewenError

_WARM_UP = 3
_NOT_RUN = 2

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """Milliseconds from sending the request."""

    first_byte: float
    first_text: float
    end: float


@dataclass(frozen=True, slots=True)
class StreamingReport:
    """Medians in milliseconds, and their ratios to the whole answer's.

    Attributes:
        requests: Questions asked in each way.
        whole_p50_ms: `POST /v1/ask` without `stream`.
        native, openai: Medians of the stream.
        first_byte_ratio, first_text_ratio: Of our own stream, to the whole.
    """

    requests: int
    whole_p50_ms: float
    native: StreamTimes
    openai: StreamTimes
    first_byte_ratio: float
    first_text_ratio: float


def has_text(line: str) -> bool:
    """Whether a line of an event stream, in either format, brings text of the answer."""
    if not line.startswith("data: {"):
        return False
    data: dict[str, Any] = json.loads(line.removeprefix("data: "))
    choices = data.get("choices") or [{}]
    return bool(data.get("text") or choices[0].get("delta", {}).get("content"))


def timed_lines(lines: Iterator[str], started: float) -> StreamTimes:
    """When first line, first text and end of a stream came; text that never comes counts as the end."""
    first_byte = first_text = 0.0
    for line in lines:
        now = 1e3 * (perf_counter() - started)
        first_byte = first_byte or now
        if not first_text and has_text(line):
            first_text = now
    end = 1e3 * (perf_counter() - started)
    return StreamTimes(first_byte or end, first_text or end, end)


def medians(times: Sequence[StreamTimes]) -> StreamTimes:
    """The median of each time by itself."""
    columns = [[getattr(row, name) for row in times] for name in ("first_byte", "first_text", "end")]
    return StreamTimes(*(round(percentile(column, 0.5), 2) for column in columns))


def summed_up(
    whole: Sequence[float], native: Sequence[StreamTimes], openai: Sequence[StreamTimes]
) -> StreamingReport:
    """The report of these times."""
    middle, ours = percentile(whole, 0.5), medians(native)
    return StreamingReport(
        requests=len(whole),
        whole_p50_ms=round(middle, 2),
        native=ours,
        openai=medians(openai),
        first_byte_ratio=round(ours.first_byte / middle, 3),
        first_text_ratio=round(ours.first_text / middle, 3),
    )


def measure(questions: Sequence[str]) -> StreamingReport:
    """Start a server, ask it each question in three ways, end it.

    Raises:
        CewenError: If the server cannot be started.
    """
    from evals.bench.server_process import started
    from evals.service_http import new_client

    whole: list[float] = []
    native: list[StreamTimes] = []
    openai: list[StreamTimes] = []
    with started() as server, new_client(server.url) as client:
        for question in [*questions[:_WARM_UP], *questions]:
            begun = perf_counter()
            client.post("/v1/ask", json={"question": question}).raise_for_status()
            whole.append(1e3 * (perf_counter() - begun))
            native.append(_streamed(client, "/v1/ask", {"question": question}))
            messages = [{"role": "user", "content": question}]
            openai.append(_streamed(client, "/v1/chat/completions", {"model": "cewen", "messages": messages}))
    return summed_up(whole[_WARM_UP:], native[_WARM_UP:], openai[_WARM_UP:])


def _streamed(client: httpx.Client, path: str, body: dict[str, Any]) -> StreamTimes:
    started = perf_counter()
    with client.stream("POST", path, json={**body, "stream": True}) as reply:
        reply.raise_for_status()
        return timed_lines(reply.iter_lines(), started)


@app.command()
def main(
    questions: Annotated[Path | None, typer.Option(help="题目文件；默认用项目的 dev")] = None,
    max_first_byte_ratio: Annotated[float, typer.Option(help="比值超过它就以退出码 1 结束")] = 1.0,
) -> None:
    """Measure and print as JSON."""
    from evals.paths import QUESTIONS

    try:
        (file,) = load_questions([questions or QUESTIONS / "dev.jsonl"])
        report = measure([row.question for row in file.questions if not row.history])
    except CewenError as error:
        typer.secho(error.message, fg="red", err=True)
        raise typer.Exit(_NOT_RUN) from error
    typer.echo(json.dumps(asdict(report), indent=1))
    if report.first_byte_ratio > max_first_byte_ratio:
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
