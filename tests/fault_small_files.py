"""Access keys and feedback while the disk fails: what is done with their files, what must be in them after.

A key that was handed out works, one that was revoked does not, whatever happened since; a verdict that was
acknowledged is the one that is kept, and what was forgotten is in no byte of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from api.feedback.records import StoredQuestion, Verdict
from api.feedback.store import FeedbackStore
from api.keys.store import KeyStore

Fact = dict[str, Any]
State = dict[str, str]
"""What is kept, by name: a key is "valid" or "revoked", an answer has a verdict, a question is "kept"."""

QUESTION = "灯塔几点熄灯"
NOTES = ("清晨就对了", "傍晚才对")


def done_with(folder: Path) -> Iterator[tuple[Fact, Callable[[], object]]]:
    """What is done, one after another: how it is reported, and how to do it."""
    keys, feedback = KeyStore(folder), FeedbackStore(folder)

    def revoke(name: str) -> None:
        for stored in keys.all():
            if stored.name == name:
                keys.revoke(stored.key.key_id)

    def say(answer: str, verdict: Verdict, note: str) -> tuple[Fact, Callable[[], object]]:
        return {"set": answer, "to": verdict}, lambda: feedback.record(answer, verdict, note)

    asked = StoredQuestion(
        *("a1", "2030-01-01T00:00:00Z", "default", QUESTION, QUESTION),
        *("answered", None, 0.5, "extractive", ("d-1",)),
    )
    yield {"set": "甲", "to": "valid"}, lambda: keys.create("甲", ["read"])
    yield {"set": "乙", "to": "valid"}, lambda: keys.create("乙", ["read"])
    yield {"set": "甲", "to": "revoked"}, lambda: revoke("甲")
    yield say("a1", "up", NOTES[0])
    yield {"set": QUESTION, "to": "kept"}, lambda: feedback.add_questions([asked])
    yield say("a1", "down", NOTES[1])
    yield say("a2", "up", "")
    yield {"forget": ["a1", QUESTION]}, lambda: feedback.forget(answer_id="a1")


def applied(state: State, fact: Fact) -> State:
    """The state after what was reported."""
    if "forget" in fact:
        return {name: value for name, value in state.items() if name not in fact["forget"]}
    if fact["to"] == "revoked" and fact["set"] not in state:
        return state
    return state | {fact["set"]: fact["to"]}


def kept_in(folder: Path) -> State:
    """What is in the files."""
    KeyStore(folder).check()
    keys, kept = KeyStore(folder).all(), FeedbackStore(folder).all()
    found = {stored.name: "revoked" if stored.revoked_at else "valid" for stored in keys}
    assert len(found) == len(keys), keys
    found |= {one.answer_id: one.verdict for one in kept.feedback}
    return found | {one.question: "kept" for one in kept.questions}


def check_small_files(folder: Path, said: Sequence[Fact]) -> None:
    """Compare the files with what a worker reported.

    What was refused has not happened, but for two cases. To forget takes two steps, of which the first may
    have. And where the disk fails, it may have been at the very last sync, of the folder: then the change
    is in the file, and only a power cut could undo it.
    """
    states: list[State] = [{}]
    begun: Fact | None = None
    forgotten = False
    for fact in said:
        if "begin" in fact:
            begun = fact["begin"]
        elif "done" in fact:
            states, begun = [applied(state, fact["done"]) for state in states], None
            forgotten |= "forget" in fact["done"]
        elif "refused" in fact:
            if "forget" in fact["refused"] or "disk I/O error" in fact["message"]:
                states += [applied(state, fact["refused"]) for state in states]
            begun = None
    if begun is not None:
        states += [applied(state, begun) for state in states]
    found = kept_in(folder)
    assert found in states, f"found {found}, wanted one of {states}"
    if forgotten:
        data = b"".join(path.read_bytes() for path in folder.iterdir())
        assert not [text for text in (QUESTION, *NOTES) if text.encode() in data]
    # And they can be written: nothing that was left behind stands in the way.
    KeyStore(folder).create("丙", ["read"])
    FeedbackStore(folder).record("a9", "up")
    assert kept_in(folder) == found | {"丙": "valid", "a9": "up"}
