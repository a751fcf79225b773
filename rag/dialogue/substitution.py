"""The last question asked of something else ("乙地呢？"): its corresponding noun phrase is replaced.

Which phrase corresponds is judged by form: the same tag, the same ending, else the subject.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.dialogue.antecedents import Exchange
from rag.dialogue.items import item_holding
from rag.dialogue.phrase import Phrase
from rag.dialogue.wording import COUNTERS, QUESTION_WORD, Token, aligned, tokens

_INLINE_ITEM_MAX_CHARS = 14
_PREFIX = re.compile(r"^关于[^：:]{1,60}[：:]")
_NTH = re.compile(r"第[一二三四五六七八九十\d]{1,3}[篇章节卷期册页集]")
_HOW_MANY = re.compile(rf"(?:多少|几){COUNTERS}?")
_NAMES = ("ns", "nr", "nt", "nz", "t")


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    tag: str
    quoted: bool


def substitute(name: str, last: Exchange) -> str:
    """The last question asked of `name`; "关于…：" before it where no phrase of it corresponds."""
    question = _PREFIX.sub("", last.question)
    phrase, own = Phrase.of(question), Phrase.of(name)
    nth = _NTH.search(phrase.plain)
    if nth and _NTH.search(own.plain):
        return phrase.put(*nth.span(), name)
    item = item_holding(last.items, name)
    spans = _noun_phrases(phrase.plain)
    holding = next((s for s in spans if own.plain in phrase.plain[s.start : s.end]), None)
    if holding:
        if phrase.plain[holding.start : holding.end] == own.plain:
            return question
        # "政府和企业各做什么" asked of one of them.
        return re.sub(
            "各自|分别|各(?![种个类项方位界地自])", "", phrase.put(holding.start, holding.end, name), count=1
        )
    place = _other_item(phrase.plain, spans, last.items) if item else None
    place = place or _corresponding(own, phrase.plain, spans, alike_only=item is not None)
    if place:
        return phrase.put(place.start, place.end, name)
    if item is not None:
        within = f"{last.subject}里的" if len(item) <= _INLINE_ITEM_MAX_CHARS and last.subject else ""
        return f"{within}{item}具体指什么？"
    return f"关于{name}：{question}"


def _other_item(plain: str, spans: list[_Span], items: tuple[str, ...]) -> _Span | None:
    """The phrase of the question that another item of the answer is about."""
    openings = tuple(aligned(item) for item in items)
    return next((s for s in spans if any(o.startswith(plain[s.start : s.end]) for o in openings)), None)


def _noun_phrases(plain: str) -> list[_Span]:
    """Runs of nouns and quoted terms, split at "的", "中", "里" and the like."""
    spans: list[_Span] = []
    words = tokens(plain)
    for at, token in enumerate(words):
        if token.tag == "x" and not token.quoted:
            continue
        noun = token.is_noun or token.quoted or token.tag in {"t", "b"} or _tail_of_noun(words, at)
        if not noun or QUESTION_WORD.search(token.text):
            continue
        tag = token.tag if token.tag != "v" else "n"
        joined = bool(spans) and (
            spans[-1].end == token.start
            or plain[spans[-1].end : token.start] in {"和", "与", "、", "及", "跟"}
        )
        if (
            joined
            and (spans[-1].quoted == token.quoted or not token.quoted)
            and not _breaks(spans[-1].tag, tag)
        ):
            spans[-1] = _Span(spans[-1].start, token.end, tag, spans[-1].quoted or token.quoted)
        else:
            spans.append(_Span(token.start, token.end, tag, token.quoted))
    return spans


def _tail_of_noun(words: tuple[Token, ...], at: int) -> bool:
    """A noun read as a verb: "社会组织" between a noun and a verb."""
    if not at or at + 1 >= len(words) or words[at].tag != "v" or len(words[at].text) != 2:
        return False
    return words[at - 1].tag == "n" and words[at + 1].tag in {"v", "d"} and len(words[at - 1].text) == 2


def _breaks(left: str, right: str) -> bool:
    """Whether two words side by side are two phrases: a time or place, and what is there ("村里木匠")."""
    return left in {"t", "s"} and right != left


def _corresponding(name: Phrase, plain: str, spans: list[_Span], *, alike_only: bool) -> _Span | None:
    tags = [token.tag for token in tokens(name.plain)]
    tag = tags[-1] if tags else "n"
    quoted = name.plain[:1] in {"“", "《"}
    terms = [span for span in spans if span.quoted]
    if quoted and terms:
        return max(terms, key=lambda s: _shared_ending(name.plain, plain[s.start : s.end]))
    if head := _same_head(name.plain, plain, spans):
        return head
    first = tags[0] if tags else "n"
    for kind in dict.fromkeys((tag, first)):
        alike = [span for span in spans if kind in _NAMES and span.tag == kind and not span.quoted]
        if alike:
            # Of names the last before the verb is the nearest to what is asked.
            before = [span for span in alike if span.end <= _asked_at(plain, spans)] or alike[:1]
            return max(reversed(before), key=lambda s: _shared_ending(name.plain, plain[s.start : s.end]))
    ending = max(spans, key=lambda s: _shared_ending(name.plain, plain[s.start : s.end]), default=None)
    if ending and _shared_ending(name.plain, plain[ending.start : ending.end]) > 0 and len(name.plain) > 1:
        return ending
    if _starts_with_name(spans, plain, first):
        return _leading_name(spans, plain, first)
    return None if alike_only or tag == "t" else _subject(plain, spans)


def _same_head(name: str, plain: str, spans: list[_Span]) -> _Span | None:
    """The phrase up to the noun that the name ends with ("东码头" for "西码头")."""
    words = tokens(name)
    head = words[-1].text if words and words[-1].is_noun and len(words) > 1 else ""
    for span in spans if head else []:
        at = plain.find(head, span.start, span.end)
        if at > span.start:
            return _Span(span.start, at + len(head), span.tag, span.quoted)
    return None


def _starts_with_name(spans: list[_Span], plain: str, tag: str) -> bool:
    return _leading_name(spans, plain, tag) is not None


def _leading_name(spans: list[_Span], plain: str, tag: str) -> _Span | None:
    """The name that opens a longer phrase: "甲城" in "甲城人口"."""
    if tag not in _NAMES:
        return None
    for span in spans:
        inner = tokens(plain[span.start : span.end])
        if len(inner) > 1 and inner[0].tag == tag:
            return _Span(span.start, span.start + inner[0].end, tag, False)
    return None


def _shared_ending(left: str, right: str) -> int:
    count = 0
    while count < min(len(left), len(right)) and left[-1 - count] == right[-1 - count]:
        count += 1
    return count


def _subject(plain: str, spans: list[_Span]) -> _Span | None:
    """The phrase before the first verb; None where replacing it may leave the topic out."""
    defined = re.match(r"(?:什么是|何谓|何为)", plain)
    if defined:
        return spans[0] if spans else None
    governed = {t.end for t in tokens(plain) if t.tag == "p"}
    before = [s for s in spans if s.end <= _asked_at(plain, spans) and s.start not in governed]
    if not before:
        return None
    if len(before) == 1 and _HOW_MANY.search(plain) and len(spans) > 1:
        return None
    owned = len(before) > 1 and plain[before[-2].end : before[-1].start] == "的"
    return before[-2] if owned else before[-1]


def _asked_at(plain: str, spans: list[_Span]) -> int:
    """Where the predicate begins: at the first verb or question word after the first noun phrase."""
    first = spans[0].end if spans else 0
    asked = QUESTION_WORD.search(plain, first)
    verbs = (t.start for t in tokens(plain) if t.tag == "v" and t.start >= first and not _inside(t, spans))
    return min(next(verbs, len(plain)), asked.start() if asked else len(plain))


def _inside(token: Token, spans: list[_Span]) -> bool:
    return any(span.start <= token.start < span.end for span in spans)
