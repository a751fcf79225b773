"""Questions kept off the path of a request: what is kept, what is lost, and that nobody who asks waits."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from api.feedback.recording import QuestionRecorder
from api.feedback.records import StoredQuestion
from api.feedback.store import FeedbackStore
from rag.records import Passage
from tests.feedback_samples import ANSWER


class SlowStore(FeedbackStore):
    """A store that writes only once it is let go."""

    def __init__(self, data_dir: Path) -> None:
        super().__init__(data_dir)
        self.began = threading.Event()
        self.go = threading.Event()

    def add_questions(self, questions: Sequence[StoredQuestion]) -> None:
        self.began.set()
        assert self.go.wait(20)
        super().add_questions(questions)


def record(recorder: QuestionRecorder, number: int, question: str = "那它有多高？") -> None:
    answer = replace(ANSWER, answer_id=f"ans_{number}")
    recorder.record(answer, question=question, collection="default")


def test_what_is_kept_of_an_answer(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path)
    recorder = QuestionRecorder(store)
    recorder.record(ANSWER, question="那它有多高？", collection="lamps")
    recorder.close()
    (kept,) = store.all().questions
    assert kept == StoredQuestion(
        answer_id="ans_1",
        asked_at=kept.asked_at,
        collection="lamps",
        question="那它有多高？",
        resolved="灯塔有多高？",
        status="answered",
        reason=None,
        confidence=0.75,
        generator="extractive",
        documents=("d-1", "d-2"),
    )
    assert "三十二米".encode() not in store.path.read_bytes()  # the answer is not kept


ABSTAINED = replace(ANSWER, status="abstained", reason="not_stated", citations=())


def test_what_was_asked_of_some_documents_only_is_told_apart(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path)
    recorder = QuestionRecorder(store)
    near = cast("tuple[Passage, ...]", (object(),))
    for number, (answer, narrowed) in enumerate(
        [
            (ABSTAINED, True),  # over no document: nothing is known of any
            (ABSTAINED, False),
            (replace(ABSTAINED, related=near), True),
            (replace(ABSTAINED, related=near), False),
            (ANSWER, True),
        ]
    ):
        given = replace(answer, answer_id=f"ans_{number}")
        recorder.record(given, question="灯塔有多高？", collection="default", narrowed=narrowed)
    recorder.close()
    kept = {each.answer_id: each.reason for each in store.all().questions}
    assert kept == {"ans_2": "filtered", "ans_3": "not_stated", "ans_4": None}


def test_what_waits_at_the_end_is_written(tmp_path: Path) -> None:
    store = FeedbackStore(tmp_path)
    recorder = QuestionRecorder(store)
    for number in range(450):
        record(recorder, number)
    recorder.close()
    assert [each.answer_id for each in store.all().questions] == [f"ans_{number}" for number in range(450)]
    record(recorder, 1000)  # too late, and no error
    recorder.close()
    assert len(store.all().questions) == 450


def test_nothing_is_written_and_no_thread_is_there_if_nothing_was_asked(tmp_path: Path) -> None:
    before = threading.active_count()
    recorder = QuestionRecorder(FeedbackStore(tmp_path / "data"))
    assert threading.active_count() == before
    recorder.close()
    assert not (tmp_path / "data").exists()


def test_nobody_waits_for_a_slow_disk(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    store = SlowStore(tmp_path)
    recorder = QuestionRecorder(store, max_waiting=3)
    with caplog.at_level(logging.DEBUG):
        record(recorder, 0)
        assert store.began.wait(20)
        for number in range(1, 10):  # three find a place
            record(recorder, number, "机密的问题")
        store.go.set()
        recorder.close()
    assert [each.answer_id for each in store.all().questions] == ["ans_0", "ans_1", "ans_2", "ans_3"]
    assert caplog.messages == ["more questions than can be stored in time; some are not kept"]


def test_a_store_that_hangs_does_not_keep_the_service_from_ending(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = SlowStore(tmp_path)
    recorder = QuestionRecorder(store)
    record(recorder, 0)
    assert store.began.wait(20)
    recorder.close(seconds=0.01)
    assert caplog.messages == ["questions could not all be stored before the end"]
    store.go.set()


def test_a_file_that_cannot_be_used_is_said_once_without_the_question(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "feedback.sqlite3").write_text("no database " * 100, encoding="utf-8")
    recorder = QuestionRecorder(FeedbackStore(tmp_path))
    with caplog.at_level(logging.DEBUG):
        for number in range(250):
            record(recorder, number, "机密的问题")
        recorder.close()
    assert caplog.messages == ["questions cannot be stored (ConfigError); answering goes on"]
    assert "feedback.sqlite3" in caplog.text
    assert "机密" not in caplog.text


def test_an_error_nobody_expected_does_not_end_the_writing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = FeedbackStore(tmp_path)
    recorder = QuestionRecorder(store)
    record(recorder, 0, "机密的问题\ud83d")  # no surface lets it through, and no file takes it
    recorder_thread = recorder._thread
    recorder.close()
    assert recorder_thread
    assert "UnicodeEncodeError" in caplog.text
    assert "机密" not in caplog.text
    again = QuestionRecorder(store)
    record(again, 1)
    again.close()
    assert [each.answer_id for each in store.all().questions] == ["ans_1"]
