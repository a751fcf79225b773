"""The process around the converter: whatever becomes of the child, the parent is told in time and goes on."""

from __future__ import annotations

import json
import os
import resource
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from rag.converting.convert import convert
from rag.converting.limits import Limits
from rag.converting.sandbox import Reply, run_child
from rag.errors import CewenError, InputError, UnavailableError
from tests.converting_files import docx, paragraph

MIB = 1024 * 1024
SMALL = Limits(seconds=30, cpu_seconds=1, memory_bytes=256 * MIB, output_bytes=MIB)


def run(how: str, data: bytes = b"", limits: Limits = SMALL) -> Reply:
    """Run the child of these tests."""
    return run_child(how, data, limits, module="tests.converting_child")


def test_the_child_has_no_environment_and_ties_its_hands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CEWEN_API_KEY", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    seen = json.loads(run("looks around")[0])
    # LC_CTYPE is Python's own doing.
    assert set(seen["environment"]) <= {"PYTHONPATH", "PYTHONHASHSEED", "PYTHONUTF8", "LC_CTYPE"}
    assert seen["limits"] == {
        "AS": SMALL.memory_bytes,
        "CPU": SMALL.cpu_seconds,
        "FSIZE": 0,
        "NOFILE": SMALL.open_files,
        "CORE": 0,
    }
    assert seen["group"]


def test_the_child_of_the_service_lives_within_its_limits() -> None:
    document = docx(paragraph("灯塔建在礁石上。"))
    assert "灯塔建在礁石上。" in run_child("docx", document, SMALL)[0]
    with pytest.raises(InputError):
        run_child("docx", document, replace(SMALL, memory_bytes=MIB))


@pytest.mark.parametrize("how", ["hangs", "closes its mouth", "leaves a child"])
def test_a_child_that_does_not_end_is_killed(how: str) -> None:
    started = time.monotonic()
    with pytest.raises(InputError, match="中止") as refused:
        run(how, limits=replace(SMALL, seconds=0.7))
    assert refused.value.code == "unreadable_document"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("how", ["hangs", "leaves a child"])
def test_a_child_whose_text_nobody_wants_any_more_is_killed(how: str) -> None:
    asked: list[float] = []

    def given_up() -> bool:
        asked.append(time.monotonic())
        return len(asked) > 3

    with pytest.raises(UnavailableError) as refused:
        run_child(how, b"", replace(SMALL, seconds=15), module="tests.converting_child", given_up=given_up)
    assert refused.value.code == "upload_abandoned"
    assert asked[-1] - asked[0] < 10
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_conversion_that_nobody_wants_ends_as_one() -> None:
    with pytest.raises(UnavailableError) as refused:
        convert(docx(paragraph("灯塔")), "a.docx", given_up=lambda: True)
    assert refused.value.code == "upload_abandoned"
    assert convert(docx(paragraph("灯塔")), "a.docx").text.strip() == "灯塔"
    assert convert("灯塔".encode(), "a.txt", given_up=lambda: True).text == "灯塔"  # it needs no child


@pytest.mark.parametrize("how", ["spins", "crashes", "hogs", "unheard of"])
def test_a_child_that_dies_is_an_error_like_any_other(how: str) -> None:
    with pytest.raises(InputError, match="程序中止") as refused:
        run(how)
    assert refused.value.code == "unreadable_document"


def test_an_endless_answer_is_cut_off() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(InputError, match="超过 1024 KB") as refused:
        run("floods")
    assert refused.value.code == "document_too_large"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 * 1024


@pytest.mark.parametrize(
    "garbage",
    [
        b"",
        b"\0\xff",
        b"Traceback (most recent call last):",
        b"[" * 100_000,
        b"9" * 10_000,
        b'{"text": 1, "notes": []}',
        b'{"text": "a\\u0000b", "notes": []}',
        b'{"text": "a\\ud800b", "notes": []}',
        b'{"text": "a"}',
        b'{"code": "internal_error", "message": "x"}',
        b'{"code": "unreadable_document"}',
        b"null",
    ],
)
def test_an_answer_that_is_none_is_not_believed(garbage: bytes) -> None:
    with pytest.raises(InputError, match="程序中止"):
        run("says", garbage)


def test_a_machine_that_starts_no_process_is_busy_not_a_bad_document(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(UnavailableError, match="稍后再试"):
        run("says")


def test_answers_are_passed_on() -> None:
    said = json.dumps({"text": "守塔人。\n", "notes": ["一", 2, "\0"]}).encode()
    assert run("says", said) == ("守塔人。\n", ("一",))
    for code in ("document_too_large", "unsupported_document", "unreadable_document"):
        with pytest.raises(InputError, match="原因") as refused:
            run("says", json.dumps({"code": code, "message": "原因"}).encode())
        assert refused.value.code == code


def test_a_child_that_does_not_listen_does_not_hold_up_the_parent() -> None:
    with pytest.raises(InputError):
        run("crashes", b"x" * (8 * MIB))


def open_files() -> int:
    """How many files this process has open, where the system tells."""
    told = Path("/proc/self/fd")
    return len(list(told.iterdir())) if told.is_dir() else 0


def test_nothing_is_left_behind() -> None:
    before = (threading.active_count(), open_files())
    for how in ("hangs", "crashes", "floods", "says", "leaves a child"):
        with pytest.raises(CewenError):
            run(how, b"x" * MIB, replace(SMALL, seconds=0.5))
    deadline = time.monotonic() + 5
    while threading.active_count() > before[0] and time.monotonic() < deadline:
        for thread in threading.enumerate():
            if thread is not threading.current_thread() and thread.daemon:
                thread.join(0.1)
    assert threading.active_count() <= before[0]
    assert open_files() <= before[1]
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
