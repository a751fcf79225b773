"""Whether source sentences support a paraphrase: decided on its surface, by rule, the same each time.

A claim is supported by the smallest set of one to three sentences in which all of this holds:

- every number stands there by value, with a unit that agrees and the noun it counts near by; where the set
  holds several numbers of the kind, beside the words that stand beside it in the claim;
- every name, title, quotation and calendar word stands there (names also among the authors and title of
  the document);
- a stated share of its content words stands there, and of those of each clause (`rag.answering.wording`);
- no shared word is negated on one side only, no antonym replaces a word, no superlative or "all" is added, no
  condition, hedge or report ("有人认为") is dropped.

It errs to the strict side. It does not understand: a false relation between right words of one clause passes
unless it is among the few that swap visibly ("甲比乙高").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from rag.answering.associations import number_problem, side_problem
from rag.answering.statements import FRAMING, Statement, statement
from rag.answering.wording import (
    SHARE,
    altered_problem,
    dropped_problem,
    share_problem,
    strength_problem,
    term_problem,
)
from rag.records import Block, Document, Sentence
from rag.text.folding import fold, squeeze

_POOL = {1: 40, 2: 8, 3: 6}
_SPEAKING_TEXT = """
认为 指出 表示 提出 强调 说 写道 主张 在 中 里 的 文章 一文 作者 是 和 与 、 及 等 教授 论文 文 著 写 撰写
执笔 所 由 标题 题目 题为
"""
_SPEAKING = frozenset(_SPEAKING_TEXT.split())


@dataclass(frozen=True, slots=True)
class Support:
    """What a claim stands on.

    Attributes:
        sentences: Source sentences, in reading order; each is needed.
        blocks: For a mere attribution instead the bylines and titles, with their documents.
    """

    sentences: tuple[Sentence, ...] = ()
    blocks: tuple[tuple[Document, Block], ...] = ()


@dataclass(frozen=True, slots=True)
class Unsupported:
    """Why a claim is not supported.

    Attributes:
        why: In a few Chinese words.
        contradicted: Whether a candidate that shares most of its words says the opposite.
    """

    why: str
    contradicted: bool = False


def support(
    text: str, candidates: Sequence[Sentence], documents: Sequence[Document], *, share: float = SHARE
) -> Support | Unsupported:
    """The smallest set of candidates that supports a claim.

    Args:
        text: One sentence, as a generator wrote it.
        candidates: Sentences of the passages it cites.
        documents: The documents of these passages.
        share: Least share of its content words that must stand there; never lowered to let something pass.
    """
    attributed = _attribution(text, documents)
    if attributed:
        return Support(blocks=attributed)
    claim = statement(text)
    if not claim.words:
        return Unsupported("没有实质内容")
    given = _names(documents, printed=False)
    if given and all(word in given for word in claim.words):
        return Unsupported("作者或标题没有印在原文里")
    asks = claim.folded.rstrip("\"')").endswith("?")
    usable = [s for s in candidates if asks or not fold(s.text).rstrip("\"')").endswith("?")]
    if not usable:
        return Unsupported("没有引用可用的段落")
    usable.sort(key=lambda s: (-_overlap(claim, statement(s.text)), s.ordinal))
    first_problem = ""
    against = _contradiction(claim, usable[: _POOL[2]])
    needed = share * len(claim.words) - sum(word in _metadata(documents) for word in claim.words)
    for size, pool in _POOL.items():
        for chosen in combinations(usable[:pool], size):
            if size > 1 and _cover(claim, chosen) < needed:
                continue  # cheap to see, and most sets fall here
            problem = _problem(claim, chosen, documents, share)
            if not problem and against and _cover(claim, chosen) <= against[0]:
                problem = against[1]
            if not problem:
                return Support(tuple(sorted(chosen, key=lambda s: s.ordinal)))
            first_problem = first_problem or problem
    together = _problem(claim, usable, documents, share)
    return Unsupported(together or first_problem, contradicted=bool(against))


def _cover(claim: Statement, chosen: Sequence[Sentence]) -> int:
    """How many content words of a claim stand in sentences."""
    parts = [statement(sentence.text) for sentence in chosen]
    return sum(any(part.holds(word) for part in parts) for word in claim.words)


def _contradiction(claim: Statement, candidates: Sequence[Sentence]) -> tuple[int, str] | None:
    """How many words the nearest sentence that says the opposite shares with a claim, and where it differs.

    A sentence that shares fewer words with the claim cannot prove what this one denies.
    """
    found: list[tuple[int, str]] = []
    for candidate in candidates:
        cover = _cover(claim, [candidate])
        problem = side_problem(claim, statement(candidate.text)) if cover >= SHARE * len(claim.words) else ""
        if problem:
            found.append((cover, problem))
    return max(found, default=None)


def _overlap(claim: Statement, source: Statement) -> int:
    return sum(source.holds(word) for word in claim.words) + 2 * sum(
        any(q.value == other.value for other in source.quantities) for q in claim.quantities
    )


def _problem(
    claim: Statement, chosen: Sequence[Sentence], documents: Sequence[Document], share: float
) -> str:
    """What these sentences lack to support the claim; "" if nothing."""
    parts = [statement(sentence.text) for sentence in chosen]
    whole = parts[0] if len(parts) == 1 else statement("\n".join(sentence.text for sentence in chosen))
    cited = {sentence.document_id for sentence in chosen}
    about = _metadata([document for document in documents if document.document_id in cited])
    return (
        number_problem(claim, whole)
        or term_problem(claim, whole, about)
        or share_problem(claim, whole, about, share)
        or side_problem(claim, whole)
        or altered_problem(claim, whole)
        or strength_problem(claim, whole)
        or dropped_problem(claim, parts)
    )


def _metadata(documents: Sequence[Document]) -> str:
    """Authors and titles, printed or given by the uploader: words that a claim may name them with."""
    return "\n".join((_names(documents, printed=True), _names(documents, printed=False)))


def _names(documents: Sequence[Document], *, printed: bool) -> str:
    """Authors and titles that the page prints, or those that it does not."""
    found: list[str] = []
    for document in documents:
        on_page = (*document.printed_authors, document.printed_title or "")
        shown = (*document.authors, document.title or "")
        found += on_page if printed else [name for name in shown if name not in on_page]
    return "\n".join(squeeze(fold(name)) for name in found)


def _attribution(text: str, documents: Sequence[Document]) -> tuple[tuple[Document, Block], ...]:
    """Byline and title blocks of a sentence that says nothing but whose text this is."""
    left = squeeze(fold(text))
    found: list[tuple[Document, Block]] = []
    for document in documents:
        used = [squeeze(fold(author)) for author in document.printed_authors]
        names = [name for name in used if name and name in left]
        title = squeeze(fold(document.printed_title or ""))
        byline, heading = document.typed_block("byline"), document.typed_block("title")
        if names and byline:
            found.append((document, byline))
            for name in names:
                left = left.replace(name, " ")
        if len(title) > 1 and title in left and heading:
            found.append((document, heading))
            left = left.replace(title, " ")
    if not found:
        return ()
    for word in sorted(_SPEAKING | FRAMING, key=lambda word: -len(word)):
        left = left.replace(word, " ")
    return () if any(char.isalnum() for char in left) else tuple(found)
