"""Feedback and questions at rest: replaced, bounded, forgotten, and files that cannot be used."""

from __future__ import annotations

import logging
import sqlite3
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

import api.feedback.store as module
from api.data_file import DataFileBusyError
from api.feedback.records import StoredQuestion, is_answer_id
from api.feedback.store import FeedbackStore, Kept
from api.keys.store import KeyStore
from rag.errors import ConfigError

ASKED = StoredQuestion(
    answer_id="ans_1",
    asked_at="2026-01-02T03:04:05+00:00",
    collection="default",
    question="那它呢？",
    resolved="灯塔有多高？",
    status="abstained",
    reason="not_stated",
    confidence=0.25,
    generator="extractive",
    documents=("d-1", "d-2"),
)


@pytest.fixture
def store(tmp_path: Path) -> FeedbackStore:
    return FeedbackStore(tmp_path / "data")


def asked(number: int, **changes: object) -> StoredQuestion:
    return replace(ASKED, answer_id=f"ans_{number}", **changes)  # type: ignore[arg-type]


def test_nothing_is_kept_before_something_is(store: FeedbackStore) -> None:
    assert store.all() == Kept((), ())
    assert store.forget() == (0, 0)
    assert not store.path.parent.exists()


def test_what_is_kept_comes_back_unchanged(store: FeedbackStore) -> None:
    store.add_questions([ASKED, asked(2, reason=None, status="answered", question="“𠮷”\n'; --")])
    recorded = store.record("ans_1", "down", "问的是高度")
    assert (recorded.created, recorded.question_stored) == (True, True)
    assert recorded.feedback.recorded_at.endswith("+00:00")
    kept = FeedbackStore(store.path.parent).all()
    assert kept.questions == (ASKED, asked(2, reason=None, status="answered", question="“𠮷”\n'; --"))
    assert kept.feedback == (recorded.feedback,)


def test_a_later_verdict_takes_the_place_of_the_earlier(store: FeedbackStore) -> None:
    first = store.record("ans_9", "down", "不对")
    store.record("ans_8", "up")
    second = store.record("ans_9", "up")
    assert (second.created, second.question_stored) == (False, False)
    assert second.feedback.feedback_id == first.feedback.feedback_id
    rows = [(each.answer_id, each.verdict, each.note) for each in store.all().feedback]
    assert rows == [("ans_8", "up", ""), ("ans_9", "up", "")]


def test_a_question_is_kept_once(store: FeedbackStore) -> None:
    store.add_questions([ASKED])
    store.add_questions([replace(ASKED, question="另一句")])
    assert store.all().questions == (ASKED,)


def test_the_oldest_rows_go(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = FeedbackStore(tmp_path, max_rows=3)
    with caplog.at_level(logging.WARNING):
        store.add_questions([asked(number) for number in range(3)])
        assert caplog.messages == []
        store.add_questions([asked(number) for number in range(3, 5)])
        for number in (0, 1, 2, 0, 3):
            store.record(f"ans_{number}", "down")
    assert [each.answer_id for each in store.all().questions] == ["ans_2", "ans_3", "ans_4"]
    # Number 0 was changed after 1 and 2 were recorded.
    assert [each.answer_id for each in store.all().feedback] == ["ans_2", "ans_0", "ans_3"]
    assert caplog.messages == [
        "2 of the oldest rows of questions dropped: more than 3",
        "1 of the oldest rows of feedback dropped: more than 3",
    ]


def test_the_bound_is_the_one_documented() -> None:
    assert module.MAX_ROWS == 100_000


def test_forgetting_by_time_and_by_answer(store: FeedbackStore, monkeypatch: pytest.MonkeyPatch) -> None:
    store.add_questions([asked(1), asked(2, asked_at="2026-02-01T00:00:00+00:00"), asked(3)])
    for day, number in ((1, 1), (2, 2), (3, 4)):
        monkeypatch.setattr(module, "now", lambda day=day: f"2026-02-0{day}T00:00:00+00:00")
        store.record(f"ans_{number}", "down")
    assert store.forget(before="2026-02-02") == (3, 1)
    assert [each.answer_id for each in store.all().feedback] == ["ans_2", "ans_4"]
    assert store.forget(answer_id="ans_4") == (0, 1)
    assert store.forget() == (0, 1)
    assert store.all().feedback == ()


def test_nothing_of_what_was_forgotten_is_left_in_the_folder(store: FeedbackStore) -> None:
    marks = ["秘密的问题" * 40, "秘密的留言" * 40]
    store.add_questions([asked(number, question=f"{marks[0]}{number}") for number in range(50)])
    store.record("ans_1", "down", marks[1])

    def everything() -> bytes:
        return b"".join(path.read_bytes() for path in store.path.parent.iterdir())

    assert all(mark.encode() in everything() for mark in marks)
    store.forget()
    assert not any(mark[:5].encode() in everything() for mark in marks)


def test_only_this_user_may_read_it(store: FeedbackStore) -> None:
    store.record("a", "up")
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700


def test_many_at_once(store: FeedbackStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: store.record(f"a{number % 5}", "up"), range(40)))
    assert len(store.all().feedback) == 5


def damage(path: Path, how: str) -> None:
    data = path.read_bytes()
    match how:
        case "empty":
            path.write_bytes(b"")
        case "text":
            path.write_text("no database " * 100, encoding="utf-8")
        case "truncated":
            path.write_bytes(data[: len(data) // 2])
        case "documents":
            with closing(sqlite3.connect(path)) as connection, connection:
                connection.execute("UPDATE questions SET documents = 'x'")
        case "keys":
            path.unlink()
            KeyStore(path.parent).create("k", ["ask"])
            (path.parent / "keys.sqlite3").rename(path)


@pytest.mark.parametrize("how", ["empty", "text", "truncated", "documents", "keys"])
def test_a_damaged_file_is_named(store: FeedbackStore, how: str) -> None:
    store.add_questions([ASKED])
    damage(store.path, how)
    with pytest.raises(ConfigError, match=r"feedback\.sqlite3 不能用：.*备份.*问答不受影响") as caught:
        store.all()
    assert caught.value.code == "feedback_unusable"
    if how != "documents":
        with pytest.raises(ConfigError):
            store.record("a", "up")


def test_an_unwritable_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"feedback\.sqlite3 写不进去：.*CEWEN_DATA_DIR") as caught:
        FeedbackStore(tmp_path / "data").record("a", "up")
    assert caught.value.code == "feedback_unusable"


def test_a_full_disk_is_said_and_leaves_what_was_there(store: FeedbackStore) -> None:
    store.record("a", "up")
    size = store.path.stat().st_size
    opened = store._file.opened

    @contextmanager
    def full(*given: object, **named: object) -> Iterator[sqlite3.Connection]:
        with opened(*given, **named) as connection:  # type: ignore[arg-type]
            connection.execute(f"PRAGMA max_page_count = {size // 4096}")  # SQLite's own way to be full
            yield connection

    object.__setattr__(store, "_file", _With(store._file, full))
    with pytest.raises(ConfigError, match=r"full.*磁盘空间") as caught:
        store.record("b", "down", "长" * 2000 * 9)
    assert caught.value.code == "feedback_unusable"
    assert [each.answer_id for each in FeedbackStore(store.path.parent).all().feedback] == ["a"]


class _With:
    """A data file with another way to open it."""

    def __init__(self, file: object, opened: object) -> None:
        self._file = file
        self.opened = opened

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)


def test_a_file_that_is_written_just_now(store: FeedbackStore) -> None:
    store.record("a", "up")
    with closing(sqlite3.connect(store.path)) as connection:
        connection.execute("BEGIN EXCLUSIVE")
        with pytest.raises(DataFileBusyError, match="稍后再试") as caught:
            store.record("a", "down", busy_seconds=0.0)
    assert caught.value.code == "feedback_busy"
    assert store.all().feedback[0].verdict == "up"


@pytest.mark.parametrize("text", ["ans_0f", "chatcmpl-0f", "a", "A.b_c-9", "x" * 64])
def test_ids_of_answers(text: str) -> None:
    assert is_answer_id(text)


@pytest.mark.parametrize("text", ["", " ", "a b", "a\n", "a/b", "_a", "-a", "答", "x" * 65, "a\u0000"])
def test_what_is_no_id(text: str) -> None:
    assert not is_answer_id(text)
