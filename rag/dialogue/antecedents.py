"""What a conversation was about: subject, thing, persons and article of its latest questions and answers."""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.dialogue.items import answer_items, explicit_items, inline_items, plain_answer
from rag.dialogue.subjects import NAMES, speaker, subject_of, thing_of
from rag.dialogue.wording import GENERIC

_ABSTAINED = re.compile(
    "没有(?:说明|说到|谈到|提到|提及|写到|印出|涉及|找到|相关)|未(?:提及|提到|说明)|找不到|(?:无法|不能)(?:据此)?回答"
    "|不知道|问题太笼统"
)
_BYLINE = re.compile(
    r"作者是([^。，,；;\n]{2,40})|是([^，。\n]{2,40}?)的《|^([^：。，\n]{2,30})：|([^，。\n]{2,30}?)的文章标题"
)
_TITLE = re.compile(r"《[^《》]{1,60}》")


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question, resolved, and the answer to it ("" if there was none or it was an abstention)."""

    question: str
    answer: str

    @classmethod
    def of(cls, question: str, answer: str) -> Exchange:
        """The exchange with an answer as the assistant sent it."""
        plain = plain_answer(answer)
        return cls(question, "" if _ABSTAINED.search(plain[:80]) else plain)

    @property
    def items(self) -> tuple[str, ...]:
        """What the answer lists."""
        return answer_items(self.answer) if self.answer else ()

    @property
    def explicit_items(self) -> tuple[str, ...]:
        """What the answer sets out as a list."""
        return explicit_items(self.answer) if self.answer else ()

    @property
    def subject(self) -> str:
        """What the question is about."""
        return subject_of(self.question)

    @property
    def thing(self) -> str:
        """The noun phrase that "它" would mean; the subject if there is none."""
        return thing_of(self.question) or self.subject

    @property
    def title(self) -> str:
        """The title that question or answer names, in its marks, or ""."""
        named = _TITLE.findall(self.question) or _TITLE.findall(self.answer)
        return str(named[0]) if named else ""

    @property
    def persons(self) -> str:
        """The names of the people that were spoken of as authors or speakers, or ""."""
        return speaker(self.question) or _authors(self.answer)

    @property
    def article(self) -> str:
        """How to name the article that was spoken of, or ""."""
        if self.title:
            return self.title
        if who := speaker(self.question):
            return f"{who}的那篇文章"
        own = re.search(r"讲.{1,60}的那篇文章", self.question)
        if own:
            return own.group()
        about = self.thing if len(self.thing) >= 2 else self.subject
        return f"讲{about}的那篇文章" if about else ""


def pair_of(exchanges: list[Exchange]) -> tuple[str, ...]:
    """What "前者" and "后者" mean: two things of the last question or answer, or the last two; or ()."""
    if not exchanges:
        return ()
    last = exchanges[-1]
    for found in (coordinated(last.question), last.items, inline_items(last.answer)):
        if len(found) == 2:
            return found
    if len(exchanges) > 1 and exchanges[-2].thing and last.thing and exchanges[-2].thing != last.thing:
        return (exchanges[-2].thing, last.thing)
    return ()


def coordinated(question: str) -> tuple[str, ...]:
    """The parts of "甲和乙" at the head of a question, or ()."""
    thing = thing_of(question)
    parts = [part for part in re.split(r"[、和与跟及]|以及", thing) if part]
    return tuple(parts) if len(parts) >= 2 else ()


def _authors(answer: str) -> str:
    found = _BYLINE.search(answer[:200])
    name = next((group for group in found.groups() if group), "") if found else ""
    name = re.sub(r"^.*作者是", "", name)
    return name if NAMES.match(name) and len(name) <= 20 and name not in GENERIC else ""
