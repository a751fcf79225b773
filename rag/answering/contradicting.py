"""Does a sentence deny what a question takes for granted? "罚几块钱", "不罚钱"; "换成几小时", "不得换成".

By form: a question for an amount, a time, a way that is not itself negated, and a sentence in which a
negation stands right before a word of the question. That is an answer, so it should be read first.
"""

from __future__ import annotations

import re

from rag.question import Question
from rag.text.folding import fold

_NEGATION = (
    r"(?:不得|不能|不可以?|不准|不许|不会|不再|不需要?|无须|无需|禁止|严禁|没有|不提供|不设|不收|不|没|无)"
)
_NEGATED = re.compile(r"不|没|无|未|别|非")
_KINDS = ("number", "date", "how", "place", "person", "list")
_BETWEEN = "(?:以|用|把|将|再|被|向|给)?"


def negates(text: str, question: Question) -> bool:
    """Whether a sentence negates a word of the question, which does not ask for a negation."""
    if question.kind not in _KINDS or _NEGATED.search(question.folded):
        return False
    words = [word for word in question.words if not word.isascii() and not word[0].isdigit()]
    if not words:
        return False
    said = "|".join(re.escape(word) for word in words)
    return re.search(f"{_NEGATION}{_BETWEEN}(?:{said})", fold(text)) is not None
