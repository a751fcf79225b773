"""Run the converter in a process of its own, and believe nothing it says without looking.

The child gets the bytes over standard input and answers with JSON on standard output. It inherits no
environment (no keys, no proxies), no files and no group of ours; what it needs too much of, it dies of, and
that becomes an error like any other. Limits on memory and time the child sets itself, before it imports a
parser; the clock and the size of the answer are watched here, on every platform.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any, cast

from rag.converting.cleaning import is_clean
from rag.converting.faults import too_large, unreadable
from rag.converting.limits import Limits
from rag.errors import InputError, UnavailableError

CHILD = "rag.converting.child"
_ROOT = Path(__file__).resolve().parent.parent.parent
_PIECE_BYTES = 65_536
_LOOK_SECONDS = 0.1
"""How often it is looked whether the text is still wanted."""
_GRACE_SECONDS = 2.0
_SYSTEM_VARIABLES = ("SYSTEMROOT",)  # without it Windows starts no Python

Reply = tuple[str, tuple[str, ...]]
"""The text, and notes about it."""


def run_child(
    kind: str,
    data: bytes,
    limits: Limits,
    *,
    module: str = CHILD,
    given_up: Callable[[], bool] = lambda: False,
) -> Reply:
    """Convert `data` in a child process.

    Args:
        kind: What the document is.
        data: Its bytes.
        limits: What it may cost.
        module: The module to run; another one in tests of this file.
        given_up: Whether nobody wants the text any more; asked ten times a second.

    Raises:
        InputError: What the child says of the document, or that it came to no end.
        UnavailableError: If no process can be started now; with code `upload_abandoned` if it was given up.
            The child is dead then, as whenever this ends.
    """
    command = [sys.executable, "-P", "-B", "-m", module, kind, json.dumps(asdict(limits))]
    deadline = time.monotonic() + limits.seconds
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=os.path.abspath(os.sep),  # noqa: PTH100 -- there is a root, whatever it is called
            env=_environment(),
            start_new_session=True,
        )
    except OSError as error:  # no memory, too many processes: not the document's fault
        raise UnavailableError("现在启动不了转换文档的进程。请稍后再试。") from error
    in_time = False
    try:
        answer = _Answer(process, data, limits.output_bytes)
        in_time = answer.wait(deadline, given_up)
    finally:
        _end(process, deadline if in_time else 0.0)
    if not in_time and given_up():
        raise UnavailableError("发送的一方已经离开，转换中止，没有收下。", code="upload_abandoned")
    if not in_time:
        raise unreadable(f"读了 {limits.seconds:g} 秒还没有读完，已中止。请拆小，或另存为 .txt 后再试。")
    if answer.overflowed:
        raise too_large(f"转出的文字超过 {limits.output_bytes // 1024} KB，已中止。请拆成几个文件。")
    return _reply(bytes(answer.received))


class _Answer:
    """Feeds the child and collects what it sends, both in threads, so that neither can hold us up."""

    def __init__(self, process: subprocess.Popen[bytes], data: bytes, most: int) -> None:
        self.received = bytearray()
        self.overflowed = False
        self._most = most
        feeding = threading.Thread(target=self._feed, args=(process, data), daemon=True)
        self._reading = threading.Thread(target=self._read, args=(process,), daemon=True)
        feeding.start()
        self._reading.start()

    def wait(self, deadline: float, given_up: Callable[[], bool]) -> bool:
        """Wait for the end of the answer; False if it did not come in time, or before it was given up."""
        while self._reading.is_alive() and (left := deadline - time.monotonic()) > 0 and not given_up():
            self._reading.join(min(left, _LOOK_SECONDS))
        return not self._reading.is_alive()

    @staticmethod
    def _feed(process: subprocess.Popen[bytes], data: bytes) -> None:
        # A child that has seen enough, or has died, closes the pipe; what it says is what counts.
        with contextlib.suppress(OSError), _pipe(process.stdin) as pipe:
            pipe.write(data)

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(OSError), _pipe(process.stdout) as pipe:
            while piece := os.read(pipe.fileno(), _PIECE_BYTES):
                self.received += piece
                if len(self.received) > self._most:
                    self.overflowed = True
                    return


def _pipe(end: IO[bytes] | None) -> IO[bytes]:
    return cast("IO[bytes]", end)  # asked for with PIPE


def _end(process: subprocess.Popen[bytes], deadline: float) -> None:
    """See the child off: after a complete answer it is about to end; else it is killed with its group."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(min(_GRACE_SECONDS, max(0.0, deadline - time.monotonic())))
        return
    with contextlib.suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _SYSTEM_VARIABLES if name in os.environ}
    return kept | {"PYTHONPATH": str(_ROOT), "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}


def _reply(answer: bytes) -> Reply:
    """What the child sent, if it is one of the two things that it may send."""
    match _parsed(answer):
        case {"text": str(text), "notes": list(notes)} if is_clean(text):
            return text, tuple(note for note in notes if isinstance(note, str) and is_clean(note))
        case {"code": "document_too_large", "message": str(message)}:
            raise too_large(message)
        case {"code": str(code), "message": str(message)} if code in _CHILD_CODES:
            raise InputError(message, code=code)
    raise unreadable("读到一半程序中止了：文件可能已损坏，或展开后过于庞大。请重新导出，或另存为 .txt。")


def _parsed(answer: bytes) -> Any:
    try:
        return json.loads(answer)
    except (ValueError, RecursionError):
        return None


_CHILD_CODES = frozenset({"unsupported_document", "unreadable_document"})
