"""The child process that parses: `python -m rag.converting.child KIND LIMITS`, bytes in, JSON out.

Ties its own hands first and imports a parser only then. Says one of two things: the text and notes, or an
error's code and message. Knows no file names and touches no file or network.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys

from rag.converting.cleaning import clean
from rag.converting.faults import unreadable
from rag.converting.limits import Limits
from rag.errors import InputError

_OUT_OF_MEMORY = "要用的内存超过上限，已中止。请拆小，或另存为 .txt 后再试。"


def main() -> None:
    """Read standard input to its end, convert, and write the answer."""
    kind, limits = sys.argv[1], Limits(**json.loads(sys.argv[2]))
    confine(limits)
    # What a library prints must not get into the answer.
    pipe = os.dup(1)
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    logging.disable(logging.CRITICAL)
    said = answer_to(kind, sys.stdin.buffer.read(limits.file_bytes + 1), limits)
    with os.fdopen(pipe, "wb") as answer:
        answer.write(json.dumps(said, ensure_ascii=False).encode("utf-8", "replace"))


def confine(limits: Limits) -> None:
    """Give up memory, time, files and processes beyond the limits, for good. Without effect on Windows."""
    try:
        import resource
    except ImportError:  # pragma: no cover -- there the parent's clock has to do
        return
    for name, most in (
        ("RLIMIT_AS", limits.memory_bytes),
        ("RLIMIT_CPU", limits.cpu_seconds),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", limits.open_files),
        ("RLIMIT_NPROC", 0),
        ("RLIMIT_CORE", 0),
    ):
        # Not every system has or honours all of them; the others still hold.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            kind = getattr(resource, name)
            allowed = resource.getrlimit(kind)[1]
            limit = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
            resource.setrlimit(kind, (limit, limit))


def answer_to(kind: str, data: bytes, limits: Limits) -> dict[str, object]:
    """What the child says of a document, whatever the bytes are."""
    try:
        text, notes = text_of(kind, data, limits)
        return {"text": clean(text), "notes": list(notes)}
    except InputError as error:
        return {"code": error.code, "message": error.message}
    except MemoryError:
        return _failed(_OUT_OF_MEMORY)
    except RecursionError:
        return _failed("层层嵌套得太深，读不了。请重新导出，或另存为 .txt。")
    except Exception as error:  # noqa: BLE001 -- a parser may fail in any way on bytes made to that end
        if "memory" in str(error).lower():  # how libxml2 says so
            return _failed(_OUT_OF_MEMORY)
        return _failed(f"已损坏或不完整（{type(error).__name__}）。请重新导出，或另存为 .txt。")


def text_of(kind: str, data: bytes, limits: Limits) -> tuple[str, tuple[str, ...]]:
    """Text and notes of a document of a kind, before cleaning."""
    match kind:
        case "pdf":
            from rag.converting.pdf import pdf_text

            return pdf_text(data, limits)
        case "docx":
            from rag.converting.word import word_text

            return word_text(data, limits), ()
        case "html":
            from rag.converting.webpage import page_text

            return page_text(data, limits), ()
    raise unreadable("不是能读的文档。")


def _failed(message: str) -> dict[str, object]:
    error = unreadable(message)
    return {"code": error.code, "message": error.message}


if __name__ == "__main__":
    main()
