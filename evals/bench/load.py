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
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated
from urllib.parse import urlsplit

import typer

from evals.bench.load_report import LoadReport, Sample, summed_up
from evals.bench.server_process import started, usage_of
from evals.schema import load_questions
from rag.errors import CewenError
from rag.settings import read_settings

_NOT_RUN = 2
_WARM_UP = 10
_LIMIT_SECONDS = 60.0


app = typer.Typer(add_completion=False)


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
