"""The prompts: versioned files beside this module, filled in so that what is filled in stays data.

Three things keep a planted text from posing as ours: it stands between delimiters that hold a nonce which
its author cannot know, whatever in it looks like a delimiter, a mark or the no-answer code is written
differently or left out, and the rules come again after it. None of them is trusted: the gate checks what the
model makes of it.

A changed prompt is a new file with a new version, so that a report can name what it was made with.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files

from rag.answering.generator import GenerationRequest
from rag.records import Passage, Turn

ANSWER_PROMPT = "answer.v1"
REWRITE_PROMPT = "rewrite.v1"
MAX_REWRITE_CHARS = 200
_CODE_STEM = "NO_ANSWER_"
_HISTORY_TURNS = 6
_TURN_CHARS = 500

_SECTION = re.compile(r"^\[(\w+)\]\n", re.MULTILINE)
_PLACE = re.compile(r"\{\{(\w+)\}\}")
# What would be read as a mark if the model copied it: brackets round numbers, with or without a label. Not a
# year, and not the number of an official paper ("〔2023〕5号"): `rag.answering.marks` draws the same line, a
# test compares them. Every run is a single class, so that no text makes the search slow.
_DIGIT = "[0-9０-９]"
_LABEL = r"(?:来源|文献|段落|资料|参考|引用|出处|citation|source|passage|ref|doc)[\s:：^]*"
_INNER = rf"[\s^]*(?:{_LABEL})?{_DIGIT}[0-9０-９\s,，、;；:：^~～–—\-]*(?:†[^\[\]［］【】〔〕\n]*)?"
_YEAR = rf"\s*{_DIGIT}{{4}}\s*"
_MARK_LIKE = re.compile(
    rf"[\[［【](?!{_YEAR}[\]］】]){_INNER}[\]］】]|〔(?!{_YEAR}〕){_INNER}〕(?!{_DIGIT}|号)", re.IGNORECASE
)
_CODE_LIKE = re.compile(re.escape(_CODE_STEM[:-1]), re.IGNORECASE)
_UNSEEN = ("Cc", "Cf", "Cs")
_WIDER = {"<": "＜", ">": "＞"}
_DELIMITER_LIKE = re.compile(r"[<＜]\s*[<＜]|[>＞]\s*[>＞]")


def no_answer_code(nonce: str) -> str:
    """What the model writes to say that the passages do not answer."""
    return _CODE_STEM + nonce


def answer_messages(request: GenerationRequest, *, nonce: str) -> list[dict[str, str]]:
    """The messages that ask for an answer: the rules; then passages, question and the rules once more.

    Args:
        request: Question and numbered passages.
        nonce: Letters and digits that nobody could guess, new for each request.
    """
    sections = _sections(ANSWER_PROMPT)
    values = {
        "nonce": nonce,
        "no_answer": no_answer_code(nonce),
        "max_chars": str(request.max_chars),
        "count": str(len(request.passages)),
        "question": as_data(request.question.text, nonce),
        "passages": "\n\n".join(
            _filled(sections["passage"], _passage_values(passage, nonce)) for passage in request.passages
        ),
    }
    return _messages(sections, values)


def rewrite_messages(question: str, history: Sequence[Turn], *, nonce: str) -> list[dict[str, str]]:
    """The messages that ask for a follow-up to be made a question of its own.

    Args:
        question: The follow-up.
        history: What was said before, in order; of a long conversation the last six turns are used.
        nonce: As for `answer_messages`.
    """
    sections = _sections(REWRITE_PROMPT)
    turns = (
        {
            "nonce": nonce,
            "speaker": "读者" if turn.role == "user" else "答复",
            "text": as_data(turn.content[:_TURN_CHARS], nonce),
        }
        for turn in history[-_HISTORY_TURNS:]
    )
    values = {
        "nonce": nonce,
        "max_chars": str(MAX_REWRITE_CHARS),
        "question": as_data(question, nonce),
        "turns": "\n\n".join(_filled(sections["turn"], turn) for turn in turns),
    }
    return _messages(sections, values)


def as_data(text: str, nonce: str) -> str:
    """The text as it may stand in a prompt.

    Marks are left out, and so are control and format characters, which can hide instructions from people.
    Angle brackets that could pass for delimiters become wide ones, which folding for comparison undoes. The
    rest is untouched, so that the model can copy it.
    """
    text = "".join(char for char in text if char in "\n\t" or unicodedata.category(char) not in _UNSEEN)
    while (without := _MARK_LIKE.sub("", text)) != text:  # what is left of "[1[2]]" may be a mark again
        text = without
    text = _DELIMITER_LIKE.sub(lambda found: "".join(_WIDER.get(char, char) for char in found[0]), text)
    text = _CODE_LIKE.sub(lambda found: found[0].replace("_", "-"), text)
    return re.sub(re.escape(nonce), "…", text, flags=re.IGNORECASE)


def _passage_values(passage: Passage, nonce: str) -> dict[str, str]:
    document = passage.document
    return {
        "nonce": nonce,
        "number": str(passage.rank),
        "title": _one_line(as_data(document.label, nonce)),
        "authors": _one_line(as_data("、".join(document.authors), nonce)) or "未写",
        "text": as_data(passage.chunk.text, nonce),
    }


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _messages(sections: Mapping[str, str], values: Mapping[str, str]) -> list[dict[str, str]]:
    values = {**values, "rules": _filled(sections["rules"], values)}
    return [{"role": role, "content": _filled(sections[role], values)} for role in ("system", "user")]


def _filled(template: str, values: Mapping[str, str]) -> str:
    """The template with its places filled in; in one pass, so that what is filled in has no places."""
    return _PLACE.sub(lambda place: values[place[1]], template)


@lru_cache(maxsize=8)
def _sections(prompt: str) -> dict[str, str]:
    """The sections of a prompt file by name."""
    text = files("rag.llm").joinpath("prompts", f"{prompt}.txt").read_text("utf-8")
    parts = _SECTION.split(text)[1:]
    return {name: body.strip("\n") for name, body in zip(parts[::2], parts[1::2], strict=True)}
