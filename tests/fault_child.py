"""The process that the fault suite kills: a nursery that has everything imported, and forks one worker a run.

`python -m tests.fault_child` reads one JSON object a line: `{"start": {...}}` forks a worker and answers with
its number, `{"wait": pid}` answers with its exit status. A worker reports to a named pipe, one JSON object a
line, unbuffered: what it begins, what was accepted, what is done. So does a killed one, up to its end.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random as chance
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from api.library.library import Library
from api.library.maintenance import backup, restore
from rag.errors import CewenError
from tests import fault_sabotage
from tests.fault_library import (
    ENCODERS,
    SEEDS,
    WAIT_SECONDS,
    Held,
    Operation,
    bare,
    check_text,
    found_in,
    make_place,
    opened,
    settings_of,
    settled,
    small,
    source_id,
    token,
    upload_of,
)
from tests.fault_small_files import done_with

OTHERS = ("alpha", "beta")
_MOST = 12
"""Sources in a collection before more go than come."""
_KINDS = {
    "add": 20,
    "several": 10,
    "cancel": 8,
    "tell": 8,
    "replace": 12,
    "remove": 16,
    "create": 4,
    "drop": 2,
    "reindex": 5,
    "generation": 5,
    "backup": 3,
}
"""What is done by chance, and how often."""

SCRIPT: tuple[Operation, ...] = (
    {"do": "add", "number": 11},
    {"do": "add", "number": 12, "title": "题目", "tags": ["甲"]},
    {"do": "generation"},
    {"do": "add", "number": 14, "replaces": source_id(11)},
    {"do": "remove", "id": f"{source_id(12)}-1"},
    {"do": "remove", "id": source_id(2)},
    {"do": "create", "collection": "alpha"},
    {"do": "add", "number": 15, "collection": "alpha"},
    {"do": "reindex", "encoder": "fake-a"},
    {"do": "backup"},
    {"do": "drop", "collection": "alpha"},
)
"""A session with everything in it once."""


class Worker:
    """One run in one folder.

    Args:
        folder: Of the library, its seeds and indexes.
        say: Reports a fact.
    """

    def __init__(self, folder: Path, say: Callable[[dict[str, Any]], None]) -> None:
        self._folder = folder
        self._say = say

    def script(self, jumps: tuple[int, ...] = ()) -> None:
        """Do everything once; what is refused is reported, and the rest is done nevertheless.

        Args:
            jumps: How far the clock is off, in seconds, at each step in turn.
        """
        try:
            library = opened(self._folder)
        except CewenError as error:
            self._say({"refused": {"do": "open"}, "code": error.code, "message": error.message})
            self._say({"closed": True})
            return
        with library:
            self._say({"open": True})
            for step, operation in enumerate(SCRIPT):
                if jumps:
                    Path(os.environ["FAULT_CLOCK"]).write_text(str(jumps[step % len(jumps)]), "ascii")
                self.attempt(library, operation)
        self._say({"closed": True})

    def random(self, seed: int, first: int, aim: str | None = None) -> None:
        """Do what chance says until killed.

        Args:
            seed: Of the chance.
            first: Number of the first new text.
            aim: What is done early and often.
        """
        rnd = chance.Random(seed)  # noqa: S311 - the same for the same seed
        with opened(self._folder) as library:
            self._say({"open": True})
            settled(library)
            for step in range(10_000):
                for operation in self._chosen(library, rnd, first + 4 * step, aim if step % 4 == 2 else None):
                    self.attempt(library, operation)
                if rnd.random() < 0.7:
                    settled(library)

    def read(self) -> None:
        """Ask again and again, as a process that may only read, and report every state that was seen."""
        seen: set[str] = set()
        answers = 0
        with opened(self._folder, writable=False) as library:
            self._say({"open": True})
            while not (self._folder / "stop").exists():
                for name in ("default", *OTHERS):
                    if name not in [info.name for info in library.collections()]:
                        continue
                    try:
                        engine = library.engine(name)
                    except CewenError as error:
                        if error.code == "collection_not_found":  # dropped a moment ago
                            continue
                        raise
                    ids = [document.document_id for document in engine.documents()]
                    state = json.dumps([name, ids])
                    if state not in seen:
                        seen.add(state)
                        self._say({"state": [name, ids]})
                    for document in engine.documents()[-2:]:
                        number, one = int(document.source.name[:-4]), int(document.document_id[13:])
                        hits = engine.search(token(number, one), top_k=5)
                        assert hits[0].document.document_id == document.document_id, (
                            name,
                            document.document_id,
                        )
                        for hit in hits:
                            span, text = hit.chunk.span, hit.document.source.text
                            family = [int(of[13:]) for of in ids if of[:12] == hit.document.document_id[:12]]
                            check_text(hit.document.source, family)
                            assert bare(text[span.start_char : span.end_char]) == bare(hit.chunk.text), hit
                            assert hit.document.document_id in ids, (ids, hit)
                        answers += 1
        self._say({"answers": answers})

    def many(self, numbers: list[int]) -> None:
        """Have many texts accepted, wait for none, and stay."""
        with opened(self._folder) as library:
            for number in numbers:
                self.attempt(library, {"do": "add", "number": number, "lets_go": True})
            threading.Event().wait()

    def restore(self) -> None:
        """Put the copy back."""
        self._say({"begin": {"do": "restore"}})
        try:
            restore(settings_of(self._folder), self._folder / "copy.sqlite3")
        except CewenError as error:
            self._say({"refused": {"do": "restore"}, "code": error.code, "message": error.message})
        else:
            self._say({"done": {"do": "restore"}})
        self._say({"closed": True})

    def small_files(self) -> None:
        """Make, change and forget access keys and feedback; what is refused is reported, the rest is done."""
        for fact, do in done_with(self._folder):
            self._say({"begin": fact})
            try:
                do()
            except CewenError as error:
                self._say({"refused": fact, "code": error.code, "message": error.message})
            else:
                self._say({"done": fact})
        self._say({"closed": True})

    def hold(self) -> None:
        """Open to write, and wait to be killed."""
        with opened(self._folder) as library:
            library.set_note("http://127.0.0.1:1")
            self._say({"open": True})
            threading.Event().wait()

    def attempt(self, library: Library, operation: Operation) -> None:
        """Do one thing and report it: "begin", then "accepted", "done" or "refused"."""
        operation = dict(operation)
        self._say({"begin": operation})
        try:
            report = self._do(library, operation)
        except CewenError as error:
            self._say({"refused": operation, "code": error.code, "message": error.message})
        else:
            self._say({report: operation})

    def _do(self, library: Library, operation: Operation) -> str:
        name = str(operation.get("collection", "default"))
        match operation["do"]:
            case "add":
                job = library.add(name, upload_of(operation), replaces=operation.get("replaces"))
                if operation.get("lets_go"):
                    return "accepted"
                self._ended(library, job.job_id)
            case "cancel":
                job = library.add(name, upload_of(operation), replaces=operation.get("replaces"))
                try:
                    library.cancel(job.job_id)
                except CewenError as error:
                    if error.code != "job_ended":
                        raise
                    self._ended(library, job.job_id)
                    operation["do"] = "add"  # that is what it has come to
            case "remove":
                library.remove(name, operation["id"])
            case "create":
                library.create_collection(name)
            case "drop":
                library.remove_collection(name)
            case "reindex":
                self._ended(library, library.reindex(name, operation["encoder"]).job_id)
            case "generation":
                library.live(name).write_generation(always=True)
            case "backup":
                target = self._folder / "copy.sqlite3"
                target.unlink(missing_ok=True)
                backup(settings_of(self._folder), target)
        return "done"

    def _ended(self, library: Library, job_id: str) -> None:
        job = library.wait(job_id, WAIT_SECONDS)
        if job.state != "done":
            if job.kept:  # as the routes do with what they refuse
                with suppress(CewenError):
                    library.cancel(job.job_id)
            raise CewenError(str(job.error_message), code=str(job.error_code))

    def _chosen(self, library: Library, rnd: chance.Random, number: int, aim: str | None) -> list[Operation]:
        names = [info.name for info in library.collections()]
        name = rnd.choice(names)
        kind = aim or rnd.choices(tuple(_KINDS), tuple(_KINDS.values()))[0]
        if kind != "several":
            settled(library)
        held = found_in(library)[0][name]
        if kind in ("add", "several") and len(held) >= _MOST:
            settled(library)
            held, kind = found_in(library)[0][name], "remove"
        if kind in ("tell", "replace", "remove") and not held:
            kind = "add"
        new = {"do": "add", "collection": name, "number": number, "lets_go": rnd.random() < 0.5}
        chosen: list[Operation] = [{"do": kind, "collection": name}]
        match kind:
            case "add":
                chosen = [new | {"title": rnd.choice((None, f"题{number}"))}]
            case "cancel" | "replace":
                gives_way = held and (kind == "replace" or rnd.random() < 0.5)
                given = {"replaces": self._some_id(held, rnd)} if gives_way else {}
                chosen = [new | {"do": "cancel" if kind == "cancel" else "add"} | given]
            case "several":
                chosen = [new | {"number": number + more, "lets_go": True} for more in range(3)]
            case "tell":
                said = {"number": rnd.choice(held).number, "title": f"改{number}", "tags": [str(number)]}
                chosen = [new | said]
            case "remove":
                chosen[0]["id"] = self._some_id(held, rnd)
            case "create":
                free = sorted({*OTHERS} - {*names})
                chosen = [{"do": "create", "collection": other} for other in free[:1]]
            case "drop":
                used = [other for other in names if other != "default" or rnd.random() < 0.1]
                chosen = [{"do": "drop", "collection": other} for other in used[-1:]]
            case "reindex":
                chosen[0]["encoder"] = rnd.choice(ENCODERS)
        return chosen

    @staticmethod
    def _some_id(held: list[Held], rnd: chance.Random) -> str:
        chosen = rnd.choice(held)
        return rnd.choice((source_id(chosen.number), *chosen.ids))


def warm() -> None:
    """Load what is loaded at first use, so that no worker has to."""
    with tempfile.TemporaryDirectory() as place, small(), opened(make_place(Path(place))) as library:
        library.engine().search(token(SEEDS[0], 1))
        library.engine().ask("水从山上来吗？")


def run(order: dict[str, Any]) -> None:
    """Be a worker: never returns."""
    status = 3
    try:
        os.environ.update(order.get("environment", {}))
        errors = os.open(order["errors"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(errors, 2)
        pipe = os.open(order["pipe"], os.O_WRONLY)

        def say(fact: dict[str, Any]) -> None:
            # One write of less than PIPE_BUF: whole or not at all.
            os.write(pipe, (json.dumps(fact, ensure_ascii=False)[:4000] + "\n").encode())

        with small(), fault_sabotage.applied(order.get("sabotage")):
            if order.get("armed"):
                ctypes.CDLL(None).fault_arm()
            worker = Worker(Path(order["folder"]), say)
            getattr(worker, order["mode"])(**order.get("arguments", {}))
        status = 0
    except BaseException:  # noqa: BLE001 -- it ends here, and says why
        traceback.print_exc()
        sys.stderr.flush()
    finally:
        os._exit(status)


def main() -> None:
    warm()
    gc.freeze()  # no worker has to look through, and so copy, what all of them share
    assert threading.active_count() == 1, threading.enumerate()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    for line in sys.stdin:
        order = json.loads(line)
        if "start" in order:
            pid = os.fork()
            if pid == 0:
                run(order["start"])
            answer = pid
        else:
            answer = os.waitstatus_to_exitcode(os.waitpid(order["wait"], 0)[1])
        sys.stdout.write(f"{answer}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
