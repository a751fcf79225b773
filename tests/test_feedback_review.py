"""What a review chooses, how it groups, and the question file that it writes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from hypothesis import given
from hypothesis import strategies as st

import api.feedback.review as module
from api.feedback.export import question_file
from api.feedback.records import Feedback, StoredQuestion, Verdict
from api.feedback.review import Review, review
from api.feedback.store import Kept
from evals.schema import Question, load_questions
from rag.text.folding import fold
from tests.feedback_samples import question


def by_first_character(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Texts that begin alike are the same; others have nothing in common."""
    first = [fold(text)[0] for text in texts]
    kinds = sorted(set(first))
    return np.eye(len(kinds), dtype=np.float32)[[kinds.index(each) for each in first]]


def never(texts: Sequence[str]) -> npt.NDArray[np.float32]:
    raise AssertionError(f"nothing to compare, and yet asked to encode {texts}")


def said(number: int, verdict: Verdict, note: str = "", day: int = 1) -> Feedback:
    return Feedback(f"fb_{number}", f"ans_{number}", verdict, note, f"2026-03-{day:02}T09:00:00+00:00")


ANSWERED = {"status": "answered", "reason": None}
QUESTIONS = (
    question(1, "灯塔有多高？", day=1),
    question(2, "火锅怎么炒？", day=2, reason="off_topic"),
    question(3, "燈塔 有多高？", day=3),
    question(4, "灯塔多少米？", day=4, reason="too_vague"),
    question(5, "灯塔何时建成？", day=5, documents=("d-1",), **ANSWERED),
    question(6, "茶怎么采？", day=6, documents=("d-2",), **ANSWERED),
)
VERDICTS = (
    said(5, "down", "问的是重建"),
    said(6, "up"),
    said(1, "down", "有的\n在第二段"),
    said(4, "up"),
    said(8, "up"),
    said(9, "down", "没用", day=9),
)
KEPT = Kept(VERDICTS, QUESTIONS)


def test_all_of_it() -> None:
    found = review(KEPT, "all", by_first_character)
    lamp, pot = found.groups
    assert lamp.question == "燈塔 有多高？"  # asked twice in one form; this is its latest spelling
    assert [(each.text, each.times) for each in lamp.others] == [("灯塔何时建成？", 1), ("灯塔多少米？", 1)]
    assert (lamp.asked, lamp.abstained, lamp.disliked, lamp.liked) == (4, 3, 2, 1)
    assert lamp.reasons == ("not_stated", "too_vague")
    assert lamp.notes == ("问的是重建", "有的\n在第二段")
    assert lamp.documents == ("d-1",)
    assert lamp.last_asked == "2026-03-05T08:00:00+00:00"
    assert lamp.answer_ids == ("ans_5", "ans_4", "ans_3", "ans_1")
    assert (pot.question, pot.asked, pot.reasons, pot.others) == ("火锅怎么炒？", 1, ("off_topic",), ())
    assert [each.answer_id for each in found.without_question] == ["ans_9"]
    assert found.left_out == 0


def asked(found: Review) -> set[str]:
    return {answer_id for group in found.groups for answer_id in group.answer_ids}


def test_only_what_is_wanted() -> None:
    abstained = review(KEPT, "abstained", by_first_character)
    assert asked(abstained) == {"ans_1", "ans_2", "ans_3", "ans_4"}
    assert abstained.without_question == ()
    disliked = review(KEPT, "disliked", by_first_character)
    assert asked(disliked) == {"ans_1", "ans_5"}
    assert len(disliked.without_question) == 1


def test_only_since_a_day() -> None:
    found = review(KEPT, "all", by_first_character, since="2026-03-05")
    assert asked(found) == {"ans_5"}
    assert len(found.without_question) == 1
    assert review(KEPT, "all", never, since="2026-03-10") == Review((), (), 0)


def test_collections_are_kept_apart() -> None:
    same = (question(1, "灯塔有多高？"), question(2, "灯塔有多高？", collection="other"))
    found = review(Kept((), same), "all", never)
    assert [(group.collection, group.asked) for group in found.groups] == [("default", 1), ("other", 1)]


def test_the_same_words_are_not_encoded_twice() -> None:
    same = tuple(question(number, text) for number, text in enumerate(["灯塔有多高？", "燈塔有多高?"] * 3))
    (group,) = review(Kept((), same), "all", never).groups
    assert (group.asked, group.others) == (6, ())


def test_too_many_to_group() -> None:
    many = tuple(question(number, f"第 {number} 盏灯在哪里？") for number in range(module.MAX_TEXTS + 5))
    found = review(Kept((), many), "all", lambda texts: np.ones((len(texts), 1), np.float32))
    assert found.left_out == 5
    assert "ans_4" not in asked(found)
    assert "ans_5" in asked(found)


# The question file.


def loaded(text: str, tmp_path: Path) -> tuple[Question, ...]:
    path = tmp_path / "review.jsonl"
    path.write_text(text, encoding="utf-8")
    (file,) = load_questions([path])
    return file.questions


def test_the_evaluation_reads_what_is_written(tmp_path: Path) -> None:
    found = review(KEPT, "all", by_first_character)
    text = question_file(found.groups)
    lamp, pot = loaded(text, tmp_path)
    assert (lamp.question, pot.question) == ("燈塔 有多高？", "火锅怎么炒？")
    assert lamp.slices == ("review", "abstained", "disliked")
    assert pot.slices == ("review", "abstained")
    assert not lamp.answerable
    assert "// 也这样问：灯塔何时建成？" in text
    assert "// 留言：有的 在第二段" in text
    assert "// 问过 4 次，弃答 3 次，“没帮助” 2 次；最近 2026-03-05T08:00:00+00:00；文库 default" in text
    assert question_file(found.groups) == text


def test_what_was_only_asked_of_some_documents_is_not_called_unanswerable(tmp_path: Path) -> None:
    rows = (
        question(1, "灯塔有多高？", reason="filtered"),
        question(2, "茶怎么采？", reason="filtered"),
        question(3, "茶怎么采？"),
    )
    groups = review(Kept((said(1, "down"),), rows), "all", by_first_character).groups
    assert {group.question: (group.abstained, group.filtered) for group in groups} == {
        "灯塔有多高？": (1, 1),
        "茶怎么采？": (2, 1),
    }
    text = question_file(groups)
    (tea,) = loaded(text, tmp_path)
    assert tea.question == "茶怎么采？"
    assert "弃答 2 次，“没帮助” 0 次（弃答的有 1 次是加了筛选条件问的）" in text


def test_a_person_fills_it_in(tmp_path: Path) -> None:
    text = question_file(review(KEPT, "all", by_first_character).groups)
    filled = text.replace(
        '"type": "unanswerable", "slices": ["review", "abstained", "disliked"], "history": [],'
        ' "evidence": [], "key_facts": []',
        '"type": "number", "slices": ["review", "abstained", "disliked"], "history": [],'
        ' "evidence": [["塔高三十二米"]], "key_facts": [["三十二米", "32米"]]',
    )
    lamp, _ = loaded(filled, tmp_path)
    assert (lamp.type, lamp.evidence, lamp.answerable) == ("number", (("塔高三十二米",),), True)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)


@given(st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=6))
def test_whatever_was_asked_and_said_it_can_be_read(rows: list[tuple[str, str, str]]) -> None:
    questions: tuple[StoredQuestion, ...] = tuple(
        question(number, as_asked, resolved=resolved) for number, (as_asked, resolved, _) in enumerate(rows)
    )
    verdicts = tuple(said(number, "down", note) for number, (_, _, note) in enumerate(rows))
    encode = lambda texts: np.ones((len(texts), 1), np.float32)  # noqa: E731
    groups = review(Kept(verdicts, questions), "all", encode).groups
    lines = [line for line in question_file(groups).split("\n") if line and not line.startswith("//")]
    assert len(lines) == len(groups) == 1
    assert sum(group.asked for group in groups) == len(rows)


def test_a_question_longer_than_allowed_is_cut(tmp_path: Path) -> None:
    (read,) = loaded(
        question_file(review(Kept((), (question(1, "长" * 2500),)), "all", never).groups), tmp_path
    )
    assert read.question == "长" * 2000
