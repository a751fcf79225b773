"""Which bytes of an SQLite file decide anything, read off its format ("Database File Format", 1.3 to 1.6).

A byte is live if SQLite follows it or hands it out: page headers, cell pointers, cells, overflow pages, the
lists of free pages and free blocks, most of the first hundred bytes. All others are dead: free pages, the
space between the pointers and the cells of a page, what free blocks and fragments hold, the rest of the last
page of a long value, and a few fields of the file's header. Written for files of ours: no auto-vacuum,
nothing reserved.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

# Offsets in the first page that change nothing of what is read: change counter, size and schema cookie,
# suggested cache size, reserved bytes, and who wrote last.
DEAD_HEADER = frozenset((*range(24, 28), *range(40, 44), *range(48, 52), *range(72, 100)))

_LEAF_INDEX, _LEAF_TABLE, _INNER_INDEX, _INNER_TABLE = 10, 13, 2, 5
_KINDS = {
    _LEAF_INDEX: "index leaf",
    _LEAF_TABLE: "table leaf",
    _INNER_INDEX: "index inner",
    _INNER_TABLE: "table inner",
}


class PageMap:
    """The live bytes of a file.

    Args:
        data: The whole file.
        roots: The first page of each table and index, besides the schema's, from 1.

    Attributes:
        live: For each byte of the file 1 if it is live, else 0.
        steering: The live bytes by which SQLite finds its way, each with the kind of its page or list: page
            headers, pointers, sizes of cells, lists of free pages.
    """

    def __init__(self, data: bytes, roots: list[int]) -> None:
        self._data = data
        self.page_bytes = int.from_bytes(data[16:18], "big")
        assert data[20] == 0, "no reserved bytes"
        self.live = bytearray(len(data))
        self.steering: dict[int, str] = {}
        self._keep(0, 100)
        for place in DEAD_HEADER:
            self.live[place] = 0
        self._free_pages()
        for root in (1, *roots):
            self._tree(root)

    def _steer(self, place: int, length: int, kind: str) -> None:
        self.steering.update(dict.fromkeys(range(place, place + length), kind))

    @property
    def dead(self) -> list[int]:
        """Offsets of the bytes that decide nothing, ascending."""
        return [place for place, live in enumerate(self.live) if not live]

    def _number(self, place: int, length: int) -> int:
        return int.from_bytes(self._data[place : place + length], "big")

    def _keep(self, place: int, length: int) -> None:
        self.live[place : place + length] = b"\1" * length

    def _varint(self, place: int) -> tuple[int, int]:
        value = 0
        for used in range(1, 9):
            byte = self._data[place + used - 1]
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value, used
        return value << 8 | self._data[place + 8], 9

    def _free_pages(self) -> None:
        trunk = self._number(32, 4)
        self._steer(32, 8, "trunk")
        while trunk:
            start = (trunk - 1) * self.page_bytes
            length = 8 + 4 * self._number(start + 4, 4)
            self._keep(start, length)
            self._steer(start, length, "trunk")
            trunk = self._number(start, 4)

    def _tree(self, page: int) -> None:
        start = (page - 1) * self.page_bytes
        head = start + (100 if page == 1 else 0)
        kind = self._data[head]
        inner = kind in (_INNER_INDEX, _INNER_TABLE)
        cells, length = self._number(head + 3, 2), 12 if inner else 8
        self._keep(head, length + 2 * cells)
        self._steer(head, length + 2 * cells, _KINDS[kind])
        for number in range(cells):
            self._cell(start + self._number(head + length + 2 * number, 2), kind)
        block = self._number(head + 1, 2)
        while block:
            self._keep(start + block, 4)
            block = self._number(start + block, 2)
        if inner:
            self._tree(self._number(head + 8, 4))

    def _cell(self, place: int, kind: int) -> None:
        at = place
        if kind in (_INNER_INDEX, _INNER_TABLE):
            self._tree(self._number(at, 4))
            at += 4
        payload = 0
        if kind != _INNER_TABLE:
            payload, used = self._varint(at)
            at += used
        if kind in (_LEAF_TABLE, _INNER_TABLE):
            at += self._varint(at)[1]
        self._steer(place, at - place, _KINDS[kind])
        here = self._here(payload, kind)
        self._keep(place, at - place + here)
        if here < payload:
            self._keep(at + here, 4)
            self._steer(at + here, 4, "overflow")
            self._overflow(self._number(at + here, 4), payload - here)

    def _here(self, payload: int, kind: int) -> int:
        """How much of a value stands in its cell."""
        usable = self.page_bytes
        most = usable - 35 if kind == _LEAF_TABLE else (usable - 12) * 64 // 255 - 23
        if payload <= most:
            return payload
        least = (usable - 12) * 32 // 255 - 23
        some = least + (payload - least) % (usable - 4)
        return some if some <= most else least

    def _overflow(self, page: int, left: int) -> None:
        while page:
            start = (page - 1) * self.page_bytes
            here = min(left, self.page_bytes - 4)
            self._steer(start, 4, "overflow")
            self._keep(start, 4 + here)
            page, left = self._number(start, 4), left - here
        assert left == 0, "the chain is as long as the value"


def map_of(path: Path) -> PageMap:
    """The map of a file that nobody has open and that has no log."""
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT rootpage FROM sqlite_schema WHERE rootpage > 0").fetchall()
    return PageMap(path.read_bytes(), [root for (root,) in found])
