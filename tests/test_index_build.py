from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from index.build import write_generation
from index.built import open_generation
from index.files import Digest, Files, sha256
from index.layout import Current
from index.manifest import Manifest
from index.postings import Postings
from index.vectors import VectorIndex
from rag.errors import IndexFileError, UnavailableError
from tests.index_disk import Disk, PowerCutError
from tests.index_samples import (
    TEXTS,
    Rows,
    documents_of,
    index_of,
    recipe_of,
    unit_rows,
    vectors_of,
    wanted_of,
)

BUILT = Path("data/built")
OLD, NEW = documents_of(TEXTS), documents_of((TEXTS[0], "新的一篇。\n换了内容，共三行。\n完。"))


def build(folder: Path, files: Files, documents: Sequence[Rows] = OLD) -> Manifest:
    return write_generation(folder, recipe_of(documents), index_of(documents), files=files)


def opens_as(files: Files) -> str:
    """Which of the two is found, with its own rows; or "nothing", or "broken"."""
    try:
        generation = open_generation(BUILT, files=files)
    except IndexFileError as error:
        return "nothing" if error.code == "index_missing" else f"broken: {error}"
    for name, documents in (("old", OLD), ("new", NEW)):
        if generation.recipe == recipe_of(documents):
            index, ids = generation.index_of(wanted_of(documents))
            assert ids == tuple(document.document_id for document in documents)
            query, rows = unit_rows(1, 4, 99)[0], vectors_of(documents)["window"]
            found = index.window_vectors.scores(query, np.arange(len(rows)))
            assert found == pytest.approx(rows @ query, abs=1e-6)
            return name
    return "broken: neither the old nor the new index"


def test_building_the_same_thing_twice_writes_the_same_bytes() -> None:
    one, two = Disk(), Disk()
    build(BUILT, one)
    build(BUILT, two)
    folder = BUILT / "gen-000001"
    assert one.names(folder) == two.names(folder)
    assert [one.read(folder / name) for name in one.names(folder)] == [
        two.read(folder / name) for name in two.names(folder)
    ]


def test_the_one_before_is_kept_and_older_ones_are_removed() -> None:
    disk = Disk()
    for documents in (OLD, NEW, OLD):
        build(BUILT, disk, documents)
    assert disk.names(BUILT) == ("CURRENT", "gen-000002", "gen-000003")
    assert opens_as(disk) == "old"


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    (tmp_path / "gen-1").mkdir()
    build(tmp_path, Files())
    build(tmp_path, Files(), NEW)
    assert {"notes.txt", "gen-1", "gen-000001", "gen-000002"} < set(Files().names(tmp_path))
    assert open_generation(tmp_path).recipe == recipe_of(NEW)


class Undeletable(Disk):
    def remove_folder(self, folder: Path) -> None:
        raise OSError(13, "Permission denied", str(folder))


def test_what_cannot_be_removed_does_not_spoil_the_build() -> None:
    disk = Undeletable()
    for documents in (OLD, OLD, NEW):
        build(BUILT, disk, documents)
    assert disk.names(BUILT) == ("CURRENT", "gen-000001", "gen-000002", "gen-000003")
    assert opens_as(disk) == "new"


def every_failure(start: Disk, failure: BaseException) -> Iterator[tuple[Disk, bool]]:
    """A build of NEW on `start` with the first, second, … operation failing, until one meets no failure."""
    for number in range(1, 200):
        disk = start.copy()
        disk.fail_at, disk.failure = number, failure
        try:
            build(BUILT, disk, NEW)
            done = True
        except (IndexFileError, PowerCutError):
            done = False
        if disk.operations < number:
            assert number > 20, "too few operations to have tried anything"
            return
        disk.fail_at = 0
        yield disk, done
    raise AssertionError("never ran through")


def disk_with_old() -> Disk:
    disk = Disk()
    build(BUILT, disk, OLD)
    for path in (Path(), Path("data"), BUILT):
        disk.sync_folder(path)
    disk.operations = 0
    return disk


@pytest.mark.parametrize(("start", "before"), [(Disk(), "nothing"), (disk_with_old(), "old")])
def test_whichever_operation_fails_the_old_index_or_the_new_one_opens(start: Disk, before: str) -> None:
    seen = set()
    for disk, done in every_failure(start, OSError(28, "No space left on device")):
        found = opens_as(disk)
        assert found == "new" if done else found in {before, "new"}
        seen.add(found)
        build(BUILT, disk, NEW)  # with space again, the next build succeeds whatever was left behind
        assert opens_as(disk) == "new"
        assert not [name for name in disk.names(BUILT) if name.endswith(".tmp")]
    assert seen == {before, "new"}


def test_whenever_the_power_fails_the_old_index_or_the_new_one_opens() -> None:
    seen, tried = set(), 0
    for disk, _ in every_failure(disk_with_old(), PowerCutError()):
        for survivor in disk.after_power_cut():
            seen.add(opens_as(survivor))
            tried += 1
    assert seen == {"old", "new"}
    assert tried > 100


def test_once_written_the_new_index_survives_a_power_cut() -> None:
    disk = disk_with_old()
    build(BUILT, disk, NEW)
    assert {opens_as(survivor) for survivor in disk.after_power_cut()} == {"new"}


class NeverSynchronised(Disk):
    """What the tests above must be able to notice."""

    def sync_folder(self, folder: Path) -> None:
        self.folder(folder)


def test_the_power_cut_tests_can_fail() -> None:
    disk = NeverSynchronised()
    disk.root = disk_with_old().root
    build(BUILT, disk, NEW)
    outcomes = {opens_as(survivor)[:6] for survivor in disk.after_power_cut()}
    assert {"broken", "old"} <= outcomes


def test_a_second_builder_is_refused(tmp_path: Path) -> None:
    with Files().lock(tmp_path), pytest.raises(UnavailableError, match="另一个进程"):
        build(tmp_path, Files())


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "built").write_bytes(b"a file, not a folder")
    with pytest.raises(IndexFileError, match=r"写不进索引文件夹 .*built.*请检查磁盘空间和权限") as caught:
        build(tmp_path / "built", Files())
    assert caught.value.code == "index_unwritable"


class Small(Disk):
    """A disk with so many bytes left; what is removed makes room again."""

    def __init__(self, root: Disk, left: int) -> None:
        super().__init__()
        self.root, self.left = root.copy().root, left

    def write_blocks(self, path: Path, blocks: Iterable[bytes | memoryview]) -> Digest:
        try:
            return super().write_blocks(path, blocks)
        finally:
            self.left -= len(self.read(path))

    def room(self, wanted: int) -> int:
        return min(wanted, self.left)

    def remove_folder(self, folder: Path) -> None:
        self.left += sum(len(self.read(folder / name)) for name in self.names(folder))
        super().remove_folder(folder)


def test_on_a_full_disk_the_old_index_still_opens_and_nothing_half_done_takes_up_room() -> None:
    start, manifest = disk_with_old(), build(BUILT, Disk(), NEW)
    stated = manifest.to_json()
    needed = sum(stamp.length_bytes for stamp in manifest.files) + len(stated)
    for left in {*np.linspace(0, needed - 1, 120, dtype=int).tolist(), needed - 1}:
        disk = Small(start, left)
        with pytest.raises(
            IndexFileError, match=r"写不进索引文件夹 .*built.*No space left.*请检查磁盘空间和权限"
        ):
            build(BUILT, disk, NEW)
        assert disk.left == left
        assert disk.names(BUILT) == ("CURRENT", "gen-000001")
        assert opens_as(disk) == "old"
    disk = Small(start, needed + 10)  # all but the pointer
    with pytest.raises(IndexFileError, match="No space left"):
        build(BUILT, disk, NEW)
    assert opens_as(disk) == "old"
    disk = Small(start, needed + 1000)
    build(BUILT, disk, NEW)
    assert opens_as(disk) == "new"


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_real_file_that_cannot_grow_is_reported_and_the_old_index_still_opens(tmp_path: Path) -> None:
    build(tmp_path, Files(), OLD)
    program = (
        "import resource, sys\nfrom pathlib import Path\n"
        "from tests.test_index_build import NEW, Files, build\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (300, 300))\n"
        "build(Path(sys.argv[1]), Files(), NEW)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "写不进索引文件夹" in done.stderr
    assert "File too large" in done.stderr
    assert open_generation(tmp_path).recipe == recipe_of(OLD)
    assert {name for name in Files().names(tmp_path) if name.startswith("gen-")} == {"gen-000001"}


def of_the_first_format() -> Disk:
    """A folder as the program wrote it before generations kept documents apart."""
    disk = Disk()
    manifest = b'{"files": [], "format_version": 1, "recipe": {"sources": []}}\n'
    disk.make_folder(BUILT / "gen-000004")
    disk.make_folder(BUILT / "gen-000005")
    disk.write(BUILT / "gen-000005/manifest.json", manifest)
    disk.write(BUILT / "gen-000005/sources.json", b"[]")
    disk.write(BUILT / "CURRENT", Current("gen-000005", sha256(manifest)).to_line())
    return disk


def test_generations_of_another_format_go_with_the_next_build() -> None:
    disk = of_the_first_format()
    build(BUILT, disk, NEW)
    assert disk.names(BUILT) == ("CURRENT", "gen-000006")
    assert opens_as(disk) == "new"


@pytest.mark.parametrize("manifest", [b"", b"?", b"[" * 100_000])
def test_a_current_generation_that_nobody_can_open_is_not_kept(manifest: bytes) -> None:
    disk = disk_with_old()
    disk.write(BUILT / "gen-000001/manifest.json", manifest)
    build(BUILT, disk, NEW)
    assert disk.names(BUILT) == ("CURRENT", "gen-000002")


class Parts:
    """An index that comes apart into these."""

    def __init__(self, vectors: Mapping[str, Any], postings: Mapping[str, Any]) -> None:
        self._parts = vectors, postings

    def parts(self) -> Any:
        return self._parts


def test_an_index_that_does_not_fit_the_recipe_is_refused() -> None:
    vectors, postings = index_of(OLD).parts()
    three = VectorIndex.build(unit_rows(3, 4))
    for change, message in (
        (Parts({"chunk": three}, postings), r"kinds \['chunk'\]"),
        (Parts(vectors, {"chunk": postings["chunk"]}), r"and \['chunk'\]"),
        (
            Parts({**vectors, "window": three}, postings),
            r"window vectors have shape \(3, 4\), expected \(6, 4\)",
        ),
        (
            Parts({**vectors, "chunk": VectorIndex.build(unit_rows(4, 5))}, postings),
            r"chunk vectors have shape \(4, 5\), expected \(4, 4\)",
        ),
        (
            Parts(vectors, {**postings, "sentence": Postings.build([["甲"]])}),
            "1 rows of sentence terms, expected 6",
        ),
    ):
        with pytest.raises(ValueError, match=message):
            write_generation(BUILT, recipe_of(OLD), cast("Any", change), files=Disk())
    with pytest.raises(ValueError, match="列出了两次"):
        write_generation(BUILT, recipe_of(OLD + OLD), index_of(OLD + OLD), files=Disk())
