"""What becomes of `POST /v1/ask` when several times as many questions come as can be answered.

    python -m evals.bench.load

A server process of its own, over the sample corpus in a data folder of its own, without a limit of requests
a minute. First one caller alone: how long an answer takes. Then as many callers as there are places, each
asking again as soon as it is answered: the rate that can be sustained. Then, for a minute, requests at four
times that rate, each sent when its time has come, whatever became of those before. Most must be refused: at
once, with a time to come again; the others must be answered nearly as quickly as ever.

Client and server share the machine, so the client is one thread and little code.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated
from urllib.parse import urlsplit

import typer

from evals.bench.server_process import Usage, started, usage_of
from evals.measures.latency import percentile
from evals.schema import load_questions
from rag.errors import CewenError
from rag.settings import read_settings

_NOT_RUN = 2
_WARM_UP = 10
_LIMIT_SECONDS = 60.0
_REFUSED = (429, 503)

MAX_SLOWDOWN = 3.0
MAX_REFUSAL_MS = 50.0
MIN_GOODPUT = 0.8

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class Sample:
    """One request.

    Attributes:
        status: HTTP status; 0 if there was no reply.
        ms: From sending to the last byte of the reply.
        retry_after: Whether it was told when to come again.
    """

    status: int
    ms: float
    retry_after: bool


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What was measured; times in milliseconds, rates in requests a second.

    Attributes:
        unloaded_p50_ms, unloaded_p99_ms: One caller alone.
        sustainable_rate: Answers, as many callers as places.
        offered_rate: Requests of the overload.
        statuses: How many of its requests ended how.
        served_p50_ms, served_p99_ms: Of its answers.
        slowdown: served_p99_ms / unloaded_p99_ms.
        refused_p50_ms, refused_p99_ms: Of its refusals.
        goodput: Its answers a second, as a share of the sustainable rate.
        faults: Requests that were neither answered nor refused with a time to come again.
        before, after: What the server held before and after the overload.
    """

    unloaded_p50_ms: float
    unloaded_p99_ms: float
    sustainable_rate: float
    offered_rate: float
    statuses: dict[int, int]
    served_p50_ms: float
    served_p99_ms: float
    slowdown: float
    refused_p50_ms: float
    refused_p99_ms: float
    goodput: float
    faults: int
    before: Usage
    after: Usage

    def missed(self) -> list[str]:
        """Which of the targets are not met, for people."""
        targets = {
            f"作答的 p99 是空闲时的 {self.slowdown} 倍，应不超过 {MAX_SLOWDOWN}": self.slowdown
            <= MAX_SLOWDOWN,
            f"拒绝的 p99 是 {self.refused_p99_ms} 毫秒，应不超过 {MAX_REFUSAL_MS}": (
                self.refused_p99_ms <= MAX_REFUSAL_MS
            ),
            f"作答的速率是可持续的 {self.goodput}，应不低于 {MIN_GOODPUT}": self.goodput >= MIN_GOODPUT,
            f"有 {self.faults} 个请求既没有作答也没有正当地拒绝": self.faults == 0,
        }
        return [words for words, met in targets.items() if not met]


def summed_up(
    alone: Sequence[Sample],
    sustainable_rate: float,
    flood: Sequence[Sample],
    seconds: float,
    usages: tuple[Usage, Usage],
) -> LoadReport:
    """The report of these samples.

    Args:
        alone: Of one caller.
        sustainable_rate: Answers a second.
        flood: Of the overload.
        seconds: How long it lasted.
        usages: Before and after it.
    """
    unloaded = [sample.ms for sample in alone]
    served = [sample.ms for sample in flood if sample.status == 200] or [0.0]
    refused = [sample.ms for sample in flood if sample.status in _REFUSED] or [0.0]
    answers = sum(sample.status == 200 for sample in flood)
    proper = sum(sample.status in _REFUSED and sample.retry_after for sample in flood)
    return LoadReport(
        unloaded_p50_ms=round(percentile(unloaded, 0.5), 1),
        unloaded_p99_ms=round(percentile(unloaded, 0.99), 1),
        sustainable_rate=round(sustainable_rate, 2),
        offered_rate=round(len(flood) / seconds, 2),
        statuses=dict(sorted(Counter(sample.status for sample in flood).items())),
        served_p50_ms=round(percentile(served, 0.5), 1),
        served_p99_ms=round(percentile(served, 0.99), 1),
        slowdown=round(percentile(served, 0.99) / percentile(unloaded, 0.99), 2),
        refused_p50_ms=round(percentile(refused, 0.5), 1),
        refused_p99_ms=round(percentile(refused, 0.99), 1),
        goodput=round(answers / seconds / sustainable_rate, 2),
        faults=len(flood) - answers - proper,
        before=usages[0],
        after=usages[1],
    )


class Caller:
    """Asks over connections that it keeps, one request at a time on each.

    Args:
        url: The server's address.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "", parts.port or 80
        self._idle: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def __aenter__(self) -> Caller:
        return self

    async def __aexit__(self, *_: object) -> None:
        for _reader, writer in self._idle:
            writer.close()
            await writer.wait_closed()

    async def ask(self, question: str) -> Sample:
        """Ask, and wait for the whole reply."""
        body = json.dumps({"question": question}).encode()
        head = f"POST /v1/ask HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
        begun = perf_counter()
        try:
            async with asyncio.timeout(_LIMIT_SECONDS):
                reader, writer = (
                    self._idle.pop() if self._idle else await asyncio.open_connection(self._host, self._port)
                )
                writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                status, headers = _read_head(await reader.readuntil(b"\r\n\r\n"))
                await reader.readexactly(int(headers["content-length"]))
        except (OSError, EOFError, TimeoutError, KeyError, ValueError):
            return Sample(0, 1e3 * (perf_counter() - begun), False)
        ms = 1e3 * (perf_counter() - begun)
        if headers.get("connection") == "close":
            writer.close()
        else:
            self._idle.append((reader, writer))
        return Sample(status, ms, "retry-after" in headers)


def _read_head(head: bytes) -> tuple[int, dict[str, str]]:
    first, *lines = head.decode("latin-1").strip().split("\r\n")
    return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines)


async def alone(caller: Caller, questions: Sequence[str], requests: int) -> list[Sample]:
    """One caller, one question after the other; the first few are not counted."""
    samples = [await caller.ask(questions[i % len(questions)]) for i in range(_WARM_UP + requests)]
    return samples[_WARM_UP:]


async def sustained(caller: Caller, questions: Sequence[str], places: int, seconds: float) -> float:
    """Answers a second of so many callers that always ask."""
    ends = perf_counter() + seconds
    answered = 0

    async def keep_asking(first: int) -> None:
        nonlocal answered
        asked = first
        while perf_counter() < ends:
            answered += (await caller.ask(questions[asked % len(questions)])).status == 200
            asked += places

    begun = perf_counter()
    await asyncio.gather(*map(keep_asking, range(places)))
    return answered / (perf_counter() - begun)


async def flooded(caller: Caller, questions: Sequence[str], rate: float, seconds: float) -> list[Sample]:
    """So many requests a second, whatever becomes of them."""
    begun = perf_counter()
    tasks = []
    for number in range(int(rate * seconds)):
        await asyncio.sleep(max(0.0, begun + number / rate - perf_counter()))
        tasks.append(asyncio.create_task(caller.ask(questions[number % len(questions)])))
    return list(await asyncio.gather(*tasks))


async def _measure(url: str, pid: int, questions: Sequence[str], seconds: float, factor: float) -> LoadReport:
    async with Caller(url) as caller:
        quiet = await alone(caller, questions, 100)
        rate = await sustained(caller, questions, read_settings().max_concurrent, seconds / 3)
        before = usage_of(pid)
        flood = await flooded(caller, questions, factor * rate, seconds)
        return summed_up(quiet, rate, flood, seconds, (before, usage_of(pid)))


def measure(questions: Sequence[str], seconds: float, factor: float) -> LoadReport:
    """Start a server, overload it, end it.

    Args:
        questions: Asked in turn.
        seconds: How long the overload lasts.
        factor: Of the sustainable rate.

    Raises:
        CewenError: If the server cannot be started.
    """
    with (
        TemporaryDirectory() as folder,
        started(settings=empty_folders(Path(folder)) | {"CEWEN_REQUESTS_PER_MINUTE": "0"}) as server,
    ):
        return asyncio.run(_measure(server.url, server.pid, questions, seconds, factor))


def empty_folders(folder: Path) -> dict[str, str]:
    """Settings that keep a server's index and library, and nobody else's, below a folder."""
    return {"CEWEN_DATA_DIR": str(folder / "data"), "CEWEN_INDEX_DIR": str(folder / "index")}


@app.command()
def main(
    questions: Annotated[Path | None, typer.Option(help="题目文件；默认用项目的 dev")] = None,
    seconds: Annotated[float, typer.Option(min=3, help="过载持续多少秒")] = 60.0,
    factor: Annotated[float, typer.Option(min=1, help="可持续速率的多少倍")] = 4.0,
    check: Annotated[bool, typer.Option(help="有指标没有达到就以退出码 1 结束")] = False,
) -> None:
    """Measure and print as JSON."""
    from evals.paths import QUESTIONS

    try:
        (file,) = load_questions([questions or QUESTIONS / "dev.jsonl"])
        report = measure([row.question for row in file.questions if not row.history], seconds, factor)
    except CewenError as error:
        typer.secho(error.message, fg="red", err=True)
        raise typer.Exit(_NOT_RUN) from error
    typer.echo(json.dumps(asdict(report), indent=1))
    for words in report.missed():
        typer.secho(words, fg="red", err=True)
    if check and report.missed():
        raise typer.Exit(1)


if __name__ == "__main__":
    app()
