"""What a question asks for, read off its form: the asked kind, a count, quoted terms. No search here.

The question is folded first, so that traditional and full-width spellings need no patterns of their own.
The patterns stand in `rag.question_patterns`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.question_patterns import (
    CLAUSE_END,
    COUNT_ASKED,
    ENGLISH_COUNTS,
    KINDS,
    METADATA,
    Kind,
    Metadata,
)
from rag.text.folding import fold, has_han
from rag.text.numbers import chinese_count
from rag.text.terms import content_words


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what its form says.

    Attributes:
        text: As typed.
        folded: For matching.
        kind: The kind of thing asked for.
        metadata: What typed part of a document is asked for, or None for an ordinary question.
        count: How many items are asked for ("哪三个" → 3), or None.
        words: Content words, folded.
        is_foreign: Whether it has no Chinese character.
    """

    text: str
    folded: str
    kind: Kind
    metadata: Metadata | None
    count: int | None
    words: tuple[str, ...]
    is_foreign: bool


def read_question(text: str) -> Question:
    """Read a question's form (the text must already be checked by `rag.inputs`)."""
    folded = fold(text)
    bare = folded.rstrip("?。.!；; ")
    kind = _kind(bare)
    metadata = next((kind for kind, pattern in METADATA if pattern.search(bare)), None)
    return Question(
        text,
        folded,
        kind,
        metadata,
        _count_asked(bare) if kind in ("list", "comparison", "other", "definition") else None,
        tuple(content_words(text)),
        not has_han(text),
    )


def _kind(folded: str) -> Kind:
    """The kind asked for by the last clause that asks: what comes before it is background."""
    for clause in reversed(CLAUSE_END.split(folded)):
        for kind, pattern in KINDS:
            if pattern.search(clause):
                return kind
    return "other"


def _count_asked(folded: str) -> int | None:
    counted = COUNT_ASKED.search(folded)
    if counted:
        return chinese_count(counted.group(1))
    return next(
        (number for word, number in ENGLISH_COUNTS.items() if re.search(rf"\b{word}\b", folded)), None
    )
