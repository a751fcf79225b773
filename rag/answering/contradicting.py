"""Does a sentence deny what a question takes for granted? "罚几块钱", "不罚钱"; "换成几小时", "不得换成".

By form: a question for an amount, a time, a way that is not itself negated, and a sentence in which a
negation stands right before a word of the question. That is an answer, so it should be read first. Where
yes or no or a stance is asked for, the sentence nearest to the question may only repeat what it supposes.
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
_OR_NOT = re.compile(r"(?![时动])([\u4e00-\u9fff])[不没]\1")
"""有没有, 是不是, 对不对: a question, no negation; not 时不时, 动不动."""
_STANCE = re.compile(
    rf"(?:吗|对吧|是吧|好吧)[?。!]*$|{_OR_NOT.pattern}|是否|能否|可否|可不可以|应不应该"
    r"|认为|觉得|看法|观点|意见|态度|主张"
)
_SAYS_NO = re.compile("[不没无未否]")


def negates(text: str, question: Question) -> bool:
    """Whether a sentence negates a word of the question, which does not ask for a negation."""
    if question.kind not in _KINDS or _NEGATED.search(question.folded):
        return False
    words = [word for word in question.words if not word.isascii() and not word[0].isdigit()]
    if not words:
        return False
    said = "|".join(re.escape(word) for word in words)
    denied = re.compile(f"{_NEGATION}{_BETWEEN}(?:{said})")
    return denied.search(_OR_NOT.sub(r"\1", fold(text))) is not None


def asks_stance(question: Question) -> bool:
    """Whether it asks for yes or no, or for somebody's stance, and for nothing else."""
    return question.kind == "other" and _STANCE.search(question.folded) is not None


def says_no(text: str) -> bool:
    """Whether a sentence negates anything."""
    return _SAYS_NO.search(fold(text)) is not None
