"""Citation recall and precision after ALCE, computed from spans instead of by a language model.

ALCE (Gao, Yen, Yu & Chen 2023, Enabling Large Language Models to Generate Text with Citations, sections
3 and 4) asks an entailment model whether cited text supports a sentence. Here the cited text is the slice
of the source between a citation's offsets, and support is decided exactly:

- a sentence said to be verbatim (`exact`) is supported iff it stands in its cited slices, joined in
  order, with white space left out;
- a sentence that was put together (any other match) is supported iff every number and every Latin word
  in it stands in its cited slices, and it shares at least two neighbouring characters with them.
  Quotations in it that stand verbatim in the cited sources are left out first. This proves less than
  entailment: it catches invented figures and names, not a wrong relation between right words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from evals.sources import squeeze

_TOKENS = re.compile(r"[a-z]+|\d+(?:\.\d+)?")
_QUOTATIONS = re.compile(r"“([^“”]+)”|《([^《》]+)》|「([^「」]+)」")
_WORD_CHARS = re.compile(r"\w")


@dataclass(frozen=True, slots=True)
class Statement:
    """A sentence with what it stands on.

    Attributes:
        text: The sentence.
        verbatim: Whether it is said to be a verbatim slice.
        slices: The cited source text of each of its citations, untouched, in order.
        sources: Untouched texts of the cited sources, to check quotations.
    """

    text: str
    verbatim: bool
    slices: tuple[str, ...]
    sources: tuple[str, ...] = ()


def is_supported(statement: Statement, slices: Sequence[str]) -> bool:
    """Whether these slices support the sentence; never, if there are none."""
    if not slices:
        return False
    said = squeeze(statement.text)
    if statement.verbatim:
        return bool(said) and said in squeeze("".join(slices))
    held = _plain("".join(slices))
    own = _plain(_without_quotations(said, statement.sources))
    known = set(_TOKENS.findall(held))
    return all(token in known for token in _TOKENS.findall(own)) and _shares_two(_plain(said), held)


def citation_recall(statements: Sequence[Statement]) -> float:
    """Share of sentences that their citations support; 0 for an answer without sentences."""
    supported = sum(is_supported(statement, statement.slices) for statement in statements)
    return supported / len(statements) if statements else 0.0


def citation_precision(statements: Sequence[Statement]) -> float:
    """Share of citations that are not irrelevant; 0 for an answer without citations.

    A citation of a sentence counts iff all citations together support the sentence, and either this one
    alone does or the others without it do not.
    """
    counted = cited = 0
    for statement in statements:
        cited += len(statement.slices)
        if not is_supported(statement, statement.slices):
            continue
        for place, held in enumerate(statement.slices):
            rest = statement.slices[:place] + statement.slices[place + 1 :]
            counted += is_supported(statement, [held]) or not is_supported(statement, rest)
    return counted / cited if cited else 0.0


def _plain(text: str) -> str:
    return squeeze(unicodedata.normalize("NFKC", text)).casefold()


def _without_quotations(said: str, sources: Sequence[str]) -> str:
    held = [squeeze(source) for source in sources]

    def kept(found: re.Match[str]) -> str:
        inner = next(group for group in found.groups() if group is not None).strip("…")
        return " " if any(inner in source for source in held) else found[0]

    return _QUOTATIONS.sub(kept, said)


def _shares_two(said: str, held: str) -> bool:
    pairs = (said[at : at + 2] for at in range(len(said) - 1))
    return any(pair in held and len(_WORD_CHARS.findall(pair)) == 2 for pair in pairs)
