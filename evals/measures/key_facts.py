"""Key facts: whether an answer says what a right answer must say.

    coverage = (facts with at least one spelling in the answer) / (facts)
    complete = 1 if coverage = 1, else 0

Nugget recall after the TREC question answering tracks (Voorhees 2003, section 3), with string containment
instead of an assessor. Answer and spellings are compared in NFKC, lower case and without white space; a
number must not be part of a longer one ("31" is not in "1031").
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from evals.sources import squeeze

_MARKS = re.compile(r"\[\d+\]")


def plain_answer(answer: str) -> str:
    """An answer without its `[n]` marks."""
    return _MARKS.sub("", answer)


def fact_coverage(answer: str, key_facts: Sequence[Sequence[str]]) -> float:
    """Share, 0-1, of the key facts (at least one) that the answer names."""
    said = _folded(plain_answer(answer))
    return sum(any(_names(said, _folded(spelling)) for spelling in fact) for fact in key_facts) / len(
        key_facts
    )


def answer_chars(answer: str) -> int:
    """Length of an answer in characters, marks and white space left out."""
    return len(squeeze(plain_answer(answer)))


def _folded(text: str) -> str:
    return squeeze(unicodedata.normalize("NFKC", text)).casefold()


def _names(said: str, spelling: str) -> bool:
    before = r"(?<![\d.])" if spelling[:1].isdigit() else ""
    after = r"(?!\d|\.\d)" if spelling[-1:].isdigit() else ""
    return re.search(before + re.escape(spelling) + after, said) is not None
