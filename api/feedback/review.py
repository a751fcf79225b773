"""What to look at in a corpus: questions that were not answered, and answers that did not help, by topic.

Questions are the resolved ones, which stand without their conversation. The same words count once, however
often they were asked; what is alike is `grouping`'s business.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar, get_args

from api.feedback.grouping import grouped
from api.feedback.records import Feedback, StoredQuestion, StoredReason
from api.feedback.store import Kept
from rag.text.folding import fold, squeeze

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Wanted = Literal["abstained", "disliked", "all"]
WANTED: tuple[Wanted, ...] = get_args(Wanted)
MAX_TEXTS = 2_000
"""Most different questions that are grouped, the latest: some twenty milliseconds each to encode."""

_Value = TypeVar("_Value")
Encode = Callable[[Sequence[str]], "npt.NDArray[np.float32]"]


@dataclass(frozen=True, slots=True)
class Wording:
    """One way in which a question was asked.

    Attributes:
        text: Its latest form; forms that differ in width, case, script or spaces are one.
        times: How often it was asked.
        last_asked: UTC, ISO 8601.
    """

    text: str
    times: int
    last_asked: str


@dataclass(frozen=True, slots=True)
class Group:
    """Questions that ask for much the same of one collection.

    Attributes:
        question: The wording that was asked most often; of several the latest.
        others: The other wordings, most often asked first.
        asked, abstained, disliked, liked: How many times; a question may count in several.
        filtered: How many of `abstained` were asked of some documents only.
        reasons: Why nothing was answered, most frequent first.
        notes: What readers wrote, latest first.
        documents: What the answers cited, most often cited first.
        last_asked: UTC, ISO 8601.
        answer_ids: Of all of them, latest first.
    """

    collection: str
    question: str
    others: tuple[Wording, ...]
    asked: int
    abstained: int
    filtered: int
    disliked: int
    liked: int
    reasons: tuple[StoredReason, ...]
    notes: tuple[str, ...]
    documents: tuple[str, ...]
    last_asked: str
    answer_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Review:
    """What there is to look at.

    Attributes:
        groups: Most often asked first, then latest.
        without_question: Verdicts "down" on answers whose question is not kept, latest first.
        left_out: Different questions, older ones, that were too many to group.
    """

    groups: tuple[Group, ...]
    without_question: tuple[Feedback, ...]
    left_out: int


def review(kept: Kept, wanted: Wanted, encode: Encode, *, since: str = "") -> Review:
    """Choose and group.

    Args:
        kept: Everything.
        wanted: Which questions.
        encode: Vectors of questions: shape (texts, dimension), rows of unit length. Called only where there
            is something to compare.
        since: Only what was asked, or said of an answer whose question is not kept, from this time on.
    """
    verdicts = {each.answer_id: each for each in kept.feedback}
    known = {each.answer_id for each in kept.questions}
    chosen = [
        each for each in kept.questions if each.asked_at >= since and _is_wanted(each, verdicts, wanted)
    ]
    texts: dict[tuple[str, str], list[StoredQuestion]] = {}
    for each in reversed(chosen):
        texts.setdefault((each.collection, squeeze(fold(each.resolved))), []).append(each)
    kept_texts = list(texts.values())[:MAX_TEXTS]
    groups = [_group(rows, verdicts) for rows in _alike(kept_texts, encode)]
    groups.sort(key=lambda group: (group.question, group.collection))
    groups.sort(key=lambda group: (group.asked, group.last_asked), reverse=True)
    unknown = [
        each
        for each in reversed(kept.feedback)
        if each.verdict == "down" and each.answer_id not in known and each.recorded_at >= since
    ]
    return Review(
        tuple(groups), tuple(unknown if wanted != "abstained" else ()), len(texts) - len(kept_texts)
    )


def _is_wanted(question: StoredQuestion, verdicts: dict[str, Feedback], wanted: Wanted) -> bool:
    abstained = question.status == "abstained"
    disliked = _verdict(question, verdicts) == "down"
    return {"abstained": abstained, "disliked": disliked, "all": abstained or disliked}[wanted]


def _verdict(question: StoredQuestion, verdicts: dict[str, Feedback]) -> str:
    feedback = verdicts.get(question.answer_id)
    return feedback.verdict if feedback else ""


def _alike(texts: Sequence[list[StoredQuestion]], encode: Encode) -> Iterable[list[list[StoredQuestion]]]:
    """The texts by group, each with all the times it was asked; groups keep to one collection."""
    by_collection: dict[str, list[list[StoredQuestion]]] = {}
    for rows in texts:
        by_collection.setdefault(rows[0].collection, []).append(rows)
    for same in by_collection.values():
        if len(same) == 1:
            yield same
            continue
        vectors = encode([rows[0].resolved for rows in same])
        yield from ([same[row] for row in group] for group in grouped(vectors))


def _group(texts: list[list[StoredQuestion]], verdicts: dict[str, Feedback]) -> Group:
    wordings = [Wording(rows[0].resolved, len(rows), rows[0].asked_at) for rows in texts]
    wordings.sort(key=lambda each: (each.times, each.last_asked), reverse=True)
    questions = sorted(
        (each for rows in texts for each in rows), key=lambda each: each.asked_at, reverse=True
    )
    judged = Counter(_verdict(each, verdicts) for each in questions)
    notes = [verdicts[each.answer_id].note for each in questions if each.answer_id in verdicts]
    return Group(
        collection=questions[0].collection,
        question=wordings[0].text,
        others=tuple(wordings[1:]),
        asked=len(questions),
        abstained=sum(each.status == "abstained" for each in questions),
        filtered=sum(each.reason == "filtered" for each in questions),
        disliked=judged["down"],
        liked=judged["up"],
        reasons=_frequent(each.reason for each in questions if each.reason),
        notes=tuple(dict.fromkeys(filter(None, notes))),
        documents=_frequent(document for each in questions for document in each.documents),
        last_asked=questions[0].asked_at,
        answer_ids=tuple(each.answer_id for each in questions),
    )


def _frequent(values: Iterable[_Value]) -> tuple[_Value, ...]:
    """Each value once, the most frequent first; of equally frequent ones the first."""
    return tuple(value for value, _ in Counter(values).most_common())
