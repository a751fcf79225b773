"""SQLite's errors, and damage that we find ourselves, as errors of ours that say what to do next."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from rag.errors import CewenError, IndexFileError, UnavailableError

NEXT_STEP = "请先运行 `cewen check` 看损坏了多少，再从备份恢复。"
_RETRY = "请检查磁盘空间和权限后再试。"
_BUSY = ("SQLITE_BUSY", "SQLITE_LOCKED")
_REFUSED = ("SQLITE_FULL", "SQLITE_IOERR", "SQLITE_CANTOPEN", "SQLITE_READONLY", "SQLITE_PERM", "SQLITE_AUTH")


class DamageError(Exception):
    """Something stored does not agree with itself. Never leaves this package: `translated` adds the file.

    Args:
        place: Collection and document, as far as they are known; may be empty.
        problem: What is wrong, in Chinese.
    """

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}：{problem}" if place else problem)
        self.place = place
        self.problem = problem


def damaged(path: Path, problem: str) -> IndexFileError:
    """The error for a file whose content cannot be trusted."""
    return IndexFileError(f"文库文件 {str(path)!r} 已损坏：{problem}。{NEXT_STEP}", code="library_damaged")


@contextlib.contextmanager
def of_a_backup(path: Path) -> Iterator[None]:
    """Raise the damage that is found inside as that of a backup: the library itself has none of it.

    Raises:
        IndexFileError: With code `library_damaged`.
    """
    try:
        with translated(path):
            yield
    except IndexFileError as error:
        if error.code != "library_damaged":
            raise
        cause = error.__cause__ or error
        raise IndexFileError(
            f"备份 {str(path)!r} 不能用：{cause}。文库没有改动。请换一个备份。", code="library_damaged"
        ) from error


def unwritable(path: Path, problem: object) -> IndexFileError:
    """The error for a disk that refuses."""
    return IndexFileError(
        f"写不进文库文件 {str(path)!r}：{problem}。文库没有改动。{_RETRY}", code="library_unwritable"
    )


def _unopenable(path: Path, problem: object) -> IndexFileError:
    # SQLite keeps track of who reads what in a file of its own (`-shm`), so even a reader writes there,
    # unless a writer has made it. Its words for that are "unable to open database file".
    return IndexFileError(
        f"打不开或读不了文库文件 {str(path)!r}：{problem}。只读打开时，也要能读这个文件、能在它的文件夹里写"
        f"（SQLite 的 -shm 文件）。请用运行服务的同一个用户，或检查磁盘和权限后再试。",
        code="library_unwritable",
    )


def busy(path: Path, problem: object) -> UnavailableError:
    """The error for a file that another program holds."""
    return UnavailableError(
        f"另一个程序正占着文库文件 {str(path)!r}：{problem}。请等它结束，或关掉它后再试。",
        code="library_busy",
    )


def closed(path: Path) -> UnavailableError:
    """The error for a store that was closed in this process."""
    return UnavailableError(f"文库 {str(path.parent)!r} 已经关闭。请重新打开后再试。", code="shutting_down")


@contextlib.contextmanager
def translated(path: Path, *, writing: bool = False) -> Iterator[None]:
    """Raise SQLite's errors and `DamageError` inside as errors of ours about this file.

    Raises:
        IndexFileError: With code `library_damaged` or `library_unwritable`.
        UnavailableError: With code `library_busy`.
    """
    try:
        yield
    except CewenError:
        raise
    except DamageError as error:
        raise damaged(path, str(error)) from error
    except sqlite3.ProgrammingError:
        raise  # a mistake of ours, e.g. a closed connection
    except sqlite3.Error as error:
        name = str(getattr(error, "sqlite_errorname", ""))
        if name.startswith(_BUSY):
            raise busy(path, error) from error
        if name == "SQLITE_READONLY" and writing:
            # Or SQLite does not know the "write version" in the file's header (byte 18): it says the same.
            doubt = "磁盘和权限没有问题的话，是文件头损坏：请用 `cewen backup` 存出内容，再恢复"
            raise unwritable(path, f"{error}（{doubt}）") from error
        if name.startswith(_REFUSED):
            raise (unwritable if writing else _unopenable)(path, error) from error
        raise damaged(path, str(error)) from error
    except UnicodeDecodeError as error:  # names and texts in SQLite's own message, or in a row
        raise damaged(path, str(error)) from error
    except OSError as error:
        raise (unwritable if writing else _unopenable)(path, error) from error
