"""What belongs together in a sentence: a number and what it counts, a word and its negation, two sides.

Compared clause by clause: where the source offers several partners, a claim must take the one that stands
among the words it uses. Used by `rag.answering.support` only.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction
from itertools import pairwise

from rag.answering.statements import Clause, Statement, noun_after, noun_before
from rag.text.numbers import Quantity
from rag.text.polarity import ANTONYMS, PIVOTS
from rag.text.terms import pairs

_DATES = frozenset({"year", "month", "day"})
_GENERIC_TEXT = """
人 人员 个人 东西 时间 左右 以上 以下 长 高 多 时候 期间 年度 全年
"""
_GENERIC = frozenset(_GENERIC_TEXT.split())
_FROM_TO = re.compile("[从由自].{0,3}#[^,。;]{0,12}[到至为成]")
_OPENERS = {
    "先": re.compile("(?<![首祖优预率])先(?![生进后前辈])"),
    "后": re.compile("(?<![以之前最背今先然])后(?![来者面期代])"),
    "再": re.compile("再(?!三)"),
}
"""Words of order, which the segmenter often makes part of another word."""
_DEGREES = ("更加", "更", "较", "最", "很", "太", "越", "比较")


def number_problem(claim: Statement, source: Statement) -> str:
    """The first number of a claim that the source does not state of the same thing; "" if there is none."""
    for wanted in claim.quantities:
        said = claim.folded[wanted.start : wanted.end]
        if wanted.kind == "one":
            others = [q for q in source.quantities if q.unit == wanted.unit and q.kind in ("one", "count")]
            if others and all(other.value != 1 for other in others):
                return f"数字 {said} 与所引段落不符"
            continue
        same = [found for found in source.quantities if _equals(wanted, found)]
        if not same:
            return f"数字 {said} 不在所引段落中"
        agreeing = [found for found in same if _units_agree(wanted, found)]
        if not agreeing:
            return f"数字 {said} 的单位与所引段落不符"
        if not _counts_the_same(wanted, agreeing, claim, source):
            return f"数字 {said} 在所引段落中说的不是同一事物"
    return "所引段落中两个数字的先后相反" if _reverses(claim, source) else ""


def _reverses(claim: Statement, source: Statement) -> bool:
    """Whether a claim goes from one number to another where the source goes the other way."""
    held = _steps(source)
    return any(step[::-1] in held and step not in held for step in _steps(claim))


def _steps(whole: Statement) -> set[tuple[Fraction, Fraction]]:
    """Values of neighbouring numbers with "from … to …" around and between them."""
    return {
        (left.value, right.value)
        for left, right in pairwise(whole.quantities)
        if _FROM_TO.fullmatch(
            f"{whole.folded[left.start - 1 : left.start]}#{whole.folded[left.end : right.start]}"
        )
    }


def _equals(wanted: Quantity, found: Quantity) -> bool:
    if wanted.value != found.value or wanted.vague != found.vague:
        return False
    bare = {"count", "one"} | _DATES
    return wanted.kind == found.kind or (
        wanted.kind in bare
        and found.kind in bare
        and "" in (wanted.unit, found.unit)
        and wanted.kind == "count"
    )


def _units_agree(wanted: Quantity, found: Quantity) -> bool:
    if wanted.unit == found.unit or not wanted.unit or wanted.kind in _DATES:
        return True
    return not wanted.is_measured and not found.is_measured


def _counts_the_same(
    wanted: Quantity, agreeing: Iterable[Quantity], claim: Statement, source: Statement
) -> bool:
    """Whether one of the equal numbers stands beside what the claim's number stands beside."""
    near = _window(claim, wanted)
    noun, focus = _focus(wanted, claim)
    windows = ["".join(part.text for part in _window(source, found)) for found in agreeing]
    windows = [window for window in windows if not noun or _touches(noun, window)]
    best = max((_likeness(near, window, focus) for window in windows), default=-1)
    if best < 0 or (best == 0 and wanted.kind == "count" and any(part.words for part in near)):
        return False
    rivals = [q for q in source.quantities if q.value != wanted.value and _is_rival(q, wanted)]
    stated = {q.value for q in claim.quantities}
    for rival in rivals:
        text = "".join(part.text for part in _window(source, rival))
        # What the claim counts itself elsewhere may share its noun ("灯两次，雨夜三次").
        if _likeness(near, text, frozenset() if rival.value in stated else focus) > best:
            return False
    return True


def _focus(wanted: Quantity, claim: Statement) -> tuple[str, frozenset[str]]:
    """The noun behind a number that it must count (or ""), and the words that say most about it."""
    clause = claim.clauses[claim.clause_at(wanted.start)]
    at, end = wanted.start - clause.start, wanted.end - clause.start
    if wanted.kind in _DATES:
        return "", frozenset(word for word in clause.words if word in clause.text[end:])
    noun = noun_after(clause.text, end) if wanted.kind == "count" and not wanted.is_measured else ""
    if noun and noun not in _GENERIC:
        return noun, frozenset({noun})
    if wanted.unit == "次":  # counts what is done, not what the noun names
        return "", frozenset()
    before = noun_before(clause.text, at)
    return "", frozenset({before} if before and before not in _GENERIC else ())


def _is_rival(other: Quantity, wanted: Quantity) -> bool:
    if wanted.kind in _DATES or wanted.kind in ("ratio", "ordinal"):
        return other.kind == wanted.kind
    return other.kind == "count" and (
        other.unit == wanted.unit or not (other.is_measured or wanted.is_measured)
    )


def _window(whole: Statement, number: Quantity) -> list[Clause]:
    """The clause of a number, and the one it leans on if it says no more ("2019年，" or "，共1200株")."""
    place = whole.clause_at(number.start)
    clause = whole.clauses[place]
    if clause.words:
        return [clause]
    towards = (place + 1, place - 1) if number.kind in _DATES else (place - 1, place + 1)
    for near in towards:
        if 0 <= near < len(whole.clauses):
            return [clause, whole.clauses[near]]
    return [clause]


def _touches(word: str, text: str) -> bool:
    """Whether a word, or one of its character pairs, stands in a text."""
    return word in text or any(pair[1:] in text for pair in pairs(word))


def _likeness(near: Iterable[Clause], text: str, focus: frozenset[str] = frozenset()) -> int:
    """How many words of some clauses stand in a text; those in focus count three times."""
    words = frozenset[str]().union(*(part.words for part in near)) | focus
    return sum(1 + 2 * (word in focus) for word in words if word in text)


def side_problem(claim: Statement, source: Statement) -> str:
    """A negation, antonym or swapped side by which the claim says the opposite; "" if there is none."""
    return _negation(claim, source) or _antonym(claim, source) or _swap(claim, source)


def _turned(whole: Statement) -> list[tuple[str, int]]:
    return [turned for clause in whole.clauses for turned in clause.turned]


def _akin(one: str, other: str) -> bool:
    """Whether two words share their beginning or end ("发苦", "苦")."""
    short, long = sorted((one, other), key=len)
    return bool(short) and (long.startswith(short) or long.endswith(short))


def _negation(claim: Statement, source: Statement) -> str:
    said, held = _turned(claim), _turned(source)
    for word, parity in said:
        known = {other_parity for other, other_parity in held if other == word}
        known = known or {p for other, p in held if _akin(word, other)}
        if known and parity not in known:
            return f"“{word}”的肯定与否定与所引段落相反"
        if not known and parity and not any(p for _, p in held):
            return f"所引段落没有否定“{word}”"
    said_words = {word for word, _ in said}
    for word, parity in held:
        if parity and word not in said_words:
            close = {p for other, p in said if _akin(word, other)}
            affirmed = any(other == word and not p for other, p in held)
            if close == {0} and not affirmed and not any(p for _, p in said):
                return f"“{word}”的肯定与否定与所引段落相反"
    return ""


def _has(clause: Clause, word: str) -> bool:
    """Whether a clause has one side of a pair, as a word of its own or with a word of degree before it."""
    if len(word) > 1:
        return word in clause.text
    if word in _OPENERS:
        return bool(_OPENERS[word].search(clause.text))
    return any(_bare(token) == word for token, _ in clause.turned)


def _bare(token: str) -> str:
    for degree in _DEGREES:
        if token.startswith(degree) and len(token) > len(degree):
            return token[len(degree) :]
    return token


def _antonym(claim: Statement, source: Statement) -> str:
    for pair in ANTONYMS:
        for here, there in (pair, pair[::-1]):
            for clause in claim.clauses:
                if not _has(clause, here) or _has(clause, there):
                    continue
                against = [c for c in source.clauses if _has(c, there) and not _has(c, here)]
                opposed = _best(clause, against, here)
                if opposed > _best(clause, [c for c in source.clauses if _has(c, here)], here) and (
                    not _one_is_negated(clause, here, against, there)
                ):
                    return f"“{here}”与所引段落的“{there}”相反"
    return ""


def _best(clause: Clause, others: Iterable[Clause], leaving_out: str) -> int:
    """The most words, the one in question aside, that a clause shares with one of others; -1 without any."""
    words = [word for word in clause.words if leaving_out not in word]
    return max((sum(word in other.text for word in words) for other in others), default=-1)


def _one_is_negated(clause: Clause, here: str, against: Iterable[Clause], there: str) -> bool:
    mine = any(p for word, p in clause.turned if _akin(word, here))
    theirs = any(p for other in against for word, p in other.turned if _akin(word, there))
    return mine != theirs


def _swap(claim: Statement, source: Statement) -> str:
    """Both sides of a word of comparison or cause stand on the wrong side of it."""
    for pivot in PIVOTS:
        for clause in claim.clauses:
            left, found, right = clause.text.partition(pivot)
            for other in source.clauses if found else ():
                before, there, after = other.text.partition(pivot)
                if not there:
                    continue
                mine_left = [word for word in clause.words if word in left]
                mine_right = [word for word in clause.words if word in right]
                wrong_left = any(w in after and w not in before for w in mine_left)
                wrong_right = any(w in before and w not in after for w in mine_right)
                if wrong_left and wrong_right:
                    return f"“{pivot}”的两边与所引段落相反"
    return ""
