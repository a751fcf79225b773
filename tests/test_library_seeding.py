"""The seeds folder at a start: a file that cannot be used keeps nobody from asking."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from api.engine_parts import EngineParts
from api.library.maintenance import check
from api.library.opening import open_store
from api.library.seeding import StoreTarget, follow_seeds
from index.store import Store
from rag.errors import ConfigError
from tests.library_samples import (
    WatchedEncoder,
    ids_of,
    is_found,
    listed,
    opened,
    page,
    settings_of,
    write_seed,
)

NO_TEXT = "灯塔".encode()[:-1]


class Watched:
    """A store that notes the documents of which sources it was asked for; None for all of them."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked_for: list[str | None] = []

    def live_documents(self, collection: str, source_id: str | None = None) -> tuple[str, ...]:
        self.asked_for.append(source_id)
        found = self._store.live_documents(collection)
        assert source_id is None or self._store.live_documents(collection, source_id) == tuple(
            one for one in found if one.startswith(f"{source_id}-")
        )
        return self._store.live_documents(collection, source_id)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def seeds(folder: Path) -> Path:
    return folder / "seeds"


def places(folder: Path) -> list[str]:
    return [finding.place for finding in check(settings_of(folder))]


def test_a_file_that_cannot_be_used_is_told_and_the_others_are_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_seed(tmp_path, 1)
    (seeds(tmp_path) / "bad.txt").write_bytes(NO_TEXT)
    (seeds(tmp_path) / "out.txt").symlink_to("/etc/hostname")
    with caplog.at_level(logging.ERROR), opened(tmp_path) as library:
        assert listed(library) == list(ids_of(1))
        assert is_found(library.engine(), 1)
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert len(said) == 2
    assert "out.txt" in said[0]
    assert "bad.txt" in said[1]
    assert places(tmp_path) == ["语料文件夹的 out.txt", "语料文件夹的 bad.txt"]
    (seeds(tmp_path) / "bad.txt").unlink()
    (seeds(tmp_path) / "out.txt").unlink()
    assert places(tmp_path) == []


def test_what_a_file_stood_for_stays_when_it_cannot_be_read_any_more(tmp_path: Path) -> None:
    write_seed(tmp_path, 1)
    write_seed(tmp_path, 2)
    with opened(tmp_path) as library:
        assert len(listed(library)) == 2
    (seeds(tmp_path) / "1.txt").write_bytes(NO_TEXT)
    with opened(tmp_path) as library:
        assert listed(library) == [*ids_of(1), *ids_of(2)]
    for number in (1, 2):  # a disk that is not there
        (seeds(tmp_path) / f"{number}.txt").unlink()
        (seeds(tmp_path) / f"{number}.txt").symlink_to(tmp_path / "unmounted" / f"{number}.txt")
    with opened(tmp_path) as library:
        assert listed(library) == [*ids_of(1), *ids_of(2)]
    assert places(tmp_path) == ["语料文件夹的 1.txt", "语料文件夹的 2.txt"]


def test_nothing_but_files_that_cannot_be_used_is_an_error(tmp_path: Path) -> None:
    seeds(tmp_path).mkdir()
    (seeds(tmp_path) / "bad.txt").write_bytes(NO_TEXT)
    with pytest.raises(ConfigError, match=r"bad\.txt"):
        opened(tmp_path)
    (seeds(tmp_path) / "bad.txt").write_text(page(1), "utf-8")
    with opened(tmp_path) as library:
        assert listed(library) == list(ids_of(1))


def test_an_empty_folder_is_not_believed(tmp_path: Path) -> None:
    write_seed(tmp_path, 1)
    with opened(tmp_path):
        pass
    (seeds(tmp_path) / "1.txt").unlink()
    with pytest.raises(ConfigError, match="挂载"):
        opened(tmp_path)


def test_a_change_of_many_files_looks_at_each_source_once(tmp_path: Path) -> None:
    """Each file that changes or goes costs what it holds, not a look at all that there is."""
    count = 40
    for number in range(count):
        write_seed(tmp_path, number)
    with opened(tmp_path):
        pass
    for number in range(count):
        (seeds(tmp_path) / f"{number}.txt").unlink()
        if number % 2:
            write_seed(tmp_path, number + count, name=f"{number}.txt")
    settings = settings_of(tmp_path)
    with open_store(settings, writable=True) as store:
        watched = Watched(store)
        parts = EngineParts(settings, encoder=WatchedEncoder())
        report = follow_seeds(StoreTarget(watched, parts), store, settings.seeds_dir)  # type: ignore[arg-type]
    assert (len(report.replaced), len(report.removed)) == (count // 2, count // 2)
    assert len(watched.asked_for) == len(set(watched.asked_for)) == count
    assert None not in watched.asked_for
