"""Disks that are full or refuse: nothing changes, and it is said what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from index.files import Files
from index.store import Store
from rag.errors import IndexFileError
from tests.store_samples import KEY, add, addition, ids, remove, texts

PROJECT = Path(__file__).resolve().parent.parent

LIMITED = f"""
import resource, sys
from pathlib import Path
from index.store import Store
from rag.errors import CewenError
from tests.store_samples import add, addition, ids, remove, texts
folder = Path(sys.argv[1])
unlimited = resource.getrlimit(resource.RLIMIT_FSIZE)
with Store.open(folder) as store:
    add(store, addition("前"))
    before = store.version()
    for limit in (40_000, 100_000, 300_000, 700_000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, unlimited[1]))
        try:
            store.apply("default", removals=[(ids(addition("前"))[0], "user", ())],
                        additions=[addition("大" * 300_000)], encoder_key={KEY!r})
            print("no error")
        except CewenError as error:
            print(error.code, texts(store) == ["前"], store.version() == before, "没有改动" in error.message)
        resource.setrlimit(resource.RLIMIT_FSIZE, unlimited)
        assert list(store.check()) == []
    add(store, addition("后"))
with Store.open(folder) as store:
    print(texts(store), list(store.check()))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such limit")
def test_a_limit_on_the_size_of_files_undoes_the_change_and_nothing_else(tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONIOENCODING": "utf-8"}
    run = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
        env=environment,
        encoding="utf-8",
    )
    assert run.stderr == ""
    assert run.stdout.splitlines() == ["library_unwritable True True True"] * 4 + ["['前', '后'] []"]


def test_a_full_disk_undoes_the_change_and_nothing_else(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        add(store, addition("前", documents=2))
        before = store.version()
        writer = store._connection()
        (pages,) = writer.execute("PRAGMA page_count").fetchone()
        for more in (0, 1, 5, 20):
            writer.execute(f"PRAGMA max_page_count = {pages + more}").fetchone()
            with pytest.raises(IndexFileError, match=r"library\.sqlite3.*没有改动.*磁盘空间") as caught:
                store.apply(
                    "default",
                    removals=[(ids(addition("前"))[0], "user", ())],
                    additions=[addition("大" * 100_000)],
                    encoder_key=KEY,
                )
            assert caught.value.code == "library_unwritable"
            assert (texts(store), store.version()) == (["前"], before)
            assert [one.live for one in store.sources("default")] == [(1, 2)]
        remove(store, ids(addition("前", documents=2))[0])  # there is always room to remove
        assert [one.live for one in store.sources("default")] == [(2,)]
        writer.execute("PRAGMA max_page_count = 1000000").fetchone()
        add(store, addition("大" * 100_000))
        assert list(store.check()) == []


class Refusing(Files):
    """Refuses its n-th operation."""

    def __init__(self, fail_at: int) -> None:
        self.left = fail_at

    def _step(self) -> None:
        self.left -= 1
        if self.left == 0:
            raise OSError(28, "No space left on device")

    def make_folder(self, folder: Path) -> None:
        self._step()
        super().make_folder(folder)

    def rename(self, source: Path, target: Path) -> None:
        self._step()
        super().rename(source, target)

    def sync_folder(self, folder: Path) -> None:
        self._step()
        super().sync_folder(folder)


def test_making_the_file_fails_whole_or_works(tmp_path: Path) -> None:
    for fail_at in range(1, 10):
        folder = tmp_path / str(fail_at)
        files = Refusing(fail_at)
        try:
            Store.open(folder, files=files).close()
        except IndexFileError as error:
            assert error.code == "library_unwritable"  # noqa: PT017 - also the case where it works is of interest
        else:
            assert fail_at == 5
            break
        with Store.open(folder) as store:
            assert [one.name for one in store.collections()] == ["default"]
        left = sorted(path.name for path in folder.iterdir())
        assert left == ["library.lock", "library.sqlite3", "library.users"]


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="to root everything is writable")
def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(IndexFileError, match="权限") as caught:
        Store.open(tmp_path)
    assert caught.value.code == "library_unwritable"


def test_a_file_in_the_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "库").write_text("不是文件夹")
    for writable in (True, False):
        with pytest.raises(IndexFileError) as caught:
            Store.open(tmp_path / "库", writable=writable)
        assert caught.value.code == ("library_unwritable" if writable else "library_missing")
