"""What words a claim uses that its source does not, and what it leaves out that changes what is said.

One test each for terms that must stand there, for the share of the content words, for exchanged and
strengthening words, and for what only qualifies. Used by `rag.answering.support` only.
"""

from __future__ import annotations

from collections.abc import Sequence

from rag.answering.statements import SOMEBODY, Statement
from rag.text.folding import squeeze
from rag.text.function_words import FUNCTION_WORDS
from rag.text.numbers import is_numeral
from rag.text.polarity import STRONG, hedges, is_conditional, may_hedge, report_end, reports

SHARE = 0.7
"""Least share of the claim's content words that stand in the source.

Measured on the labelled lists of `tests/test_support.py`, which say what other shares would do."""
CLAUSE_SHARE = 0.5
"""The same for each clause of two or more content words, so that no invented clause hides among true ones."""


def term_problem(claim: Statement, source: Statement, about: str) -> str:
    """The first quotation, title, name or date that neither the source nor, if it may, `about` holds."""
    held = squeeze(source.folded)
    for kind, terms, also in (
        ("引语", claim.quotes, about),
        ("题名", claim.titles, about),
        ("名称", claim.names, about),
        ("日期", claim.calendar, ""),
    ):
        for term in terms:
            bare = squeeze(term)
            if not _stands(bare, held) and not (also and _stands(bare, also)):
                return f"{kind}“{term}”不在所引段落中"
    return ""


def _stands(term: str, held: str) -> bool:
    """Whether a term stands in a text; a Latin one not as a part of a longer word."""
    at = held.find(term)
    while at >= 0:
        before, after = held[at - 1 : at], held[at + len(term) : at + len(term) + 1]
        inside = term.isascii() and any(char.isascii() and char.isalnum() for char in (before, after) if char)
        if not inside:
            return True
        at = held.find(term, at + 1)
    return False


def share_problem(claim: Statement, source: Statement, about: str, share: float) -> str:
    """Too many words that the source lacks, in the whole claim or in one clause."""
    missing = [word for word in claim.words if not source.holds(word) and word not in about]
    if len(missing) > (1 - share) * len(claim.words):
        return f"“{'、'.join(missing[:3])}”等词不在所引段落中"
    for clause in claim.clauses:
        lacking = [word for word in clause.words if not source.holds(word) and word not in about]
        if len(clause.words) > 1 and len(lacking) > (1 - CLAUSE_SHARE) * len(clause.words):
            return f"“{clause.text[:12]}”不在所引段落中"
    return ""


def strength_problem(claim: Statement, source: Statement) -> str:
    """A superlative, "all" or "only" that the source does not say."""
    for words, equals in STRONG:
        word = next((word for word in words if _says(claim, word)), "")
        if word and not any(_says(source, other) for other in equals):
            return f"“{word}”不在所引段落中"
    return ""


def _says(whole: Statement, word: str) -> bool:
    return word in whole.folded if len(word) > 1 else word in whole.tokens


def altered_problem(claim: Statement, source: Statement) -> str:
    """A word exchanged for one that differs in a character, between the same neighbours.

    "烧到发红才能" for "烧到发白才能". Words with no character in common may well be synonyms.
    """
    said, held = _letters(claim), _letters(source)
    for word in claim.words:
        at = said.find(word)
        right = said[at + len(word) : at + len(word) + 2]
        before = 2 if len(right) == 2 else 3  # at the end of a claim the other side must do
        if len(word) > 2 or source.holds(word) or at < before:
            continue
        for other in _between(held, said[at - before : at], right, len(word)):
            alike = sum(x == y for x, y in zip(word, other, strict=True))
            if alike == len(word) - 1 and other not in FUNCTION_WORDS and not is_numeral(other):
                return f"“{word}”在所引段落中是“{other}”"
    return ""


def _letters(whole: Statement) -> str:
    return "".join(char for char in whole.folded if char.isalnum())


def _between(held: str, left: str, right: str, size: int) -> list[str]:
    """What stands in `size` characters between two neighbours."""
    found: list[str] = []
    at = held.find(left)
    while at >= 0:
        end = at + len(left) + size
        if end <= len(held) and held.startswith(right, end):
            found.append(held[at + len(left) : end])
        at = held.find(left, at + 1)
    return found


def dropped_problem(claim: Statement, parts: Sequence[Statement]) -> str:
    """Reports, conditions and hedges of the source that the claim leaves out."""
    for part in parts:
        told = report_end(part.folded)
        if told >= 0 and _shares_after(claim, part, told):
            others = [who for who in claim.speakers if who not in part.folded and who not in SOMEBODY]
            if others or not reports(claim.folded):
                return "原文是转述他人的看法，句中没有说明"
        if is_conditional(part.folded) and not (is_conditional(claim.folded) or "时" in claim.folded):
            return "原文有条件，句中没有说明"
        for clause in part.clauses:
            shared = sum(word in claim.folded for word in clause.words)
            if hedges(clause.text) and 2 * shared >= len(clause.words) and not may_hedge(claim.folded):
                return "原文只说可能或打算，句中说成事实"
    return ""


def _shares_after(claim: Statement, part: Statement, offset: int) -> bool:
    return any(
        word in claim.folded for clause in part.clauses if clause.end > offset for word in clause.words
    )
