"""Starts the workers of `fault_child`, listens to them, kills them, and looks at what they leave behind."""

from __future__ import annotations

import json
import os
import secrets
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.fault_library import Model, Operation, source_id

Part = TypeVar("Part")

PROJECT = Path(__file__).resolve().parent.parent
SHIM = Path(__file__).with_name("fault_shim.c")
_PATIENCE_SECONDS = 120.0


@cache
def nightly_seed() -> int:
    """`FAULT_SEED`, or another one each night; printed, so that a night can be had again."""
    return int(os.environ.get("FAULT_SEED") or secrets.randbelow(1_000_000))


def compiled_shim(folder: Path) -> Path:
    """The shim, compiled; skips the test where that is not possible."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("needs Linux and a C compiler (`cc`) to stand between a process and its disk")
    target = folder / "fault_shim.so"
    command = [compiler, "-Wall", "-Werror", "-O1", "-shared", "-fPIC", "-o", str(target), str(SHIM)]
    subprocess.run([*command, "-lpthread", "-ldl"], check=True)
    return target


def side_by_side(work: Callable[..., Part], parts: Sequence[tuple[Any, ...]]) -> list[Part]:
    """The results of a module's function, called with each of these arguments in a process of its own."""
    # Processes, not threads: what `small` changes holds for a whole process. Spawned: this one has threads.
    with ProcessPoolExecutor(len(parts), mp_context=get_context("spawn")) as pool:
        return [part.result() for part in [pool.submit(work, *arguments) for arguments in parts]]


def cores() -> int:
    """How many processes can compute at once."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


@dataclass
class Worker:
    """A worker that was started.

    Attributes:
        said: What it has reported until now.
    """

    pid: int
    errors: Path
    _nursery: Nursery
    _pipe: int
    said: list[dict[str, Any]] = field(default_factory=list)
    _rest: bytes = b""

    def listen(self, seconds: float = _PATIENCE_SECONDS) -> dict[str, Any] | None:
        """The next report; None once it is dead, or when nothing came for so long."""
        until = time.monotonic() + seconds
        while b"\n" not in self._rest:
            ready, _, _ = select.select([self._pipe], [], [], max(0.0, until - time.monotonic()))
            data = os.read(self._pipe, 65536) if ready else b""
            if not data:
                return None
            self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        fact: dict[str, Any] = json.loads(line)
        self.said.append(fact)
        return fact

    def listen_until(self, seconds: float) -> None:
        """Take in what is reported in this time."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and self.listen(left) is not None:
            pass

    def kill(self) -> int:
        """Kill it, take in what it had still reported; its exit status."""
        os.kill(self.pid, signal.SIGKILL)
        return self.end()

    def end(self) -> int:
        """Listen until it ends by itself; its exit status, negative for a signal."""
        while self.listen() is not None:
            pass
        os.close(self._pipe)
        return self._nursery.ask({"wait": self.pid})

    @property
    def complaints(self) -> str:
        """What it wrote to stderr."""
        return self.errors.read_text("utf-8") if self.errors.exists() else ""


class Nursery:
    """A process that forks workers.

    Args:
        folder: For pipes and messages.
        shim: Preloaded into it, if given.
    """

    def __init__(self, folder: Path, shim: Path | None = None) -> None:
        self._folder = folder
        self._started = 0
        environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        if shim:
            environment["LD_PRELOAD"] = str(shim)
        self.has_shim = shim is not None
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fault_child"],
            cwd=PROJECT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == "ready\n"

    def ask(self, order: dict[str, Any]) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())

    def start(
        self,
        mode: str,
        folder: Path,
        *,
        sabotage: str | None = None,
        environment: dict[str, str] | None = None,
        **arguments: Any,
    ) -> Worker:
        """Start a worker; with an environment for the shim, that is armed."""
        self._started += 1
        pipe = self._folder / f"pipe-{self._started}"
        errors = self._folder / f"errors-{self._started}.txt"
        os.mkfifo(pipe)
        order: dict[str, Any] = {
            "mode": mode,
            "folder": str(folder),
            "pipe": str(pipe),
            "errors": str(errors),
            "arguments": arguments,
            "sabotage": sabotage,
        }
        if environment is not None:
            assert self.has_shim
            order |= {"environment": {"FAULT_ROOT": str(folder)} | environment, "armed": True}
        # For reading and writing, so that opening does not wait; the end is seen by the writing side's death.
        pid = self.ask({"start": order})
        descriptor = os.open(pipe, os.O_RDONLY)
        pipe.unlink()
        return Worker(pid, errors, self, descriptor)

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(_PATIENCE_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextmanager
def nursery(folder: Path, *, shim: bool) -> Iterator[Nursery]:
    """A nursery in a folder of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    made = Nursery(folder, compiled_shim(folder) if shim else None)
    try:
        yield made
    finally:
        made.close()


def possible(model: Model, said: Sequence[dict[str, Any]], *, doubt_adds: bool = False) -> list[Model]:
    """What a library may hold after what a worker reported, likeliest first.

    All that was acknowledged has happened. What was begun and neither acknowledged nor refused may have
    happened, and with `doubt_adds` also a text that was accepted, could not be added, and could not be
    dropped. One text may come last that was accepted before others: what was being added when the process
    ended is added when nothing else is.
    """
    states = _told(model, said, doubt_adds=doubt_adds)
    for place, fact in enumerate(said):
        added = fact.get("accepted", {})
        if added.get("do") == "add" and not any(_concerns(later, added) for later in said[place + 1 :]):
            others = [*said[:place], *said[place + 1 :]]
            states += [state.applied(added) for state in _told(model, others, doubt_adds=doubt_adds)]
    return states


def _told(model: Model, said: Sequence[dict[str, Any]], *, doubt_adds: bool) -> list[Model]:
    states = [model]
    begun: Operation | None = None
    for fact in said:
        if "begin" in fact:
            begun = fact["begin"]
        elif acknowledged := fact.get("accepted") or fact.get("done"):
            states = [state.applied(acknowledged) for state in states]
            begun = None
        elif "refused" in fact:
            if doubt_adds and fact["refused"]["do"] == "add":
                states += [after for state in states if (after := _tried(state, fact["refused"]))]
            begun = None
    if begun is not None:
        states += [after for state in states if (after := _tried(state, begun))]
    return states


def _concerns(fact: dict[str, Any], added: Operation) -> bool:
    """Whether a later report is about the text that was added, or about all of its collection."""
    operation = next((fact[told] for told in ("begin", "accepted", "done", "refused") if told in fact), None)
    if operation is None:
        return False
    here = operation.get("collection", "default") == added.get("collection", "default")
    known = source_id(added["number"])
    named = str(operation.get("id") or operation.get("replaces") or "")
    about_it = operation.get("number") == added["number"] or named.partition("-")[0] == known
    return about_it or (operation["do"] == "drop" and here)


def _tried(state: Model, operation: Operation) -> Model | None:
    if operation["do"] == "cancel":  # not cancelled yet, it was accepted
        operation = operation | {"do": "add"}
    try:
        return state.applied(operation)
    except KeyError:  # on a collection that is not there in this state
        return None


def keep_all(folder: Path, shadow: Path) -> None:
    """Take what is in a folder now as durable."""
    shutil.rmtree(shadow, ignore_errors=True)
    shadow.mkdir(parents=True)
    for path in (folder, *folder.rglob("*")):
        inode = path.stat().st_ino
        if path.is_dir():
            names = [(one.is_dir(), one.stat().st_ino, one.name) for one in path.iterdir()]
            lines = "".join(
                f"{'d' if is_folder else 'f'}{number}.0 {name}\n" for is_folder, number, name in names
            )
            (shadow / f"d{inode}.0").write_text(lines, encoding="utf-8")
        else:
            shutil.copyfile(path, shadow / f"f{inode}.0")


def after_power_cut(folder: Path, shadow: Path, target: Path) -> Path:
    """What a disk holds at the least: contents and names as they were when they were last synced."""

    def build(key: str, place: Path) -> None:
        place.mkdir(parents=True)
        listing = shadow / key
        for line in listing.read_text("utf-8").splitlines() if listing.exists() else ():
            kept, _, name = line.partition(" ")
            if kept.startswith("d"):
                build(kept, place / name)
            elif (shadow / kept).exists():
                shutil.copyfile(shadow / kept, place / name)
            else:
                (place / name).touch()

    build(f"d{folder.stat().st_ino}.0", target)
    return target
