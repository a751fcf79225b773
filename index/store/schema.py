"""The tables of the store, their format number, and the seal on every row.

SQLite notices a page that is out of order, but not a changed digit inside a value. So each row carries a
`seal`: a SHA-256 over the table's name and all its other columns with their types. Two kinds of values are
too long for that and are covered by a SHA-256 of their own that stands in a sealed column: texts
(`sources.sha256`, `pending.sha256`) and vectors (`vectors.data_sha256`).

Texts stand in a table of their own, and are the parents of what is said about them: deleting a text takes
its source, documents and vectors along. Rows are numbered by SQLite and those numbers are sealed too, so
no damage can hang a document under another source unnoticed.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache

from rag.errors import IndexFileError

APPLICATION_ID = 0x6377_6C62  # "cwlb": a library of ours
FORMAT_VERSION = 2
"""Changes when a program of before could no longer read the file, or would read it wrongly."""

_TABLES = {
    "meta": "key TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL, seal BLOB NOT NULL",
    "collections": """id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at TEXT NOT NULL,
        encoder TEXT, sequence INTEGER NOT NULL, seal BLOB NOT NULL""",
    "texts": "id INTEGER PRIMARY KEY, body BLOB NOT NULL",
    "sources": """id INTEGER PRIMARY KEY,
        collection INTEGER NOT NULL REFERENCES collections (id),
        text INTEGER NOT NULL UNIQUE REFERENCES texts (id) ON DELETE CASCADE,
        source_id TEXT NOT NULL, sequence INTEGER NOT NULL, origin TEXT NOT NULL, name TEXT NOT NULL,
        sha256 TEXT NOT NULL, encoding TEXT NOT NULL, original_sha256 TEXT NOT NULL, metadata TEXT NOT NULL,
        added_at TEXT NOT NULL, seal BLOB NOT NULL,
        UNIQUE (collection, source_id), UNIQUE (collection, sequence)""",
    "documents": """id INTEGER PRIMARY KEY,
        source INTEGER NOT NULL REFERENCES sources (id) ON DELETE CASCADE,
        number INTEGER NOT NULL, live INTEGER NOT NULL, seal BLOB NOT NULL, UNIQUE (source, number)""",
    "vectors": """id INTEGER PRIMARY KEY,
        document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
        encoder_key TEXT NOT NULL, rows_sha256 TEXT NOT NULL, kind TEXT NOT NULL, part INTEGER NOT NULL,
        part_rows INTEGER NOT NULL, all_rows INTEGER NOT NULL, kinds INTEGER NOT NULL, dim INTEGER NOT NULL,
        data_sha256 BLOB NOT NULL, seal BLOB NOT NULL, data BLOB NOT NULL,
        UNIQUE (document, encoder_key, kind, part)""",
    "removals": """id INTEGER PRIMARY KEY,
        collection INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        document_id TEXT NOT NULL, source_id TEXT NOT NULL, source_sha256 TEXT NOT NULL,
        removed_at TEXT NOT NULL, removed_by TEXT NOT NULL, replaced_by TEXT NOT NULL, seal BLOB NOT NULL,
        UNIQUE (collection, document_id)""",
    "pending": """id INTEGER PRIMARY KEY, job_id TEXT NOT NULL UNIQUE,
        collection INTEGER NOT NULL REFERENCES collections (id),
        text INTEGER NOT NULL UNIQUE REFERENCES texts (id) ON DELETE CASCADE,
        origin TEXT NOT NULL, name TEXT NOT NULL, sha256 TEXT NOT NULL, encoding TEXT NOT NULL,
        original_sha256 TEXT NOT NULL, metadata TEXT NOT NULL, replaces TEXT, accepted_at TEXT NOT NULL,
        seal BLOB NOT NULL""",
    "calibrations": """id INTEGER PRIMARY KEY,
        collection INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
        encoder_key TEXT NOT NULL, content TEXT NOT NULL, seal BLOB NOT NULL,
        UNIQUE (collection, encoder_key)""",
}
# Without an index on a referring column, deleting what it refers to walks the whole table.
_INDEXES = {
    "removals_by_source": "removals (collection, source_id)",
    "pending_by_collection": "pending (collection)",
}
STATEMENTS = tuple(
    [f"CREATE TABLE {name} ({' '.join(columns.split())})" for name, columns in _TABLES.items()]
    + [f"CREATE INDEX {name} ON {columns}" for name, columns in _INDEXES.items()]
)
TARGET_GONE = "!"
"""Before the id in `pending.replaces`, of which there is none so: what it was to replace was removed."""
FORMATS = {
    # Has an index that nothing looks into. It stays where it is: read and written as it is, such a file can
    # still be opened by the programs that made it.
    1: (*STATEMENTS, "CREATE INDEX sources_by_original ON sources (collection, original_sha256)"),
    FORMAT_VERSION: STATEMENTS,
}
"""By format number what makes the tables of a file that can be read and written."""

COLUMNS: dict[str, tuple[str, ...]] = {
    "meta": ("key", "value"),
    "collections": ("id", "name", "created_at", "encoder", "sequence"),
    "sources": (
        *("id", "collection", "text", "source_id", "sequence", "origin", "name", "sha256", "encoding"),
        *("original_sha256", "metadata", "added_at"),
    ),
    "documents": ("id", "source", "number", "live"),
    "vectors": (
        *("id", "document", "encoder_key", "rows_sha256", "kind", "part", "part_rows", "all_rows", "kinds"),
        *("dim", "data_sha256"),
    ),
    "removals": (
        *("id", "collection", "document_id", "source_id", "source_sha256", "removed_at", "removed_by"),
        "replaced_by",
    ),
    "pending": (
        *("id", "job_id", "collection", "text", "origin", "name", "sha256", "encoding", "original_sha256"),
        *("metadata", "replaces", "accepted_at"),
    ),
    "calibrations": ("id", "collection", "encoder_key", "content"),
}
"""For each sealed table its columns under the seal, in the seal's order."""

Value = str | int | bytes | float | None
Buffer = bytes | memoryview


def seal_of(table: str, values: Sequence[Value]) -> bytes:
    """The seal of a row: SHA-256, 32 bytes.

    Args:
        table: Its table.
        values: In the order of `COLUMNS[table]`.
    """
    parts = [f"{table} {len(values)}\n".encode()]
    for value in values:
        if isinstance(value, str):
            kind, data = b"s%d\n", value.encode()
        elif isinstance(value, int):
            kind, data = b"i%d\n", b"%d" % value
        elif isinstance(value, bytes):
            kind, data = b"b%d\n", value
        elif value is None:
            kind, data = b"n%d\n", b""
        else:  # a number with a point: no row of ours has one, so no seal agrees
            kind, data = b"?%d\n", repr(value).encode()
        # Kind and length first: no two rows give the same bytes.
        parts += (kind % len(data), data)
    return hashlib.sha256(b"".join(parts)).digest()


def insert(connection: sqlite3.Connection, table: str, values: Sequence[Value], **long: Buffer) -> None:
    """Put a row with its seal into a table.

    Args:
        connection: In a transaction.
        table: Which.
        values: In the order of `COLUMNS[table]`.
        long: The columns that have a SHA-256 of their own, by name.
    """
    columns = (*COLUMNS[table], "seal", *long)
    marks = ", ".join("?" * len(columns))
    connection.execute(
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})",  # noqa: S608 - names from here only
        (*values, seal_of(table, values), *long.values()),
    )


def update(connection: sqlite3.Connection, table: str, values: Sequence[Value]) -> None:
    """Replace a row, known by its first column, and its seal; `values` as for `insert`."""
    columns = ", ".join(f"{name} = ?" for name in (*COLUMNS[table][1:], "seal"))
    connection.execute(
        f"UPDATE {table} SET {columns} WHERE {COLUMNS[table][0]} = ?",  # noqa: S608 - names from here only
        (*values[1:], seal_of(table, values), values[0]),
    )


def next_id(connection: sqlite3.Connection, table: str) -> int:
    """A number for a new row. Asked for beforehand, because the seal covers it."""
    (last,) = connection.execute(f"SELECT max(id) FROM {table}").fetchone()  # noqa: S608 - as above
    return int(last or 0) + 1


def create(connection: sqlite3.Connection) -> None:
    """Make the tables; within the caller's transaction."""
    for statement in STATEMENTS:
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {FORMAT_VERSION}")
    insert(connection, "meta", ("changes", 1))
    insert(connection, "meta", ("sequence_floor", 0))


def verify(connection: sqlite3.Connection) -> str | None:
    """Why a file is not one of ours, in Chinese; None if it is.

    Raises:
        IndexFileError: With code `library_newer` if a newer version of Cewen wrote it.
    """
    found = _pragma(connection, "application_id")
    if found != APPLICATION_ID:
        return f"它不是文库文件（标记是 {found:#010x}，应为 {APPLICATION_ID:#010x}）"
    version = _pragma(connection, "user_version")
    if version > FORMAT_VERSION:
        raise IndexFileError(
            f"文库文件的格式版本是 {version}，本程序只认得到 {FORMAT_VERSION} 为止：它是较新的策问写的。"
            "请升级策问后再打开；文件没有改动。",
            code="library_newer",
        )
    if version not in FORMATS:
        return f"格式版本是 {version}，应为 {'、'.join(map(str, FORMATS))}"
    if _layout(connection) != _layout_of(version):
        return "表的定义被改动过"
    if _pragma(connection, "auto_vacuum") != 0:
        return "文件头被改动过"
    return None


def _layout(connection: sqlite3.Connection) -> list[str]:
    """All that SQLite notes about tables and indexes, but for the pages where they begin."""
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema")
    return sorted(map(repr, found))


@cache
def _layout_of(version: int) -> list[str]:
    with closing(sqlite3.connect(":memory:")) as empty:
        for statement in FORMATS[version]:
            empty.execute(statement)
        return _layout(empty)


def _pragma(connection: sqlite3.Connection, name: str) -> int:
    (value,) = connection.execute(f"PRAGMA {name}").fetchone()
    return int(value)
