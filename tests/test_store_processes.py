"""The store among processes: killed writers, a second writer, readers beside a writer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from index.store import Store, restore
from rag.errors import IndexFileError, UnavailableError
from tests.store_samples import KEY, add, addition, same, texts, vectors

PROJECT = Path(__file__).resolve().parent.parent
CYCLES = 10
MOMENTS = ("log", "begin", "done")


@contextmanager
def child(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.store_child", *arguments],
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def killed_after(folder: Path, seed: int, acknowledged: int, moment: str) -> list[str]:
    """What a child said that was killed when that many of its changes had been acknowledged.

    `moment` is "done" for at once, "begin" for when the next change begins, "log" for when it writes.
    """
    with child(str(folder), str(seed), "100000") as process:
        assert process.stdout is not None
        said: list[str] = []
        while sum(line.startswith("done") for line in said) < acknowledged:
            said.append(process.stdout.readline().rstrip("\n"))
        if moment != "done":
            before = changed_at(folder)
            said.append(process.stdout.readline().rstrip("\n"))
            for _ in range(100_000 if moment == "log" else 0):
                if changed_at(folder) != before:
                    break
        process.kill()
        return said + process.stdout.read().splitlines()


def changed_at(folder: Path) -> tuple[int, int]:
    status = (folder / "library.sqlite3-wal").stat()
    return status.st_size, status.st_mtime_ns


class Expected:
    """Which pairs must be there, and what may have happened besides: the one change that was begun."""

    def __init__(self) -> None:
        self.pairs: set[str] = set()
        self.open: tuple[str, str] | None = None

    def follow(self, said: list[str]) -> None:
        self.open = None
        for line in said:  # a short line goes into a pipe whole or not at all
            state, verb, text = line.split(" ", 2)
            if state == "begin":
                self.open = verb, text
            else:
                self.open = None
                self.pairs = self.pairs | {text} if verb == "add" else self.pairs - {text}

    def agree(self, found: set[str]) -> None:
        possible = [self.pairs]
        if self.open is not None:
            verb, text = self.open
            possible.append(self.pairs | {text} if verb == "add" else self.pairs - {text})
        assert found in possible
        self.pairs = found


def pairs_of(store: Store) -> set[str]:
    """The pairs that are there, none of them half, each with its vectors."""
    found = texts(store)
    first = [text for text in found if text.startswith("甲")]
    assert sorted(found) == sorted(first + ["乙" + text[1:] for text in first])
    stored = list(store.vectors("default", KEY))
    assert len(stored) == len(found)
    assert all(same(one.vectors, vectors(one.document_id).vectors) for one in stored)
    return {text[:30] for text in first}


def test_after_kill_9_every_acknowledged_change_is_there_and_nothing_half(tmp_path: Path) -> None:
    expected = Expected()
    killed_midway = 0
    for cycle in range(CYCLES):
        said = killed_after(tmp_path, cycle, acknowledged=3 + 7 * cycle % 20, moment=MOMENTS[cycle % 3])
        expected.follow(said)
        killed_midway += expected.open is not None
        assert (tmp_path / "library.sqlite3-wal").exists()
        if cycle % 2:  # the first to come after the kill may be a reader
            with Store.open(tmp_path, writable=False) as reader:
                expected.agree(pairs_of(reader))
                assert list(reader.check()) == []
        with Store.open(tmp_path) as store:
            expected.agree(pairs_of(store))
            assert list(store.check()) == []
    assert killed_midway > 2
    assert expected.pairs


def test_a_second_writer_is_refused_with_the_number_and_note_of_the_first(tmp_path: Path) -> None:
    note = "服务在 http://127.0.0.1:8000\n上"
    with child(str(tmp_path), "hold", note) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with pytest.raises(UnavailableError) as caught:
            Store.open(tmp_path)
        assert caught.value.code == "library_busy"
        assert f"进程号 {process.pid}，服务在 http://127.0.0.1:8000 上" in caught.value.message
        with Store.open(tmp_path, writable=False) as reader:
            assert [one.name for one in reader.collections()] == ["default"]
    with Store.open(tmp_path) as store:  # the lock went with its process
        add(store, addition("一"))
        with pytest.raises(UnavailableError, match=f"进程号 {os.getpid()}）"):
            Store.open(tmp_path)
    with Store.open(tmp_path) as store:
        assert texts(store) == ["一"]


@pytest.mark.parametrize("how", ["in between", "in the middle"])
def test_nothing_is_restored_under_a_reader_in_another_process(tmp_path: Path, how: str) -> None:
    with Store.open(tmp_path / "库") as store:
        add(store, addition("一"))
        store.backup(tmp_path / "b.sqlite3")
        add(store, addition("二"))
    with child(str(tmp_path / "库"), "read", how) as one, child(str(tmp_path / "库"), "read", how) as other:
        before = held_by(tmp_path / "库")
        with pytest.raises(UnavailableError) as caught:
            restore(tmp_path / "b.sqlite3", tmp_path / "库")
        assert caught.value.code == "library_busy"
        if sys.platform == "linux":
            pids = "、".join(map(str, sorted([one.pid, other.pid])))
            assert f"（进程号 {pids}）打开着文库" in caught.value.message
        assert "请先停止它" in caught.value.message
        assert held_by(tmp_path / "库") == before
        one.communicate("")  # it ends in good order
        with pytest.raises(UnavailableError):
            restore(tmp_path / "b.sqlite3", tmp_path / "库")
        other.kill()
        other.wait()
        assert restore(tmp_path / "b.sqlite3", tmp_path / "库") is not None
    with Store.open(tmp_path / "库") as store:
        assert texts(store) == ["一"]


def held_by(folder: Path) -> list[tuple[str, int]]:
    """The files of a folder, and which they are."""
    return sorted((path.name, path.stat().st_ino) for path in folder.iterdir())


def test_nobody_opens_a_store_while_a_backup_takes_its_place(tmp_path: Path) -> None:
    with Store.open(tmp_path / "库") as store:
        add(store, addition("一"))
        store.backup(tmp_path / "b.sqlite3")
        add(store, addition("二"))
    with child(str(tmp_path / "库"), "restore", str(tmp_path / "b.sqlite3")) as process:
        for writable, said in ((True, f"进程号 {process.pid}，正在恢复备份"), (False, "正在用备份恢复文库")):
            with pytest.raises(UnavailableError, match=said) as caught:
                Store.open(tmp_path / "库", writable=writable)
            assert caught.value.code == "library_busy"
        process.communicate("")
        assert process.returncode == 0
        with Store.open(tmp_path / "库", writable=False) as store:
            assert texts(store) == ["一"]


def test_a_store_is_in_use_until_the_last_that_was_read_from_it_has_ended(tmp_path: Path) -> None:
    with Store.open(tmp_path / "库") as store:
        add(store, addition("一"), addition("二"))
        store.backup(tmp_path / "b.sqlite3")
    reader = Store.open(tmp_path / "库", writable=False)
    sources = reader.sources("default")
    next(sources)
    reader.close()
    with pytest.raises(UnavailableError) as caught:
        restore(tmp_path / "b.sqlite3", tmp_path / "库")
    if sys.platform == "linux":
        assert f"（进程号 {os.getpid()}）" in caught.value.message
    assert [one.source.text for one in sources] == ["二"]
    assert restore(tmp_path / "b.sqlite3", tmp_path / "库") is not None


def test_who_may_make_no_file_reads_and_does_not_restore(tmp_path: Path) -> None:
    with Store.open(tmp_path / "库") as store:
        add(store, addition("一"))
        store.backup(tmp_path / "b.sqlite3")
    users = tmp_path / "库" / "library.users"
    users.unlink()
    users.symlink_to(tmp_path / "no folder" / "file")
    with Store.open(tmp_path / "库", writable=False) as store:
        assert texts(store) == ["一"]
    with pytest.raises(IndexFileError) as caught:
        restore(tmp_path / "b.sqlite3", tmp_path / "库")
    assert caught.value.code == "library_unwritable"


def test_a_store_that_let_others_write_is_in_use_still(tmp_path: Path) -> None:
    with Store.open(tmp_path / "库") as store:
        store.backup(tmp_path / "b.sqlite3")
        store.let_others_write()
        with pytest.raises(UnavailableError, match="打开着文库"):
            restore(tmp_path / "b.sqlite3", tmp_path / "库")
        with Store.open(tmp_path / "库") as other:
            add(other, addition("一"))
        assert texts(store) == ["一"]


def test_readers_beside_a_writer_see_whole_changes_only_and_time_goes_forward(tmp_path: Path) -> None:
    with child(str(tmp_path), "7", "60") as process, Store.open(tmp_path, writable=False) as reader:
        versions, states = [], 0
        while process.poll() is None:
            versions.append(reader.version())
            states += bool(pairs_in_one_state(reader))
        assert versions == sorted(versions)
        assert states > 0
        assert list(reader.check()) == []


def pairs_in_one_state(store: Store) -> list[str]:
    found = texts(store)
    first = [text for text in found if text.startswith("甲")]
    assert sorted(found) == sorted(first + ["乙" + text[1:] for text in first])
    return first


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs to become another user")
def test_a_reader_who_may_not_write_beside_the_file_is_told_so(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        add(store, addition("一"))
    (tmp_path / "library.sqlite3").chmod(0o644)
    script = f"""
import os, sys
from pathlib import Path
from index.store import Store
from rag.errors import CewenError
folder = Path({str(tmp_path)!r})
os.chdir({str(tmp_path)!r})
os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    Store.open(Path("."), writable=False)
except CewenError as error:
    print(error.code, error.message)
"""
    environment = os.environ | {"PYTHONPATH": str(PROJECT), "PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, env=environment
    )
    assert run.stdout.startswith("library_unwritable 打不开"), run
    assert "同一个用户" in run.stdout
