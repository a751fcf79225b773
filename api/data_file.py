"""A small SQLite file of things worth keeping: opened for one operation, closed again.

That is quick enough (a read takes a fraction of a millisecond), needs no thread rules, and a file that was
replaced or restored is seen like any other change. Only this user may read it. It knows neither tables nor
columns; whoever keeps something in it does.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rag.errors import ConfigError, UnavailableError

BUSY_SECONDS = 10.0
"""How long a command waits for another process that writes."""


class DataFileBusyError(UnavailableError):
    """Another process is writing just now; the file is sound."""


@dataclass(frozen=True, slots=True)
class DataFile:
    """One file, which need not be there yet.

    Attributes:
        path: Where it lies.
        application_id: Marks files of this kind, in this form; 32 bits.
        schema: Statements that make the tables of a new file.
        called: What it is called in messages.
        advice: What to do if it is damaged; ends a sentence.
        code: Error code where it cannot be used; None for that of `ConfigError`.
        busy_code: Error code where another process is writing; None for that of `UnavailableError`.
    """

    path: Path
    application_id: int
    schema: tuple[str, ...]
    called: str
    advice: str
    code: str | None = None
    busy_code: str | None = None

    def exists(self) -> bool:
        """Whether there is a file; where that cannot be told, opening it says why."""
        try:
            self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True
        return True

    def make(self) -> None:
        """An empty file that only this user may read, in a folder that only this user may enter.

        Raises:
            ConfigError: If it cannot be written.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not self.path.exists():
                self._put_in_place()
            self.path.chmod(0o600)  # also one that was copied here
        except OSError as error:
            raise ConfigError(
                f"{self.called} {self.path} 写不进去：{error.strerror}。"
                "请检查磁盘空间和权限，或用 CEWEN_DATA_DIR 换一个文件夹。",
                code=self.code,
            ) from error

    def _put_in_place(self) -> None:
        """Make the file beside its place and give it its name when it is whole: nobody meets it half made."""
        beside = self.path.with_name(f"{self.path.name}.{secrets.token_hex(4)}.new")
        made = replace(self, path=beside)
        try:
            os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
            with made.opened(known=False) as connection:
                connection.execute("BEGIN IMMEDIATE")
                for statement in self.schema:
                    connection.execute(statement)
                connection.execute(f"PRAGMA application_id = {self.application_id}")
            try:
                os.link(beside, self.path)
            except FileExistsError:
                pass  # another was quicker
            except OSError:  # a file system without links
                if not self.path.exists():
                    beside.replace(self.path)
        finally:
            beside.unlink(missing_ok=True)
        if os.name != "nt":  # which cannot open a folder; its renames are journalled
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def check(self) -> None:
        """Read every page of the file, if there is one.

        Raises:
            ConfigError: If it is damaged or not ours.
        """
        if self.exists():
            with self.opened() as connection:
                if connection.execute("PRAGMA quick_check").fetchone() != ("ok",):
                    raise self.damaged("内容前后不一")

    @contextmanager
    def opened(
        self, busy_seconds: float = BUSY_SECONDS, *, known: bool = True
    ) -> Iterator[sqlite3.Connection]:
        """A connection; what is done with it is on the disk when this returns, or undone if it raises.

        Args:
            busy_seconds: How long to wait for another process that writes.
            known: Whether to refuse a file that is not ours.

        Raises:
            ConfigError: If the file cannot be opened, written or understood.
            DataFileBusyError: If another process has been writing for that long.
        """
        try:
            # Never created here: a reader must not leave an empty file behind.
            address = f"{self.path.absolute().as_uri()}?mode=rw"
            with closing(sqlite3.connect(address, uri=True, timeout=busy_seconds)) as connection:
                # More than FULL: the folder is synced too, so that no power cut undoes what was done.
                connection.execute("PRAGMA synchronous = EXTRA")
                # What is deleted is overwritten, not only forgotten.
                connection.execute("PRAGMA secure_delete = ON")
                if known and _application_id(connection) != self.application_id:
                    raise self.damaged(f"不是策问的{self.called}，或是别的版本写的")
                with connection:
                    yield connection
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise DataFileBusyError(
                    f"{self.called} {self.path} 正由另一个进程写，等了 {busy_seconds:g} 秒。请稍后再试。",
                    code=self.busy_code,
                ) from error
            raise ConfigError(
                f"{self.called} {self.path} 打不开或写不进去：{error}。"
                "请检查它和所在文件夹的权限、磁盘空间。",
                code=self.code,
            ) from error
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:  # the latter in SQLite's own message
            raise self.damaged(str(error)) from error

    def damaged(self, why: str) -> ConfigError:
        """The error to raise for a file that cannot be used."""
        return ConfigError(f"{self.called} {self.path} 不能用：{why}。{self.advice}", code=self.code)


def _application_id(connection: sqlite3.Connection) -> int:
    found: int = connection.execute("PRAGMA application_id").fetchone()[0]
    return found
