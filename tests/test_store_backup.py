from __future__ import annotations

import shutil
import sqlite3
import stat
import threading
from contextlib import closing
from pathlib import Path

import pytest

from index.files import Files
from index.store import Pending, Store, restore
from rag.errors import IndexFileError, UnavailableError
from tests.store_samples import add, addition, ids, remove, source, texts


def filled(folder: Path, *contents: str) -> Path:
    with Store.open(folder) as store:
        for text in contents:
            add(store, addition(text))
    return folder


def backup_of(folder: Path, target: Path) -> Path:
    with Store.open(folder) as store:
        store.backup(target)
    return target


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_backup_holds_everything_in_one_file_and_comes_back(tmp_path: Path) -> None:
    folder = filled(tmp_path / "库", "一", "二", "三")
    with Store.open(folder) as store:
        remove(store, *ids(addition("二")))
        store.put_pending(Pending("j", "default", source("等"), "upload", None, ""))
        store.set_calibration("default", "k", "{}")
        before = store.pending(), store.removal("default", ids(addition("二"))[0]), store.collections()
        (tmp_path / "备份").mkdir()
        store.backup(tmp_path / "备份" / "a.sqlite3")
    assert names(tmp_path / "备份") == ["a.sqlite3"]
    assert stat.S_IMODE((tmp_path / "备份" / "a.sqlite3").stat().st_mode) == 0o600
    assert restore(tmp_path / "备份" / "a.sqlite3", tmp_path / "新" / "库") is None
    assert stat.S_IMODE((tmp_path / "新" / "库").stat().st_mode) == 0o700
    with Store.open(tmp_path / "新" / "库") as store:
        assert texts(store) == ["一", "三"]
        after = store.pending(), store.removal("default", ids(addition("二"))[0]), store.collections()
        assert (after, store.calibration("default", "k")) == (before, "{}")
        assert list(store.check()) == []


def test_a_backup_is_one_state_while_others_write(tmp_path: Path) -> None:
    with Store.open(tmp_path / "库") as store:
        add(store, *(addition(f"{n}" * 50_000) for n in range(20)))
        done = threading.Event()
        count = 0

        def write() -> None:
            nonlocal count
            while not done.is_set():
                pair = addition(f"甲{count}"), addition(f"乙{count}")
                add(store, *pair)
                count += 1
                remove(store, *ids(pair[0]), *ids(pair[1]))

        writer = threading.Thread(target=write)
        writer.start()
        try:
            for number in range(3):
                store.backup(tmp_path / f"{number}.sqlite3")
        finally:
            done.set()
            writer.join()
    assert count > 0
    for number in range(3):
        shutil.copy(tmp_path / f"{number}.sqlite3", tmp_path / "copy.sqlite3")
        restore(tmp_path / "copy.sqlite3", tmp_path / f"r{number}")
        with Store.open(tmp_path / f"r{number}") as store:
            found = texts(store)[20:]
            assert [text[1:] for text in found[:1]] == [text[1:] for text in found[1:]]


def test_a_backup_overwrites_nothing(tmp_path: Path) -> None:
    folder = filled(tmp_path / "库", "一")
    target = tmp_path / "a.sqlite3"
    target.write_text("我的")
    (tmp_path / "b.sqlite3").symlink_to("nowhere")
    for taken in (target, tmp_path / "b.sqlite3"):
        with pytest.raises(IndexFileError, match="已经有") as caught:
            backup_of(folder, taken)
        assert "磁盘" not in caught.value.message
        assert caught.value.code == "library_unwritable"
    assert target.read_text() == "我的"
    (tmp_path / "c.sqlite3.tmp").write_text("也是我的")
    backup_of(folder, tmp_path / "c.sqlite3")
    assert (tmp_path / "c.sqlite3.tmp").read_text() == "也是我的"
    with pytest.raises(IndexFileError, match="No such file"):
        backup_of(folder, tmp_path / "无" / "a.sqlite3")
    assert names(tmp_path) == ["a.sqlite3", "b.sqlite3", "c.sqlite3", "c.sqlite3.tmp", "库"]


def test_what_was_there_before_a_restore_is_kept_each_time(tmp_path: Path) -> None:
    first = backup_of(filled(tmp_path / "库", "一"), tmp_path / "1.sqlite3")
    folder = filled(tmp_path / "库", "二")
    with Store.open(folder, writable=False) as reader:
        version = reader.version()
        assert texts(reader) == ["一", "二"]
    kept = restore(first, folder)
    assert kept == folder / "library.sqlite3.before-restore"
    with Store.open(folder, writable=False) as reader:
        assert texts(reader) == ["一"]
        assert reader.version() > version
    filled(folder, "三")
    again = Store.restore(first, folder)
    assert again == folder / "library.sqlite3.before-restore-2"
    assert names(folder) == ["library.lock", "library.sqlite3", kept.name, again.name, "library.users"]
    for old, expected in ((kept, ["一", "二"]), (again, ["一", "三"])):
        restore(old, tmp_path / old.name)
        with Store.open(tmp_path / old.name) as store:
            assert texts(store) == expected


def test_a_reader_meets_another_file_that_was_put_there_by_hand(tmp_path: Path) -> None:
    folder = filled(tmp_path / "库", "一")
    backup = backup_of(filled(tmp_path / "乙", "二"), tmp_path / "1.sqlite3")
    with Store.open(folder, writable=False) as reader:
        assert texts(reader) == ["一"]
        backup.replace(folder / "library.sqlite3")
        assert texts(reader) == ["二"]


def test_nothing_is_restored_under_a_writer(tmp_path: Path) -> None:
    backup = backup_of(filled(tmp_path / "库", "一"), tmp_path / "1.sqlite3")
    with Store.open(tmp_path / "库") as store:
        with pytest.raises(UnavailableError) as caught:
            restore(backup, tmp_path / "库")
        assert caught.value.code == "library_busy"
        add(store, addition("二"))
        assert texts(store) == ["一", "二"]


def test_only_a_sound_backup_is_restored(tmp_path: Path) -> None:
    folder = filled(tmp_path / "库", "一")
    backup = backup_of(filled(tmp_path / "乙", "二" * 9000), tmp_path / "1.sqlite3")
    data = bytearray(backup.read_bytes())
    data[data.index("二二二".encode()) + 4] ^= 1
    (tmp_path / "坏").write_bytes(data)
    (tmp_path / "短").write_bytes(data[: len(data) // 2])
    (tmp_path / "别").write_text("不是数据库" * 500)
    (tmp_path / "空").write_bytes(b"")
    with sqlite3.connect(tmp_path / "他") as other:
        other.execute("CREATE TABLE x (y)")
    other.close()
    for name in ("坏", "短", "别", "空", "他"):
        with pytest.raises(IndexFileError, match=name) as caught:
            restore(tmp_path / name, folder)
        assert caught.value.code == "library_damaged", name
        told = caught.value.message
        assert told.startswith(f"备份 {str(tmp_path / name)!r} 不能用：")
        assert told.endswith("文库没有改动。请换一个备份。")
        assert "cewen check" not in told  # which looks at the library, not at the backup
    with pytest.raises(IndexFileError, match="没有备份文件") as missing:
        restore(tmp_path / "无", folder)
    assert missing.value.code == "library_missing"
    assert names(folder) == ["library.lock", "library.sqlite3", "library.users"]
    with Store.open(folder) as store:
        assert texts(store) == ["一"]


def test_a_folder_copied_by_hand_is_a_backup_too_with_its_log(tmp_path: Path) -> None:
    with Store.open(tmp_path / "库") as store:
        add(store, addition("一"))
        shutil.copytree(tmp_path / "库", tmp_path / "复制")  # the change is in the log alone
    assert (tmp_path / "复制" / "library.sqlite3-wal").stat().st_size > 0
    restore(tmp_path / "复制" / "library.sqlite3", tmp_path / "新")
    with Store.open(tmp_path / "新") as store:
        assert texts(store) == ["一"]


def test_a_restore_heals_a_damaged_library(tmp_path: Path) -> None:
    folder = filled(tmp_path / "库", "一")
    backup = backup_of(folder, tmp_path / "1.sqlite3")
    with (folder / "library.sqlite3").open("r+b") as handle:
        handle.write(b"\0" * 100)
    damaged = (folder / "library.sqlite3").read_bytes()
    with pytest.raises(IndexFileError):
        Store.open(folder)
    kept = restore(backup, folder)
    assert kept is not None
    assert kept.read_bytes() == damaged
    with Store.open(folder) as store:
        assert texts(store) == ["一"]


def test_a_log_that_another_program_still_reads_is_kept_with_the_old_file(tmp_path: Path) -> None:
    folder = filled(tmp_path / "库", "一")
    backup = backup_of(folder, tmp_path / "1.sqlite3")
    with closing(sqlite3.connect(folder / "library.sqlite3", isolation_level=None)) as foreign:
        foreign.execute("BEGIN")
        assert foreign.execute("SELECT count(*) FROM sources").fetchone() == (1,)
        filled(folder, "二")
        assert (folder / "library.sqlite3-wal").stat().st_size > 0
        kept = restore(backup, folder)
        assert kept is not None
        assert foreign.execute("SELECT count(*) FROM sources").fetchone() == (1,)
    assert names(folder)[:2] == ["library.lock", "library.sqlite3"]
    restore(kept, tmp_path / "旧")
    with Store.open(tmp_path / "旧") as store:
        assert texts(store) == ["一", "二"]


class Stopped(Files):
    """Stops at the n-th rename or synchronisation, as a crash would."""

    def __init__(self, stop_at: int) -> None:
        self.left = stop_at

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise OSError(5, "Input/output error")

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._step()
        super().sync_folder(folder)


def test_a_restore_that_stops_leaves_the_old_or_the_new_library(tmp_path: Path) -> None:
    backup = backup_of(filled(tmp_path / "库", "新"), tmp_path / "1.sqlite3")
    for stop_at in range(1, 9):
        folder = filled(tmp_path / str(stop_at), "旧")
        try:
            restore(backup, folder, files=Stopped(stop_at))
        except IndexFileError as error:
            stopped = error.code
        else:
            stopped = ""
        with Store.open(folder) as store:
            found = texts(store)
            assert list(store.check()) == []
        assert found == (["旧"] if stop_at < 4 else ["新"])
        assert not [name for name in names(folder) if "restoring" in name]
        if not stopped:
            break
        assert stopped == "library_unwritable"
    assert stop_at == 5
