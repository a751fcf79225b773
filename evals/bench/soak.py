"""Whether a server grows: tens of thousands of requests of every kind, and what the process holds meanwhile.

    python -m evals.bench.soak

A server process of its own over the sample corpus, in a data folder of its own. The reader is off, because it
takes most of the time of an answer and keeps nothing between answers: what could leak is in the rest. Two
callers send, mixed by a seed: questions whole and streamed, searches, lists, feedback, documents added,
replaced and deleted, and bad input. Memory, open files and threads are compared between an early moment,
when caches are warm, and the end.
"""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Annotated

import typer

from evals.bench.load import empty_folders
from evals.bench.server_process import Usage, started, usage_of
from evals.bench.soak_mix import Mix
from evals.schema import load_questions
from evals.service_http import new_client
from rag.errors import CewenError

_NOT_RUN = 2
_CALLERS = 2
_QUESTION_CHARS = 40

MAX_GROWTH = 1.10
MAX_MORE_FILES = 10
MAX_MORE_THREADS = 4

app = typer.Typer(add_completion=False)


@dataclass(frozen=True, slots=True)
class SoakReport:
    """What was measured.

    Attributes:
        requests: In all.
        seconds: How long they took.
        statuses: How many had which status.
        faults: Replies of 5xx but 503, and none at all.
        early_at: After how many requests `early` was taken.
        early, end: What the server held.
        growth: Memory at the end, as a multiple of the early one.
    """

    requests: int
    seconds: float
    statuses: dict[int, int]
    faults: int
    early_at: int
    early: Usage
    end: Usage
    growth: float

    def missed(self) -> list[str]:
        """Which of the targets are not met, for people."""
        targets = {
            f"内存是先前的 {self.growth} 倍，应不超过 {MAX_GROWTH}": self.growth <= MAX_GROWTH,
            f"打开的文件从 {self.early.files} 变为 {self.end.files}": (
                self.end.files <= self.early.files + MAX_MORE_FILES
            ),
            f"线程从 {self.early.threads} 变为 {self.end.threads}": (
                self.end.threads <= self.early.threads + MAX_MORE_THREADS
            ),
            f"有 {self.faults} 个请求出错": self.faults == 0,
        }
        return [words for words, met in targets.items() if not met]


def summed_up(statuses: Counter[int], seconds: float, early_at: int, early: Usage, end: Usage) -> SoakReport:
    """The report of these counts; a status of 0 is a request without a reply."""
    return SoakReport(
        requests=statuses.total(),
        seconds=round(seconds, 1),
        statuses=dict(sorted(statuses.items())),
        faults=sum(number for status, number in statuses.items() if status == 0 or status in {500, 504, 507}),
        early_at=early_at,
        early=early,
        end=end,
        growth=round(end.rss_mib / early.rss_mib, 3) if early.rss_mib else 0.0,
    )


def soaked(
    url: str, usage: Callable[[], Usage], questions: Sequence[str], requests: int, early_at: int
) -> SoakReport:
    """Send so many requests to a server that runs.

    Args:
        url: Its address.
        usage: Tells what it holds.
        questions: Asked.
        requests: In all.
        early_at: After how many it is looked at for the first time.
    """
    statuses: Counter[int] = Counter()
    lock = threading.Lock()
    begun = perf_counter()

    def send(mix: Mix, number: int) -> None:
        for _ in range(number):
            status = mix.step()
            with lock:
                statuses[status] += 1

    def send_all(number: int) -> None:
        threads = [threading.Thread(target=send, args=(mix, number // _CALLERS)) for mix in mixes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    with ExitStack() as clients:
        mixes = [Mix(clients.enter_context(new_client(url)), questions, seed) for seed in range(_CALLERS)]
        send_all(early_at)
        early = usage()
        send_all(requests - early_at)
        return summed_up(statuses, perf_counter() - begun, early_at, early, usage())


def measure(questions: Sequence[str], requests: int, early_at: int) -> SoakReport:
    """Start a server, send it so many requests, end it.

    Raises:
        CewenError: If the server cannot be started.
    """
    with TemporaryDirectory() as folder:
        settings = {"CEWEN_REQUESTS_PER_MINUTE": "0", "CEWEN_READER": "off", "CEWEN_STORE_QUESTIONS": "true"}
        with started(settings=empty_folders(Path(folder)) | settings) as server:
            return soaked(server.url, lambda: usage_of(server.pid), questions, requests, early_at)


@app.command()
def main(
    questions: Annotated[Path | None, typer.Option(help="题目文件；默认用项目的 dev 里短的题目")] = None,
    requests: Annotated[int, typer.Option(min=20, help="总共多少个请求")] = 20_000,
    early: Annotated[int, typer.Option(min=10, help="第多少个请求后第一次量")] = 2_000,
    check: Annotated[bool, typer.Option(help="有指标没有达到就以退出码 1 结束")] = False,
) -> None:
    """Measure and print as JSON."""
    from evals.paths import QUESTIONS

    try:
        (file,) = load_questions([questions or QUESTIONS / "dev.jsonl"])
        short = [row.question for row in file.questions if len(row.question) <= _QUESTION_CHARS]
        report = measure(short, requests, min(early, requests // 2))
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
