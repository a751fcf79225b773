"""Are the pages of the file in order? SQLite's own check, of as much of the file as each moment needs.

Seals and checksums prove what is read, not that everything there is was read: a bit that flips in an index or
in a pointer from page to page hides rows, each of which would be sound. And a flip in the list of free pages
harms later: a page in use is taken for a free one and written over. And a log that is damaged ends early. So
what says which documents there are, and how many changes, is checked when a file is opened, and all of it
before its first change by this process. `checking` looks at everything each time.
"""

from __future__ import annotations

import sqlite3

from index.store.faults import DamageError
from index.store.reading import counter
from index.store.schema import COLUMNS, verify

_LONG = ("vectors",)
"""Left out at opening: its pages are most of the file. A document whose vectors are hidden counts as not
encoded, and to store them anew is a change."""


def first_problem(connection: sqlite3.Connection, acknowledged: int) -> str | None:
    """Why a file is not to be opened, in Chinese; None if nothing speaks against it.

    Args:
        connection: One that reads.
        acknowledged: How many changes there are at the least.

    Raises:
        IndexFileError: As `schema.verify`.
        DamageError: As `changes_problem`.
    """
    return verify(connection) or tables_problem(connection) or changes_problem(connection, acknowledged)


def tables_problem(connection: sqlite3.Connection) -> str | None:
    """What is wrong with the tables and indexes that say what there is, in Chinese; None if nothing is.

    Takes some 2 milliseconds for a thousand documents.
    """
    for table in COLUMNS:
        if table not in _LONG:
            problem = _checked(connection, table)
            if problem:
                return f"{table} 表：{problem}"
    return None


def prove_pages(connection: sqlite3.Connection) -> None:
    """Before the first change: to write where pages are out of order would harm more than there is.

    Reads the whole file: about half a second for a gigabyte and a half that is in the system's cache.

    Raises:
        DamageError: If any page is.
    """
    problem = _checked(connection, 1)
    if problem:
        raise DamageError("", problem)


def changes_problem(connection: sqlite3.Connection, acknowledged: int) -> str | None:
    """Whether changes that were acknowledged are missing, in Chinese; None if none is.

    Args:
        connection: One that reads.
        acknowledged: How many there were at the least; see `index.store.lock.WriterLock`.

    Raises:
        DamageError: If their number is damaged.
    """
    found = counter(connection, "changes")
    if found >= acknowledged:
        return None
    return (
        f"日志（-wal）损坏或不见了：答应过的改动到第 {acknowledged} 次，这里只到第 {found} 次"
        "（没有备份而愿意接受较早的内容，就删去旁边的 library.lock 再启动）"
    )


def _checked(connection: sqlite3.Connection, what: str | int) -> str | None:
    (problem,) = connection.execute(f"PRAGMA integrity_check({what})").fetchone()
    return None if problem == "ok" else f"SQLite 的检查：{problem}"
