"""Keys at rest: one small SQLite file, written by `cewen keys`, read by the server.

How the file is opened and looked after is `api.data_file`'s business. It does not encrypt: what it holds of
a secret cannot be turned back (`secrets`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.data_file import BUSY_SECONDS, DataFile, DataFileBusyError
from api.keys.model import SCOPES, Key, KeyScope
from api.keys.secrets import KeyText, digest, new_key_text
from rag.errors import NotFoundError
from rag.inputs import excerpt

FILE_NAME = "keys.sqlite3"
_APPLICATION_ID = 0x6377_6B31  # "cwk1": this is a file of ours, in this form
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


KeyStoreBusyError = DataFileBusyError
"""Another process is writing just now; the file is sound."""


class KeyStore:
    """The keys of one data folder.

    Args:
        data_dir: Where the file lies, or will once a key is created.
    """

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / FILE_NAME
        self._file = DataFile(
            self.path,
            _APPLICATION_ID,
            (_SCHEMA,),
            called="密钥文件",
            advice="请从备份恢复；没有备份就移走它，用 cewen keys create 重新建密钥，原来的都不再有效。",
        )

    def create(self, name: str, scopes: Sequence[KeyScope], per_minute: int | None = None) -> KeyText:
        """Make a key; its text is not kept and cannot be shown again.

        Raises:
            ConfigError: If the file cannot be written or is damaged.
        """
        self._file.make()
        text = new_key_text()
        row = (text.key_id, name, digest(text.secret), ",".join(scopes), per_minute, _now())
        with self._file.opened() as connection:
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
        if self._file.exists():
            with self._file.opened() as connection:
                connection.execute(
                    "UPDATE keys SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (_now(), key_id)
                )
        for stored in self.all():
            if stored.key.key_id == key_id:
                return stored
        raise NotFoundError(
            f"没有编号为{excerpt(key_id)}的密钥。请用 cewen keys list 查看现有的。", code="key_not_found"
        )

    def all(self, busy_seconds: float = BUSY_SECONDS) -> list[StoredKey]:
        """All keys, the revoked ones too, oldest first; none if there is no file.

        Raises:
            ConfigError: If the file cannot be read or is damaged.
            KeyStoreBusyError: If another process has been writing for that long.
        """
        if not self._file.exists():
            return []
        with self._file.opened(busy_seconds) as connection:
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
        self._file.check()

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
            raise self._file.damaged(f"密钥 {key_id} 的权限是 {scopes!r}")
        return StoredKey(Key(key_id, granted, per_minute), name, secret_sha256, created_at, revoked_at)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
