"""Does a question lean on the conversation, and how: an ordinal, a word that points back, something left out?

Conservative on purpose: a question that may stand alone is left as typed. A word that points back does not
lean if what it points at stands before it in the same question ("“修边”这种做法", "灯塔和它的守灯人").
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from rag.dialogue.phrase import Phrase
from rag.dialogue.pointers import ABOUT, ARTICLE, ORDINAL, PAIR, PERSON, SET, THING, THIS, THIS_TIME, WHICH
from rag.dialogue.wording import (
    COUNTERS,
    GENERIC,
    LIGHT_VERBS,
    NUMBER,
    QUESTION_WORD,
    Token,
    own_nouns,
    tokens,
)
from rag.text.numbers import chinese_count

Kind = Literal["ordinal", "pair", "set", "about", "person", "thing", "this", "article", "bare"]
QUESTION_MAX_CHARS = 100
"""A longer question says what it is about."""

_BOUND_MAX_NOUNS = 3
_ALONE_MIN_NOUNS = 6
_BARE_MAX_CHARS = 6
# Ends in a measure word or asks only who: "覆盖了多少个", "都有谁参加".
_HEADLESS = re.compile(
    rf"(?:多少|几|哪几?|哪{NUMBER})一?(?:{COUNTERS})?$"
    "|^(?:一共|都|又)*(?:有|由)?(?:谁|哪些人|什么人)[^的]{2,3}$|吗$"
)
_DONE = re.compile("[到了过的]$")


@dataclass(frozen=True, slots=True)
class Lean:
    """How a question leans.

    Attributes:
        kind: In what way.
        start, end: The half-open place in the bare question of the words that lean.
        number: For an ordinal the place in the list from 1, from the end if negative.
        name: For "X呢？" the X, as typed.
    """

    kind: Kind
    start: int = 0
    end: int = 0
    number: int = 0
    name: str = ""


def lean_of(question: Phrase, bare: Phrase) -> Lean | None:
    """How a question leans on what was said before it, or None if it stands alone.

    Args:
        question: As typed, with its end.
        bare: The same without polite lead, end marks and particles.
    """
    if not bare.plain or len(bare.plain) > QUESTION_MAX_CHARS:
        return None
    checks = (_ordinal, _pair, _set, _article, _pronoun, _demonstrative)
    for check in checks:
        if found := check(bare):
            return found
    return _about(question, bare) or _left_out(bare)


def _ordinal(bare: Phrase) -> Lean | None:
    found = ORDINAL.match(bare.plain)
    if not found:
        return None
    following = next((token for token in tokens(bare.plain) if token.end > found.end()), None)
    # "第一个五年计划" is a name of its own, "第二个原则" is not.
    if (
        following
        and following.is_own_noun
        and following.start <= found.end()
        and following.text[-1] not in "个点条"
    ):
        return None
    numeral = found.group("nth") or found.group("bare") or found.group("back") or "一"
    number = chinese_count(numeral) or 1
    number = -number if found.group("end") or found.group("back") else number
    return Lean("ordinal", found.start("ordinal"), found.end(), number)


def _pair(bare: Phrase) -> Lean | None:
    found = None if re.match("什么是|何谓|何为", bare.plain) else PAIR.search(bare.plain)
    return Lean("pair", *found.span()) if found and not own_nouns(bare.plain[: found.start()]) else None


def _set(bare: Phrase) -> Lean | None:
    found = SET.match(bare.plain)
    if found and not THIS_TIME.match(bare.plain, found.start("set")):
        return Lean("set", *found.span("set"))
    found = WHICH.match(bare.plain)
    return Lean("set", 0, 0) if found and not own_nouns(bare.plain) else None


def _about(question: Phrase, bare: Phrase) -> Lean | None:
    """A name and nothing asked: "那船工呢？"."""
    ended = question.stripped()
    rest = ended.part(ended.plain.rfind(bare.plain)) if bare.plain in ended.plain else ended
    found = ABOUT.match(rest.plain)
    if (
        not found
        or QUESTION_WORD.search(found.group("name"))
        or found.group("name").endswith(("是", "该", "要"))
    ):
        return None
    name = rest.text[slice(*found.span("name"))].strip()
    if name.endswith("的") and tokens(found.group("name"))[-1].text == "的":
        name = name[:-1]
    ends_in_ne = rest.plain.rstrip("?!。 ").endswith("呢")
    words = tokens(found.group("name"))
    if not ends_in_ne and (len(name) > 6 or any(word.tag[0] == "v" for word in words)):
        return None
    generic = name in GENERIC or (
        len(name) <= 4 and not any(word.is_noun or word.tag[0] in "tmnr" for word in words)
    )
    # "灯塔怎么样？" asks in full; only "那灯塔呢？" leaves something out.
    if not ends_in_ne and not generic and not question.plain.lstrip().startswith(("那", "而")):
        return None
    return Lean("bare") if generic else Lean("about", name=name)


def _pronoun(bare: Phrase) -> Lean | None:
    words = tokens(bare.plain)
    for at, token in enumerate(words):
        if token.quoted or token.text not in PERSON | THING:
            continue
        if token.text == "其" and (
            at + 1 >= len(words) or not (words[at + 1].is_noun or words[at + 1].tag[0] in "avbd")
        ):
            continue
        if _bound(bare.plain, token):
            return None
        return Lean("person" if token.text in PERSON else "thing", token.start, token.end)
    return None


def _bound(plain: str, token: Token) -> bool:
    """Whether a pronoun can mean something that stands before it in the question.

    A pronoun that is no possessive does not mean the subject of its own clause (principle B of binding
    theory, Chomsky 1981), so "居民怎么看它" leans and "居民怎么看它的变化" may not.
    """
    before = plain[: token.start]
    nouns = own_nouns(before)
    clause = max(before.rfind(mark) for mark in ",。?!;:") + 1
    earlier = [noun for noun in nouns if noun.start < clause]
    if earlier:
        # "摸清家底之后，修缮它们": an adjunct without subject offers one thing, the pronoun wants several.
        adjunct = re.search(r"(?:之?后|以后|之?前|以前|的?时候|时),$", before[:clause])
        opens = tokens(before)[0].tag[0] == "v"
        return not (adjunct and opens and len(earlier) == 1 and token.text.endswith("们"))
    possessive = plain[token.end : token.end + 1] == "的" or token.text == "其"
    return bool(nouns) and (possessive or len(nouns) > _BOUND_MAX_NOUNS)


def _demonstrative(bare: Phrase) -> Lean | None:
    if len(own_nouns(bare.plain)) > _ALONE_MIN_NOUNS:
        return None
    for found in THIS.finditer(bare.plain):
        if THIS_TIME.match(bare.plain, found.start()) or _inside_word(bare.plain, found.start()):
            continue
        before = bare.plain[: found.start()]
        nouns = own_nouns(before)
        clause = max(before.rfind(mark) for mark in ",。?!;:") + 1
        if found.group("dem") and before and not before.endswith(("为什么", "对", "在", "提出", ",")):
            continue
        touching = tokens(before)[-1] if before else None
        if nouns and (nouns[0].start < clause or len(nouns) > 2 or _is_apposed(touching)):
            return None
        # Anything but function words may hide a noun that the tagger took for a verb ("修旧如旧这种做法").
        if (
            touching
            and touching.tag[0] in "vai"
            and touching.text not in LIGHT_VERBS
            and _starts_alone(before)
        ):
            return None
        return Lean("this", found.start(), _phrase_end(bare.plain, found.end()))
    return None


def _starts_alone(before: str) -> bool:
    return QUESTION_WORD.search(before) is None and tokens(before)[0].tag[0] not in "rpd"


def _is_apposed(token: Token | None) -> bool:
    return token is not None and (
        token.is_noun or token.quoted or token.text in {"的", "”", "》", "中", "里"}
    )


def _inside_word(plain: str, start: int) -> bool:
    return any(token.start < start < token.end for token in tokens(plain))


def _phrase_end(plain: str, end: int) -> int:
    """Where "这种做法" ends: after the nouns that follow the demonstrative."""
    for token in tokens(plain):
        if token.is_noun and token.start <= end < token.end:
            end = token.end
        elif token.start >= end:
            break
    return end


def _article(bare: Phrase) -> Lean | None:
    return Lean("article") if ARTICLE.match(bare.plain) else None


def _left_out(bare: Phrase) -> Lean | None:
    """A question that names no thing of its own: "为什么？", "覆盖了多少个？", "还有呢？"."""
    plain = bare.plain
    words = [token for token in tokens(plain) if token.tag[0] not in "xw"]
    if any(token.is_own_noun or token.tag[0] in "ti" or token.quoted for token in words):
        return None
    asks = QUESTION_WORD.search(plain) is not None
    if any(char.isdigit() for char in plain) or not (asks or len(plain) <= _BARE_MAX_CHARS):
        return None
    heavy = [token for token in words if _is_full_verb(token)]
    if not heavy:
        return Lean("bare")
    if _HEADLESS.search(plain):
        return Lean("bare") if len(heavy) == 1 else None
    # A full verb with no subject ("怎么游泳？") may well be all that is meant; "怎么游到的？" is not.
    done = asks and len(heavy) == 1 and len(heavy[0].text) <= 2 and _DONE.search(plain)
    return Lean("bare") if done else None


def _is_full_verb(token: Token) -> bool:
    if token.tag[0] not in "vaz" or QUESTION_WORD.search(token.text):
        return False
    return token.text not in LIGHT_VERBS and token.text not in GENERIC
