"""A `cewen serve` process of our own: when it is ready, and how much memory it took in all its life."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter, sleep

import httpx

from evals.service_http import new_client
from rag.errors import UnavailableError

COMMAND = (
    sys.executable,
    "-c",
    "from api.cli.commands import main; main()",
    "serve",
    "--host",
    "127.0.0.1",
    "--port",
    "0",
)
_ADDRESS = re.compile(rb"https?://[^\s/]+")
_NUMBER = r"^{}:\s+(\d+)"
_START_SECONDS = 300.0
_POLL_SECONDS = 0.02
_STOP_SECONDS = 15.0


@dataclass
class ServerProcess:
    """A running server.

    Attributes:
        url: Its address.
        cold_start_seconds: From the start of the process to the first 200 of `/readyz`.
        pid: Of the process.
        peak_rss_bytes: Largest resident memory; 0 until it has ended.
    """

    url: str
    cold_start_seconds: float
    pid: int
    peak_rss_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a running process holds; all 0 where the system does not tell.

    Attributes:
        rss_mib: Resident memory.
        files: Open file descriptors.
        threads: Of the process.
    """

    rss_mib: float
    files: int
    threads: int


def usage_of(pid: int) -> Usage:
    """What a running process holds now."""
    try:
        files = len(list(Path(f"/proc/{pid}/fd").iterdir()))
    except OSError:
        files = 0
    return Usage(round(_status(pid, "VmRSS") / 1024, 1), files, _status(pid, "Threads"))


@contextmanager
def started(
    command: Sequence[str] = COMMAND, settings: Mapping[str, str] | None = None
) -> Iterator[ServerProcess]:
    """Run a server until the block ends; `peak_rss_bytes` is known after that.

    Args:
        command: Prints its address on stdout when it listens.
        settings: Environment variables beside those of this process.

    Raises:
        UnavailableError: If it ends or does not get ready in five minutes.
    """
    begun = perf_counter()
    environment = {**os.environ, **(settings or {})}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment)
    server: ServerProcess | None = None
    try:
        url = _address(process)
        with new_client(url) as client:
            _wait_ready(client, process)
        server = ServerProcess(url, perf_counter() - begun, process.pid)
        yield server
    finally:
        peak = _end(process)
        if server is not None:
            server.peak_rss_bytes = peak


def _address(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None  # noqa: S101 -- it was opened as a pipe
    for line in process.stdout:
        if found := _ADDRESS.search(line):
            return found[0].decode()
    raise UnavailableError("服务没有打印地址就结束了。请先运行 cewen serve 看看它说什么。")


def _wait_ready(client: httpx.Client, process: subprocess.Popen[bytes]) -> None:
    limit = monotonic() + _START_SECONDS
    while monotonic() < limit and process.poll() is None:
        try:
            if client.get("/readyz").is_success:
                return
        except httpx.TransportError:
            pass  # it does not listen yet
        sleep(_POLL_SECONDS)
    raise UnavailableError("服务没有准备好。请先运行 cewen serve 看看它说什么。")


def _end(process: subprocess.Popen[bytes]) -> int:
    """End the process and tell its largest resident memory in bytes; 0 if it had ended by itself."""
    if process.stdout is not None:
        process.stdout.close()
    if process.poll() is not None:
        return 0
    peak = _high_water_mark(process.pid)
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return peak


def _high_water_mark(pid: int) -> int:
    """Largest resident memory of a running process in bytes; 0 where the system does not tell.

    Not `ru_maxrss`: that of a child also counts what its parent held when it was forked.
    """
    return _status(pid, "VmHWM") * 1024


def _status(pid: int, name: str) -> int:
    """A number (of kB, where it is memory) that the system tells of a process; 0 where it tells none."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    found = re.search(_NUMBER.format(name), status, re.MULTILINE)
    return int(found[1]) if found else 0
