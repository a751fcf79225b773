from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from index.build import write_built
from index.built import open_built
from index.files import Files
from index.manifest import Manifest
from rag.errors import EncoderError, IndexFileError, IndexMismatchError, UnavailableError
from tests.index_disk import Disk, PowerCutError
from tests.index_samples import TEXTS, corpus_of, recipe_of, terms_of, unit_rows, vectors_of

BUILT = Path("data/built")
OLD, NEW = corpus_of(TEXTS), corpus_of(("新的一篇。\n换了内容。\n共三句。",))


def build(folder: Path, files: Files, corpus: Any = OLD) -> Manifest:
    return write_built(
        folder, recipe_of(corpus), corpus.sources, vectors_of(corpus), terms_of(corpus), files=files
    )


def opens_as(files: Files) -> str:
    """Which of the two corpora is found, with its own rows; or "nothing", or "broken"."""
    for name, corpus in (("old", OLD), ("new", NEW)):
        try:
            built = open_built(BUILT, recipe_of(corpus), files=files)
        except IndexMismatchError:
            continue
        except IndexFileError as error:
            return "nothing" if error.code == "index_missing" else f"broken: {error}"
        assert built.sources == corpus.sources
        query = unit_rows(1, 4, 99)[0]
        rows = vectors_of(corpus)["window"]
        everything = np.arange(len(rows))
        assert built.window_vectors.scores(query, everything) == pytest.approx(rows @ query, abs=1e-6)
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
    for corpus in (OLD, NEW, OLD):
        build(BUILT, disk, corpus)
    assert disk.names(BUILT) == ("CURRENT", "gen-000002", "gen-000003")
    assert opens_as(disk) == "old"


def test_foreign_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    (tmp_path / "gen-1").mkdir()
    build(tmp_path, Files())
    build(tmp_path, Files(), NEW)
    assert {"notes.txt", "gen-1", "gen-000001", "gen-000002"} < set(Files().names(tmp_path))
    assert open_built(tmp_path, recipe_of(NEW)).fingerprint != ""


class Undeletable(Disk):
    def remove_folder(self, folder: Path) -> None:
        raise OSError(13, "Permission denied", str(folder))


def test_what_cannot_be_removed_does_not_spoil_the_build() -> None:
    disk = Undeletable()
    for corpus in (OLD, OLD, NEW):
        build(BUILT, disk, corpus)
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


def test_parts_that_do_not_fit_the_recipe_are_refused() -> None:
    recipe, vectors, terms = recipe_of(OLD), vectors_of(OLD), terms_of(OLD)

    def attempt(sources: Any = OLD.sources, vectors: Any = vectors, terms: Any = terms) -> None:
        write_built(BUILT, recipe, sources, vectors, terms, files=Disk())

    with pytest.raises(ValueError, match="expected those of the recipe"):
        attempt(sources=OLD.sources[:1])
    with pytest.raises(ValueError, match=r"kinds \['chunk', 'sentence'\]"):
        attempt(vectors={kind: vectors[kind] for kind in ("chunk", "sentence")})
    with pytest.raises(ValueError, match=r"and \['chunk'\]"):
        attempt(terms={"chunk": terms["chunk"]})
    with pytest.raises(ValueError, match=r"window vectors have shape \(3, 4\), expected \(4, 4\)"):
        attempt(vectors=vectors | {"window": vectors["window"][:3]})
    with pytest.raises(ValueError, match=r"chunk vectors have shape \(4, 5\), expected \(4, 4\)"):
        attempt(vectors=vectors | {"chunk": unit_rows(4, 5)})
    with pytest.raises(ValueError, match="3 lists of sentence terms, expected 4"):
        attempt(terms=terms | {"sentence": terms["sentence"][:3]})
    with pytest.raises(EncoderError, match="不是单位长度"):
        attempt(vectors=vectors | {"chunk": 2 * vectors["chunk"]})
