"""A deleted text is in no byte of the file: also where SQLite has moved its row before."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.store import Store
from index.store.bodies import PAGE_BYTES, packed, unpacked


@given(st.binary(max_size=3 * PAGE_BYTES))
def test_packing_and_back(text: bytes) -> None:
    assert unpacked(packed(text)) == text
    assert len(packed(text)) < len(text) + 1200 + PAGE_BYTES


@given(st.binary(max_size=200), st.integers(0), st.integers(0, 7))
def test_a_changed_bit_is_seen(text: bytes, at: int, bit: int) -> None:
    body = bytearray(packed(text))
    body[at % len(body)] ^= 1 << bit
    assert unpacked(bytes(body)) != text


def test_what_is_too_short_is_none_of_ours() -> None:
    assert [unpacked(body) for body in (b"", b"\0", bytes(8), bytes(1200))] == [None] * 4


@pytest.mark.parametrize("length", [0, 1, 100, 8087, 8088, 8089, 16_276, 40_000, 1_040_000, 2_100_000])
def test_no_byte_of_a_text_stands_in_a_row(tmp_path: Path, length: int) -> None:
    path = tmp_path / "x.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        connection.execute("INSERT INTO texts (body) VALUES (?)", (packed(b"\xa5" * length),))
        connection.commit()
        (leaf,) = connection.execute("SELECT rootpage FROM sqlite_schema").fetchone()
    data = path.read_bytes()
    assert b"\xa5" * 3 not in data[(leaf - 1) * PAGE_BYTES : leaf * PAGE_BYTES]
    assert data.count(b"\xa5") >= length


def left_after(path: Path, seed: int, form: Callable[[bytes], bytes]) -> list[bytes]:
    """What is left in a file of texts that came and went."""
    rnd = random.Random(seed)  # noqa: S311 - the same for the same seed
    alive: dict[int, bytes] = {}
    gone: list[bytes] = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in (f"page_size = {PAGE_BYTES}", "secure_delete = ON", "synchronous = OFF"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("CREATE TABLE texts (id INTEGER PRIMARY KEY, body BLOB NOT NULL)")
        for number in range(600):
            if len(alive) > 40 and rnd.random() < 0.55:
                row = rnd.choice(sorted(alive))
                gone.append(alive.pop(row))
                connection.execute("DELETE FROM texts WHERE id = ?", (row,))
            else:
                text = (f"ZQ{number:04}" + "长" * rnd.randrange(90, 320)).encode()
                alive[number] = text
                connection.execute("INSERT INTO texts VALUES (?, ?)", (number, form(text)))
    data = path.read_bytes()
    assert all(text[:6] in data for text in alive.values())
    return [text for text in gone if text[:6] in data]


def test_of_many_short_texts_that_come_and_go_none_is_left(tmp_path: Path) -> None:
    leaves = [seed for seed in range(20) if left_after(tmp_path / f"plain-{seed}", seed, bytes)]
    assert leaves, "of plain texts none is left either: then packing, or this test, is for nothing"
    assert [left_after(tmp_path / str(seed), seed, packed) for seed in leaves] == [[] for _ in leaves]


def test_what_a_killed_restore_has_left_is_removed_by_the_next_writer(tmp_path: Path) -> None:
    Store.open(tmp_path).close()
    left = [tmp_path / f"library.sqlite3.restoring{suffix}" for suffix in ("", "-wal")]
    for path in left:
        path.write_bytes(b"ZQ")
    Store.open(tmp_path, writable=False).close()
    assert all(path.exists() for path in left)
    Store.open(tmp_path).close()
    assert not any(path.exists() for path in left)
