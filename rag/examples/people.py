"""Whether a subject is asked for with 谁 or with 什么: by its form, for no list has every name."""

from __future__ import annotations

import re
from typing import Literal

from rag.examples.clauses import BRACKET, QUOTE, Text
from rag.examples.words import CALLING, NAME_LIKE_ENDINGS, SURNAMES

_DOUBLE_SURNAMES = "欧阳|诸葛|司马|上官|司徒|皇甫|尉迟|慕容|令狐|夏侯|端木|宇文|长孙"
_NAME = rf"(?:[{SURNAMES}]|{_DOUBLE_SURNAMES})[\u4e00-\u9fff]{{1,2}}"
_TITLED = re.compile(rf".*(?:{CALLING})(?P<name>{_NAME})")
_BARE = re.compile(_NAME)
_FOREIGN = re.compile("[·•‧・]")


def asked_with(text: Text, start: int, end: int) -> Literal["谁", "什么"] | None:
    """The question word for a noun phrase; None where its form leaves that open.

    The segmenter alone is not believed: to it bamboo and a river are persons, and many a person is none.
    """
    subject = text.masked[start:end].replace(BRACKET, "")
    if not subject or QUOTE in subject:
        return "什么"
    titled = _TITLED.fullmatch(subject)
    if titled and _may_be_name(titled["name"]):
        return "谁"
    if _BARE.fullmatch(subject) and _may_be_name(subject):
        known_as_name = len(subject) > 2 and len(text.tokens(start, end)) == 1
        return "谁" if known_as_name and subject[-1] not in NAME_LIKE_ENDINGS else None
    last = [token for token in text.tokens(start, end) if token.tag != "bracket"][-1]
    if _FOREIGN.search(subject) or last.tag == "nrt":
        return None
    if subject.endswith("机器人"):
        return "什么"
    return "谁" if subject[-1] in "人者员" else "什么"


def _may_be_name(word: str) -> bool:
    """Whether the dictionary has a word as a name, or not at all."""
    import rjieba

    return not rjieba.has_word(word) or any(tag in ("nr", "nrt") for _, tag in rjieba.tag(word))
