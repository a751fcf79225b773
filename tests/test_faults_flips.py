"""Every bit of a library's file: where a flip matters it is noticed, and where it is not it decides nothing.

`sqlite_map` says of each byte whether SQLite ever follows it or hands it out. Flips in the others are not
noticed, and need not be: with all of them overwritten at once, everything that can be read is the same, bit
for bit, now, after changes, after a backup and its restore, and after SQLite has written the file anew.
A flip in what leads SQLite through the file, which hides rows or frees pages that are in use, is refused when
the file is opened or before it is changed. Some flips are tried; by `make nightly` many, or `FAULT_FLIPS`
times fifteen.
"""

from __future__ import annotations

import os
import random
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from index.store import Store
from index.store.connections import remove_logs
from rag.errors import IndexFileError
from tests.fault_nursery import nightly_seed
from tests.sqlite_map import PageMap, map_of
from tests.store_filled import content, filled, noticed
from tests.store_samples import KEY, add, addition, ids, remove

MANY = 15 * int(os.environ.get("FAULT_FLIPS", "100"))
HOW_MANY = pytest.mark.parametrize(
    "flips", [100, pytest.param(MANY, marks=pytest.mark.nightly)], ids=["some", "many"]
)
WRITE_VERSION = 18
"""Of the file's format: with another one SQLite reads everything and changes nothing. The one byte of which a
check, which only reads, learns nothing; opening to write does, and refuses."""

# Fields of the first hundred bytes of which some bits decide nothing: a lower "read version" means the same
# tables; of schema format and text encoding one byte of four counts.
SOME_BITS_DEAD = {WRITE_VERSION, 19, *range(44, 48), *range(56, 60)}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, PageMap]:
    path = filled(tmp_path_factory.mktemp("sound"))
    return path.read_bytes(), map_of(path)


def chance(flips: int, what: str) -> random.Random:
    seed = 1 if flips < MANY else nightly_seed()
    return random.Random(f"{seed} {what}")  # noqa: S311 - the same for the same seed


def put(folder: Path, data: bytes) -> Path:
    """Make this the library of a folder."""
    path = folder / "library.sqlite3"
    remove_logs(path)
    path.write_bytes(data)
    return path


def flipped(data: bytes, place: int, bit: int) -> bytes:
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]


def lives(folder: Path) -> Iterator[list[object]]:
    """Everything that can be read: now, and after each of the things that write."""

    def opened() -> Store:
        return Store.open(folder, clock=lambda: datetime(2031, 1, 1, tzinfo=UTC))

    def changed(change: Callable[[Store], object]) -> list[object]:
        with opened() as store:
            change(store)
        return content(folder)

    yield content(folder)
    more = addition("后来的。" * 4000, documents=2, rows=120)
    yield changed(lambda store: add(store, more))
    yield changed(lambda store: store.drop_pending("j"))
    yield changed(lambda store: remove(store, ids(more)[0]))
    yield changed(lambda store: store.set_calibration("default", KEY, '{"threshold": 0.25}'))
    yield changed(lambda store: [add(store, addition(f"{number}。" * 2000, rows=40)) for number in range(9)])
    yield changed(lambda store: store.drop_collection("另"))
    with opened() as store:
        assert list(store.check()) == []
        store.backup(folder / "copy.sqlite3")
    Store.restore(folder / "copy.sqlite3", folder)
    yield content(folder)
    with closing(sqlite3.connect(folder / "library.sqlite3")) as connection:
        connection.execute("VACUUM")
    yield content(folder)
    for left in folder.glob("*.sqlite3*"):
        left.unlink()


def test_the_store_that_is_damaged_here_has_every_kind_of_page(sound: tuple[bytes, PageMap]) -> None:
    data, pages = sound
    assert {"index leaf", "table leaf", "table inner", "overflow", "trunk"} <= set(pages.steering.values())
    assert int.from_bytes(data[36:40], "big") > 8, "free pages"
    assert 0.2 < len(pages.dead) / len(data) < 0.7


@HOW_MANY
def test_a_flip_is_noticed_exactly_where_something_is_read(
    sound: tuple[bytes, PageMap], tmp_path: Path, flips: int, capsys: pytest.CaptureFixture[str]
) -> None:
    data, pages = sound
    rnd = chance(flips, "anywhere")
    seen: Counter[tuple[bool, bool]] = Counter()
    for _ in range(flips):
        place, bit = rnd.randrange(100, len(data)), rnd.randrange(8)
        put(tmp_path, flipped(data, place, bit))
        live, found = bool(pages.live[place]), noticed(tmp_path)
        assert live == found, (place, bit)
        seen[live, found] += 1
    if flips == MANY:
        with capsys.disabled():
            print(f"\n{flips} flips: {seen[True, True]} noticed, {seen[False, False]} in dead bytes")  # noqa: T201


@pytest.mark.parametrize("pattern", ["ones", "by chance", pytest.param("others", marks=pytest.mark.nightly)])
def test_all_dead_bytes_at_once_decide_nothing(
    sound: tuple[bytes, PageMap], tmp_path: Path, pattern: str
) -> None:
    data, pages = sound
    put(tmp_path, data)
    wanted = list(lives(tmp_path))
    rounds = 40 if pattern == "others" else 1
    rnd = chance(MANY if rounds > 1 else 0, pattern)
    for _ in range(rounds):
        spoilt = bytearray(data)
        for place in pages.dead:
            spoilt[place] = 0xFF if pattern == "ones" else rnd.randrange(256)
        put(tmp_path, bytes(spoilt))
        assert not noticed(tmp_path)
        for number, (found, right) in enumerate(zip(lives(tmp_path), wanted, strict=True)):
            assert found == right, number


@HOW_MANY
def test_a_bit_of_the_header_that_is_not_noticed_decides_nothing_or_nothing_is_written(
    sound: tuple[bytes, PageMap], tmp_path: Path, flips: int
) -> None:
    data, pages = sound
    put(tmp_path, data)
    wanted = list(lives(tmp_path))
    rnd = chance(flips, "header")
    every = [(place, bit) for place in range(100) for bit in range(8)]
    unseen: set[int] = set()
    for place, bit in every if flips == MANY else [(WRITE_VERSION, 0), *rnd.sample(every, flips // 6)]:
        path = put(tmp_path, flipped(data, place, bit))
        if noticed(tmp_path):
            assert pages.live[place], place
            continue
        unseen.add(place)
        try:
            assert list(lives(tmp_path)) == wanted, (place, bit)
        except IndexFileError as error:
            refused = place, error.code, "cewen backup" in error.message
            assert refused == (WRITE_VERSION, "library_unwritable", True)
            remove_logs(path)
            assert path.read_bytes() == flipped(data, place, bit)
    assert {place for place in unseen if pages.live[place]} <= SOME_BITS_DEAD


def test_a_library_that_calls_itself_read_only_comes_back_through_a_backup(
    sound: tuple[bytes, PageMap], tmp_path: Path
) -> None:
    put(tmp_path, flipped(sound[0], WRITE_VERSION, 0))
    before = content(tmp_path)
    with Store.open(tmp_path, writable=False) as store:
        store.backup(tmp_path / "copy.sqlite3")
    Store.restore(tmp_path / "copy.sqlite3", tmp_path)
    with Store.open(tmp_path) as store:
        store.set_calibration("default", KEY, '{"threshold": 0.5}')  # as it is
    after = content(tmp_path)
    # A number grows with each change, and the restore is one.
    assert [one for one in after if not isinstance(one, int)] == [
        one for one in before if not isinstance(one, int)
    ]


@HOW_MANY
def test_a_flip_in_what_leads_through_the_file_hides_nothing_and_spoils_nothing(
    sound: tuple[bytes, PageMap], tmp_path: Path, flips: int
) -> None:
    """Without any check by hand: either everything is there, or the library is refused, as it is."""
    data, pages = sound
    put(tmp_path, data)
    before, after, *_ = lives(tmp_path)
    rnd = chance(flips, "steering")
    ended: Counter[str] = Counter()
    for place in rnd.choices(sorted(pages.steering), k=flips):
        bit = rnd.randrange(8)
        path = put(tmp_path, flipped(data, place, bit))
        for number, right in enumerate((before, after)):
            try:
                found = _once(tmp_path, change=number == 1)
            except IndexFileError as error:
                assert error.code == "library_damaged"  # noqa: PT017 - the other case is of interest too
                ended[f"refused {number}"] += 1
                break
            hides_vectors = number == 0 and pages.steering[place].startswith("index")
            shown = _without_vectors if hides_vectors else list
            assert shown(found) == shown(right), (place, bit, number)
        else:
            ended["the same"] += 1
            continue
        remove_logs(path)
        assert path.read_bytes() == flipped(data, place, bit), "a refused library is not changed"
    assert ended["refused 0"] > ended["the same"]
    assert ended["refused 1"]


def _once(folder: Path, *, change: bool) -> list[object]:
    if change:
        with Store.open(folder, clock=lambda: datetime(2031, 1, 1, tzinfo=UTC)) as store:
            add(store, addition("后来的。" * 4000, documents=2, rows=120))
    return content(folder)


def _without_vectors(found: list[object]) -> list[object]:
    """What is left if an index hides vectors: their documents are encoded anew then, which is a change."""
    return [one for one in found if not isinstance(one, str | tuple)]


def test_a_page_in_use_that_is_listed_as_free_is_not_written_over(
    sound: tuple[bytes, PageMap], tmp_path: Path
) -> None:
    data, pages = sound
    trunk = (int.from_bytes(data[32:36], "big") - 1) * pages.page_bytes
    used = next(
        place // pages.page_bytes + 1
        for place, kind in pages.steering.items()
        if kind == "overflow" and place % pages.page_bytes == 0
    )
    spoilt = bytearray(data)
    spoilt[trunk + 8 : trunk + 12] = used.to_bytes(4, "big")
    put(tmp_path, data)
    before = content(tmp_path)
    path = put(tmp_path, bytes(spoilt))
    assert content(tmp_path) == before
    with pytest.raises(IndexFileError) as caught:
        _once(tmp_path, change=True)
    assert caught.value.code == "library_damaged"
    remove_logs(path)
    assert path.read_bytes() == spoilt
    assert content(tmp_path) == before
