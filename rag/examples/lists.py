"""Questions for the things that a sentence lists or announces."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rag.examples.clauses import RUN, Text, Token, is_noun_phrase, spoken, subject_end, topic_before
from rag.examples.drafts import Draft, Piece
from rag.examples.words import ADVERBS

_INCLUDES = re.compile(rf"^({RUN}{{3,22}}?)(?:主要)?(包括|包含|涵盖|囊括)了?({RUN}+(?:、{RUN}+)+)")
_SEVERAL = "[两二三四五六七八九十]"
_ANNOUNCED = re.compile(
    rf"(?P<before>{RUN}{{4,22}}?)(?<![第十百零是为])(?P<count>{_SEVERAL})"
    rf"(?P<what>大|[个种项条类点步招关道层样件]{RUN}{{0,8}}|步)(?<![是有为叫即])(?=：|。$)"
)
_ET_CETERA = re.compile("[^等]等(?![待级于候同])")
_TAIL = re.compile(rf"等[一二两三四五六七八九十\d]*大?[个类种项]?(?:各[项类种个]?|其他|相关)?({RUN}+)")
_HAS_SEVERAL = re.compile(
    rf"^(?P<what>{RUN}{{3,16}}(?:原因|特点|好处|办法|做法|条件|特征|作用))(?:主要)?有{_SEVERAL}[：。，]"
)


def lists(text: Text) -> Iterator[Draft]:
    """Which N of "A、B 和 C 等 N"; what "X 包括 A、B 和 C"; which three of "X 有三个 N："."""
    for clause in text.clauses:
        yield from _open_list(text, *clause)
    found = _INCLUDES.match(text.masked)
    if found and text.is_noun_phrase(*found.span(1)):
        yield Draft("list", (found.span(1), found.span(2), "什么？"), 0.8)
    found = _HAS_SEVERAL.match(text.masked)
    if found and text.is_noun_phrase(*found.span("what")):
        yield Draft("list", (found.span("what"), "有哪些？"), 0.9)
        return
    for found in _ANNOUNCED.finditer(text.masked):
        start, end = found.span("before")
        tokens = text.tokens(start, end)
        if found.start() not in [clause[0] for clause in text.clauses] or subject_end(tokens) is None:
            continue
        pieces: tuple[Piece, ...] = (*spoken(tokens), "哪", found.span("count"), found.span("what"), "？")
        here = text.masked[found.end()] == "："
        yield Draft("list", pieces, 0.6 if found["what"] == "步" else 0.9, answered_by=0 if here else 1)


def _open_list(text: Text, start: int, end: int) -> Iterator[Draft]:
    """The list of "S V A、B 和 C 等 N" in one clause; what S is may stand in a noun phrase before it."""
    marker = _marker(text, start, end)
    if marker is None:
        return
    tail = _TAIL.match(text.masked, marker, end)
    first = text.masked.index("、", start)
    items = re.split("[、和与]", text.masked[first + 1 : marker])
    if not tail or re.search(r"[等\d]", tail[1]) or not _are_things(text, items, first + 1):
        return
    opening = text.tokens(start, first)
    begins = _list_begins(opening, tail[1])
    if begins is None:
        return
    lead: tuple[Piece, ...] = ()
    if subject_end(opening[: begins + 1]) is None:
        topic = topic_before(text, start)
        if topic is None:
            return
        lead = (topic,)
    yield Draft("list", (*lead, *spoken(opening[:begins]), "哪些", tail.span(1), "？"), 0.85)


def _marker(text: Text, start: int, end: int) -> int | None:
    """Where the 等 stands that closes a list of a clause, or None."""
    found = _ET_CETERA.search(text.masked, start, end)
    return found.end() - 1 if found and "、" in text.masked[start : found.start()] else None


def _list_begins(opening: list[Token], counted: str) -> int | None:
    """Which word of a clause, up to its first 、, begins the list: what follows a verb or preposition."""
    for place in range(1, len(opening)):
        before = opening[place - 1]
        leads = before.tag in ("v", "ul", "p") or before.word in ("对", "由")
        if not leads or before.word in ("为", "是"):
            continue
        if not is_noun_phrase(opening[place:]) and len(opening) > place + 1:
            continue
        between = opening[subject_end(opening[: place + 1]) or 0 : place]
        # A noun between the verb and the list is its object already, or the list's own first word.
        torn = any(t.is_noun and t.tag != "vn" and t.word not in ADVERBS for t in between) and not any(
            token.tag == "p" for token in between
        )
        if torn or (before.word == "在" and not counted.endswith(("方面", "领域"))):
            return None
        return place
    return None


def _are_things(text: Text, items: list[str], start: int) -> bool:
    """Whether the further items of a list are nouns rather than actions."""
    for item in items:
        tokens = text.tokens(start, start + len(item))
        if tokens and tokens[0].tag == "v" and len(tokens) > 1:
            return False
        start += len(item) + 1
    return True
