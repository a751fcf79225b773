"""What a question takes for granted and a corpus can flatly lack: figures, and the noun that is counted.

"2027 年的目标产值是多少" presumes the year 2027 and a 产值. If a corpus never writes that figure, or the noun
whose number is asked, it cannot state the answer, however near its subject is. Only such exact things
count here: other words may be paraphrased.
"""

from __future__ import annotations

import re

from rag.question import Question
from rag.question_patterns import CLAUSE_END
from rag.text.folding import fold

_FIGURE = re.compile(r"\d{2,}")
_IS_HOW_MANY = re.compile(r"([\u4e00-\u9fff]{2,8})(?:是|有|为)(?:多少|几|多[大高长远重])")
_COUNTED_KINDS = ("number", "date")
_NOUN_TAGS = ("n", "vn")
# Nouns that ask for a quantity rather than name what is counted.
_QUANTITY_NOUNS = frozenset(
    ("数量", "数目", "总数", "总量", "比例", "占比", "数字", "金额", "时间", "日期", "年份", "人数", "个数")
)


def claimed_terms(question: Question) -> list[str]:
    """Folded figures of the question and, if it asks for a number or date, the nouns of its last clause.

    English questions claim nothing here: their words are not the corpus's.
    """
    if question.is_foreign:
        return []
    claimed = _FIGURE.findall(question.folded)
    if question.kind in _COUNTED_KINDS:
        clause = _asking_clause(question.folded)
        claimed += _nouns(clause) + _counted(clause)
    return claimed


def _asking_clause(folded: str) -> str:
    clauses = [clause for clause in CLAUSE_END.split(folded) if clause.strip()]
    return clauses[-1] if clauses else folded


def _counted(clause: str) -> list[str]:
    """The word whose number is asked in "X 是多少": a noun by its place, whatever the dictionary calls it."""
    import rjieba

    found = _IS_HOW_MANY.search(clause)
    last = rjieba.cut(found.group(1))[-1] if found else ""
    return [last] if len(last) >= 2 and last not in _QUANTITY_NOUNS else []


def _nouns(clause: str) -> list[str]:
    import rjieba

    return [
        word
        for word, tag in rjieba.tag(fold(clause))
        if tag in _NOUN_TAGS and len(word) >= 2 and word not in _QUANTITY_NOUNS
    ]
