"""Feedback and questions at rest: one small SQLite file beside the access keys.

Both tables are bounded: beyond `MAX_ROWS` the oldest rows go. Questions are here only if somebody switched
that on; the two tables are joined by the id of the answer and may each know ids that the other does not.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.data_file import BUSY_SECONDS, DataFile
from api.feedback.records import Feedback, StoredQuestion, Verdict, now

FILE_NAME = "feedback.sqlite3"
MAX_ROWS = 100_000

_APPLICATION_ID = 0x6377_6631  # "cwf1": this is a file of ours, in this form
_SCHEMA = (
    """
    CREATE TABLE feedback (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        answer_id TEXT NOT NULL UNIQUE,
        verdict TEXT NOT NULL CHECK (verdict IN ('up', 'down')),
        note TEXT NOT NULL,
        recorded_at TEXT NOT NULL
    )
    """,
    """
    CREATE TABLE questions (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        answer_id TEXT NOT NULL UNIQUE,
        asked_at TEXT NOT NULL,
        collection TEXT NOT NULL,
        question TEXT NOT NULL,
        resolved TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('answered', 'abstained')),
        reason TEXT,
        confidence REAL NOT NULL,
        generator TEXT NOT NULL,
        documents TEXT NOT NULL
    )
    """,
)
_TIME_OF = {"feedback": "recorded_at", "questions": "asked_at"}
_FEEDBACK_COLUMNS = "id, answer_id, verdict, note, recorded_at"
_QUESTION_COLUMNS = (
    "answer_id, asked_at, collection, question, resolved, status, reason, confidence, generator, documents"
)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of feedback.

    Attributes:
        created: False if it took the place of an earlier verdict on the same answer.
        question_stored: Whether the question of that answer is kept.
    """

    feedback: Feedback
    created: bool
    question_stored: bool


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything in the file, oldest first."""

    feedback: tuple[Feedback, ...]
    questions: tuple[StoredQuestion, ...]


class FeedbackStore:
    """The feedback and questions of one data folder. May be used by several threads and processes at once.

    Every method may raise `ConfigError` (`feedback_unusable`) if the file cannot be read, written or
    understood, and `DataFileBusyError` (`feedback_busy`) if another process keeps writing.

    Args:
        data_dir: Where the file lies, or will once something is kept.
        max_rows: Most rows of each table.
    """

    def __init__(self, data_dir: Path, *, max_rows: int = MAX_ROWS) -> None:
        self.path = data_dir / FILE_NAME
        self._max_rows = max_rows
        self._said: set[str] = set()  # tables of which it was said that they are full
        self._file = DataFile(
            self.path,
            _APPLICATION_ID,
            _SCHEMA,
            called="反馈文件",
            advice="请从备份恢复，或移走它：问答不受影响，之后的反馈会写进新的文件。",
            code="feedback_unusable",
            busy_code="feedback_busy",
        )

    def record(
        self, answer_id: str, verdict: Verdict, note: str = "", *, busy_seconds: float = BUSY_SECONDS
    ) -> Recorded:
        """Keep a verdict; it takes the place of an earlier one on the same answer, note included."""
        self._make_file()
        with self._file.opened(busy_seconds) as connection:
            connection.execute("BEGIN IMMEDIATE")
            earlier = connection.execute(
                "SELECT id FROM feedback WHERE answer_id = ?", (answer_id,)
            ).fetchone()
            feedback = Feedback(
                earlier[0] if earlier else f"fb_{uuid.uuid4().hex}", answer_id, verdict, note, now()
            )
            # A new number, too: what was changed just now is not old.
            connection.execute("DELETE FROM feedback WHERE answer_id = ?", (answer_id,))
            connection.execute(
                f"INSERT INTO feedback ({_FEEDBACK_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                (feedback.feedback_id, answer_id, verdict, note, feedback.recorded_at),
            )
            known = connection.execute("SELECT 1 FROM questions WHERE answer_id = ?", (answer_id,)).fetchone()
            dropped = self._drop_oldest(connection, "feedback")
        self._say_dropped("feedback", dropped)
        return Recorded(feedback, created=earlier is None, question_stored=known is not None)

    def add_questions(self, questions: Sequence[StoredQuestion]) -> None:
        """Keep questions, all or none; one whose answer is known already is passed over."""
        self._make_file()
        rows = [
            (
                each.answer_id,
                each.asked_at,
                each.collection,
                each.question,
                each.resolved,
                each.status,
                each.reason,
                each.confidence,
                each.generator,
                json.dumps(each.documents),
            )
            for each in questions
        ]
        with self._file.opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                f"INSERT OR IGNORE INTO questions ({_QUESTION_COLUMNS})"  # noqa: S608
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                rows,
            )
            dropped = self._drop_oldest(connection, "questions")
        self._say_dropped("questions", dropped)

    def all(self) -> Kept:
        """Everything that is kept; nothing if there is no file."""
        if not self._file.exists():
            return Kept((), ())
        with self._file.opened() as connection:
            feedback = connection.execute(
                f"SELECT {_FEEDBACK_COLUMNS} FROM feedback ORDER BY number"  # noqa: S608
            ).fetchall()
            questions = connection.execute(
                f"SELECT {_QUESTION_COLUMNS} FROM questions ORDER BY number"  # noqa: S608
            ).fetchall()
        return Kept(tuple(Feedback(*row) for row in feedback), tuple(map(self._question, questions)))

    def forget(self, *, before: str | None = None, answer_id: str | None = None) -> tuple[int, int]:
        """Delete questions and feedback for good; without arguments, all of them.

        The bytes are overwritten and the file is written anew, so that nothing of them is left in it.

        Args:
            before: Only what was kept before this time, as the rows have theirs.
            answer_id: Only what belongs to this answer.

        Returns:
            How many questions and how many verdicts are gone.
        """
        if not self._file.exists():
            return 0, 0
        gone = []
        with self._file.opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for table in ("questions", "feedback"):
                where = f"(? IS NULL OR {_TIME_OF[table]} < ?) AND (? IS NULL OR answer_id = ?)"
                cursor = connection.execute(
                    f"DELETE FROM {table} WHERE {where}",  # noqa: S608 -- names of ours
                    (before, before, answer_id, answer_id),
                )
                gone.append(cursor.rowcount)
        with self._file.opened() as connection:
            connection.execute("VACUUM")
        return gone[0], gone[1]

    def _make_file(self) -> None:
        if not self._file.exists():
            self._file.make()

    def _drop_oldest(self, connection: sqlite3.Connection, table: str) -> int:
        with closing(
            connection.execute(
                f"DELETE FROM {table} WHERE number <="  # noqa: S608 -- a name of ours
                f" (SELECT number FROM {table} ORDER BY number DESC LIMIT 1 OFFSET ?)",
                (self._max_rows,),
            )
        ) as cursor:
            return cursor.rowcount

    def _say_dropped(self, table: str, dropped: int) -> None:
        if dropped > 0:
            # A full table drops a row for every new one: a warning the first time is enough.
            level = logging.DEBUG if table in self._said else logging.WARNING
            self._said.add(table)
            _logger.log(
                level, "%d of the oldest rows of %s dropped: more than %d", dropped, table, self._max_rows
            )

    def _question(self, row: Sequence[Any]) -> StoredQuestion:
        try:
            return StoredQuestion(*(*row[:-1], tuple(json.loads(row[-1]))))
        except ValueError as error:
            raise self._file.damaged(f"问题 {row[0]} 的文档编号读不出来") from error
