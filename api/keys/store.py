"""Keys at rest: one small SQLite file, written by `cewen keys`, read by the server.

A file is opened for one operation and closed again. That is quick enough (a read takes a fraction of a
millisecond), needs no thread rules, and a file that was replaced or restored is seen like any other change.
It does not encrypt: what it holds of a secret cannot be turned back (`secrets`).
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.keys.model import SCOPES, Key, KeyScope
from api.keys.secrets import KeyText, digest, new_key_text
from rag.errors import ConfigError, NotFoundError, UnavailableError
from rag.inputs import excerpt

FILE_NAME = "keys.sqlite3"
_APPLICATION_ID = 0x6377_6B31  # "cwk1": this is a file of ours, in this form
_BUSY_SECONDS = 10.0  # how long a command waits for another one that writes
_SCHEMA = """
CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    secret_sha256 BLOB NOT NULL CHECK (length(secret_sha256) = 32),
    scopes TEXT NOT NULL,
    per_minute INTEGER,
    created_at TEXT NOT NULL,
    revoked_at TEXT
) WITHOUT ROWID
"""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """One row.

    Attributes:
        key: What the key allows.
        name: What people call it.
        secret_sha256: 32 bytes.
        created_at: UTC, ISO 8601.
        revoked_at: The same, or None for a key that is valid.
    """

    key: Key
    name: str
    secret_sha256: bytes
    created_at: str
    revoked_at: str | None


class KeyStoreBusyError(UnavailableError):
    """Another process is writing just now; the file is sound."""


class KeyStore:
    """The keys of one data folder.

    Args:
        data_dir: Where the file lies, or will once a key is created.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE_NAME

    def create(self, name: str, scopes: Sequence[KeyScope], per_minute: int | None = None) -> KeyText:
        """Make a key; its text is not kept and cannot be shown again.

        Raises:
            ConfigError: If the file cannot be written or is damaged.
        """
        self._make_file()
        text = new_key_text()
        row = (text.key_id, name, digest(text.secret), ",".join(scopes), per_minute, _now())
        with self._opened(_BUSY_SECONDS) as connection:
            connection.execute(
                "INSERT INTO keys (id, name, secret_sha256, scopes, per_minute, created_at)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                row,
            )
        return text

    def revoke(self, key_id: str) -> StoredKey:
        """Make a key invalid for good; one that is revoked already stays as it is.

        Raises:
            NotFoundError: `key_not_found`.
            ConfigError: If the file cannot be written or is damaged.
        """
        if self.path.exists():
            with self._opened(_BUSY_SECONDS) as connection:
                connection.execute(
                    "UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (_now(), key_id)
                )
        for stored in self.all():
            if stored.key.key_id == key_id:
                return stored
        raise NotFoundError(
            f"没有编号为{excerpt(key_id)}的密钥。请用 cewen keys list 查看现有的。", code="key_not_found"
        )

    def all(self, busy_seconds: float = _BUSY_SECONDS) -> list[StoredKey]:
        """All keys, the revoked ones too, oldest first; none if there is no file.

        Raises:
            ConfigError: If the file cannot be read or is damaged.
            KeyStoreBusyError: If another process has been writing for that long.
        """
        if not self.path.exists():
            return []
        with self._opened(busy_seconds) as connection:
            rows = connection.execute(
                "SELECT id, name, secret_sha256, scopes, per_minute, created_at, revoked_at"
                " FROM keys ORDER BY created_at, id"
            ).fetchall()
        return [self._stored(*row) for row in rows]

    def check(self) -> None:
        """Read every page of the file, if there is one.

        Raises:
            ConfigError: If it is damaged or not ours.
        """
        if self.path.exists():
            with self._opened(_BUSY_SECONDS) as connection:
                if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    raise self._damaged("内容前后不一")

    def _make_file(self) -> None:
        """An empty file that only this user may read, in a folder that only this user may enter."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_RDWR, 0o600))
            self.path.chmod(0o600)  # also one that was copied here
        except OSError as error:
            raise ConfigError(
                f"密钥文件 {self.path} 写不进去：{error.strerror}。"
                "请检查磁盘空间和权限，或用 CEWEN_DATA_DIR 换一个文件夹。"
            ) from error
        with self._opened(_BUSY_SECONDS, known=False) as connection:
            connection.execute("BEGIN IMMEDIATE")
            if _application_id(connection) == 0 and not _tables(connection):
                connection.execute(_SCHEMA)
                connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")

    @contextmanager
    def _opened(self, busy_seconds: float, *, known: bool = True) -> Iterator[sqlite3.Connection]:
        """A connection; what is done with it is on the disk when this returns, or undone if it raises."""
        try:
            # Never created here: a reader must not leave an empty file behind.
            address = f"{self.path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(address, uri=True, timeout=busy_seconds)) as connection:
                # More than FULL: the folder is synced too, so that no power cut undoes a revocation.
                connection.execute("PRAGMA synchronous = EXTRA")
                if known and _application_id(connection) != _APPLICATION_ID:
                    raise self._damaged("不是策问的密钥文件，或是别的版本写的")
                with connection:
                    yield connection
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise KeyStoreBusyError(
                    f"密钥文件 {self.path} 正由另一个进程写，等了 {busy_seconds:g} 秒。请稍后再试。"
                ) from error
            raise ConfigError(
                f"密钥文件 {self.path} 打不开或写不进去：{error}。请检查它和所在文件夹的权限、磁盘空间。"
            ) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(str(error)) from error

    def _stored(
        self,
        key_id: str,
        name: str,
        secret_sha256: bytes,
        scopes: str,
        per_minute: int | None,
        created_at: str,
        revoked_at: str | None,
    ) -> StoredKey:
        granted = frozenset(scope for scope in SCOPES if scope in scopes.split(","))
        if granted != set(scopes.split(",")):
            raise self._damaged(f"密钥 {key_id} 的权限是 {scopes!r}")
        return StoredKey(Key(key_id, granted, per_minute), name, secret_sha256, created_at, revoked_at)

    def _damaged(self, why: str) -> ConfigError:
        return ConfigError(
            f"密钥文件 {self.path} 不能用：{why}。请从备份恢复；没有备份就移走它，"
            "用 cewen keys create 重新建密钥，原来的都不再有效。"
        )


def _application_id(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return found


def _tables(connection: sqlite3.Connection) -> list[tuple[str]]:
    return connection.execute("SELECT name FROM sqlite_master").fetchall()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
