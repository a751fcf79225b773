"""What a question takes for granted and a corpus can lack altogether: figures, and the noun that is counted.

"2027 年的目标产值是多少" presumes the year 2027 and a 产值. If a corpus never writes that figure, or the noun
whose number is asked, it hardly states the answer, however near its subject is. A noun may be paraphrased
and a dictionary may cut it wrongly, so this is evidence for the confidence model, not a verdict.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.confidence.wording import knows
from rag.question import Question
from rag.question_patterns import CLAUSE_END
from rag.ranking.arms import LexicalArm
from rag.text.digits import in_digits

# Not the digits of a name of Latin letters ("e05", "hy-30"), which is one word of its own.
_FIGURE = re.compile(r"(?<![a-z\d.])(?<![a-z]-)\d+(?:[.,]\d+)*%?(?!\d)")
_FIGURE_MIN_DIGITS = 2
_IS_HOW_MANY = re.compile(r"([\u4e00-\u9fff]{2,8})(?:是|有|为)(?:多少|几|多[大高长远重])")
_COUNTED_KINDS = ("number", "date")
_NOUN_TAGS = ("n", "vn")
# Nouns that ask for a quantity or a time rather than name what is counted or dated.
_ASKING_NOUNS = frozenset(
    word
    for words in ("数量 数目 总数 总量 比例 占比 数字 金额 人数 个数 大概 年龄", "时间 日期 年份 时候")
    for word in words.split()
)
_COUNTERS = "几多哪某每一二两三四五六七八九十"
"""A "noun" that opens with one of these is a count and its measure word ("几本", "三楼")."""


@dataclass(frozen=True, slots=True)
class Lacking:
    """What a question presumes and the corpus never writes.

    Attributes:
        figures: Numbers of two or more digits.
        nouns: Nouns of the asking clause, where a number or date is asked for.
    """

    figures: tuple[str, ...]
    nouns: tuple[str, ...]


def lacking_claims(question: Question, arm: LexicalArm) -> Lacking:
    """Claims of a question that no row of a lexical arm holds.

    English questions claim nothing: their words are not the corpus's.
    """
    if question.is_foreign:
        return Lacking((), ())
    figures = tuple(
        figure
        for figure in (found.replace(",", "") for found in _FIGURE.findall(in_digits(question.folded)))
        if sum(char.isdigit() for char in figure) >= _FIGURE_MIN_DIGITS
        and not knows(arm, figure)
        and not knows(arm, figure.rstrip("%"))
    )
    counted = counted_nouns(question) if question.kind in _COUNTED_KINDS else []
    return Lacking(figures, tuple(noun for noun in counted if not knows(arm, noun)))


def counted_nouns(question: Question) -> list[str]:
    """Nouns of the question's last clause: by the dictionary, or by place in "X 是多少"."""
    import rjieba

    clauses = [clause for clause in CLAUSE_END.split(question.folded) if clause.strip()]
    clause = clauses[-1] if clauses else question.folded
    found = [word for word, tag in rjieba.tag(clause) if tag in _NOUN_TAGS]
    placed = _IS_HOW_MANY.search(clause)
    if placed:
        found.append(rjieba.cut(placed.group(1))[-1])
    return [
        word
        for word in dict.fromkeys(found)
        if len(word) >= 2 and word not in _ASKING_NOUNS and word[0] not in _COUNTERS
    ]
