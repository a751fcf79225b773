"""The same for questions in English: "what about the second one?", "who wrote it?", "why?"."""

from __future__ import annotations

import re

from rag.dialogue.antecedents import Exchange
from rag.dialogue.wording import word_set

_NTH = {
    word: place
    for place, words in enumerate(
        ("first 1st", "second 2nd", "third 3rd", "fourth 4th", "fifth 5th", "sixth 6th", "seventh 7th"), 1
    )
    for word in words.split()
} | {"last": -1, "final": -1}
_ORDINAL = re.compile(
    rf"\b(?:the )?({'|'.join(_NTH)})(?: (?:one|point|item|step|thing|reason|part|aspect))?"
    r"(?=\?|$|,| is| was| mean| say| about)",
    re.IGNORECASE,
)
_WHAT_ABOUT = re.compile(
    r"^(?:(?:and|so|but|ok|okay),? )?(?:what|how) about (.+?)[?.! ]*$"
    r"|^and (?!who|what|why|how|when|where|which)(.{1,40}?)[?.! ]*$",
    re.IGNORECASE,
)
_AUTHOR = re.compile(
    r"^(?:and |so )?who (?:wrote|is the author of|authored) (?:it|this|that)(?: article| essay| piece)?\W*$"
    r"|^who(?: is|'s) the author\W*$",
    re.IGNORECASE,
)
_POINTS = re.compile(r"\b(it|its|they|their|them|he|his|him|she|her|this|that|these|those)\b", re.IGNORECASE)
_POSSESSIVE = {"its", "their", "his", "her"}
_EXPLETIVE = re.compile(
    r"\b(?:is|was) it (?:true|possible|necessary|likely|that|so)\b|\bit is\b"
    r"|\bwhat time is it\b|\bthat (?:is|are|the|a|an)\b",
    re.IGNORECASE,
)
_BARE = re.compile(
    r"^(?:(?:and|so|but|ok|okay),? )?(?:why(?: not| so| is that)?|how(?: so| come| exactly)?"
    r"|when|where|who|which ones?|how (?:many|much|long)|what else|anything else"
    r"|tell me more|go on|continue|more|for example|such as|like what"
    r"|and then|really|in what way|what does that mean)\W*$",
    re.IGNORECASE,
)
_SMALL = word_set("""
    a an the of in on at to for from by with as and
    or but not so do does did is are was were be been can
    could will would should has have had what who whom whose which where when
    why how many much long it its they their them he his him she
    her this that these those there ok okay please tell me about more most
    say says said wrote one ones
""")
_OWN_WORDS_MAX = 2
_QUESTION_MAX_CHARS = 120


def resolve_english(question: str, exchanges: list[Exchange]) -> str:
    """The resolved question, or "" if it stands alone or nothing in the conversation fits."""
    asked = question.strip()
    last = exchanges[-1]
    if len(asked) > _QUESTION_MAX_CHARS:
        return ""
    if _AUTHOR.match(asked) and last.article:
        return f"Who wrote the article about {last.title or last.thing}?"
    if made := _ordinal(asked, last):
        return made
    if found := _WHAT_ABOUT.match(asked):
        name = (found.group(1) or found.group(2)).strip()
        if not _POINTS.fullmatch(name):
            return f"{last.subject}: what about {name}?" if last.subject else ""
    if _BARE.match(asked):
        return f"{last.subject}: {asked}" if last.subject else ""
    return _pronoun(asked, last)


def _ordinal(asked: str, last: Exchange) -> str:
    found = _ORDINAL.search(asked)
    if not found or len(_own(asked[: found.start()])) or not last.items:
        return ""
    number = _NTH[found.group(1).lower()]
    at = number - 1 if number > 0 else len(last.items) + number
    if not 0 <= at < len(last.items):
        return ""
    return asked[: found.start()] + f"“{last.items[at]}”" + asked[found.end() :]


def _pronoun(asked: str, last: Exchange) -> str:
    found = _POINTS.search(asked)
    if not found or _EXPLETIVE.search(asked) or len(_own(asked)) > _OWN_WORDS_MAX:
        return ""
    word = found.group(1).lower()
    before = _own(asked[: found.start()])
    if len(before) > (0 if word in _POSSESSIVE else 1):
        return ""
    meant = (last.persons if word in {"he", "she", "his", "her", "him"} else "") or last.thing
    if not meant or len(meant) > 60:
        return f"{last.subject}: {asked}" if last.subject else ""
    return asked[: found.start()] + meant + ("'s" if word in _POSSESSIVE else "") + asked[found.end() :]


def _own(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z][\w'-]*", text.lower()) if word not in _SMALL]
